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
	// DeleteEmpty is Delete for a queue without messages, to which none is on its way; it tells whether it is one.
	DeleteEmpty(queue destination.Destination, done func()) (empty bool, through uint64, err error)
	// Full returns nil if the store has room for more, else a channel that is closed when it has.
	Full() <-chan struct{}
	// Usage is the bytes of messages that the store has.
	Usage() int64
	// Limit is the bytes of messages from which on it has none.
	Limit() int64
	// Pending is how many messages the queue has, and the sum of their sizes.
	Pending(queue destination.Destination) (messages int, bytes int64)
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
	// PagePriority is Page for messages of one priority.
	PagePriority(queue destination.Destination, priority byte, after uint64, maxMessages, maxBytes int) ([]*message.Message, error)
	// Subscriptions lists the durable subscriptions from before, the oldest first.
	Subscriptions() []RecoveredSubscription
	// Subscribe begins a durable subscription to what is added from now on, in place of one of the same client and name. Its id is
	// a sequence: what it gets has larger ones.
	Subscribe(s Subscription, done func()) (id uint64, err error)
	// Unsubscribe ends a durable subscription.
	Unsubscribe(id uint64, done func()) error
	// Acknowledge says that a subscription is through with all of its messages in the spans, which are in order.
	Acknowledge(subscription uint64, through []Span, done func()) error
	// SubscriptionHorizon is Horizon for a subscription.
	SubscriptionHorizon(subscription, sequence uint64, done func()) error
	// PageSubscription is Page for what a subscription is not through with.
	PageSubscription(subscription, after uint64, maxMessages, maxBytes int) ([]*message.Message, error)
	// Through tells whether a subscription is through with a sequence.
	Through(subscription, sequence uint64) bool
	// Needing lists the subscriptions that are not through with a message of a topic.
	Needing(topic destination.Destination, sequence uint64) []uint64
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
	Acknowledge(subscription uint64, through []Span) error
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

// Span is a run of broker sequences, its ends included.
type Span struct {
	From, To uint64
}

// Subscription is what is kept of a durable subscription.
type Subscription struct {
	Client, Name string // together only one's
	Destination  destination.Destination
	Selector     string
	NoLocal      bool
}

// RecoveredSubscription is one as it was found.
type RecoveredSubscription struct {
	Subscription
	ID      uint64
	Horizon uint64
}
