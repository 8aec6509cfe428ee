package core_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

var fleeting = message.SetPersistent(false)

// big is a text of which one message fills a quarter of small, and five all of it.
const small = 4000

var big = strings.Repeat("x", small/4)

func TestMessagesInMemoryAloneCountUntilTheyAreGone(t *testing.T) {
	for name, end := range map[string]func(b *broker, c *client, consumer *consumer, s uint64){
		"acknowledged": func(_ *broker, _ *client, consumer *consumer, s uint64) { consumer.consumed(s, nil) },
		"refused": func(_ *broker, _ *client, consumer *consumer, s uint64) {
			consumer.ack(core.Ack{Kind: core.Poison, Last: s, Count: 1}, nil)
		},
		"consumed in a transaction": func(_ *broker, c *client, consumer *consumer, s uint64) {
			tx := c.begin()
			consumer.consumed(s, tx)
			tx.commit()
		},
		"expired after it was given back": func(b *broker, c *client, _ *consumer, _ uint64) {
			c.Close(core.NoneDelivered)
			b.now = b.now.Add(1 << 40)
			b.sweep()
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 1)
			c := b.connect("ID:c")
			consumer := c.consume(orders, 10)
			c.send(orders, "one", fleeting, message.SetExpiration(b.now.Add(1<<40).UnixMilli()))
			s := consumer.expect("one")[0]
			block := b.blocked()
			if block == nil {
				t.Fatal("a message in flight takes no memory")
			}
			freed, _ := block.Freed()
			end(b, c, consumer, s)
			select {
			case <-freed:
			default:
				t.Error("who waits for memory is not told that there is some")
			}
			if b.waits() {
				t.Error("its memory is not free")
			}
		})
	}
}

// Nothing but its own end frees the memory of a transaction, so the broker does not wait for that but refuses. Of stored
// messages only the number counts.
func TestOpenTransactionsAreBounded(t *testing.T) {
	for name, sets := range map[string][]message.Set{"persistent": nil, "not persistent": {fleeting}} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, small)
			c := b.connect("ID:c")
			first, second := c.begin(), c.begin()
			first.send(orders, big, sets...)
			for n := 0; sets == nil && n < 3; n++ {
				first.send(bills, big+big)
			}
			err := second.Send(c.make(orders, "more", sets...))
			var refused *core.Error
			if !errors.As(err, &refused) || refused.Kind != core.ResourceAllocation || !strings.Contains(refused.Text, "commit more often") {
				t.Fatalf("beyond the limit: %v", err)
			}
			if err := second.Commit(nil); !errors.As(err, &refused) || refused.Kind != core.TransactionRolledBack {
				t.Errorf("the transaction commits without a message: %v", err)
			}
			first.commit()
			third := c.begin()
			third.send(orders, big, sets...)
			third.Rollback()
			fourth := b.connect("ID:d").begin()
			fourth.send(orders, big, sets...)
			fourth.client.Close(core.NoneDelivered)
			fifth := c.begin()
			fifth.send(orders, "last", sets...)
			fifth.commit()
			if left := b.rest(orders); left != big+" last" {
				t.Errorf("left is %.20q and %d bytes", left, len(left))
			}
		})
	}
}

// However large the prefetch of however many consumers, what is in flight is bounded, and nobody who acknowledges stands still.
func TestStoredMessagesInFlightAreBounded(t *testing.T) {
	b := newBroker(t, small)
	c := b.connect("ID:c")
	for range 4 {
		c.send(orders, big)
		c.send(bills, big)
	}
	greedy := c.consume(orders, 1000)
	first := greedy.expect(big)
	other := c.consume(bills, 1000)
	for range 3 {
		other.consumed(other.expect(big)[0], nil) // one at a time
	}
	last := other.expect(big)
	if got := greedy.take(); len(got) != 0 {
		t.Fatalf("%d more deliveries while the memory is full", len(got))
	}
	other.consumed(last[0], nil)
	greedy.consumed(first[0], nil)
	greedy.expect(big)
}

// A queue that held back goes on when another one's consumer makes room, in whatever way.
func TestAQueueThatHeldBackGoesOn(t *testing.T) {
	for name, makeRoom := range map[string]func(hog *client, consumer *consumer, sequences []uint64){
		"after an acknowledgement": func(_ *client, c *consumer, s []uint64) {
			c.ack(core.Ack{Kind: core.Standard, Last: s[len(s)-1], Count: len(s)}, nil)
		},
		"after a close":            func(_ *client, c *consumer, _ []uint64) { c.Close(core.NoneDelivered) },
		"after a connection broke": func(hog *client, _ *consumer, _ []uint64) { hog.Close(core.AllUnknown) },
		"after a commit": func(hog *client, c *consumer, s []uint64) {
			tx := hog.begin()
			c.ack(core.Ack{Kind: core.Standard, Last: s[len(s)-1], Count: len(s)}, tx)
			c.Close(core.NoneDelivered)
			tx.commit()
		},
		"after a rollback": func(hog *client, c *consumer, s []uint64) {
			tx := hog.begin()
			c.ack(core.Ack{Kind: core.Standard, Last: s[len(s)-1], Count: len(s)}, tx)
			c.Close(core.NoneDelivered)
			tx.Rollback()
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, small)
			hog, c := b.connect("ID:hog"), b.connect("ID:c")
			consumer := hog.consume(orders, 1000)
			hog.send(orders, big)
			sequences := consumer.expect(big)
			c.send(bills, "one")
			c.send(bills, "two")
			held := c.consume(bills, 1000)
			held.expect("one")
			makeRoom(hog, consumer, sequences)
			held.expect("two")
		})
	}
}

func TestWhichMessagesNeedMemory(t *testing.T) {
	b := newBroker(t, 1000)
	c := b.connect("ID:c")
	c.send(bills, strings.Repeat("x", 1000), fleeting)
	for name, want := range map[string]bool{
		"queue://A": false, "queue://A,queue://B": false, "topic://A": false, "queue://A,topic://B": false, "temp-queue://A": true,
	} {
		d, err := destination.Parse(name, destination.Queue)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Blocked(c.make(d, "")) != nil; got != want {
			t.Errorf("a persistent message for %s waits: %v", name, got)
		}
		if got := b.Blocked(c.make(d, "", fleeting)) != nil; got != strings.Contains(name, "queue") {
			t.Errorf("a message for %s that is not persistent waits: %v", name, got)
		}
	}
}

// A commit waits for memory if it brings what needs some, and frees none.
func TestWhichCommitsNeedMemory(t *testing.T) {
	b := newBroker(t, 4000)
	c := b.connect("ID:c")
	c.send(orders, "one")
	consumer := c.consume(orders, 1)
	one := consumer.expect("one")[0]
	tx := c.begin()
	tx.send(bills, "fleeting", fleeting)
	other := c.begin()
	other.send(bills, "kept")
	c.send(bills, strings.Repeat("x", 4000), fleeting)
	if other.Blocked() != nil {
		t.Error("stored messages need memory")
	}
	if tx.Blocked() == nil {
		t.Error("messages that are not persistent need no memory")
	}
	consumer.consumed(one, tx)
	if tx.Blocked() != nil {
		t.Error("who makes room has to wait for some")
	}
}
