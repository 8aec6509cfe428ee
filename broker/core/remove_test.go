package core_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
)

// remove removes a destination and waits until that is done.
func (c *client) remove(d destination.Destination) {
	c.broker.t.Helper()
	done := false
	c.broker.must(c.RemoveDestination(d, func() { done = true }))
	c.broker.settle()
	if !done {
		c.broker.t.Fatalf("the broker does not say that %s is removed", d)
	}
}

func TestRemoveAQueue(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for range 300 { // more than a page
		c.send(orders, strings.Repeat("x", 1000))
	}
	c.send(orders, "fleeting", fleeting)
	c.send(bills, "stays")
	consumer := c.consume(orders, 10)
	var e *core.Error
	if err := c.RemoveDestination(orders, nil); !errors.As(err, &e) || e.Kind != core.General || !strings.Contains(e.Text, "Destination: queue://ORDERS still has an active subscription") {
		t.Errorf("while in use: %v", err)
	}
	consumer.Close(core.NoneDelivered)
	c.remove(orders)
	c.remove(orders) // as the client that asks again after a reconnect
	if b.waits() {
		t.Error("what is gone fills the memory")
	}
	c.send(orders, "anew")
	c.consume(orders, 10).expect("anew")
	if n, _ := b.store.Pending(orders); n != 1 {
		t.Errorf("the store has %d messages", n)
	}
	next := b.handOver()
	if got := next.rest(orders) + "|" + next.rest(bills); got != "anew|stays" {
		t.Errorf("after a takeover: %q", got)
	}
}

// A takeover in the middle finds all of the queue or none.
func TestRemovalIsWholeOverACrash(t *testing.T) {
	wholeOverACrash(t, "one two", "", func(b *broker, c *client) func(func()) {
		c.send(orders, "one")
		c.send(orders, "two")
		return func(done func()) { b.must(c.RemoveDestination(orders, done)) }
	}, orders)
}

// What is sent while the removal is on its way is not lost, and what was on its way before is gone.
func TestSendsAroundARemoval(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.send(orders, "old")
	tx := c.begin()
	tx.send(orders, "committed later")
	b.log.Hold()
	b.must(c.Send(c.make(orders, "on its way"), nil))
	b.must(c.RemoveDestination(orders, nil))
	b.must(c.Send(c.make(orders, "later"), nil))
	b.log.Release()
	tx.commit()
	if got := b.rest(orders); got != "later committed later" {
		t.Errorf("got %q", got)
	}
}

// A consumer's open transaction over a queue that was removed does no harm, whether it is committed or rolled back.
func TestATransactionOutlivesItsQueue(t *testing.T) {
	for _, how := range []string{"commit", "rollback"} {
		b := newBroker(t, 0)
		c := b.connect("ID:c")
		c.send(orders, "one")
		tx, consumer := c.begin(), c.consume(orders, 10)
		consumer.consumed(consumer.expect("one")[0], tx)
		consumer.Close(core.AllUnknown)
		c.remove(orders)
		if how == "commit" {
			tx.commit()
		} else {
			tx.Rollback()
		}
		c.send(orders, "two")
		c.consume(orders, 10).expect("two")
	}
}

// A queue is there after a takeover though it is empty, so that a virtual topic feeds it before its consumers are back.
func TestAnEmptyQueueIsKept(t *testing.T) {
	b := newBroker(t, 0)
	queue := queueNamed("Consumer.A.VirtualTopic.T")
	b.must(b.connect("ID:c").CreateDestination(queue))
	next := b.handOver()
	next.connect("ID:p").send(topicNamed("VirtualTopic.T"), "fed")
	if got := next.rest(queue); got != "fed" {
		t.Errorf("got %q", got)
	}
	c := next.connect("ID:c")
	c.remove(queue)
	last := next.handOver()
	last.connect("ID:p").send(topicNamed("VirtualTopic.T"), "not fed")
	if got := last.rest(queue); got != "" {
		t.Errorf("a queue that was removed gets %q", got)
	}
}

func TestRemoveATopic(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(prices, 10)
	if err := c.RemoveDestination(prices, nil); err == nil || !strings.Contains(err.Error(), "still has an active subscription") {
		t.Errorf("while in use: %v", err)
	}
	consumer.Close(core.NoneDelivered)
	c.remove(prices)
	consumer = c.consume(prices, 10)
	c.send(prices, "anew")
	consumer.expect("anew")
}

func TestCreateWhatCannotBe(t *testing.T) {
	c := newBroker(t, 0).connect("ID:c")
	for _, name := range []string{"", "A.>", "A,,B"} {
		if err := c.CreateDestination(queueNamed(name)); err == nil {
			t.Errorf("%q was created", name)
		}
	}
}

// TestATransactionOutlivesItsTopic has a topic removed between a send and the commit, and others come to the next one of its name.
func TestATransactionOutlivesItsTopic(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connectAs("ID:1", "client")
	tx := c.begin()
	tx.send(prices, "one")
	c.remove(prices)
	d := c.durably(prices, "s")
	s := c.consume(prices, 10)
	tx.commit()
	s.expect("one")
	d.expect("one")
	c.Close(core.NoneDelivered)
	if got := b.crash(0).backlog("s"); got != "one" {
		t.Errorf("the next broker has %q for the subscription", got)
	}
}

func TestWhoComesWhileATopicIsRemovedHearsOfWhatIsSent(t *testing.T) {
	b := newBroker(t, 0)
	c, other := b.connect("ID:c"), b.connect("ID:o")
	for range 200 {
		b.must(c.CreateDestination(prices))
		removed := make(chan struct{})
		go func() {
			_ = other.RemoveDestination(prices, nil) // refused if the consumer was quicker
			close(removed)
		}()
		consumer := &consumer{broker: b, to: prices}
		var err error
		consumer.Consumer, err = c.Subscribe(core.ConsumerSpec{Destination: prices, Prefetch: 1}, consumer)
		b.must(err)
		<-removed
		c.send(prices, "one")
		consumer.expect("one")
		consumer.Close(core.NoneDelivered)
	}
}

// Whatever is sent, consumed and removed at once: nothing that the store still has is out of the consumers' sight, and nothing else is
// in it.
func TestRemovalsAmongSendsAndConsumers(t *testing.T) {
	b := newBroker(t, 0)
	var work sync.WaitGroup
	for i := range 3 {
		c := b.connect(fmt.Sprintf("ID:sender-%d", i))
		work.Go(func() {
			for range 150 {
				if err := c.Send(c.make(orders, "x"), nil); err != nil {
					t.Errorf("send: %v", err)
				}
			}
		})
	}
	consuming, removing := b.connect("ID:consumer"), b.connect("ID:remover")
	work.Go(func() {
		for range 100 {
			consumer, err := consuming.Subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 5}, &consumer{broker: b})
			if err != nil {
				t.Errorf("subscribe: %v", err)
				return
			}
			consumer.Close(core.NoneDelivered)
		}
	})
	removed := 0
	work.Go(func() {
		for range 300 {
			if removing.RemoveDestination(orders, nil) == nil {
				removed++
			}
		}
	})
	work.Wait()
	b.settle()
	left, _ := b.store.Pending(orders)
	if removed == 0 {
		t.Fatal("nothing was removed")
	}
	// What was sent at the moment of a removal may be seen though the removal took it; nothing that is there may be missing.
	if got := len(strings.Fields(b.rest(orders))); got < left {
		t.Errorf("consumers see %d of %d messages", got, left)
	}
	if n, _ := b.store.Pending(orders); n != 0 {
		t.Errorf("%d messages are stuck", n)
	}
}
