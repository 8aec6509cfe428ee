package core

import (
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

// CreateDestination makes a queue or topic, or the members of a composite, before anybody uses it. A queue outlives the broker.
func (c *Connection) CreateDestination(d destination.Destination) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.mu.Unlock()
	if err := d.Validate(); err != nil {
		return errorf(InvalidDestination, "cannot create %s: %v", d, err)
	}
	return c.broker.Create(d)
}

// Create makes a valid queue or topic, or the members of a composite, unless it is there.
func (b *Broker) Create(d destination.Destination) error {
	for _, member := range d.Members() {
		if member.IsPattern() {
			return errorf(InvalidDestination, "cannot create %s: a wildcard is for consumers", member)
		}
		if member.IsTopic() {
			if _, err := b.topic(member); err != nil {
				return err
			}
		} else if _, err := b.queue(member); err != nil {
			return err
		}
	}
	return nil
}

// RemoveDestination ends a queue, with all that is in it, or a topic, unless somebody consumes from it; done is called when that is
// durable. Of what does not exist there is nothing to do.
func (c *Connection) RemoveDestination(d destination.Destination, done func()) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.mu.Unlock()
	return c.broker.remove(d, done)
}

func (b *Broker) remove(d destination.Destination, done func()) error {
	return b.removeBy(d, func(q *queue) error { return q.retire(done) }, done)
}

// removeBy is remove with a way to end a queue.
func (b *Broker) removeBy(d destination.Destination, retire func(*queue) error, done func()) error {
	b.mu.RLock()
	q, t := b.queues[d], b.topics[d]
	b.mu.RUnlock()
	switch {
	case q != nil && !d.IsTemp():
		if err := retire(q); err != nil {
			return err
		}
		b.forgetQueue(q)
		b.advisories.went(q.place)
		b.removeMirror(d)
		b.forgetAdvisories(d)
	case t != nil && !d.IsTemp():
		if err := b.forgetTopic(t); err != nil {
			return err
		}
		b.advisories.went(t.place)
		b.forgetAdvisories(d)
		call(done)
	default:
		call(done)
	}
	return nil
}

// removeMirror ends the mirror of a queue that is no more, unless somebody consumes from it.
func (b *Broker) removeMirror(queue destination.Destination) {
	mirror, mirrored := b.routes.Load().mirror.Of(queue)
	if !mirrored {
		return
	}
	if err := b.remove(mirror, nil); err != nil {
		b.logger.Debug("the mirror of a queue that was removed stays", "mirror", mirror.String(), "reason", err)
	}
}

// stillUsed is what becomes of a removal while there are consumers, in ActiveMQ's words.
func stillUsed(d destination.Destination) error {
	return errorf(General, "Destination: %s still has an active subscription: close its consumers first", d)
}

// retire ends the queue durably, unless it has consumers. From then on what comes to it goes to the next queue of its name.
func (q *queue) retire(done func()) error {
	return q.retireBy(func() (uint64, error) { return q.broker.store.Delete(q.name, done) }, done)
}

// retireEmpty is retire for a queue that is to stay if it has messages, or some are on their way to it.
func (q *queue) retireEmpty() error {
	return q.retireBy(func() (uint64, error) {
		if fleeting, _ := q.usage.now(); fleeting > 0 {
			return 0, stillFull(q.name)
		}
		empty, through, err := q.broker.store.DeleteEmpty(q.name, nil)
		if err == nil && !empty {
			err = stillFull(q.name)
		}
		return through, err
	}, nil)
}

func stillFull(d destination.Destination) error {
	return errorf(General, "Destination: %s has messages", d)
}

func (q *queue) retireBy(deletion func() (through uint64, err error), done func()) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.deleted:
		return q.broker.store.Barrier(done)
	case q.attended.Load():
		return stillUsed(q.name)
	case q.broker.branches.hold(q.name):
		return errorf(General, "Destination: %s has messages that a prepared transaction has consumed: that has to end first", q.name)
	}
	through, err := deletion()
	if err != nil {
		return err
	}
	q.through = through
	q.end()
	return nil
}

// forgetQueue takes a queue that was retired out of sight, if nobody did so before.
func (b *Broker) forgetQueue(q *queue) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queues[q.name] == q {
		b.routes.Load().leave(q)
		delete(b.queues, q.name)
		b.populations.count(q.name, b.policies.Find(q.name), -1)
		b.past.outlive(&q.statistics)
		b.removals.Add(1)
	}
}

// successor is the queue that now has the name of one that was retired.
func (b *Broker) successor(q *queue) (*queue, error) {
	b.forgetQueue(q)
	return b.queue(q.name)
}

// missed takes a message that comes to a queue that is no more. If it was sent after the queue's end, it is the next one's; that of a
// durable subscription, which bears a topic's name, has no next one.
func (q *queue) missed(m *message.Message, stored bool) {
	if q.owner != nil || q.name.IsTopic() || stored && m.BrokerSequence() <= q.through {
		return
	}
	next, err := q.broker.successor(q)
	if err != nil {
		q.broker.logger.Warn("lost a message: its queue was removed and cannot be made again", "queue", q.name.String(), "error", err)
		return
	}
	next.arrive(m, stored)
}

// retire tells whether the topic can end: it has no consumers, and no durable subscriptions.
func (t *topic) retire() error {
	if t.used() || !t.durables.empty() {
		return stillUsed(t.name)
	}
	return nil
}

// forgetTopic takes a topic out of sight, if nobody did so before and nobody has come meanwhile: who comes first counts itself, and then looks
// whether the topic is forgotten.
func (b *Broker) forgetTopic(t *topic) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.topics[t.name] != t {
		return nil
	}
	t.forgotten.Store(true)
	if err := t.retire(); err != nil {
		t.forgotten.Store(false)
		return err
	}
	delete(b.topics, t.name)
	b.populations.count(t.name, b.policies.Find(t.name), -1)
	b.past.outlive(&t.statistics)
	b.removals.Add(1)
	return nil
}
