package core_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

func TestAQueuesPrefetch(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for _, text := range []string{"one", "two", "three", "four", "five", "six"} {
		c.send(orders, text)
	}
	consumer := c.consume(orders, 2)
	s := consumer.expect("one", "two")
	consumer.ack(core.Ack{Kind: core.Delivered, Last: s[0], Count: 1}, nil)
	s = append(s, consumer.expect("three")...)
	consumer.ack(core.Ack{Kind: core.Standard, Last: s[1], Count: 2}, nil) // one of them made its room before
	consumer.expect("four")
	consumer.SetPrefetch(4)
	consumer.expect("five", "six")
	consumer.SetPrefetch(1)
	consumer.consumed(s[2], nil)
	consumer.expect()
}

func TestPullsFromAQueue(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(orders, 0)
	consumer.Pull(false)
	consumer.expect("-")
	waiting := consumer.Pull(true)
	consumer.expect()
	c.send(orders, "one")
	c.send(orders, "two")
	consumer.expect("one")
	consumer.CancelPull(waiting) // its time-out comes late
	consumer.expect()
	consumer.Pull(false)
	consumer.expect("two")
	consumer.CancelPull(consumer.Pull(true))
	consumer.expect("-")
}

// Who does not want to wait is told of what is in the queue nevertheless, though the first dispatch waits for the horizon.
func TestAPullRightAfterATakeover(t *testing.T) {
	b := newBroker(t, 0)
	b.connect("ID:c").send(orders, "one")
	next := b.handOver()
	consumer := next.connect("ID:c").consume(orders, 0)
	consumer.Pull(false)
	consumer.expect("one")
}

func TestConsumersTakeTurnsAmongEquals(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	low := c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 10, Priority: -1})
	one, two := c.consume(orders, 2), c.consume(orders, 2)
	for _, text := range []string{"1", "2", "3", "4", "5"} {
		c.send(orders, text)
	}
	one.expect("1", "3")
	two.expect("2", "4")
	low.expect("5")
}

func TestSelectorsOnAQueue(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	colour := func(name string) message.Set {
		return message.SetProperties(wire.AppendMap(nil, []wire.Entry{{Key: "colour", Value: wire.TextValue(name)}}))
	}
	c.send(orders, "one", colour("red"))
	c.send(orders, "two", colour("blue"))
	blue := c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 10, Selector: "colour = 'blue'"})
	s := blue.expect("two")
	c.send(orders, "three", colour("red"))
	c.send(orders, "four", colour("blue"))
	blue.expect("four")
	blue.consumed(s[0], nil)
	blue.Close(core.AllUnknown)
	c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 10, Selector: "JMSRedelivered = TRUE"}).expect("four+1")
	c.consume(orders, 10).expect("one", "three")
}

// Messages that a consumer refused are looked at again when others have given some back before them.
func TestASelectorSeesWhatIsGivenBack(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	all := c.consume(orders, 1)
	c.send(orders, "urgent", message.SetPriority(9))
	all.expect("urgent")
	urgent := c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 10, Selector: "JMSPriority = 9"})
	c.send(orders, "ordinary")
	urgent.expect()
	all.Close(core.NoneDelivered)
	urgent.expect("urgent")
}

func TestWhatASelectorSeesOfAMessage(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	properties := wire.AppendMap(nil, []wire.Entry{
		{Key: "text", Value: wire.TextValue("t")}, {Key: "long", Value: wire.LongValue(1 << 40)}, {Key: "double", Value: wire.DoubleValue(1.5)},
		{Key: "bool", Value: wire.BoolValue(true)},
	})
	sets := []message.Set{message.SetType("car"), message.SetTimestamp(7), message.SetPriority(3), message.SetExpiration(1 << 60),
		message.SetProperties(properties)}
	sets = append(sets, message.SetGroup("a group", 2)...)
	for selector, matches := range map[string]bool{
		"JMSType = 'car'": true, "JMSTimestamp = 7": true, "JMSPriority = 3": true, "JMSDeliveryMode = 'PERSISTENT'": true,
		"JMSDeliveryMode = 'NON_PERSISTENT'": false, "JMSMessageID LIKE 'ID:c:1:1:%'": true, "JMSCorrelationID IS NULL": true,
		"JMSRedelivered = FALSE": true, "JMSExpiration > 7": true, "JMSXUserID IS NULL": true, "text = 't'": true, "long = 1099511627776": true,
		"double = 1.5": true, "bool = TRUE": true, "nothing IS NULL": true, "JMSReplyTo IS NULL": true, "JMSXGroupID = 'a group'": true,
		"JMSXGroupSeq = 2": true, "JMSDestination = 'topic://PRICES'": true, "JMSXGroupFirstForConsumer = FALSE": true,
	} {
		consumer := c.subscribe(core.ConsumerSpec{Destination: prices, Prefetch: 10, Selector: selector})
		c.send(prices, "m", sets...)
		if got := len(consumer.take()) == 1; got != matches {
			t.Errorf("%s: %v", selector, got)
		}
		consumer.Close(core.NoneDelivered)
	}
}

// A queue deeper than what it may keep in memory is paged in, in order, with what comes meanwhile.
func TestADeepQueueComesInOrder(t *testing.T) {
	const messages = 1000
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	body := strings.Repeat("x", 50_000) // more than all queues may keep
	send := func(from, to int) {
		for i := from; i < to; i++ {
			b.must(c.Send(c.make(orders, fmt.Sprint(i, body)), nil))
		}
		b.settle()
	}
	send(0, messages*3/4)
	if windows, _ := b.InMemory(); windows < 1<<20 || windows > 33<<20 {
		t.Errorf("%d bytes are in memory", windows)
	}
	consumer := c.consume(orders, 10)
	next := 0
	consumeTo := func(end int) {
		for next < end {
			got := consumer.take()
			if len(got) == 0 {
				t.Fatalf("nothing comes after %d", next)
			}
			for _, d := range got {
				if !strings.HasPrefix(string(d.Message.Content()), fmt.Sprint(next, "x")) || d.Redelivered != 0 {
					t.Fatalf("%.10s+%d comes where %d was to", d.Message.Content(), d.Redelivered, next)
				}
				next++
			}
			consumer.ack(core.Ack{Kind: core.Standard, Last: got[len(got)-1].Message.BrokerSequence(), Count: len(got)}, nil)
		}
	}
	consumeTo(messages / 4)
	send(messages*3/4, messages)
	consumeTo(messages)
	consumer.expect()
	if windows, flight := b.InMemory(); windows != 0 || flight != 0 {
		t.Errorf("%d and %d bytes are left in memory", windows, flight)
	}
}

// What a selector is for is found behind more than is loaded at once.
func TestASelectorFindsWhatIsDeepInTheQueue(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for i := range 900 {
		b.must(c.Send(c.make(orders, fmt.Sprint(i)), nil))
	}
	c.send(orders, "urgent", message.SetPriority(9))
	b = b.handOver()
	b.connect("ID:d").subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 10, Selector: "JMSPriority = 9"}).expect("urgent")
	b.must(b.store.Close())
}

// What the broker before may have delivered is marked, and nothing else (JMS 1.1 §4.4.11).
func TestMarksAfterATakeover(t *testing.T) {
	for name, test := range map[string]struct {
		takeover func(*broker, *client) *broker
		want     []string
	}{
		"in order": {func(b *broker, c *client) *broker {
			c.Close(core.NoneDelivered)
			return b.handOver()
		}, []string{"one+1", "two+1", "three", "four"}},
		"in order, with clients":        {func(b *broker, _ *client) *broker { return b.handOver() }, []string{"one+1", "two+1", "three", "four"}},
		"by a crash":                    {func(b *broker, _ *client) *broker { return b.crash(0) }, []string{"one+1", "two+1", "three+1", "four+1"}},
		"by a crash after one in order": {func(b *broker, _ *client) *broker { return b.handOver().crash(0) }, []string{"one+1", "two+1", "three", "four"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c := b.connect("ID:c")
			for _, text := range []string{"one", "two", "three", "four"} {
				c.send(orders, text)
			}
			c.consume(orders, 2).expect("one", "two")
			next := test.takeover(b, c)
			d := next.connect("ID:d")
			consumer := d.consume(orders, 10)
			consumer.expect(test.want...)
			d.send(orders, "new")
			consumer.expect("new")
			next.must(next.store.Close())
		})
	}
}

// A takeover never counts towards the deliveries after which clients refuse a message.
func TestTakeoversCountOnce(t *testing.T) {
	b := newBroker(t, 0)
	b.connect("ID:c").send(orders, "one")
	for range 5 {
		b.connect("ID:d").consume(orders, 1)
		b = b.crash(0)
	}
	for _, want := range []string{"one+1", "one+1", "one+2"} {
		c := b.connect("ID:e")
		c.consume(orders, 1).expect(want)
		c.Close(core.AllUnknown)
	}
	b.must(b.store.Close())
}

// What was never near a consumer was never delivered, whoever crashed.
func TestAQueueWithoutConsumersIsNotMarked(t *testing.T) {
	b := newBroker(t, 0)
	b.connect("ID:c").send(orders, "one")
	next := b.crash(0)
	next.connect("ID:d").consume(orders, 1).expect("one")
	next.must(next.store.Close())
}

// A message reaches consumers only when it and the horizon above it are durable. Until then it never was.
func TestNothingIsDeliveredBeforeItIsDurable(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(orders, 10)
	b.log.Hold()
	b.must(c.Send(c.make(orders, "one"), func() { t.Error("it says that it is done") }))
	if len(consumer.got) > 0 {
		t.Error("it is delivered")
	}
	next := b.crash(0)
	if left := next.rest(orders); left != "" {
		t.Errorf("left is %q", left)
	}
	next.must(next.store.Close())
}

// An acknowledgement that was meant for the broker before hits no message of this one.
func TestAnAcknowledgementFromBeforeTheTakeover(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(orders, 10)
	c.send(orders, "one", fleeting)
	s := consumer.expect("one")
	next := b.crash(0)
	d := next.connect("ID:d")
	again := d.consume(orders, 10)
	d.send(orders, "two")
	again.expect("two")
	again.ackOfNothing(core.Ack{Kind: core.Standard, First: s[0], Last: s[0], Count: 1})
	again.Close(core.NoneDelivered)
	if left := next.rest(orders); left != "two" {
		t.Errorf("left is %q", left)
	}
	next.must(next.store.Close())
}

// A message can be read back from the store before the word that it is durable has come to the queue: here because the horizon,
// which brings the consumer, is in the same entry of the log.
func TestAMessageThatIsPagedInBeforeItArrives(t *testing.T) {
	b := newBroker(t, 0)
	b.connect("ID:c").send(orders, "one")
	b = b.handOver()
	c := b.connect("ID:d")
	gathered := make(chan struct{})
	b.must(b.store.Barrier(func() { <-gathered }))
	consumer := &consumer{broker: b}
	_, err := c.Subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 10}, consumer)
	b.must(err)
	b.must(c.Send(c.make(orders, "two"), nil))
	close(gathered)
	consumer.expect("one", "two")
	b.must(b.store.Close())
}

// A broker that stops ends one connection after the other: what the first had in flight does not go through all of them.
func TestWhatComesBackWhileABrokerStops(t *testing.T) {
	b := newBroker(t, 0)
	first, second := b.connect("ID:first"), b.connect("ID:second")
	first.send(orders, "stored")
	first.send(orders, "fleeting", fleeting)
	first.consume(orders, 10).expect("stored", "fleeting")
	other := second.consume(orders, 10)
	b.StopDispatch()
	first.Close(core.AllUnknown)
	other.expect()
	second.Close(core.AllUnknown)
	b.Settle()
	b = b.handOver()
	b.connect("ID:c").consume(orders, 10).expect("stored+1")
}
