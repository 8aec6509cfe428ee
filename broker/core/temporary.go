package core

import (
	"github.com/twinmesh/twinmesh/broker/destination"
)

// The topics by which clients learn which temporary destinations exist.
var (
	adviseQueues = destination.Destination{Kind: destination.Topic, Name: "ActiveMQ.Advisory.TempQueue"}
	adviseTopics = destination.Destination{Kind: destination.Topic, Name: "ActiveMQ.Advisory.TempTopic"}
)

// AddTemporary creates a temporary destination, which ends with the connection. Creating one again does nothing, as a
// client does after a failover.
func (c *Connection) AddTemporary(d destination.Destination) error {
	if err := d.Validate(); err != nil {
		return errorf(InvalidDestination, "cannot create %s: %v", d, err)
	}
	if err := c.enter(); err != nil {
		return err
	}
	defer c.mu.Unlock()
	if _, exists := c.temporary[d]; exists {
		return nil
	}
	if !c.broker.addTemporary(d, c) {
		return errorf(InvalidDestination, "cannot create %s: another connection has it", d)
	}
	c.temporary[d] = struct{}{}
	return nil
}

// RemoveTemporary ends a temporary destination. It is refused while there are consumers (JMS 1.1 §4.4.3).
func (c *Connection) RemoveTemporary(d destination.Destination) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.mu.Unlock()
	if _, mine := c.temporary[d]; !mine {
		return errorf(InvalidDestination, "cannot remove %s: this connection has no such temporary destination", d)
	}
	if c.broker.used(d) {
		return errorf(General, "cannot remove %s: it still has consumers", d)
	}
	delete(c.temporary, d)
	c.broker.removeTemporary(d, c)
	return nil
}

// addTemporary tells whether d is c's now.
func (b *Broker) addTemporary(d destination.Destination, c *Connection) bool {
	b.mu.Lock()
	if b.queues[d] != nil || b.topics[d] != nil {
		b.mu.Unlock()
		return false
	}
	if d.IsQueue() {
		b.addQueue(d, c)
	} else {
		b.addTopic(d, c)
	}
	b.mu.Unlock()
	b.advise(d, c, true)
	return true
}

func (b *Broker) removeTemporary(d destination.Destination, c *Connection) {
	b.mu.Lock()
	q := b.queues[d]
	delete(b.queues, d)
	delete(b.topics, d)
	b.mu.Unlock()
	if q != nil {
		q.remove()
	}
	b.advise(d, c, false)
}

func (b *Broker) used(d destination.Destination) bool {
	b.mu.RLock()
	q, t := b.queues[d], b.topics[d]
	b.mu.RUnlock()
	return q != nil && q.attended.Load() || t != nil && t.used()
}

// advise tells those who listen that a temporary destination came or went.
func (b *Broker) advise(d destination.Destination, owner *Connection, created bool) {
	listeners := adviseTopics
	if d.IsQueue() {
		listeners = adviseQueues
	}
	t, err := b.topic(listeners)
	if err != nil || !t.used() {
		return
	}
	t.publish(b.advisor.TemporaryDestination(d, owner.spec.ID, created), nil)
}

// replay tells a new listener what there is already.
func (b *Broker) replay(t *topic, s *subscription) {
	if t.name != adviseQueues && t.name != adviseTopics {
		return
	}
	for d, owner := range b.temporaries(t.name == adviseQueues) {
		s.offer(b.advisor.TemporaryDestination(d, owner.spec.ID, true), nil)
	}
}

// temporaries returns the temporary queues, or topics, with their owners.
func (b *Broker) temporaries(queues bool) map[destination.Destination]*Connection {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found := map[destination.Destination]*Connection{}
	if queues {
		for d, q := range b.queues {
			if q.owner != nil {
				found[d] = q.owner
			}
		}
		return found
	}
	for d, t := range b.topics {
		if t.owner != nil {
			found[d] = t.owner
		}
	}
	return found
}
