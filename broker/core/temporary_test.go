package core_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/node"
	"github.com/twinmesh/twinmesh/broker/session/openwire"
	"github.com/twinmesh/twinmesh/broker/store"
)

// inbox keeps what was delivered.
type inbox struct{ deliveries []core.Delivery }

func (i *inbox) Deliver(d core.Delivery) { i.deliveries = append(i.deliveries, d) }

func newBroker(t *testing.T, memoryLimit int64) *core.Broker {
	t.Helper()
	s := store.New(mem.New(1<<20).Open(), store.Options{MinBytes: 1 << 30})
	if _, err := s.Lead(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return core.New(core.Options{
		Store: node.Join(s), Advisor: openwire.NewAdvisor("ID:broker", "orders-0"), Now: time.Now,
		Logger: slog.New(slog.DiscardHandler), MemoryLimit: memoryLimit,
	})
}

// A transaction that consumed from a temporary queue can outlive it. Its rollback has nowhere to put the message, whose
// memory is free then, or senders would wait for ever.
func TestRollbackAfterTheTemporaryQueueIsGone(t *testing.T) {
	b := newBroker(t, 1)
	c, err := b.Connect(core.ConnectionSpec{ID: "ID:c"})
	if err != nil {
		t.Fatal(err)
	}
	q := destination.Destination{Kind: destination.TempQueue, Name: "ID:c:1"}
	var got inbox
	if err := c.AddTemporary(q); err != nil {
		t.Fatal(err)
	}
	consumer, err := c.Subscribe(core.ConsumerSpec{Destination: q, Prefetch: 1}, &got)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(message.New(message.Text, message.SetDestination(q), message.SetID("ID:p", 1, 1, 1)), nil); err != nil {
		t.Fatal(err)
	}
	if len(got.deliveries) != 1 || b.Full() == nil {
		t.Fatalf("%d deliveries of a message that fills the memory", len(got.deliveries))
	}
	tx, err := c.Begin()
	if err != nil {
		t.Fatal(err)
	}
	sequence := got.deliveries[0].Message.BrokerSequence()
	if err := consumer.Acknowledge(core.Ack{Kind: core.Standard, Last: sequence, Count: 1}, tx, nil); err != nil {
		t.Fatal(err)
	}
	consumer.Close(core.LastDelivered(sequence))
	if err := c.RemoveTemporary(q); err != nil {
		t.Fatal(err)
	}
	tx.Rollback()
	if b.Full() != nil {
		t.Error("the memory of the removed queue's message is not free after the rollback")
	}
}
