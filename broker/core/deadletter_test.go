package core_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
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
	if cause := property(m, "dlqDeliveryFailureCause").Text(); !strings.Contains(cause, "no such customer") || !strings.Contains(cause, "ORDERS") {
		t.Errorf("the cause is %q", cause)
	}
	if at, exact := property(m, "originalExpiration").Int(); at != expiration || !exact {
		t.Errorf("the original expiration is %v, want %d", at, expiration)
	}
}

// What was moved back by hand and dies again still tells where it was first, and when it expired first.
func TestADeadLetterThatDiesAgain(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	properties := wire.AppendMap(nil, []wire.Entry{{Key: "originalExpiration", Value: wire.LongValue(5)}})
	consumer := c.consume(orders, 10)
	c.send(orders, "again", message.SetOriginalDestination(bills), message.SetProperties(properties))
	consumer.ack(core.Ack{Kind: core.Poison, Last: consumer.expect("again")[0], Count: 1}, nil)
	m := c.consume(core.DeadLetters, 10).take()[0].Message
	from, _ := m.OriginalDestination()
	if at, _ := property(m, "originalExpiration").Int(); from != bills || at != 5 {
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
		"found by the sweep":             func(b *broker, _ *client) { b.Expire() },
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
	b.Expire()
	consumer.ack(core.Ack{Kind: core.Expired, Last: s[0], Count: 1}, nil)
	if letters := b.rest(core.DeadLetters); letters != "one" {
		t.Errorf("the dead letters are %q", letters)
	}
}

func TestTopicsDropWhatExpiresWhileItWaits(t *testing.T) {
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
	if letters := b.rest(core.DeadLetters); letters != "" {
		t.Errorf("the dead letters are %q", letters)
	}
}
