package core

import "github.com/twinmesh/twinmesh/broker/destination"

// maxTemporary bounds how many temporary destinations a connection has.
const maxTemporary = 10_000

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
	if len(c.temporary) >= maxTemporary {
		return errorf(ResourceAllocation, "cannot create %s: the connection has %d temporary destinations; delete what is not needed any more", d, maxTemporary)
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
		return stillUsed(d)
	}
	delete(c.temporary, d)
	c.broker.removeTemporary(d)
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
	b.advisories.tell()
	return true
}

func (b *Broker) removeTemporary(d destination.Destination) {
	b.mu.Lock()
	q, t := b.queues[d], b.topics[d]
	if q != nil {
		b.routes.Load().leave(q)
	}
	delete(b.queues, d)
	delete(b.topics, d)
	b.removals.Add(1)
	b.mu.Unlock()
	if q != nil {
		q.remove()
		b.advisories.went(q.place)
		b.removeMirror(d)
	}
	if t != nil {
		b.advisories.went(t.place)
	}
	b.forgetAdvisories(d)
}

func (b *Broker) used(d destination.Destination) bool {
	b.mu.RLock()
	q, t := b.queues[d], b.topics[d]
	b.mu.RUnlock()
	return q != nil && q.needed() || t != nil && t.needed()
}
