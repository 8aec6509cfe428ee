package core_test

import (
	"fmt"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
)

func TestAConsumerOfAPatternOfQueues(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.send(queueNamed("orders.eu"), "before")
	c.send(queueNamed("other"), "not covered")
	consumer := c.consume(queueNamed("orders.*"), 10)
	s := consumer.expect("before")
	c.send(queueNamed("orders.us"), "later") // comes into being now
	c.send(queueNamed("orders.us.west"), "too long")
	s = append(s, consumer.expect("later")...)
	consumer.ack(core.Ack{Kind: core.Standard, First: s[0], Last: s[1], Count: 2}, nil)
	consumer.Close(core.AllUnknown)
	if left := b.rest(queueNamed(">")); left != "not covered too long" && left != "too long not covered" {
		t.Errorf("left is %q", left)
	}
	c.send(queueNamed("orders.asia"), "after the end")
	consumer.expect()
}

// The prefetch is for all queues together, each of which has its turn.
func TestTheQueuesOfAPatternShareThePrefetch(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(queueNamed("q.>"), 2)
	for i := range 3 {
		for _, name := range []string{"q.a", "q.b", "q.c"} {
			c.send(queueNamed(name), fmt.Sprint(name[2:], i))
		}
	}
	next := map[byte]int{}
	for range 9 {
		got := consumer.take()
		if len(got) == 0 || len(got) > 2 {
			break
		}
		for _, d := range got {
			text := string(d.Message.Content())
			if text[1:] != fmt.Sprint(next[text[0]]) {
				t.Fatalf("%s after %v", text, next)
			}
			next[text[0]]++
			consumer.consumed(d.Message.BrokerSequence(), nil)
		}
	}
	if next['a'] != 3 || next['b'] != 3 || next['c'] != 3 {
		t.Errorf("got %v", next)
	}
}

func TestNoQueueOfAPatternStarves(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for i := range 10 {
		c.send(queueNamed("q.a"), fmt.Sprint("a", i))
	}
	c.send(queueNamed("q.b"), "b")
	consumer := c.consume(queueNamed("q.*"), 1)
	for range 4 {
		for _, d := range consumer.take() {
			if string(d.Message.Content()) == "b" {
				return
			}
			consumer.consumed(d.Message.BrokerSequence(), nil)
		}
	}
	t.Error("b does not come while there is anything in q.a")
}

func TestAConsumerOfSeveralQueues(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(queueNamed("ORDERS,BILLS,ORDERS"), 10)
	c.send(orders, "order")
	c.send(bills, "bill")
	s := consumer.expect("order", "bill")
	tx := c.begin()
	consumer.ack(core.Ack{Kind: core.Standard, First: s[0], Last: s[1], Count: 2}, tx)
	tx.commit()
	consumer.Close(core.AllUnknown)
	if left := b.rest(orders) + b.rest(bills); left != "" {
		t.Errorf("left is %q", left)
	}
}

// What is given back goes to the queue that it came from.
func TestAConsumerOfSeveralQueuesGivesBack(t *testing.T) {
	for name, end := range map[string]func(*consumer, *transaction){
		"rolled back, then closed": func(consumer *consumer, tx *transaction) { tx.Rollback(); consumer.Close(core.NoneDelivered) },
		"closed, then rolled back": func(consumer *consumer, tx *transaction) { consumer.Close(core.NoneDelivered); tx.Rollback() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c := b.connect("ID:c")
			consumer := c.consume(queueNamed("ORDERS,BILLS"), 10)
			c.send(orders, "order")
			c.send(bills, "bill")
			s := consumer.expect("order", "bill")
			tx := c.begin()
			consumer.consumed(s[0], tx)
			end(consumer, tx)
			if got := b.rest(orders) + " " + b.rest(bills); got != "order bill" {
				t.Errorf("left is %q", got)
			}
		})
	}
}

func TestPullsFromSeveralQueues(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(queueNamed("ORDERS,BILLS"), 0)
	consumer.Pull(false)
	consumer.expect("-")
	c.send(orders, "1")
	c.send(bills, "2")
	c.send(orders, "3")
	consumer.expect()
	for _, want := range []string{"1", "2", "3"} {
		consumer.Pull(false)
		consumer.expect(want)
	}
	waiting := consumer.Pull(true)
	consumer.CancelPull(waiting)
	consumer.expect("-")
}

// The temporary queues of others are not for whoever asks for everything.
func TestAPatternOfTemporaryQueues(t *testing.T) {
	b := newBroker(t, 0)
	c, d := b.connect("ID:c"), b.connect("ID:d")
	mine := destination.Destination{Kind: destination.TempQueue, Name: "ID:c:1"}
	b.must(c.AddTemporary(mine))
	all := destination.Destination{Kind: destination.TempQueue, Name: ">"}
	stranger, owner := d.consume(all, 10), c.consume(all, 10)
	d.send(mine, "secret")
	stranger.expect()
	owner.expect("secret")
	b.must(c.RemoveTemporary(mine)) // who follows a pattern keeps nothing alive
	owner.Close(core.NoneDelivered)
}

func TestAConsumerOfAPatternOfTopics(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.consume(topicNamed("prices.old"), 1)
	consumer := c.consume(topicNamed("prices.>,news"), 10)
	c.send(topicNamed("prices.old"), "old")
	c.send(topicNamed("prices.new.one"), "new")
	c.send(topicNamed("news"), "news")
	c.send(topicNamed("weather"), "not covered")
	consumer.expect("old", "new", "news")
	consumer.Close(core.NoneDelivered)
	c.send(topicNamed("prices.new.two"), "after the end")
	consumer.expect()
}
