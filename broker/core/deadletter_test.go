package core_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/wire"
)

func property(m *message.Message, name string) wire.Value {
	v, _ := wire.Lookup(m.Properties(), name)
	return v
}

func TestWhatADeadLetterTells(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	expiration := b.now.Add(time.Hour).UnixMilli()
	consumer := c.consume(orders, 10)
	c.send(orders, "poison", message.SetExpiration(expiration))
	s := consumer.expect("poison")
	consumer.ack(core.Ack{Kind: core.Poison, Last: s[0], Count: 1, Cause: errors.New("no such customer")}, nil)

	letters := c.consume(core.DeadLetters, 10)
	m := letters.take()[0].Message
	from, _ := m.OriginalDestination()
	if m.Destination() != core.DeadLetters || from != orders || m.Expiration() != 0 || !m.Persistent() ||
		string(m.Content()) != "poison" || m.BrokerSequence() <= s[0] {
		t.Errorf("the dead letter is %v from %v, expires %d", m, from, m.Expiration())
	}
	if cause := property(m, "dlqDeliveryFailureCause").Text(); cause != "no such customer" {
		t.Errorf("the cause is %q", cause)
	}
	if at, exact := property(m, "originalExpiration").Int(); at != expiration || !exact {
		t.Errorf("the original expiration is %v, want %d", at, expiration)
	}
}

// What was moved back by hand and dies again still tells when it expired first, but where it was last.
func TestADeadLetterThatDiesAgain(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	properties := wire.AppendMap(nil, []wire.Entry{{Key: "originalExpiration", Value: wire.LongValue(5)}})
	consumer := c.consume(orders, 10)
	c.send(orders, "again", message.SetOriginalDestination(bills), message.SetProperties(properties))
	consumer.ack(core.Ack{Kind: core.Poison, Last: consumer.expect("again")[0], Count: 1}, nil)
	m := c.consume(core.DeadLetters, 10).take()[0].Message
	from, _ := m.OriginalDestination()
	if at, _ := property(m, "originalExpiration").Int(); from != orders || at != 5 {
		t.Errorf("it is from %v, and expired at %d", from, at)
	}
}

// A dead letter that is refused too has nowhere to go (and must not come back for ever).
func TestADeadLetterThatIsRefusedIsGone(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.send(core.DeadLetters, "letter")
	consumer := c.consume(core.DeadLetters, 10)
	consumer.ack(core.Ack{Kind: core.Poison, Last: consumer.expect("letter")[0], Count: 1}, nil)
	c.Close(core.AllUnknown)
	if left := b.rest(core.DeadLetters); left != "" {
		t.Errorf("left is %q", left)
	}
	if left := b.handOver().rest(core.DeadLetters); left != "" {
		t.Errorf("left for the next broker is %q", left)
	}
}

func TestExpiry(t *testing.T) {
	soon := func(b *broker) message.Set { return message.SetExpiration(b.now.Add(time.Second).UnixMilli()) }
	for name, pass := range map[string]func(b *broker, c *client){
		"found when there is a consumer": func(_ *broker, c *client) { c.consume(orders, 10).expect("lasting") },
		"found by the sweep":             func(b *broker, _ *client) { b.sweep() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c := b.connect("ID:c")
			c.send(orders, "expiring", soon(b))
			c.send(orders, "fleeting", soon(b), message.SetPersistent(false))
			c.send(orders, "lasting")
			b.now = b.now.Add(time.Second)
			pass(b, c)
			b.settle()
			c.Close(core.NoneDelivered)
			next := b.handOver()
			if got := next.rest(orders) + "|" + next.rest(core.DeadLetters); got != "lasting|expiring" {
				t.Errorf("at the next broker queue and dead letters have %q", got)
			}
		})
	}
}

// What is in flight is with the client, which tells when it finds that it expired.
func TestWhatIsInFlightDoesNotExpireHere(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(orders, 10)
	c.send(orders, "one", message.SetExpiration(b.now.UnixMilli()+1))
	s := consumer.expect("one")
	b.now = b.now.Add(time.Second)
	b.sweep()
	consumer.ack(core.Ack{Kind: core.Expired, Last: s[0], Count: 1}, nil)
	if letters := b.rest(core.DeadLetters); letters != "one" {
		t.Errorf("the dead letters are %q", letters)
	}
}

func TestWhatExpiresWhileATopicsConsumerIsBusy(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(prices, 1)
	c.send(prices, "one")
	c.send(prices, "expiring", message.SetExpiration(b.now.UnixMilli()+1))
	c.send(prices, "three")
	s := consumer.expect("one")
	b.now = b.now.Add(time.Second)
	consumer.consumed(s[0], nil)
	consumer.expect("three")
	if letters := b.rest(core.DeadLetters); letters != "expiring" {
		t.Errorf("the dead letters are %q", letters)
	}
}

// refuse lets a consumer refuse what a queue has.
func (c *client) refuse(d destination.Destination, texts ...string) {
	c.broker.t.Helper()
	consumer := c.consume(d, 100)
	for _, sequence := range consumer.expect(texts...) {
		consumer.ack(core.Ack{Kind: core.Poison, First: sequence, Last: sequence, Count: 1, Cause: errors.New("why")}, nil)
	}
	consumer.Close(core.NoneDelivered)
}

func individual(change func(*policy.IndividualDeadLetterStrategy)) policy.DeadLetterStrategy {
	s := policy.DefaultIndividual()
	change(&s)
	return policy.DeadLetterStrategy{Individual: &s}
}

func shared(change func(*policy.SharedDeadLetterStrategy)) policy.DeadLetterStrategy {
	s := policy.DefaultShared()
	change(&s)
	return policy.DeadLetterStrategy{Shared: &s}
}

func queue(name string) destination.Destination {
	return destination.Destination{Kind: destination.Queue, Name: name}
}

func TestDeadLetterStrategies(t *testing.T) {
	for name, c := range map[string]struct {
		strategy policy.DeadLetterStrategy
		letters  destination.Destination
		want     string // of "poison", "expiring", and "fleeting" that is not persistent
	}{
		"none":       {policy.DeadLetterStrategy{}, core.DeadLetters, "expiring poison"},
		"discarding": {policy.DeadLetterStrategy{Discarding: &policy.DiscardingDeadLetterStrategy{}}, core.DeadLetters, ""},
		"shared": {
			shared(func(s *policy.SharedDeadLetterStrategy) { s.DeadLetterQueue, s.ProcessNonPersistent = "LETTERS", true }),
			queue("LETTERS"), "expiring poison fleeting",
		},
		"without what expires": {
			shared(func(s *policy.SharedDeadLetterStrategy) { s.ProcessExpired = false }), core.DeadLetters, "poison",
		},
		"individual": {
			individual(func(s *policy.IndividualDeadLetterStrategy) { s.QueuePrefix, s.QueueSuffix = "DLQ.", ".X" }),
			queue("DLQ.ORDERS.X"), "expiring poison",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			b.setPolicy(func(p *policy.Policy) { p.DeadLetterStrategy = c.strategy })
			client := b.connect("ID:c")
			client.send(orders, "expiring", message.SetExpiration(b.now.UnixMilli()+1))
			client.send(orders, "poison")
			client.send(orders, "fleeting", message.SetPersistent(false))
			b.now = b.now.Add(time.Second)
			client.refuse(orders, "poison", "fleeting")
			next := b.handOver()
			if got := next.rest(c.letters); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if left := next.rest(orders); left != "" {
				t.Errorf("%q is left", left)
			}
		})
	}
}

func TestADeadLetterTopic(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(func(p *policy.Policy) {
		p.DeadLetterStrategy = shared(func(s *policy.SharedDeadLetterStrategy) {
			s.DeadLetterQueue, s.ProcessNonPersistent = "topic://PRICES", true
		})
	})
	c := b.connect("ID:c")
	letters := c.consume(prices, 10)
	c.send(orders, "one", message.SetPersistent(false))
	c.send(orders, "two")
	c.refuse(orders, "one", "two")
	letters.expect("one", "two")
	if left := b.rest(orders); left != "" {
		t.Errorf("%q is left", left)
	}
}

// Who subscribes to a topic and to that of its dead letters gets both, and nothing waits for itself.
func TestADeadLetterTopicOfATopic(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(func(p *policy.Policy) {
		p.DeadLetterStrategy = shared(func(s *policy.SharedDeadLetterStrategy) { s.DeadLetterQueue = "topic://LETTERS" })
	})
	c := b.connect("ID:c")
	consumer := c.consume(destination.Destination{Kind: destination.Topic, Name: "PRICES,LETTERS"}, 1)
	c.send(prices, "one")
	c.send(prices, "expiring", message.SetExpiration(b.now.UnixMilli()+1))
	s := consumer.expect("one")
	b.now = b.now.Add(time.Second)
	consumer.consumed(s[0], nil)
	consumer.expect("expiring")
}

func TestADeadLetterOfWhatWasNotPersistent(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(func(p *policy.Policy) {
		p.DeadLetterStrategy = shared(func(s *policy.SharedDeadLetterStrategy) { s.ProcessNonPersistent, s.Expiration = true, 500 })
	})
	c := b.connect("ID:c")
	c.send(orders, "one", message.SetPersistent(false))
	c.refuse(orders, "one")
	m := c.consume(core.DeadLetters, 1).take()[0].Message
	if !m.Persistent() || property(m, "originalDeliveryMode").Text() != "NON_PERSISTENT" || m.Expiration() != b.now.UnixMilli()+500 {
		t.Errorf("it is persistent: %t, expires at %d, and was %v", m.Persistent(), m.Expiration(), property(m, "originalDeliveryMode"))
	}
	if _, stamped := wire.Lookup(m.Properties(), "originalExpiration"); stamped {
		t.Error("its expiration is that of the strategy, and it tells of another")
	}
}

// A dead letter that expires is gone, and does not become one again.
func TestDeadLettersExpire(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(func(p *policy.Policy) {
		p.DeadLetterStrategy = shared(func(s *policy.SharedDeadLetterStrategy) { s.Expiration, s.EnableAudit = 500, false })
	})
	c := b.connect("ID:c")
	c.send(orders, "one")
	c.refuse(orders, "one")
	b.now = b.now.Add(time.Second)
	if left := b.rest(core.DeadLetters); left != "" {
		t.Errorf("the dead letters are %q", left)
	}
}

// One message that several queues have becomes one dead letter, unless its policy says otherwise.
func TestTheAuditOfDeadLetters(t *testing.T) {
	for _, c := range []struct {
		audited bool
		want    string
	}{{true, "one two"}, {false, "one one two two"}} {
		b := newBroker(t, 0)
		b.setPolicy(func(p *policy.Policy) {
			p.DeadLetterStrategy = shared(func(s *policy.SharedDeadLetterStrategy) { s.EnableAudit = c.audited })
		})
		client := b.connect("ID:c")
		for _, text := range []string{"one", "two"} {
			client.send(queue("ORDERS,BILLS"), text)
			client.refuse(orders, text)
			client.refuse(bills, text)
		}
		if got := b.rest(core.DeadLetters); got != c.want {
			t.Errorf("with audit %t: %q, want %q", c.audited, got, c.want)
		}
	}
}

// What has expired when it is sent is a dead letter at once, and nobody gets it.
func TestExpiredOnArrival(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	gone := message.SetExpiration(b.now.UnixMilli() - 1)
	c.send(orders, "late", gone)
	c.send(prices, "late for the topic", gone)
	c.send(orders, "late and fleeting", gone, message.SetPersistent(false))
	tx := c.begin()
	tx.send(orders, "late in a transaction", gone)
	tx.send(orders, "in time")
	tx.commit()
	letters := c.consume(core.DeadLetters, 10)
	cause := fmt.Sprintf("java.lang.Throwable: Message Expired. Expiration:%d", b.now.UnixMilli()-1)
	if got := property(letters.take()[0].Message, "dlqDeliveryFailureCause").Text(); got != cause {
		t.Errorf("the cause is %q, want %q", got, cause)
	}
	letters.Close(core.NoneDelivered)
	next := b.handOver()
	want := "in time|late late for the topic late in a transaction"
	if got := next.rest(orders) + "|" + next.rest(core.DeadLetters); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The sweep finds also what is only in the store, and leaves alone what has not expired.
func TestTheSweepOfWhatIsOnlyStored(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	body := strings.Repeat("x", 100<<10)
	for i := range 500 {
		var sets []message.Set
		if i%2 == 1 {
			sets = append(sets, message.SetExpiration(b.now.UnixMilli()+1))
		}
		c.send(orders, body, sets...)
	}
	b.now = b.now.Add(time.Second)
	b.sweep()
	b.settle()
	for d, want := range map[destination.Destination]int{orders: 250, core.DeadLetters: 250} {
		if got, _ := b.store.Pending(d); got != want {
			t.Errorf("%s has %d messages, want %d", d, got, want)
		}
	}
}

func TestExpireMessagesPeriod(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	b.setPolicy(func(p *policy.Policy) { p.ExpireMessagesPeriod = 200 })
	if next := b.sweep(); next != time.Second { // since it may be another then
		t.Errorf("without a queue it wants to look again after %v", next)
	}
	pending := func() int {
		b.settle()
		n, _ := b.store.Pending(orders)
		return n
	}
	c.send(orders, "one", message.SetExpiration(b.now.UnixMilli()+1))
	if next := b.sweep(); next != 200*time.Millisecond {
		t.Errorf("it wants to look again after %v", next)
	}
	b.now = b.now.Add(199 * time.Millisecond)
	b.sweep()
	if pending() != 1 {
		t.Error("swept before its time")
	}
	b.now = b.now.Add(time.Millisecond)
	b.sweep()
	if pending() != 0 {
		t.Error("not swept in time")
	}
	b.setPolicy(func(p *policy.Policy) { p.ExpireMessagesPeriod = 0 })
	c.send(orders, "two", message.SetExpiration(b.now.UnixMilli()+1))
	b.now = b.now.Add(time.Hour)
	b.sweep()
	if pending() != 1 {
		t.Error("swept though the period is 0")
	}
}

// Each durable subscription that wants its own dead letters has one of a message that all of them refuse.
func TestDeadLettersOfDurableSubscriptions(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(func(p *policy.Policy) {
		p.DeadLetterStrategy = individual(func(s *policy.IndividualDeadLetterStrategy) { s.DestinationPerDurableSubscriber = true })
	})
	var consumers []*consumer
	for _, client := range []string{"a", "b"} {
		consumers = append(consumers, b.connectAs("ID:"+client, client).durably(prices, "s"))
	}
	b.connect("ID:c").send(prices, "one")
	for _, c := range consumers {
		c.ack(core.Ack{Kind: core.Poison, Last: c.expect("one")[0], Count: 1}, nil)
	}
	for _, client := range []string{"a", "b"} {
		if got := b.rest(queue("ActiveMQ.DLQ.Topic.PRICES." + client + ":s")); got != "one" {
			t.Errorf("the dead letters of %s are %q", client, got)
		}
	}
}

func TestAPolicyThatComesLaterHoldsForDurableSubscriptions(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(func(p *policy.Policy) { p.ExpireMessagesPeriod = 0 })
	b.connectAs("ID:a", "a").durably(prices, "s").Close(core.NoneDelivered)
	b.setPolicy(func(p *policy.Policy) {
		p.DeadLetterStrategy = shared(func(s *policy.SharedDeadLetterStrategy) { s.ProcessNonPersistent = true })
	})
	b.connect("ID:c").send(prices, "one", message.SetExpiration(b.now.UnixMilli()+1), message.SetPersistent(false))
	b.now = b.now.Add(time.Hour)
	b.sweep()
	if letters := b.rest(core.DeadLetters); letters != "one" {
		t.Errorf("the dead letters are %q", letters)
	}
}
