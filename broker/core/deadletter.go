package core

import (
	"fmt"

	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// causeProperty tells in a dead letter why it is one, as in ActiveMQ.
const causeProperty = "dlqDeliveryFailureCause"

const expiredCause = "expired"

func causeOf(a Ack) string {
	switch {
	case a.Kind == Expired:
		return expiredCause
	case a.Cause != nil:
		return a.Cause.Error()
	}
	return "a consumer refused it, and gave no cause"
}

// bury ends messages that are out of the window and out of flight: persistent ones go to the dead letter queue, others
// are dropped, as ActiveMQ does by default. q.mu is held.
func (q *queue) bury(nodes []*node, cause string) {
	for _, n := range nodes {
		if err := q.buryOne(n, cause); err != nil {
			q.broker.logger.Debug("no dead letter: the store takes nothing more", "message", n.message.ID(), "error", err)
		}
	}
}

func (q *queue) buryOne(n *node, cause string) error {
	if !n.stored || q.name == DeadLetters {
		if n.stored {
			q.broker.logger.Warn("dropped a message that could not be consumed from the dead letter queue either",
				"message", n.message.ID(), "cause", cause)
		}
		return q.drop([]*node{n}, nil, nil)
	}
	letters, err := q.broker.queue(DeadLetters)
	if err != nil {
		return err
	}
	letter := deadLetter(n.message, q.broker.millis(), cause)
	tx := q.broker.store.Begin()
	if err := tx.Add(letter); err != nil {
		return err
	}
	if err := q.drop([]*node{n}, tx, nil); err != nil {
		return err
	}
	return tx.Commit(func() { letters.arrive(letter, true) })
}

// deadLetter is the message as it goes to the dead letter queue: it does not expire there.
func deadLetter(m *message.Message, now int64, cause string) *message.Message {
	sets := []message.Set{
		message.SetDestination(DeadLetters), message.SetExpiration(0), message.NoTransaction(), message.SetArrival(now),
	}
	if _, moved := m.OriginalDestination(); !moved {
		sets = append(sets, message.SetOriginalDestination(m.Destination()))
	}
	properties, err := wire.SetEntry(m.Properties(), causeProperty, wire.TextValue(fmt.Sprintf("%s: %s", m.Destination(), cause)))
	if err == nil {
		sets = append(sets, message.SetProperties(properties))
	}
	return m.With(sets...)
}
