package core_test

import (
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
)

// backlog is what waits for a durable subscription of the client "client", which the broker has not.
func (b *broker) backlog(name string) string {
	b.t.Helper()
	c := b.connectAs("ID:backlog", "client")
	defer c.leave(core.NoneDelivered)
	var texts []string
	for _, d := range c.durably(prices, name).take() {
		texts = append(texts, string(d.Message.Content()))
	}
	return strings.Join(texts, " ")
}

// TestATransactionOfATopicIsWhole crashes with each part of the records that can have reached the log.
func TestATransactionOfATopicIsWhole(t *testing.T) {
	for reached, inFlight := 0, 0; reached <= inFlight; reached++ {
		b := newBroker(t, 0)
		c := b.connectAs("ID:1", "client")
		c.durably(prices, "s").Close(core.NoneDelivered)
		consumed := c.durably(prices, "t")
		c.send(prices, "0")
		sequence := consumed.expect("0")[0]
		b.log.Hold()
		tx := c.begin()
		tx.send(prices, "1")
		tx.send(orders, "2")
		b.must(consumed.Acknowledge(core.Ack{Kind: core.Standard, First: sequence, Last: sequence, Count: 1}, tx.Transaction, nil))
		tx.send(prices, "3")
		b.must(tx.Commit(func() { t.Error("it says that it is done") }))
		inFlight = b.log.InFlight()
		next := b.crash(reached)
		got := next.backlog("s") + "|" + next.backlog("t") + "|" + next.rest(orders)
		want := "0|0|"
		if reached == inFlight {
			want = "0 1 3|1 3|2"
		}
		if got != want {
			t.Fatalf("with %d of %d records: %q, want %q", reached, inFlight, got, want)
		}
		b.must(next.store.Close())
	}
}

func TestASubscriptionThatBeginsInTheMiddleOfATransaction(t *testing.T) {
	b := newBroker(t, 0)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	tx := producer.begin()
	tx.send(prices, "one")
	c.durably(prices, "s").Close(core.NoneDelivered)
	tx.send(prices, "two")
	tx.commit()
	next := b.crash(0)
	if got := next.backlog("s"); got != "one two" {
		t.Errorf("the subscription has %q", got)
	}
	b.must(next.store.Close())
}

func TestWhatATransactionHasConsumedIsNobodysUntilItEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end        func(*transaction)
		next, last []string
	}{
		"commit":   {(*transaction).commit, nil, nil},
		"rollback": {func(tx *transaction) { tx.Rollback() }, nil, []string{"one+1", "two+1"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			client, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
			s := client.durably(prices, "s")
			producer.send(prices, "one")
			producer.send(prices, "two")
			sequences := s.expect("one", "two")
			tx := client.begin()
			s.consumed(sequences[1], tx)
			s.ack(core.Ack{Kind: core.Standard, First: sequences[0], Last: sequences[0], Count: 1}, tx)
			s.Close(core.AllUnknown)
			again := client.durably(prices, "s")
			again.expect(c.next...)
			again.Close(core.NoneDelivered)
			c.end(tx)
			b.settle()
			client.durably(prices, "s").expect(c.last...)
		})
	}
}

func TestATransactionMayOutliveASubscription(t *testing.T) {
	b := newBroker(t, 0)
	c, producer := b.connectAs("ID:1", "client"), b.connect("ID:p")
	s := c.durably(prices, "s")
	producer.send(prices, "one")
	tx := c.begin()
	s.consumed(s.expect("one")[0], tx)
	s.Close(core.NoneDelivered)
	b.must(c.Unsubscribe("s", nil))
	tx.send(orders, "two")
	tx.commit()
	b.pending(prices, 0)
	if got := b.rest(orders); got != "two" {
		t.Errorf("the queue has %q", got)
	}
}
