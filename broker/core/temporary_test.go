package core_test

import (
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

// A transaction that consumed from a temporary queue can outlive it. Its rollback has nowhere to put the message, whose
// memory is free then, or senders would wait for ever.
func TestRollbackAfterTheTemporaryQueueIsGone(t *testing.T) {
	b := newBroker(t, 1)
	c := b.connect("ID:c")
	q := destination.Destination{Kind: destination.TempQueue, Name: "ID:c:1"}
	b.must(c.AddTemporary(q))
	consumer := c.consume(q, 1)
	c.send(q, "one", message.SetPersistent(false))
	one := consumer.expect("one")[0]
	if !b.waits() {
		t.Fatal("a message does not fill the memory")
	}
	tx := c.begin()
	consumer.consumed(one, tx)
	consumer.Close(core.LastDelivered(one))
	b.must(c.RemoveTemporary(q))
	tx.Rollback()
	if b.waits() {
		t.Error("the memory of the removed queue's message is not free after the rollback")
	}
}
