package core_test

import (
	"fmt"
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

func TestATemporaryQueueEndsWithItsConnection(t *testing.T) {
	b := newBroker(t, 1)
	c, other := b.connect("ID:c"), b.connect("ID:other")
	q := destination.Destination{Kind: destination.TempQueue, Name: "ID:c:1"}
	b.must(c.AddTemporary(q))
	b.must(c.AddTemporary(q)) // said again after a failover
	other.send(q, "reply")    // persistent, and kept in memory alone
	c.consume(q, 1).expect("reply")
	if !b.waits() {
		t.Error("its message takes no memory")
	}
	wantError(t, other.AddTemporary(q), core.InvalidDestination, "another connection has it")
	wantError(t, other.RemoveTemporary(q), core.InvalidDestination, "no such temporary destination")
	wantError(t, c.RemoveTemporary(q), core.General, "still has an active subscription")
	c.Close(core.AllUnknown)
	if b.waits() {
		t.Error("its memory is not free")
	}
	wantError(t, other.Send(other.make(q, "late"), nil), core.InvalidDestination, "does not exist")
	b.must(other.AddTemporary(q)) // the name is free
}

func TestATemporaryTopic(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	topic := destination.Destination{Kind: destination.TempTopic, Name: "ID:c:1"}
	b.must(c.AddTemporary(topic))
	consumer := c.consume(topic, 1)
	b.connect("ID:other").send(topic, "one")
	consumer.expect("one")
	wantError(t, c.RemoveTemporary(topic), core.General, "still has an active subscription")
	consumer.Close(core.NoneDelivered)
	b.must(c.RemoveTemporary(topic))
	wantError(t, c.Send(c.make(topic, "late"), nil), core.InvalidDestination, "does not exist")
}

// Clients learn of each other's temporary destinations, also of those that were there before they listened.
func TestTemporaryDestinationsAreTold(t *testing.T) {
	b := newBroker(t, 0)
	c, listener := b.connect("ID:c"), b.connect("ID:listener")
	for kind, name := range map[destination.Kind]string{
		destination.TempQueue: "ActiveMQ.Advisory.TempQueue", destination.TempTopic: "ActiveMQ.Advisory.TempTopic",
	} {
		advisories := destination.Destination{Kind: destination.Topic, Name: name}
		early := listener.consume(advisories, 100)
		d := destination.Destination{Kind: kind, Name: "ID:c:1"}
		b.must(c.AddTemporary(d))
		late := listener.consume(advisories, 100)
		if e, l := len(early.take()), len(late.take()); e != 1 || l != 1 {
			t.Errorf("%v: told %d times of what came, and %d times of what was there", d, e, l)
		}
		b.must(c.RemoveTemporary(d))
		if e, l := len(early.take()), len(late.take()); e != 1 || l != 1 {
			t.Errorf("%v: told %d and %d times of what went", d, e, l)
		}
		if n := len(listener.consume(advisories, 100).take()); n != 0 {
			t.Errorf("%v: told %d times of what is no more", d, n)
		}
	}
}

func TestAConnectionHasSoManyTemporaryDestinations(t *testing.T) {
	b := newBroker(t, 1)
	c := b.connect("ID:c")
	name := func(n int) destination.Destination {
		return destination.Destination{Kind: destination.TempTopic, Name: fmt.Sprintf("ID:c:%d", n)}
	}
	for n := range 10_000 {
		b.must(c.AddTemporary(name(n)))
	}
	wantError(t, c.AddTemporary(name(10_000)), core.ResourceAllocation, "the connection has 10000 temporary destinations")
	b.must(c.AddTemporary(name(1)))
	b.must(c.RemoveTemporary(name(1)))
	b.must(c.AddTemporary(name(10_000)))
	b.must(b.connect("ID:d").AddTemporary(name(10_001)))
}
