package core_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

var gold = destination.Destination{Kind: destination.Topic, Name: "PRICES.GOLD"}

// connectAs connects a client that has a client id.
func (b *broker) connectAs(id, client string) *client {
	b.t.Helper()
	c, err := b.Connect(core.ConnectionSpec{ID: id, ClientID: client, Replaced: func() {}})
	b.must(err)
	return newClient(b, c, id)
}

func newClient(b *broker, c *core.Connection, id string) *client {
	return &client{Connection: c, broker: b, id: id}
}

// durably consumes from a durable subscription.
func (c *client) durably(d destination.Destination, name string) *consumer {
	c.broker.t.Helper()
	return c.subscribe(core.ConsumerSpec{Destination: d, Prefetch: 100, Subscription: name})
}

// refused wants an error of a kind and text.
func refused(t *testing.T, err error, kind core.ErrorKind, text string) {
	t.Helper()
	var e *core.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Text != text {
		t.Errorf("got %v, want %q", err, text)
	}
}

func (c *client) leave(last core.LastDelivered) {
	c.Close(last)
	c.broker.settle()
}

func TestADurableSubscriptionGetsWhatCameWhileItWasOffline(t *testing.T) {
	b := newBroker(t, 0)
	producer := b.connect("ID:p")
	producer.send(prices, "before")
	c := b.connectAs("ID:1", "client")
	s := c.durably(prices, "s")
	producer.send(prices, "one")
	producer.send(prices, "two")
	sequences := s.expect("one", "two")
	s.consumed(sequences[0], nil)
	c.leave(core.NoneDelivered)
	producer.send(prices, "three")

	again := b.connectAs("ID:2", "client")
	s = again.durably(prices, "s")
	sequences = s.expect("two", "three")
	producer.send(prices, "four")
	s.expect("four")
	s.consumed(sequences[1], nil) // and two, which is before
	again.leave(core.AllUnknown)

	s = b.connectAs("ID:3", "client").durably(prices, "s")
	s.expect("two+1", "four+1")
}

func TestADurableSubscriptionOutlivesTheBroker(t *testing.T) {
	for name, next := range map[string]func(*broker) *broker{
		"handed over": (*broker).handOver, "crashed": func(b *broker) *broker { return b.crash(0) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
			s := c.durably(prices, "s")
			for i := range 3 {
				producer.send(prices, fmt.Sprint(i))
			}
			sequences := s.expect("0", "1", "2")
			s.ack(core.Ack{Kind: core.Individual, Last: sequences[1], Count: 1}, nil)
			for range 2 { // takeovers count once, however many
				c.leave(core.NoneDelivered)
				b = next(b)
				c = b.connectAs("ID:1", "client")
				s = c.durably(prices, "s")
				s.expect("0+1", "2+1")
			}
			b.connect("ID:q").send(prices, "3")
			s.expect("3")
			b.must(b.store.Close())
		})
	}
}

func TestAMessageOfATopicGoesWhenTheLastSubscriptionIsThrough(t *testing.T) {
	b := newBroker(t, 0)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	first, second := c.durably(prices, "first"), c.durably(prices, "second")
	producer.send(prices, "one")
	first.consumed(first.expect("one")[0], nil)
	b.pending(prices, 1)
	second.consumed(second.expect("one")[0], nil)
	b.pending(prices, 0)
	producer.send(prices, "two")
	b.pending(prices, 1)
	first.consumed(first.expect("two")[0], nil)
	second.Close(core.NoneDelivered)
	b.must(c.Unsubscribe("second", nil))
	b.pending(prices, 0)
}

// pending wants so many messages in the store.
func (b *broker) pending(d destination.Destination, want int) {
	b.t.Helper()
	b.settle()
	b.must(b.store.Dispose())
	b.settle()
	if got, _ := b.store.Pending(d); got != want {
		b.t.Errorf("%s has %d messages in the store, want %d", d, got, want)
	}
}

func TestAnotherSelectorTopicOrNoLocalIsAnotherSubscription(t *testing.T) {
	original := core.ConsumerSpec{Destination: prices, Prefetch: 10, Subscription: "s"}
	for name, change := range map[string]func(*core.ConsumerSpec){
		"selector": func(s *core.ConsumerSpec) { s.Selector = "JMSPriority >= 0" },
		"topic": func(s *core.ConsumerSpec) {
			s.Destination = destination.Destination{Kind: destination.Topic, Name: "PRICES.>"}
		},
		"noLocal": func(s *core.ConsumerSpec) { s.NoLocal = true },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
			s := c.subscribe(original)
			producer.send(prices, "old")
			s.Close(core.NoneDelivered)
			changed := original
			change(&changed)
			s = c.subscribe(changed)
			b.pending(prices, 0)
			producer.send(prices, "new")
			s.expect("new")
			s.Close(core.NoneDelivered)
			producer.send(prices, "newer")
			c.subscribe(changed).expect("new", "newer")
		})
	}
}

func TestWhatADurableSubscriptionRefuses(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connectAs("ID:1", "client")
	s := c.durably(prices, "s")
	spec := core.ConsumerSpec{Destination: prices, Prefetch: 1, Subscription: "s"}
	_, err := c.Subscribe(spec, s)
	refused(t, err, core.General, "Durable consumer is in use for client: client and subscriptionName: s")
	refused(t, c.Unsubscribe("s", nil), core.General, "Durable consumer is in use")
	refused(t, c.Unsubscribe("t", nil), core.InvalidDestination, "No durable subscription exists for clientID: client and subscriptionName: t")
	s.Close(core.NoneDelivered)
	b.must(c.Unsubscribe("s", nil))
	refused(t, c.Unsubscribe("s", nil), core.InvalidDestination, "No durable subscription exists for clientID: client and subscriptionName: s")

	spec.Destination = destination.Destination{Kind: destination.Topic, Name: "ActiveMQ.Advisory.Connection"}
	_, err = c.Subscribe(spec, s)
	refused(t, err, core.General, "Cannot create a durable subscription for an advisory Topic")
	_, err = b.connect("ID:2").Subscribe(core.ConsumerSpec{Destination: prices, Subscription: "s"}, s)
	refused(t, err, core.General, "a durable subscription needs a client id: set one on the connection")
	s = c.durably(prices, "s")
	b.connect("ID:p").send(prices, "on")
	s.expect("on")
}

func TestASelectorIsTriedWhenAMessageIsNext(t *testing.T) {
	b := newBroker(t, 0)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	spec := core.ConsumerSpec{Destination: prices, Prefetch: 10, Subscription: "s", Selector: "JMSType = 'a'"}
	s := c.subscribe(spec)
	s.Close(core.NoneDelivered)
	for i := range 1000 {
		producer.send(prices, "no", message.SetType("b"))
		if i%400 == 0 {
			producer.send(prices, fmt.Sprint(i), message.SetType("a"))
		}
	}
	s = c.subscribe(spec)
	sequences := s.expect("0", "400", "800")
	producer.send(prices, "no", message.SetType("b"))
	producer.send(prices, "yes", message.SetType("a"))
	sequences = append(sequences, s.expect("yes")...)
	b.pending(prices, 4+1001%128)
	for _, sequence := range sequences {
		s.consumed(sequence, nil)
	}
	b.pending(prices, 0)
	next := b.crash(0)
	next.connectAs("ID:1", "client").subscribe(spec).expect()
	b.must(next.store.Close())
}

func TestADurableSubscriptionWithoutWhatIsItsOwn(t *testing.T) {
	b := newBroker(t, 0)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	spec := core.ConsumerSpec{Destination: prices, Prefetch: 10, Subscription: "s", NoLocal: true}
	own := message.SetProducer("ID:1", 1, 1)
	s := c.subscribe(spec)
	c.send(prices, "mine", own)
	producer.send(prices, "theirs", message.SetProducer("ID:p", 1, 1))
	s.expect("theirs")
	s.Close(core.NoneDelivered)
	c.send(prices, "mine, too", own)
	c.leave(core.NoneDelivered)
	b.connectAs("ID:2", "client").subscribe(spec).expect("theirs")
}

func TestADurableSubscriptionOfManyTopics(t *testing.T) {
	for _, name := range []string{"PRICES.>", "PRICES.GOLD,PRICES.SILVER"} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			d := destination.Destination{Kind: destination.Topic, Name: name}
			silver := destination.Destination{Kind: destination.Topic, Name: "PRICES.SILVER"}
			c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
			producer.send(gold, "before")
			s := c.durably(d, "s")
			producer.send(gold, "1")
			producer.send(silver, "2") // a topic that may be new
			producer.send(bills, "-")
			s.consumed(s.expect("1", "2")[0], nil)
			s.Close(core.NoneDelivered)
			producer.send(gold, "3")
			producer.send(silver, "4")
			b = b.handOver()
			s = b.connectAs("ID:1", "client").durably(d, "s")
			s.expect("2+1", "3", "4")
			b.must(b.store.Close())
		})
	}
}

func TestWhatIsNotPersistentForWhoIsOffline(t *testing.T) {
	b := newBroker(t, 8<<10)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	transient := message.SetPersistent(false)
	c.durably(prices, "s").Close(core.NoneDelivered)
	for i := range 100 {
		producer.send(prices, fmt.Sprint(i), transient)
	}
	if b.waits() {
		t.Error("senders wait for somebody who is not there")
	}
	s := c.durably(prices, "s")
	kept := len(s.take())
	if kept == 0 || kept == 100 {
		t.Errorf("%d messages were kept", kept)
	}
	producer.send(prices, "on", transient)
	s.expect("on")
	s.Close(core.NoneDelivered)
	b.must(c.Unsubscribe("s", nil))
	c.durably(prices, "t").Close(core.NoneDelivered)
	producer.send(prices, "kept", transient)
	c.durably(prices, "t").expect("kept")
}

func TestAnOfflineSubscriptionHasNothingStoredInMemory(t *testing.T) {
	b := newBroker(t, 0)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	s := c.durably(prices, "s")
	for range 300 {
		producer.send(prices, "text")
	}
	if windows, flight := b.InMemory(); windows == 0 || flight == 0 {
		t.Errorf("%d bytes in windows and %d in flight", windows, flight)
	}
	s.Close(core.AllUnknown)
	for range 10 {
		producer.send(prices, "text")
	}
	if windows, flight := b.InMemory(); windows+flight != 0 {
		t.Errorf("%d bytes in windows and %d in flight", windows, flight)
	}
}

func TestRedeliveriesOfADurableSubscriptionAreCountedOverItsConsumers(t *testing.T) {
	b := newBroker(t, 0)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	c.durably(prices, "s").Close(core.NoneDelivered)
	producer.send(prices, "one")
	for _, want := range []string{"one", "one+1", "one+2"} {
		s := c.durably(prices, "s")
		s.expect(want)
		s.Close(core.AllUnknown)
	}
}

func TestPoisonOfADurableSubscription(t *testing.T) {
	b := newBroker(t, 0)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	s, other := c.durably(prices, "s"), c.durably(prices, "other")
	producer.send(prices, "one")
	producer.send(prices, "two")
	sequences := s.expect("one", "two")
	s.ack(core.Ack{Kind: core.Poison, First: sequences[0], Last: sequences[0], Count: 1, Cause: errors.New("bad")}, nil)
	if got := b.rest(core.DeadLetters); got != "one" {
		t.Errorf("dead letters: %q", got)
	}
	s.Close(core.NoneDelivered)
	c.durably(prices, "s").expect("two")
	other.expect("one", "two")
}

func TestTheBacklogExpires(t *testing.T) {
	b := newBroker(t, 0)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	for _, name := range []string{"s", "t"} {
		c.durably(prices, name).Close(core.NoneDelivered)
	}
	producer.send(prices, "short", message.SetExpiration(b.now.Add(time.Second).UnixMilli()))
	producer.send(prices, "long")
	b.Expire(t.Context())
	b.pending(prices, 2)
	b.now = b.now.Add(time.Minute)
	b.Expire(t.Context())
	b.pending(prices, 1)
	if got := b.rest(core.DeadLetters); got != "short" {
		t.Errorf("dead letters: %q", got)
	}
	c.durably(prices, "s").expect("long")
}

func TestOfflineSubscriptionsEnd(t *testing.T) {
	b := newBroker(t, 0)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	c.durably(prices, "gone").Close(core.NoneDelivered)
	stays := c.durably(prices, "stays")
	b.now = b.now.Add(time.Hour)
	producer.send(prices, "one")
	b.RemoveOffline(time.Hour + 1)
	refused(t, c.Unsubscribe("stays", nil), core.General, "Durable consumer is in use")
	b.RemoveOffline(time.Hour)
	refused(t, c.Unsubscribe("gone", nil), core.InvalidDestination, "No durable subscription exists for clientID: client and subscriptionName: gone")
	stays.expect("one")
}

func TestADurableSubscriptionIsPulled(t *testing.T) {
	b := newBroker(t, 0)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	producer.send(prices, "before")
	s := c.subscribe(core.ConsumerSpec{Destination: prices, Subscription: "s"})
	producer.send(prices, "one")
	producer.send(prices, "two")
	s.expect()
	s.Pull(true)
	s.expect("one")
	s.Pull(false)
	s.Pull(false)
	s.expect("two", "-")
}

func TestATopicWithDurableSubscriptionsIsNotRemoved(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connectAs("ID:1", "client")
	c.durably(prices, "s").Close(core.NoneDelivered)
	refused(t, c.RemoveDestination(prices, nil), core.General, "Destination: topic://PRICES still has an active subscription: close its consumers first")
	b.must(c.Unsubscribe("s", nil))
	b.must(c.RemoveDestination(prices, nil))
}

// TestWhatASubscriberHasDoesNotExpire has one subscriber be offline, and one with the message: only for the first one it expires.
func TestWhatASubscriberHasDoesNotExpire(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connectAs("ID:1", "client")
	c.durably(prices, "offline").Close(core.NoneDelivered)
	s := c.durably(prices, "s")
	c.send(prices, "x", message.SetExpiration(b.now.UnixMilli()+1000))
	sequence := s.expect("x")[0]
	b.now = b.now.Add(time.Hour)
	b.sweep()
	b.settle()
	if got := b.rest(core.DeadLetters); got != "x" {
		t.Errorf("dead letters are %q", got)
	}
	b.pending(prices, 1)
	s.consumed(sequence, nil)
	b.pending(prices, 0)
	if got := b.rest(core.DeadLetters); got != "" {
		t.Errorf("who has consumed it has the dead letters %q", got)
	}
}

// TestASelectorThatRefusesMuchHoldsUpNobody has a subscription pass over more than one page, between which others have the queue.
func TestASelectorThatRefusesMuchHoldsUpNobody(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connectAs("ID:1", "client")
	spec := core.ConsumerSpec{Destination: prices, Prefetch: 10, Subscription: "s", Selector: "JMSPriority = 9"}
	before := c.subscribe(spec)
	c.send(prices, "before", message.SetPriority(9)) // what follows may be dispatched without asking the store
	before.consumed(before.expect("before")[0], nil)
	before.Close(core.NoneDelivered)
	for i := range 1000 {
		b.must(c.Send(c.make(prices, fmt.Sprint(i)), nil))
	}
	c.send(prices, "urgent", message.SetPriority(9))
	b.log.Hold()
	s := &consumer{broker: b, to: prices}
	var err error
	s.Consumer, err = c.Subscribe(spec, s)
	b.must(err)
	if len(s.got) > 0 {
		t.Error("it reads all that there is at once")
	}
	b.log.Release()
	for len(s.take()) == 0 && b.store.Err() == nil {
		continue
	}
}
