package core_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

func TestATransactionHappensAtItsCommit(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	queue, topic := c.consume(orders, 10), c.consume(prices, 10)
	c.send(bills, "consumed")
	consumer := c.consume(bills, 1)
	consumed := consumer.expect("consumed")
	tx := c.begin()
	tx.send(orders, "one")
	tx.send(orders, "two", fleeting)
	tx.send(prices, "three")
	consumer.consumed(consumed[0], tx)
	c.send(orders, "before the commit")
	queue.expect("before the commit")
	topic.expect()
	tx.commit()
	queue.expect("one", "two")
	topic.expect("three")
	c.Close(core.NoneDelivered)
	if left := b.rest(bills); left != "" {
		t.Errorf("left is %q", left)
	}
}

func TestARollback(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for _, text := range []string{"one", "two"} {
		c.send(orders, text)
	}
	consumer := c.consume(orders, 2)
	s := consumer.expect("one", "two")
	tx := c.begin()
	tx.send(bills, "never")
	consumer.ack(core.Ack{Kind: core.Standard, Last: s[1], Count: 2}, tx)
	tx.Rollback()
	consumer.expect() // the client has them, and gives them to its program again
	again := c.begin()
	consumer.consumed(s[0], again)
	again.commit()
	c.Close(core.NoneDelivered)
	if got := b.rest(orders) + "|" + b.rest(bills); got != "two|" {
		t.Errorf("left is %q", got)
	}
	if got := b.handOver().rest(bills); got != "" {
		t.Errorf("at the next broker %q is left", got)
	}
}

// What a transaction has acknowledged does not fill the prefetch, or a program could not receive more than that in one.
func TestATransactionConsumesMoreThanThePrefetch(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for _, text := range []string{"one", "two", "three"} {
		c.send(orders, text)
	}
	consumer := c.consume(orders, 1)
	tx := c.begin()
	consumer.consumed(consumer.expect("one")[0], tx)
	consumer.consumed(consumer.expect("two")[0], tx)
	consumer.consumed(consumer.expect("three")[0], tx)
	tx.commit()
	c.Close(core.NoneDelivered)
	if left := b.rest(orders); left != "" {
		t.Errorf("left is %q", left)
	}
}

// A consumer's messages stay with the transaction that has them when it closes.
func TestTheConsumerClosesBeforeTheTransactionEnds(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(tx *transaction)
		left []string
	}{
		"commit":     {func(tx *transaction) { tx.commit() }, []string{"two"}},
		"rollback":   {func(tx *transaction) { tx.Rollback() }, []string{"two", "one+1"}},
		"connection": {func(tx *transaction) { tx.client.Close(core.NoneDelivered) }, []string{"two", "one+1"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c := b.connect("ID:c")
			c.send(orders, "one")
			c.send(orders, "two")
			consumer := c.consume(orders, 2)
			s := consumer.expect("one", "two")
			tx := c.begin()
			consumer.consumed(s[0], tx)
			consumer.Close(core.NoneDelivered)
			other := b.connect("ID:other").consume(orders, 10)
			test.end(tx)
			other.expect(test.left...)
		})
	}
}

// A client learns at the commit of what went wrong before, for which it did not wait.
func TestATransactionThatFailedIsRolledBack(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.send(bills, "consumed")
	consumer := c.consume(bills, 1)
	consumed := consumer.expect("consumed")
	tx := c.begin()
	tx.send(orders, "one")
	consumer.consumed(consumed[0], tx)
	gone := destination.Destination{Kind: destination.TempQueue, Name: "ID:gone:1"}
	if err := tx.Send(c.make(gone, "two")); err == nil {
		t.Fatal("a send to a queue that does not exist is taken")
	}
	err := tx.Commit(func() { t.Error("it says that it is done") })
	var refused *core.Error
	if !errors.As(err, &refused) || refused.Kind != core.TransactionRolledBack || !strings.Contains(refused.Text, "ID:gone:1") {
		t.Errorf("commit: %v", err)
	}
	c.Close(core.NoneDelivered)
	if got := b.rest(orders) + "|" + b.rest(bills); got != "|consumed" {
		t.Errorf("left is %q", got)
	}
}

// A commit is not answered if an acknowledgement in it was of nothing: the message is somewhere else, and would be consumed twice.
func TestATransactionThatAcknowledgesWhatIsNotInFlightIsRolledBack(t *testing.T) {
	for name, ack := range map[string]func(s []uint64) core.Ack{
		"a range whose first is gone": func(s []uint64) core.Ack { return core.Ack{Kind: core.Standard, First: s[0], Last: s[2], Count: 3} },
		"a range whose last is gone":  func(s []uint64) core.Ack { return core.Ack{Kind: core.Standard, First: s[1], Last: s[3], Count: 3} },
		"a range backwards":           func(s []uint64) core.Ack { return core.Ack{Kind: core.Standard, First: s[2], Last: s[1], Count: 2} },
		"one that is gone":            func(s []uint64) core.Ack { return core.Ack{Kind: core.Individual, Last: s[0], Count: 1} },
	} {
		t.Run(name, func(t *testing.T) {
			b, c, consumer, s := fiveInFlight(t)
			consumer.ack(core.Ack{Kind: core.Poison, First: s[0], Last: s[0], Count: 1}, nil)
			consumer.consumed(s[3], nil)
			tx := c.begin()
			tx.send(bills, "moved")
			consumer.consumed(s[4], tx)
			if err := consumer.Acknowledge(ack(s), tx.Transaction, nil); err == nil {
				t.Error("the acknowledgement is taken")
			}
			var refused *core.Error
			if err := tx.Commit(nil); !errors.As(err, &refused) || refused.Kind != core.TransactionRolledBack {
				t.Errorf("commit: %v", err)
			}
			c.Close(core.NoneDelivered)
			if got := b.rest(orders) + "|" + b.rest(bills); got != "two three five|" {
				t.Errorf("left is %q", got)
			}
		})
	}
}

// A client that gets a message of an open transaction again, and acknowledges each that comes, names it twice.
func TestATransactionAcknowledgesTwice(t *testing.T) {
	b, c, consumer, s := fiveInFlight(t)
	tx := c.begin()
	for range 2 {
		consumer.ack(core.Ack{Kind: core.Individual, Last: s[0], Count: 1}, tx)
	}
	consumer.ack(core.Ack{Kind: core.Standard, First: s[0], Last: s[1], Count: 2}, tx)
	tx.commit()
	c.Close(core.NoneDelivered)
	if left := b.rest(orders); left != "three four five" {
		t.Errorf("left is %q", left)
	}
}

// Whatever part of a commit reached the log, the next broker has all of the transaction or nothing.
func TestACommitIsWholeOverACrash(t *testing.T) {
	wholeOverACrash(t, "consumed|too", "sent|as well", func(b *broker, c *client) func(func()) {
		c.send(orders, "consumed")
		c.send(bills, "too")
		one, two := c.consume(orders, 1), c.consume(bills, 1)
		s := []uint64{one.expect("consumed")[0], two.expect("too")[0]}
		return func(done func()) {
			tx := c.begin()
			tx.send(orders, "sent")
			b.must(one.Acknowledge(core.Ack{Kind: core.Standard, Last: s[0], Count: 1}, tx.Transaction, nil))
			b.must(two.Acknowledge(core.Ack{Kind: core.Standard, Last: s[1], Count: 1}, tx.Transaction, nil))
			tx.send(bills, "as well")
			b.must(tx.Commit(done))
		}
	}, orders, bills)
}

// A composite send is one: all copies, or none.
func TestCompositeSends(t *testing.T) {
	both := destination.Destination{Kind: destination.Queue, Name: "ORDERS,queue://BILLS,topic://PRICES"}
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	subscriber := c.consume(prices, 10)
	c.send(both, "one")
	subscriber.expect("one")
	for _, q := range []destination.Destination{orders, bills} {
		m := c.consume(q, 10).take()[0].Message
		from, _ := m.OriginalDestination()
		if string(m.Content()) != "one" || m.Destination() != q || from != both {
			t.Errorf("%v has %v from %v", q, m, from)
		}
	}
	again := c.make(both, "again")
	b.must(c.Send(again, nil))
	b.must(c.Send(again.With(), nil))
	subscriber.expect("again")

	gone := destination.Destination{Kind: destination.Queue, Name: "ORDERS,temp-queue://ID:gone:1"}
	if err := c.Send(c.make(gone, "never"), nil); err == nil {
		t.Error("a member that does not exist is taken")
	}
	c.Close(core.NoneDelivered)
	if got := b.rest(orders) + "|" + b.rest(bills); got != "one again|one again" {
		t.Errorf("left is %q", got)
	}
}

func TestACompositeSendIsWholeOverACrash(t *testing.T) {
	both := destination.Destination{Kind: destination.Queue, Name: "ORDERS,BILLS"}
	wholeOverACrash(t, "|", "one|one", func(b *broker, c *client) func(func()) {
		return func(done func()) { b.must(c.Send(c.make(both, "one"), done)) }
	}, orders, bills)
}

// A client that lost its connection sends again what it had no answer to.
func TestWhatIsSentAgainIsThereOnce(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	one, two := c.make(orders, "one"), c.make(orders, "two")
	for _, m := range []*message.Message{one, two, one.With(), two.With()} {
		b.must(c.Send(m, nil))
	}
	tx := c.begin()
	b.must(tx.Send(two.With()))
	tx.send(orders, "three")
	tx.commit()
	c.Close(core.NoneDelivered)
	next := b.handOver()
	d := next.connect("ID:c")
	b.must(d.Send(two.With(), nil))
	if left := next.rest(orders); left != "one two three" {
		t.Errorf("left is %q", left)
	}
	b.must(next.store.Close())
}
