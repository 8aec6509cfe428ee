package core_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/wire"
)

func queueNamed(name string) destination.Destination {
	return destination.Destination{Kind: destination.Queue, Name: name}
}

func topicNamed(name string) destination.Destination {
	return destination.Destination{Kind: destination.Topic, Name: name}
}

// color is a property for selectors.
func color(name string) message.Set {
	return message.SetProperties(wire.AppendMap(nil, []wire.Entry{{Key: "color", Value: wire.TextValue(name)}}))
}

// seen is what a consumer got: the content, and where it was before in brackets.
func (c *consumer) seen() string {
	c.broker.t.Helper()
	var all []string
	for _, d := range c.take() {
		text := string(d.Message.Content())
		if from, moved := d.Message.OriginalDestination(); moved {
			text += "[" + from.String() + "]"
		}
		if to := d.Message.Destination(); to != c.to {
			c.broker.t.Errorf("%s arrives as one for %s, at a consumer of %s", text, to, c.to)
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// virtual is the table of sends: what is configured, where is sent, and what comes where.
var virtual = []struct {
	name  string
	v     policy.Virtual
	queue []string // which there are before
	to    destination.Destination
	want  map[string]string
}{
	{
		name: "a virtual topic feeds the queues that there are, and its subscribers", v: unchanged,
		queue: []string{"Consumer.A.VirtualTopic.T", "Consumer.B.VirtualTopic.T", "Consumer.A.VirtualTopic.U", "Consumer.A.B.VirtualTopic.T", "Other.A.VirtualTopic.T"},
		to:    topicNamed("VirtualTopic.T"),
		want: map[string]string{
			"queue://Consumer.A.VirtualTopic.T": "red[topic://VirtualTopic.T] blue[topic://VirtualTopic.T]",
			"queue://Consumer.B.VirtualTopic.T": "red[topic://VirtualTopic.T] blue[topic://VirtualTopic.T]",
			"topic://VirtualTopic.T":            "red blue",
		},
	},
	{
		name: "a topic of another name is not virtual", v: unchanged,
		queue: []string{"Consumer.A.T"}, to: topicNamed("T"), want: map[string]string{"topic://T": "red blue"},
	},
	{
		name:  "a prefix and a postfix with wildcards",
		v:     configured("- virtualTopic: {prefix: '*.*.', postfix: '.*'}"),
		queue: []string{"a.b.T.c", "a.T.c", "a.b.T"}, to: topicNamed("T"),
		want: map[string]string{"queue://a.b.T.c": "red[topic://T] blue[topic://T]", "topic://T": "red blue"},
	},
	{
		name:  "a prefix and a postfix within a part",
		v:     configured("- virtualTopic: {name: T, prefix: Q_, postfix: _x}"),
		queue: []string{"Q_T_x", "Q_T", "T_x"}, to: topicNamed("T"),
		want: map[string]string{"queue://Q_T_x": "red[topic://T] blue[topic://T]", "topic://T": "red blue"},
	},
	{
		name: "without virtual topics", queue: []string{"Consumer.A.VirtualTopic.T"}, to: topicNamed("VirtualTopic.T"),
		want: map[string]string{"topic://VirtualTopic.T": "red blue"},
	},
	{
		name: "a composite queue forwards only", v: configured("- compositeQueue: {name: C, forwardTo: [{queue: Q}, {topic: T}]}"),
		to: queueNamed("C"), queue: []string{"Q"},
		want: map[string]string{"queue://Q": "red[queue://C] blue[queue://C]", "topic://T": "red[queue://C] blue[queue://C]"},
	},
	{
		name: "a composite topic that keeps its own",
		v:    configured(`- compositeTopic: {name: "T.*", forwardOnly: false, forwardTo: [{queue: Q, selector: "color = 'red'"}]}`),
		to:   topicNamed("T.x"), queue: []string{"Q"},
		want: map[string]string{"queue://Q": "red[topic://T.x]", "topic://T.x": "red blue"},
	},
	{
		name: "what no forward takes goes nowhere",
		v:    configured(`- compositeQueue: {name: C, forwardTo: [{queue: Q, selector: "color = 'green'"}]}`),
		to:   queueNamed("C"), queue: []string{"Q"}, want: map[string]string{},
	},
	{
		name: "or stays",
		v:    configured(`- compositeQueue: {name: C, sendWhenNotMatched: true, forwardTo: [{queue: Q, selector: "color = 'red'"}]}`),
		to:   queueNamed("C"), queue: []string{"Q"}, want: map[string]string{"queue://Q": "red[queue://C]", "queue://C": "blue"},
	},
	{
		name: "a composite of a composite and a virtual topic, and one queue that two ways lead to",
		v: configured(`
- virtualTopic: {name: VirtualTopic.>}
- compositeQueue: {name: C, forwardTo: [{queue: D}, {queue: Q}]}
- compositeQueue: {name: D, forwardTo: [{topic: VirtualTopic.T}, {queue: Q}]}`),
		to: queueNamed("C"), queue: []string{"Q", "Consumer.A.VirtualTopic.T"},
		want: map[string]string{
			"queue://Q":                         "red[queue://D] blue[queue://D]",
			"queue://Consumer.A.VirtualTopic.T": "red[topic://VirtualTopic.T] blue[topic://VirtualTopic.T]",
			"topic://VirtualTopic.T":            "red[queue://D] blue[queue://D]",
		},
	},
	{
		name: "a client's composite over a configured one", v: configured("- compositeQueue: {name: C, forwardTo: [{queue: Q}]}"),
		to: queueNamed("C,R"), queue: []string{"Q", "R"},
		want: map[string]string{"queue://Q": "red[queue://C] blue[queue://C]", "queue://R": "red[queue://C,R] blue[queue://C,R]"},
	},
	{
		name: "a mirrored queue, and a queue of its mirror",
		v: policy.Virtual{
			Destinations: policy.DefaultVirtualDestinations(), Mirror: &policy.MirroredQueue{Prefix: "VirtualTopic.Mirror.", Postfix: ".x"},
		},
		to: queueNamed("Q"), queue: []string{"Consumer.A.VirtualTopic.Mirror.Q.x"},
		want: map[string]string{
			"queue://Q": "red blue", "topic://VirtualTopic.Mirror.Q.x": "red blue",
			"queue://Consumer.A.VirtualTopic.Mirror.Q.x": "red[topic://VirtualTopic.Mirror.Q.x] blue[topic://VirtualTopic.Mirror.Q.x]",
		},
	},
}

var unchanged = policy.NewMap().Virtual

// configured reads virtualDestinations.
func configured(text string) (v policy.Virtual) {
	if err := yaml.Unmarshal([]byte(text), &v.Destinations); err != nil {
		panic(err)
	}
	if err := v.Validate(); err != nil {
		panic(err)
	}
	return v
}

// virtual replaces where messages go.
func (b *broker) virtual(v policy.Virtual) {
	policies := policy.NewMap()
	policies.Virtual = v
	b.SetPolicies(policies)
}

func TestVirtualDestinations(t *testing.T) {
	for _, test := range virtual {
		for _, how := range []string{"persistent", "not persistent", "in a transaction"} {
			t.Run(test.name+"/"+how, func(t *testing.T) {
				b := newBroker(t, 0)
				b.virtual(test.v)
				c := b.connect("ID:c")
				consumers := map[string]*consumer{}
				for _, name := range append(test.queue, test.to.Name) {
					if d := queueNamed(name); !d.IsComposite() {
						consumers[d.String()] = c.consume(d, 10)
					}
				}
				for name := range test.want {
					if d, err := destination.Parse(name, destination.Queue); err != nil {
						t.Fatal(err)
					} else if consumers[name] == nil {
						consumers[name] = c.consume(d, 10)
					}
				}
				c.sendColors(test.to, how)
				for name, consumer := range consumers {
					if diff := cmp.Diff(test.want[name], consumer.seen()); diff != "" {
						t.Errorf("%s (-want +got):\n%s", name, diff)
					}
				}
			})
		}
	}
}

// sendColors sends a message of each of two colors.
func (c *client) sendColors(d destination.Destination, how string) {
	c.broker.t.Helper()
	if how != "in a transaction" {
		persistent := message.SetPersistent(how == "persistent")
		c.send(d, "red", color("red"), persistent)
		c.send(d, "blue", color("blue"), persistent)
		return
	}
	tx := c.begin()
	tx.send(d, "red", color("red"))
	tx.send(d, "blue", color("blue"))
	tx.commit()
}

// A selector-aware virtual topic keeps out of each queue what its consumers would leave there.
func TestASelectorAwareVirtualTopic(t *testing.T) {
	b := newBroker(t, 0)
	b.virtual(configured("- virtualTopic: {name: VirtualTopic.>, selectorAware: true}"))
	c := b.connect("ID:c")
	queue := queueNamed("Consumer.A.VirtualTopic.T")
	picky := c.subscribe(core.ConsumerSpec{Destination: queue, Prefetch: 10, Selector: "color = 'red'"})
	c.sendColors(topicNamed("VirtualTopic.T"), "persistent")
	picky.expect("red")
	picky.Close(core.AllUnknown)
	c.sendColors(topicNamed("VirtualTopic.T"), "persistent")
	c.consume(queue, 10).expect("red+1")
}

// What another broker sent on is left alone by a virtual topic that is local.
func TestALocalVirtualTopic(t *testing.T) {
	b := newBroker(t, 0)
	b.virtual(configured("- virtualTopic: {local: true}"))
	c := b.connect("ID:c")
	consumer := c.consume(queueNamed("Consumer.A.T"), 10)
	c.send(topicNamed("T"), "travelled", message.SetBrokerPath("ID:other"))
	c.send(topicNamed("T"), "own")
	consumer.expect("own")
}

// A virtual topic with nobody there stores nothing; a queue that comes later gets what is sent from then on.
func TestAQueueOfAVirtualTopicComesLater(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.send(topicNamed("VirtualTopic.T"), "too early")
	consumer := c.consume(queueNamed("Consumer.A.VirtualTopic.T"), 10)
	consumer.Close(core.NoneDelivered)
	c.send(topicNamed("VirtualTopic.T"), "kept")
	if got := b.handOver().rest(queueNamed("Consumer.A.VirtualTopic.T")); got != "kept" {
		t.Errorf("got %q", got)
	}
}

// A takeover in the middle of a send leaves all copies or none, and a repeated send is stored once each.
func TestVirtualDestinationsAreStoredAsAWhole(t *testing.T) {
	a, z := queueNamed("Consumer.A.VirtualTopic.T"), queueNamed("Consumer.Z.VirtualTopic.T")
	wholeOverACrash(t, "|", "one|one", func(b *broker, c *client) func(func()) {
		c.consume(a, 0).Close(core.NoneDelivered)
		c.consume(z, 0).Close(core.NoneDelivered)
		return func(done func()) { b.must(c.Send(c.make(topicNamed("VirtualTopic.T"), "one"), done)) }
	}, a, z)
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.consume(a, 0)
	c.consume(z, 0)
	m := c.make(topicNamed("VirtualTopic.T"), "once")
	for range 2 {
		b.must(c.Send(m.With(), nil))
	}
	next := b.handOver()
	next.must(next.connect("ID:c").Send(m.With(), nil))
	if got := next.rest(a) + "|" + next.rest(z); got != "once|once" {
		t.Errorf("got %q", got)
	}
}

// A consumer with wildcards has a queue of that very name, which keeps what is sent before there is a queue that it covers; with
// those that there are it shares, as in ActiveMQ.
func TestAWildcardConsumerOfAVirtualTopic(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	pattern := queueNamed("Consumer.A.VirtualTopic.>")
	wild := c.consume(pattern, 10)
	c.send(topicNamed("VirtualTopic.T"), "one")
	wild.expect("one")
	wild.Close(core.AllUnknown)
	wider := c.consume(queueNamed("Consumer.>"), 10)
	c.send(topicNamed("VirtualTopic.T"), "two")
	wider.expect("two") // from a queue of its own name
	wider.Close(core.NoneDelivered)

	next := b.handOver()
	c = next.connect("ID:d")
	wild = c.consume(pattern, 10)
	wild.expect("one+1", "two")
	exact := c.consume(queueNamed("Consumer.A.VirtualTopic.T"), 10)
	c.consume(queueNamed("Consumer.A.VirtualTopic.U"), 10)
	for _, text := range []string{"three", "four"} {
		c.send(topicNamed("VirtualTopic.T"), text)
	}
	if n := len(wild.take()) + len(exact.take()); n != 4 {
		t.Errorf("a queue and a pattern that covers it got %d copies of two messages", n)
	}
}

// A mirror ends with its queue, also with a temporary one, unless somebody consumes from it.
func TestAMirrorEndsWithItsQueue(t *testing.T) {
	b := newBroker(t, 0)
	mirror := policy.DefaultMirroredQueue()
	b.virtual(policy.Virtual{Mirror: &mirror})
	c := b.connect("ID:c")
	temporary := destination.Destination{Kind: destination.TempQueue, Name: "ID:c:1"}
	b.must(c.AddTemporary(temporary))
	c.send(orders, "x")
	c.send(temporary, "x")
	consumer := c.consume(topicNamed("VirtualTopic.Mirror.BILLS"), 10)
	c.send(bills, "x")
	consumer.expect("x")
	mirrors := []string{"topic://VirtualTopic.Mirror.ORDERS", "topic://VirtualTopic.Mirror.ID:c:1", "topic://VirtualTopic.Mirror.BILLS"}
	if got := c.there(mirrors...); got != strings.Join(mirrors, " ") {
		t.Errorf("there are %s", got)
	}
	c.remove(orders)
	c.remove(bills)
	b.must(c.RemoveTemporary(temporary))
	if got := c.there(mirrors...); got != "topic://VirtualTopic.Mirror.BILLS" {
		t.Errorf("there are %s", got)
	}
}
