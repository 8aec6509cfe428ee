package core_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/node"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// teller makes advisories that say in words what they tell.
type teller struct{}

// Advisory implements core.Advisor.
func (teller) Advisory(v core.Advice) *message.Message {
	return message.New(message.Text, message.SetDestination(advisories(v.Topic)), message.SetID("ID:broker", 0, 1, 1),
		message.SetContent([]byte(describe(v))))
}

// describe says + or - for what came or went, its subject or else its destination, and how many there are.
func describe(v core.Advice) string {
	text := map[bool]string{false: "+", true: "-"}[v.Gone]
	switch v.Family {
	case core.ConsumerAdvisory, core.ProducerAdvisory:
		text += fmt.Sprintf("%v of %s: %d", v.Subject, v.Destination, v.Count)
	case core.ConnectionAdvisory:
		text += fmt.Sprint(v.Subject)
	case core.MasterAdvisory:
		text += "master"
	case core.SlowConsumerAdvisory, core.FastProducerAdvisory:
		text = fmt.Sprint(v.Subject)
	case core.FullAdvisory:
		text = fmt.Sprint("full: ", v.Count > 0)
	case core.DiscardedAdvisory:
		text = fmt.Sprintf("%s, the %dth that %v loses", v.Message.Content(), v.Count, v.Subject)
	case core.DispatchedAdvisory:
		text = fmt.Sprintf("%s to %v", v.Message.Content(), v.Subject)
	case core.DeliveredAdvisory, core.ConsumedAdvisory, core.ExpiredAdvisory, core.DeadLetterAdvisory, core.NoConsumerAdvisory:
		text = fmt.Sprintf("%s, with body: %v", v.Message.Content(), v.Body)
	default:
		text += v.Destination.String()
	}
	if v.Target != nil {
		text += fmt.Sprintf(" for %v", v.Target)
	}
	return text
}

func advisories(name string) destination.Destination {
	return destination.Destination{Kind: destination.Topic, Name: name}
}

// newTeller is a broker that tells what happens in words.
func newTeller(t *testing.T, anonymous bool) *broker {
	b := newBroker(t, 0)
	b.Broker = core.New(core.Options{
		Store: node.Join(b.store), Advisor: teller{}, Now: func() time.Time { return b.now },
		Logger: slog.New(slog.DiscardHandler), AnonymousProducerAdvisories: anonymous,
	})
	return b
}

// known connects a client that advisories call by its name.
func (b *broker) known(name string) *client {
	b.t.Helper()
	c, err := b.Connect(core.ConnectionSpec{ID: name, Replaced: func() {}, Subject: name})
	b.must(err)
	return &client{Connection: c, broker: b, id: name}
}

// listen subscribes to advisories, as a consumer called ear.
func (c *client) listen(topic string) *consumer {
	c.broker.t.Helper()
	return c.subscribe(core.ConsumerSpec{Destination: advisories(topic), Prefetch: 1000, Subject: "ear"})
}

// hears compares what was told with texts.
func (c *consumer) hears(texts ...string) {
	c.broker.t.Helper()
	var got []string
	for _, d := range c.take() {
		got = append(got, string(d.Message.Content()))
	}
	if diff := cmp.Diff(texts, got); diff != "" {
		c.broker.t.Fatalf("told (-want +got):\n%s", diff)
	}
}

func (c *client) named(d destination.Destination, name string) *consumer {
	c.broker.t.Helper()
	return c.subscribe(core.ConsumerSpec{Destination: d, Prefetch: 10, Subject: name})
}

func TestConnectionsAreTold(t *testing.T) {
	b := newTeller(t, false)
	listener := b.known("listener")
	early := listener.listen("ActiveMQ.Advisory.Connection")
	early.hears("+listener for ear")
	c := b.known("c")
	early.hears("+c")
	late := listener.listen("ActiveMQ.Advisory.Connection")
	late.hears("+listener for ear", "+c for ear")
	c.Close(core.AllUnknown)
	early.hears("-c")
	late.hears("-c")
}

func TestConsumersAreToldOnTheirDestinationsTopic(t *testing.T) {
	b := newTeller(t, false)
	c, listener := b.known("c"), b.known("listener")
	early := listener.listen("ActiveMQ.Advisory.Consumer.Queue.ORDERS")
	topics := listener.listen("ActiveMQ.Advisory.Consumer.Topic.PRICES")
	one := c.named(orders, "one")
	c.named(prices, "three")
	c.named(bills, "elsewhere")
	early.hears("+one of queue://ORDERS: 1")
	topics.hears("+three of topic://PRICES: 1")
	c.named(orders, "two")
	early.hears("+two of queue://ORDERS: 2")
	late := listener.listen("ActiveMQ.Advisory.Consumer.Queue.ORDERS")
	late.hears("+one of queue://ORDERS: 2 for ear", "+two of queue://ORDERS: 2 for ear")
	one.Close(core.NoneDelivered)
	c.Close(core.AllUnknown)
	early.hears("-one of queue://ORDERS: 1", "-two of queue://ORDERS: 0")
	late.hears("-one of queue://ORDERS: 1", "-two of queue://ORDERS: 0")
	topics.hears("-three of topic://PRICES: 0")
}

// A composite's commas would make a composite of its topic.
func TestAConsumerOfACompositeIsToldOnOneTopic(t *testing.T) {
	b := newTeller(t, false)
	c := b.known("c")
	ear := c.listen("ActiveMQ.Advisory.Consumer.Topic.A&sbquo;B")
	c.named(advisories("A,B"), "both")
	ear.hears("+both of topic://A,B: 2")
}

func (c *client) produce(d destination.Destination, name string) *core.Producer {
	c.broker.t.Helper()
	p, err := c.AddProducer(core.ProducerSpec{Destination: d, Subject: name})
	c.broker.must(err)
	return p
}

func TestProducersAreTold(t *testing.T) {
	b := newTeller(t, false)
	c := b.known("c")
	early, anonymous := c.listen("ActiveMQ.Advisory.Producer.Queue.ORDERS"), c.listen("ActiveMQ.Advisory.Producer.Anonymous")
	one := c.produce(orders, "one")
	c.produce(destination.Destination{}, "any")
	c.produce(orders, "two")
	early.hears("+one of queue://ORDERS: 1", "+two of queue://ORDERS: 2")
	c.listen("ActiveMQ.Advisory.Producer.>").hears("+one of queue://ORDERS: 2 for ear", "+two of queue://ORDERS: 2 for ear")
	one.Close()
	one.Close()
	early.hears("-one of queue://ORDERS: 1")
	anonymous.hears()
}

func TestAnonymousProducersAreToldWhereAsked(t *testing.T) {
	b := newTeller(t, true)
	c := b.known("c")
	ear := c.listen("ActiveMQ.Advisory.Producer.Anonymous")
	c.produce(destination.Destination{}, "any").Close()
	ear.hears("+any of kind-0://: 0", "-any of kind-0://: 0")
}

func TestDestinationsAreTold(t *testing.T) {
	b := newTeller(t, false)
	c := b.known("c")
	queues, topics := c.listen("ActiveMQ.Advisory.Queue"), c.listen("ActiveMQ.Advisory.Topic")
	c.send(orders, "one")
	c.produce(bills, "p")
	c.consume(prices, 1)
	queues.hears("+queue://ORDERS", "+queue://BILLS")
	topics.hears("+topic://PRICES")
	c.listen("ActiveMQ.Advisory.Queue,ActiveMQ.Advisory.Topic").hears("+queue://ORDERS for ear", "+queue://BILLS for ear", "+topic://PRICES for ear")
}

func TestTheMasterIsToldToWhoeverAsks(t *testing.T) {
	b := newTeller(t, false)
	c := b.known("c")
	c.listen("ActiveMQ.Advisory.MasterBroker").hears("+master for ear")
}

// Nothing is told of what listens to advisories, which would go round and round.
func TestNothingIsToldOfAdvisories(t *testing.T) {
	b := newTeller(t, true)
	c := b.known("c")
	topics := c.listen("ActiveMQ.Advisory.Topic")
	consumers := c.listen("ActiveMQ.Advisory.Consumer.Topic.ActiveMQ.Advisory.Queue")
	producers := c.listen("ActiveMQ.Advisory.Producer.Topic.ActiveMQ.Advisory.Queue")
	c.listen("ActiveMQ.Advisory.Queue")
	c.produce(advisories("ActiveMQ.Advisory.Queue"), "p")
	for _, ear := range []*consumer{topics, consumers, producers} {
		ear.hears()
	}
}

// A connection's end is told from the inside to the outside: its consumers, its producers, its temporary destinations, itself.
func TestTheOrderOfAConnectionsEnd(t *testing.T) {
	b := newTeller(t, false)
	listener, c := b.known("listener"), b.known("c")
	q := destination.Destination{Kind: destination.TempQueue, Name: "ID:c:1"}
	b.must(c.AddTemporary(q))
	c.named(q, "consumer")
	c.produce(q, "producer")
	ear := listener.listen(strings.Join([]string{"ActiveMQ.Advisory.Consumer.Queue.ID:c:1", "ActiveMQ.Advisory.Producer.Queue.ID:c:1",
		"ActiveMQ.Advisory.TempQueue", "ActiveMQ.Advisory.Connection"}, ","))
	ear.take()
	c.Close(core.AllUnknown)
	ear.hears("-consumer of temp-queue://ID:c:1: 0", "-producer of temp-queue://ID:c:1: 0", "-temp-queue://ID:c:1", "-c")
}

// What happens to messages is told where the policy says so.
func TestWhatHappensToMessagesIsTold(t *testing.T) {
	all := func(p *policy.Policy) {
		p.AdvisoryForConsumed, p.AdvisoryForDelivery, p.AdvisoryForDispatched, p.AdvisoryForDiscardingMessages = true, true, true, true
		p.AdvisoryForSlowConsumers, p.AdvisoryForFastProducers, p.AdvisoryWhenFull, p.SendAdvisoryIfNoConsumers = true, true, true, true
		p.PendingMessageLimitStrategy = limited(3)
	}
	soon := func(b *broker) message.Set { return message.SetExpiration(b.now.UnixMilli() + 1000) }
	for name, c := range map[string]struct {
		topic  string
		happen func(b *broker, c *client)
		want   string
		always bool // whatever the policy
	}{
		"delivered to a queue": {"MessageDelivered.Queue.ORDERS", func(_ *broker, c *client) { c.send(orders, "a") }, "a, with body: false", false},
		"delivered to a topic": {"MessageDelivered.Topic.PRICES", func(_ *broker, c *client) { c.send(prices, "a") }, "a, with body: false", false},
		"delivered in a transaction": {"MessageDelivered.Queue.ORDERS", func(_ *broker, c *client) {
			tx := c.begin()
			tx.send(orders, "a")
			tx.commit()
		}, "a, with body: false", false},
		"dispatched from a queue": {"MessageDispatched.Queue.ORDERS", func(_ *broker, c *client) {
			c.send(orders, "a")
			c.named(orders, "x")
		}, "a to x", false},
		"dispatched from a topic": {"MessageDispatched.Topic.PRICES", func(_ *broker, c *client) {
			c.named(prices, "x")
			c.send(prices, "a")
		}, "a to x", false},
		"consumed": {"MessageConsumed.Queue.ORDERS", func(_ *broker, c *client) {
			c.send(orders, "a")
			x := c.consume(orders, 1)
			x.consumed(x.expect("a")[0], nil)
		}, "a, with body: false", false},
		"consumed in a transaction": {"MessageConsumed.Queue.ORDERS", func(_ *broker, c *client) {
			c.send(orders, "a")
			x, tx := c.consume(orders, 1), c.begin()
			x.consumed(x.expect("a")[0], tx)
			tx.commit()
		}, "a, with body: false", false},
		"expired in a queue": {"Expired.Queue.ORDERS", func(b *broker, c *client) {
			c.send(orders, "a", soon(b))
			b.now = b.now.Add(time.Minute)
			c.consume(orders, 1).expect()
		}, "a, with body: false", true},
		"expired before a slow subscriber has it": {"Expired.Topic.PRICES", func(b *broker, c *client) {
			slow := slowly(c, core.ConsumerSpec{})
			c.send(prices, "a", soon(b))
			b.now = b.now.Add(time.Minute)
			slow.rest()
		}, "a, with body: false", true},
		"dead letters": {"MessageDLQd.Queue.ORDERS", func(_ *broker, c *client) {
			c.send(orders, "a")
			x := c.consume(orders, 1)
			x.ack(core.Ack{Kind: core.Poison, Last: x.expect("a")[0], Count: 1}, nil)
		}, "a, with body: false", true},
		"discarded": {"MessageDiscarded.Topic.PRICES", func(_ *broker, c *client) {
			slowly(c, core.ConsumerSpec{Subject: "x"})
			sendAll(c, "a", "b", "c", "d", "e")
		}, "a, the 1th that x loses|b, the 2th that x loses", false},
		"a slow consumer of a topic": {"SlowConsumer.Topic.PRICES", func(_ *broker, c *client) {
			c.subscribe(core.ConsumerSpec{Destination: prices, Prefetch: 2, Subject: "x"})
			sendAll(c, "a", "b", "c", "d", "e", "f")
		}, "x", false},
		"a slow consumer of a queue": {"SlowConsumer.Queue.ORDERS", func(_ *broker, c *client) {
			c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 1, Subject: "x"})
			for range 3 {
				c.send(orders, "a")
			}
		}, "x", true},
		"nobody is there": {"NoConsumer.Queue.ORDERS", func(_ *broker, c *client) {
			c.send(orders, "a", fleeting)
			c.send(orders, "waits")
			c.consume(orders, 2)
			c.send(orders, "b", fleeting)
		}, "a, with body: false", false},
		"nobody wants it": {"NoConsumer.Topic.PRICES", func(_ *broker, c *client) {
			c.subscribe(core.ConsumerSpec{Destination: prices, Prefetch: 1, Selector: "FALSE"})
			c.send(prices, "a", fleeting)
			c.consume(prices, 1)
			c.send(prices, "b", fleeting)
		}, "a, with body: false", false},
		"full": {"FULL.Queue.ORDERS", func(_ *broker, c *client) {
			c.send(orders, "a", fleeting)
			c.Held(c.make(orders, "b"), nil)
		}, "full: true", false},
		"a fast producer": {"FastProducer.Queue.ORDERS", func(_ *broker, c *client) {
			c.Held(c.make(orders, "b"), c.produce(orders, "x"))
		}, "x", false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, told := range []bool{true, false} {
				b := newTeller(t, false)
				if told {
					b.setPolicy(all)
				} else {
					b.setPolicy(func(p *policy.Policy) { p.PendingMessageLimitStrategy = limited(3) })
				}
				listener := b.known("listener")
				ear, wild := listener.listen("ActiveMQ.Advisory."+c.topic), listener.listen("ActiveMQ.Advisory.>")
				c.happen(b, b.known("c"))
				if !told && !c.always {
					ear.hears()
					continue
				}
				ear.hears(strings.Split(c.want, "|")...)
				var heard []string
				for _, d := range wild.take() {
					if strings.HasSuffix(d.Message.Destination().Name, c.topic) {
						heard = append(heard, string(d.Message.Content()))
					}
				}
				if got := strings.Join(heard, "|"); got != c.want {
					t.Errorf("by a wildcard: %s", got)
				}
			}
		})
	}
}

func TestAdvisoriesWithBody(t *testing.T) {
	b := newTeller(t, false)
	b.setPolicy(func(p *policy.Policy) { p.AdvisoryForDelivery, p.IncludeBodyForAdvisory = true, true })
	c := b.known("c")
	ear := c.listen("ActiveMQ.Advisory.MessageDelivered.Queue.ORDERS")
	c.send(orders, "a")
	ear.hears("a, with body: true")
}

func TestWithoutAdvisorNothingIsTold(t *testing.T) {
	b := newBroker(t, 0)
	b.Broker = core.New(core.Options{
		Store: node.Join(b.store), Now: func() time.Time { return b.now }, Logger: slog.New(slog.DiscardHandler),
	})
	c := b.connect("ID:c")
	ear := c.consume(advisories("ActiveMQ.Advisory.Queue"), 10)
	c.send(orders, "one")
	c.Close(core.AllUnknown)
	ear.expect()
}

// The topics of a destination's advisories go with it, so that coming and going leaves nothing.
func TestAdvisoryTopicsGoWithTheirDestination(t *testing.T) {
	b := newTeller(t, false)
	c := b.known("c")
	wild := c.listen("ActiveMQ.Advisory.>")
	wild.take()
	before := b.Topics()
	for range 3 {
		q := destination.Destination{Kind: destination.TempQueue, Name: "ID:c:1"}
		b.must(c.AddTemporary(q))
		c.named(q, "x").Close(core.NoneDelivered)
		b.must(c.RemoveTemporary(q))
		wild.hears("+temp-queue://ID:c:1", "+x of temp-queue://ID:c:1: 1", "-x of temp-queue://ID:c:1: 0", "-temp-queue://ID:c:1")
	}
	if after := b.Topics(); after > before+1 { // that of temporary queues
		t.Errorf("%d topics before, %d after", before, after)
	}
}
