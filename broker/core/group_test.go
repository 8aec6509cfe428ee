package core_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// in sets the group of a message, of which it is not the first.
func in(group string) []message.Set { return message.SetGroup(group, 0) }

func TestAGroupGoesToOneConsumer(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	one, two := c.consume(orders, 10), c.consume(orders, 10)
	for i := range 3 {
		c.send(orders, fmt.Sprint("a", i), in("a")...)
		c.send(orders, fmt.Sprint("b", i), in("b")...)
	}
	one.expect("a0", "a1", "a2")
	two.expect("b0", "b1", "b2")
}

// The first message that a consumer gets of a group says so, as JMSXGroupFirstForConsumer.
func TestTheFirstOfAGroupSaysSo(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(orders, 10)
	c.send(orders, "one", in("a")...)
	c.send(orders, "two", in("a")...)
	got := consumer.take()
	if first, second := got[0].Message, got[1].Message; !first.IsFirstForConsumer() || second.IsFirstForConsumer() {
		t.Errorf("%v and %v", first.IsFirstForConsumer(), second.IsFirstForConsumer())
	}
}

func TestAGroupOfAConsumerThatIsFull(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	one, two := c.consume(orders, 1), c.consume(orders, 10)
	for _, text := range []string{"a1", "a2", "a3"} {
		c.send(orders, text, in("a")...)
	}
	c.send(orders, "other")
	s := one.expect("a1")
	two.expect("other")
	one.consumed(s[0], nil)
	one.expect("a2")
}

// Whoever comes next has the group of a consumer that is gone, with what that had in flight and in order.
func TestAGroupOutlivesItsOwner(t *testing.T) {
	for name, end := range map[string]func(c *client, owner *consumer){
		"close": func(_ *client, owner *consumer) { owner.Close(core.NoneDelivered) },
		"death": func(c *client, _ *consumer) { c.Close(core.AllUnknown) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c, d := b.connect("ID:c"), b.connect("ID:d")
			owner := c.consume(orders, 2)
			next := d.consume(orders, 10)
			for _, text := range []string{"1", "2", "3"} {
				d.send(orders, text, in("a")...)
			}
			owner.expect("1", "2")
			next.expect()
			end(c, owner)
			var got string
			for _, delivery := range next.take() {
				got += string(delivery.Message.Content())
			}
			d.send(orders, "4", in("a")...)
			next.expect("4")
			if got != "123" {
				t.Errorf("got %s", got)
			}
		})
	}
}

// A negative sequence ends the group, with its owner; the number 1 begins it anew, with anyone (as in ActiveMQ).
func TestTheEndOfAGroup(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	one, two := c.consume(orders, 10), c.consume(orders, 10)
	c.send(orders, "first", message.SetGroup("a", 1)...)
	c.send(orders, "last", message.SetGroup("a", -1)...)
	one.expect("first", "last")
	c.send(orders, "again", in("a")...)
	two.expect("again")
	c.send(orders, "anew", message.SetGroup("a", 1)...)
	one.expect("anew")
	c.send(orders, "more", in("a")...)
	one.expect("more")
}

// What waits for a full owner is free once the group is closed.
func TestWhatFollowsTheEndOfAGroup(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	one, two := c.consume(orders, 1), c.consume(orders, 10)
	c.send(orders, "first", in("a")...)
	c.send(orders, "last", message.SetGroup("a", -1)...)
	c.send(orders, "next", in("a")...)
	s := one.expect("first")
	two.expect()
	one.consumed(s[0], nil)
	one.expect("last")
	two.expect("next")
}

// New groups go to whoever has the fewest, so consumers that come late get their share.
func TestNewGroupsGoToWhoHasFewest(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	early := c.consume(orders, 100)
	for i := range 4 {
		c.send(orders, fmt.Sprint(i), in(fmt.Sprint("early", i))...)
	}
	late := c.consume(orders, 100)
	for i := range 6 {
		c.send(orders, fmt.Sprint(i), in(fmt.Sprint("late", i))...)
	}
	if n := len(early.take()); n != 5 {
		t.Errorf("%d to the early one", n)
	}
	if n := len(late.take()); n != 5 {
		t.Errorf("%d to the late one", n)
	}
}

// A rollback gives nothing of a group to another.
func TestAGroupOverARollback(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	one, two := c.consume(orders, 10), c.consume(orders, 10)
	c.send(orders, "1", in("a")...)
	c.send(orders, "2", in("a")...)
	s := one.expect("1", "2")
	tx := c.begin()
	one.ack(core.Ack{Kind: core.Standard, First: s[0], Last: s[1], Count: 2}, tx)
	tx.Rollback()
	c.send(orders, "3", in("a")...)
	one.expect("3")
	two.expect()
}

// However many groups a client names, the broker remembers only the owners of those used last.
func TestGroupsAreBounded(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	one := c.consume(orders, 10_000)
	c.send(orders, "old", in("old")...)
	for i := range 1023 {
		b.must(c.Send(c.make(orders, "m", in(fmt.Sprint(i))...), nil))
	}
	c.send(orders, "used", in("old")...)
	one.take()
	two := c.consume(orders, 10)
	c.send(orders, "new", in("new")...) // takes the place of 0
	two.expect("new")
	c.send(orders, "old still", in("old")...)
	one.expect("old still")
	c.send(orders, "forgotten", in("0")...)
	two.expect("forgotten")
}

// How the owners of groups are kept is a policy's to say.
func TestHowGroupsAreKept(t *testing.T) {
	for kind, want := range map[string][2]string{
		"cached?cacheSize=1":   {"a1 a2", "b1"}, // b takes the place of a, which comes back to who has none
		"bucket?bucketCount=1": {"a1 b1 a2", ""},
		"simple":               {"a1 a2", "b1"},
	} {
		t.Run(kind, func(t *testing.T) {
			b := newBroker(t, 0)
			b.withPolicy(func(p *policy.Policy) { p.MessageGroupMapFactoryType = kind })
			c := b.connect("ID:c")
			one, two := c.consume(orders, 10), c.consume(orders, 10)
			for _, text := range []string{"a1", "b1", "a2"} {
				c.send(orders, text, in(text[:1])...)
			}
			var got [2]string
			for i, consumer := range []*consumer{one, two} {
				var texts []string
				for _, d := range consumer.take() {
					texts = append(texts, string(d.Message.Content()))
				}
				got[i] = strings.Join(texts, " ")
			}
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}
