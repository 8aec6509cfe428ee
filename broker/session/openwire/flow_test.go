package openwire_test

import (
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// limited runs a test with a broker whose queue "small" is full of one message.
func limited(t *testing.T, change func(*policy.Policy), test func(t *testing.T, w *world)) {
	t.Helper()
	bubble(t, func(t *testing.T, w *world) {
		policies, p := policy.NewMap(), policy.Default()
		p.MemoryLimit = 1
		change(&p)
		policies.Add(destination.Destination{Kind: destination.Queue, Name: "small"}, &p)
		w.options.Broker.SetPolicies(policies)
		filler := w.join("filler")
		filler.ok(filler.fleeting(1, queue("small"), "fills it"))
		test(t, w)
	})
}

// A full queue holds what is sent to it, in order, and nothing else of the same connection.
func TestAFullQueueIsNotInTheWayOfAnother(t *testing.T) {
	limited(t, func(*policy.Policy) {}, func(t *testing.T, w *world) {
		c := w.join("a")
		first, second := c.ask(c.fleeting(1, queue("small"), "first")), c.ask(c.fleeting(2, queue("small"), "second"))
		if c.answer(first) != nil || c.answer(second) != nil {
			t.Fatal("the sends did not wait")
		}
		w.wantLogged(`a sender waits for room" remote=pipe client=client-a connection=ID:a destination=queue://small limit="memoryLimit of 1 bytes"`)
		if now, ever := w.options.Broker.WaitingSenders(); now != 1 || ever != 1 {
			t.Errorf("%d senders wait, of %d that did", now, ever)
		}
		c.ok(c.fleeting(3, queue("large"), "passes"))
		c.ok(c.message(4, queue("small"), "is stored"))
		consumer := w.join("consumer")
		consumer.ok(consumer.consumer(1, queue("small")))
		for _, n := range []int{2, 1, 1} {
			consumer.ok(consumer.ack(openwire.AckStandard, consumer.dispatches(n)...))
		}
		if !isDone(c.answer(first)) || !isDone(c.answer(second)) {
			t.Error("the sends still wait")
		}
		w.wantLogged(`the sender goes on" remote=pipe client=client-a connection=ID:a destination=queue://small waited=`)
		if now, ever := w.options.Broker.WaitingSenders(); now != 0 || ever != 1 {
			t.Errorf("at the end %d senders wait, of %d that did", now, ever)
		}
	})
}

func TestASendFailsIfThereIsNoSpace(t *testing.T) {
	yes := true
	limited(t, func(p *policy.Policy) { p.SendFailIfNoSpace = &yes }, func(t *testing.T, w *world) {
		c := w.join("a")
		const words = "Usage Manager Memory Limit reached on queue://small. See http"
		c.refused(c.fleeting(1, queue("small"), "refused"), openwire.ResourceAllocationException, words)
		c.tell(c.fleeting(2, queue("small"), "refused, too"))
		wantException(t, c.takeOne(), openwire.ResourceAllocationException, words)

		c.ok(c.transact(openwire.TransactionBegin, 1))
		m := c.fleeting(3, queue("small"), "refused in a transaction")
		m.TransactionID = c.transactionID(1)
		c.refused(m, openwire.ResourceAllocationException, words)
		c.refused(c.transact(openwire.TransactionCommitOnePhase, 1), openwire.TransactionRolledBackException, words)
		if got := w.remaining(queue("small")); got != "fills it x0" {
			t.Errorf("got %s", got)
		}
	})
}

func TestASendFailsIfThereIsNoSpaceForLong(t *testing.T) {
	after := int64(3000)
	limited(t, func(p *policy.Policy) { p.SendFailIfNoSpaceAfterTimeout = &after }, func(t *testing.T, w *world) {
		c := w.join("a")
		held := c.ask(c.fleeting(1, queue("small"), "held"))
		w.elapse(2 * time.Second)
		behind := c.ask(c.fleeting(2, queue("small"), "held behind it"))
		if c.answer(held) != nil {
			t.Fatal("it did not wait")
		}
		w.elapse(1100 * time.Millisecond)
		wantException(t, c.answer(held), openwire.ResourceAllocationException, "Usage Manager Memory Limit Wait Timeout")
		if c.answer(behind) != nil {
			t.Fatal("what came later does not wait for as long")
		}
		w.elapse(2 * time.Second)
		wantException(t, c.answer(behind), openwire.ResourceAllocationException, "Usage Manager Memory Limit Wait Timeout")
	})
}

// A commit that waited too long is a rollback.
func TestACommitFailsIfThereIsNoSpaceForLong(t *testing.T) {
	after := int64(3000)
	limited(t, func(p *policy.Policy) { p.SendFailIfNoSpaceAfterTimeout = &after }, func(t *testing.T, w *world) {
		c := w.join("a")
		c.ok(c.transact(openwire.TransactionBegin, 1))
		m := c.fleeting(1, queue("small"), "never")
		m.TransactionID = c.transactionID(1)
		c.ok(m)
		commit := c.ask(c.transact(openwire.TransactionCommitOnePhase, 1))
		w.elapse(3100 * time.Millisecond)
		wantException(t, c.answer(commit), openwire.ResourceAllocationException, "Usage Manager Memory Limit Wait Timeout")
		if got := w.remaining(queue("small")); got != "fills it x0" {
			t.Errorf("got %s", got)
		}
	})
}
