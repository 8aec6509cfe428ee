package core

import (
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// follower is a consumer with wildcards: what comes into being and is covered by one of its patterns is its too.
type follower struct {
	consumer *Consumer
	patterns []destination.Destination
}

// covers tells whether a destination is the follower's. One that has a pattern for its name is only of those who ask for just that.
func (f *follower) covers(d destination.Destination) bool {
	if d.IsPattern() {
		return slices.Contains(f.patterns, d)
	}
	readable := f.consumer.spec.Readable
	return slices.ContainsFunc(f.patterns, func(p destination.Destination) bool { return p.Covers(d) }) && (readable == nil || readable(d))
}

// may tells whether a consumer may have part in what its pattern covers: a temporary destination is its own connection's alone.
func (f *follower) may(owner *Connection) bool { return owner == nil || owner == f.consumer.connection }

// follow begins to attach the consumer to what its patterns cover, and returns what there is of that already.
func (b *Broker) follow(c *Consumer, patterns []destination.Destination) (queues []*queue, topics []*topic) {
	f := &follower{c, patterns}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.followers[c] = f
	for d, q := range b.queues {
		if f.covers(d) && f.may(q.owner) {
			queues = append(queues, q)
		}
	}
	for d, t := range b.topics {
		if f.covers(d) && f.may(t.owner) {
			topics = append(topics, t)
		}
	}
	return queues, topics
}

func (b *Broker) unfollow(c *Consumer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.followers, c)
}

// followQueue attaches a queue that is just coming into being to those whose patterns cover it. b.mu is held, and nobody else
// knows of the queue.
func (b *Broker) followQueue(q *queue) {
	for c, f := range b.followers {
		if !f.covers(q.name) || !f.may(q.owner) {
			continue
		}
		if s := c.source.(*attendance).take(c, q); s != nil {
			q.mu.Lock()
			q.enter(s)
			q.mu.Unlock()
		}
	}
}

// followTopic does that for a topic.
func (b *Broker) followTopic(t *topic) {
	for c, f := range b.followers {
		if f.covers(t.name) && f.may(t.owner) {
			c.source.(*subscription).extend(t)
		}
	}
}

// heardTopic returns a topic that somebody may listen to, nil if nobody does: it comes into being if somebody's pattern covers it.
func (b *Broker) heardTopic(d destination.Destination) *topic {
	b.mu.RLock()
	t, heard := b.topics[d], false
	for _, f := range b.followers {
		heard = heard || f.covers(d)
	}
	b.mu.RUnlock()
	if t == nil && heard {
		t, _ = b.topic(d) // it is not temporary
	}
	return t
}

// take gives the consumer a seat at a queue where it has none, unless it is closed.
func (a *attendance) take(c *Consumer, q *queue) *seat {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.closed {
		return nil
	}
	s := &seat{consumer: c, queue: q}
	a.seats = append(a.seats, s)
	return s
}

// extend makes a topic one of the subscription's, which it is not yet.
func (s *subscription) extend(t *topic) {
	s.attached.Lock()
	s.topics = append(s.topics, t)
	s.attached.Unlock()
	t.add(s)
	if next := t.present(); next != t && !s.has(next) { // somebody removed it at the same time
		s.extend(next)
	}
}

func (s *subscription) has(t *topic) bool {
	s.attached.Lock()
	defer s.attached.Unlock()
	return slices.Contains(s.topics, t)
}

// forget takes a queue that is no more from the consumer, whose deliveries from there end with it.
func (a *attendance) forget(c *Consumer, s *seat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.seats = slices.DeleteFunc(a.seats, func(o *seat) bool { return o == s })
	c.short = slices.DeleteFunc(c.short, func(o *seat) bool { return o == s })
}
