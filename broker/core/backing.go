package core

import (
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// backing is where the stored messages of a queue are, and what else it is to its store. It is called under the queue's lock.
type backing interface {
	// page loads messages with sequences above after, as Store.Page does.
	page(after uint64, maxMessages, maxBytes int) ([]*message.Message, error)
	// pagePriority is page for messages of one priority.
	pagePriority(priority byte, after uint64, maxMessages, maxBytes int) ([]*message.Message, error)
	// admit is asked before a message comes into the window, and may complete its node. One that it refuses is none of the queue's.
	admit(n *node) bool
	// remove ends stored messages, as part of tx if there is one. Otherwise done is called when that is durable.
	remove(stored []*node, tx StoreTx, done func()) error
	// expired returns the sequences of up to most messages above after that have expired at now, as Store.Expired does.
	expired(after uint64, now int64, most int) []uint64
	// origin is where a message of the queue was sent to, with its policy, and the durable subscription that has it, as client id and
	// name with a colon between them, "" for none.
	origin(m *message.Message) (p *policy.Policy, at destination.Destination, subscription string)
	// returned is called when messages came back from a consumer, or a consumer has left.
	returned()
	// hide says that a prepared branch has consumed messages, and reveal that it has its outcome: until then the store pages past them.
	hide(sequences []uint64)
	reveal(sequences []uint64)
	// horizon says that messages below sequence may have been dispatched.
	horizon(sequence uint64, done func()) error
}

// queueBacking is that of a real queue.
type queueBacking struct {
	store Store
	queue *queue
}

func (b queueBacking) page(after uint64, maxMessages, maxBytes int) ([]*message.Message, error) {
	return b.store.Page(b.queue.name, after, maxMessages, maxBytes)
}

func (b queueBacking) pagePriority(priority byte, after uint64, maxMessages, maxBytes int) ([]*message.Message, error) {
	return b.store.PagePriority(b.queue.name, priority, after, maxMessages, maxBytes)
}

func (b queueBacking) admit(*node) bool { return true }

func (b queueBacking) remove(stored []*node, tx StoreTx, done func()) error {
	sequences := sequencesOf(stored)
	if tx != nil {
		return tx.Remove(b.queue.name, sequences)
	}
	return b.store.Remove(b.queue.name, sequences, done)
}

func (b queueBacking) expired(after uint64, now int64, most int) []uint64 {
	return b.store.Expired(b.queue.name, after, now, most)
}

func (b queueBacking) origin(*message.Message) (*policy.Policy, destination.Destination, string) {
	return b.queue.policy.Load(), b.queue.name, ""
}

func (b queueBacking) returned() {}

func (b queueBacking) hide([]uint64) {}

func (b queueBacking) reveal([]uint64) {}

func (b queueBacking) horizon(sequence uint64, done func()) error {
	return b.store.Horizon(b.queue.name, sequence, done)
}
