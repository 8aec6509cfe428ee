package core

import (
	"errors"
	"fmt"
	"slices"

	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// The properties of dead letters, as in ActiveMQ.
const (
	causeProperty      = "dlqDeliveryFailureCause"
	expirationProperty = "originalExpiration" // JMSExpiration as it was, 0 for never; of the first time if it dies again
)

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
// are dropped, as ActiveMQ does by default. It happens as a whole, and done is called when it is durable. q.mu is held.
func (q *queue) bury(nodes []*node, cause string, done func()) error {
	if q.name == DeadLetters || !slices.ContainsFunc(nodes, func(n *node) bool { return n.stored }) {
		q.report(nodes, cause)
		return q.drop(nodes, nil, done)
	}
	queue, err := q.broker.queue(DeadLetters)
	if err != nil {
		return err
	}
	tx := q.broker.store.Begin()
	letters, err := q.write(nodes, cause, tx)
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := q.drop(nodes, tx, nil); err != nil {
		return err
	}
	return tx.Commit(func() {
		for _, letter := range letters {
			queue.arrive(letter, true)
		}
		call(done)
	})
}

// report tells of what is lost for good though its sender wanted it kept.
func (q *queue) report(nodes []*node, cause string) {
	for _, n := range nodes {
		if n.stored {
			q.broker.logger.Warn("dropped a message that could not be consumed from the dead letter queue either",
				"message", n.message.ID(), "cause", cause)
		}
	}
}

// write adds the dead letters of what is stored.
func (q *queue) write(nodes []*node, cause string, tx StoreTx) (letters []*message.Message, err error) {
	for _, n := range nodes {
		if !n.stored {
			continue
		}
		letter := deadLetter(n.message, q.broker.millis(), cause)
		if err := tx.Add(letter); err != nil {
			return nil, err
		}
		letters = append(letters, letter)
	}
	return letters, nil
}

// deadLetter is the message as it goes to the dead letter queue: it does not expire there.
func deadLetter(m *message.Message, now int64, cause string) *message.Message {
	sets := []message.Set{
		message.SetDestination(DeadLetters), message.SetExpiration(0), message.NoTransaction(), message.SetArrival(now),
	}
	if _, moved := m.OriginalDestination(); !moved {
		sets = append(sets, message.SetOriginalDestination(m.Destination()))
	}
	if properties, err := deadProperties(m, cause); err == nil {
		sets = append(sets, message.SetProperties(properties))
	}
	return m.With(sets...)
}

func deadProperties(m *message.Message, cause string) ([]byte, error) {
	properties, err := wire.SetEntry(m.Properties(), causeProperty, wire.TextValue(fmt.Sprintf("%s: %s", m.Destination(), cause)))
	if err != nil {
		return nil, err
	}
	if _, stamped := wire.Lookup(properties, expirationProperty); stamped {
		return properties, nil
	}
	return wire.SetEntry(properties, expirationProperty, wire.LongValue(m.Expiration()))
}
