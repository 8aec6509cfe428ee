package core

import (
	"context"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

// Store is what a broker needs of a durable store. Every done is called once what was asked for is durable, in the order of
// the calls, from one goroutine of the store's; it may be nil. If the store fails, it is never called.
type Store interface {
	// Room waits while too much is not yet durable. It is called before work on behalf of a client, with no lock held.
	Room(ctx context.Context) error
	// NextSequence numbers a message that is not stored.
	NextSequence() uint64
	// Fresh tells whether the message is not known from its producer: a client that lost its connection sends again
	// what it had no answer to.
	Fresh(m *message.Message) bool
	// Add stores a message and sets its broker sequence.
	Add(m *message.Message, done func()) error
	// Remove forgets messages of a queue.
	Remove(queue destination.Destination, sequences []uint64, done func()) error
	// Begin starts what is stored whole or not at all.
	Begin() StoreTx
	// Create says that a queue is there, though nothing may be in it.
	Create(queue destination.Destination, done func()) error
	// Delete forgets a queue with all that is in it, and returns the highest sequence that is gone with it.
	Delete(queue destination.Destination, done func()) (through uint64, err error)
	// Horizon says that the queue's messages below sequence may have been dispatched.
	Horizon(queue destination.Destination, sequence uint64, done func()) error
	// Barrier calls done after all that was asked before.
	Barrier(done func()) error
	// Recovered lists the queues that there were before.
	Recovered() []Recovered
	// Expired returns the sequences of up to most messages of the queue above after that have expired at now, in milliseconds
	// since 1970, without those already removed.
	Expired(queue destination.Destination, after uint64, now int64, most int) []uint64
	// Page loads messages of a queue with sequences above after, in order, without those already removed; one at least if
	// there is one, then not more than maxMessages or maxBytes.
	Page(queue destination.Destination, after uint64, maxMessages, maxBytes int) ([]*message.Message, error)
	// Expirations lists the messages of a queue that expire.
	Expirations(queue destination.Destination) []Due
	StoreBranches
}

// StoreTx gathers what is stored together. It is used by one goroutine at a time.
type StoreTx interface {
	Add(m *message.Message) error
	// Leave is Add for a message of which nothing stays in memory: after the commit it comes with a page.
	Leave(m *message.Message) error
	Remove(queue destination.Destination, sequences []uint64) error
	// Commit numbers the added messages in order and makes everything durable as one.
	Commit(done func()) error
	// CommitAs is Commit of what is on record from then on, unless it says of no connection.
	CommitAs(c Committed, done func()) error
	// Prepare makes everything durable without its happening. Until Store.Decide, what it removes is in no page.
	Prepare(p Preparation, done func()) error
	Rollback() error
}

// Recovered is a queue as it was found.
type Recovered struct {
	Destination destination.Destination
	Messages    int
	// Horizon is above everything that may have been dispatched before.
	Horizon uint64
}
