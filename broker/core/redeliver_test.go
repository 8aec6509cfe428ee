package core_test

import (
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// redeliver has the broker deliver messages of the orders again, after a second and then after two.
func (b *broker) redeliver(change func(*policy.Redelivery)) {
	p := policy.DefaultRedelivery()
	p.MaximumRedeliveries, p.RedeliveryDelay = 2, 2000
	policies := policy.NewMap()
	policies.Redelivery = &policy.Redelivery{FallbackToDeadLetter: true, SendToDLQIfMaxRetriesExceeded: true}
	policies.Redelivery.Add(orders, &p)
	if change != nil {
		change(policies.Redelivery)
	}
	b.SetPolicies(policies)
}

func TestTheBrokerDeliversAgain(t *testing.T) {
	b := newBroker(t, 0)
	b.redeliver(nil)
	c := b.connect("ID:c")
	c.send(orders, "one")
	for i, text := range []string{"one", "one+1", "one+2"} {
		c.refuse(orders, text)
		b.pass(time.Second - time.Millisecond)
		if i == 1 {
			b.pass(time.Second)
		}
		if n, _ := b.store.Pending(orders); n != 0 {
			t.Fatalf("delivered %d times, it is back before its time", i+1)
		}
		b.pass(time.Millisecond)
	}
	if left := b.rest(orders); left != "" {
		t.Errorf("%q is left", left)
	}
	d := c.consume(core.DeadLetters, 1).take()
	if len(d) != 1 || d[0].Redelivered != 0 {
		t.Errorf("the dead letters are %+v", d)
	}
}

func TestWhatARedeliveryTells(t *testing.T) {
	b := newBroker(t, 0)
	b.redeliver(nil)
	c := b.connect("ID:c")
	c.send(orders, "one", message.SetPersistent(false), message.SetOriginalDestination(bills), message.SetPriority(7))
	c.refuse(orders, "one")
	b.pass(time.Second)
	d := c.consume(orders, 1).take()[0]
	from, _ := d.Message.OriginalDestination()
	if waited, _ := property(d.Message, "redeliveryDelay").Int(); waited != 1000 || d.Redelivered != 1 || from != bills ||
		d.Message.Persistent() || d.Message.Priority() != 7 {
		t.Errorf("it waited %d, was delivered %d times, and came from %s; persistent: %t, priority %d",
			waited, d.Redelivered, from, d.Message.Persistent(), d.Message.Priority())
	}
}

// A message that waits for its redelivery is there for the broker that takes over, and the count goes on.
func TestRedeliveryOverATakeover(t *testing.T) {
	b := newBroker(t, 0)
	b.redeliver(nil)
	c := b.connect("ID:c")
	c.send(orders, "one")
	c.refuse(orders, "one")
	next := b.crash(0)
	next.redeliver(nil)
	next.pass(time.Second)
	next.connect("ID:c").refuse(orders, "one+1")
	last := next.handOver()
	last.now = next.now
	last.redeliver(nil)
	last.pass(2 * time.Second)
	last.connect("ID:c").refuse(orders, "one+2")
	if letters := last.rest(core.DeadLetters); letters != "one" {
		t.Errorf("the dead letters are %q", letters)
	}
}

// A refusal is durable together with what is to become of the message, or not at all.
func TestARefusalWithRedeliveryIsWhole(t *testing.T) {
	for reached, inFlight := 0, 0; reached <= inFlight; reached++ {
		b := newBroker(t, 0)
		b.redeliver(nil)
		c := b.connect("ID:c")
		consumer := c.consume(orders, 1)
		c.send(orders, "one")
		s := consumer.expect("one")
		b.log.Hold()
		b.must(consumer.Acknowledge(core.Ack{Kind: core.Poison, Last: s[0], Count: 1}, nil, func() { t.Error("it says that it is done") }))
		inFlight = b.log.InFlight()
		next := b.crash(reached)
		now := next.rest(orders)
		next.pass(time.Second)
		if got, want := now+"|"+next.rest(orders), map[bool]string{false: "one|", true: "|one"}[reached == inFlight]; got != want {
			t.Fatalf("with %d of %d records: at once and then %q, want %q", reached, inFlight, got, want)
		}
	}
}

func TestWithoutADeadLetter(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*policy.Redelivery)
		want   string // of the dead letters of orders, which has a policy, and of bills
	}{
		"as it is by default":             {nil, "order bill"},
		"not of what has no policy":       {func(r *policy.Redelivery) { r.FallbackToDeadLetter = false }, "order"},
		"not of what was tried in vain":   {func(r *policy.Redelivery) { r.SendToDLQIfMaxRetriesExceeded = false }, "bill"},
		"nothing is without a policy now": {func(r *policy.Redelivery) { p := policy.DefaultRedelivery(); r.SetDefault(&p) }, "order"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			b.redeliver(c.change)
			client := b.connect("ID:c")
			client.send(orders, "order", message.SetRedeliveries(2))
			client.send(bills, "bill")
			client.refuse(orders, "order+2")
			client.refuse(bills, "bill")
			if got := b.rest(core.DeadLetters); got != c.want {
				t.Errorf("the dead letters are %q, want %q", got, c.want)
			}
		})
	}
}

func TestWhatHasExpiredIsNotDeliveredAgain(t *testing.T) {
	b := newBroker(t, 0)
	b.redeliver(nil)
	c := b.connect("ID:c")
	consumer := c.consume(orders, 10)
	c.send(orders, "one", message.SetExpiration(b.now.UnixMilli()+1))
	s := consumer.expect("one")
	b.now = b.now.Add(time.Second)
	consumer.ack(core.Ack{Kind: core.Poison, Last: s[0], Count: 1}, nil)
	if letters := b.rest(core.DeadLetters); letters != "one" {
		t.Errorf("the dead letters are %q", letters)
	}
}

func TestATopicsMessageTellsHowOftenItWasDelivered(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(prices, 1)
	c.send(prices, "one", message.SetRedeliveries(3))
	consumer.expect("one+3")
}

// What one of a topic's durable subscriptions refuses comes to all again.
func TestRedeliveryOverATopic(t *testing.T) {
	b := newBroker(t, 0)
	b.redeliver(func(r *policy.Redelivery) { p := policy.DefaultRedelivery(); r.SetDefault(&p) })
	first, second := b.connectAs("ID:a", "a").durably(prices, "s"), b.connectAs("ID:b", "b").durably(prices, "s")
	b.connect("ID:c").send(prices, "one")
	second.consumed(second.expect("one")[0], nil)
	first.ack(core.Ack{Kind: core.Poison, Last: first.expect("one")[0], Count: 1}, nil)
	b.pass(time.Second)
	first.expect("one+1")
	second.expect("one+1")
}
