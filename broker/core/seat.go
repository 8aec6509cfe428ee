package core

import "slices"

// seat is a consumer's place at one queue, whose lock guards it. It is ready while it is offered messages. It stops being so when
// the consumer can take no more, and is roused when it can again; so a dispatch looks at nobody who is full.
type seat struct {
	consumer *Consumer
	queue    *queue
	number   uint64 // of the queue's seats, in the order of their coming
	place    int    // among the queue's seats
	left     bool   // changed under the consumer's lock, too
	waits    bool   // in the consumer's line; of one queue among several, under the consumer's lock

	ready          bool
	held           bool // waits until less is in flight at all consumers together
	previous, next *seat
	rank           int8

	scanned uint64 // it refused all in the window up to this order
	epoch   uint64 // of the queue, in which that was so
	groups  int    // message groups that it owns

	ahead      uint64 // see knows
	aheadEpoch uint64
}

// ranks are the ready seats: those of higher priority first, and among equals who has waited longest for a message.
type ranks []rank

type rank struct {
	priority    int8
	first, last *seat
}

// add puts a seat behind those of at least its rank.
func (r *ranks) add(s *seat) { r.addAfter(s, func(*seat) bool { return true }) }

// addInOrder puts a seat where its number says.
func (r *ranks) addInOrder(s *seat) { r.addAfter(s, func(o *seat) bool { return o.number < s.number }) }

// addAfter puts a seat behind the last one of its rank that comes before it.
func (r *ranks) addAfter(s *seat, comesBefore func(*seat) bool) {
	i, found := slices.BinarySearchFunc(*r, s.rank, func(k rank, priority int8) int { return int(priority) - int(k.priority) })
	if !found {
		*r = slices.Insert(*r, i, rank{priority: s.rank})
	}
	k := &(*r)[i]
	at := k.last
	for at != nil && !comesBefore(at) {
		at = at.previous
	}
	s.previous, s.next = at, k.first
	if at != nil {
		s.next, at.next = at.next, s
	} else {
		k.first = s
	}
	if s.next != nil {
		s.next.previous = s
	} else {
		k.last = s
	}
}

func (r *ranks) remove(s *seat) {
	i := slices.IndexFunc(*r, func(k rank) bool { return k.priority == s.rank })
	k := &(*r)[i]
	if s.previous != nil {
		s.previous.next = s.next
	} else {
		k.first = s.next
	}
	if s.next != nil {
		s.next.previous = s.previous
	} else {
		k.last = s.previous
	}
	s.previous, s.next = nil, nil
	if k.first == nil {
		*r = slices.Delete(*r, i, i+1)
	}
}

// all goes over the seats in order. What is yielded may be removed meanwhile, or put at the end of its rank.
func (r *ranks) all(yield func(*seat) bool) {
	for i := 0; i < len(*r); {
		priority := (*r)[i].priority
		for s := (*r)[i].first; s != nil; {
			next := s.next
			if !yield(s) {
				return
			}
			s = next
		}
		if i < len(*r) && (*r)[i].priority == priority {
			i++
		}
	}
}

// seen is the order up to which the seat refused what is in the window.
func (s *seat) seen() uint64 {
	if s.epoch != s.queue.epoch {
		return 0
	}
	return s.scanned
}

// wants tells whether the consumer may have the message, remembering what it refused: it is offered messages in order.
func (s *seat) wants(n *node) bool {
	c := s.consumer
	switch {
	case !n.placed() && n.message.BrokerSequence() <= s.knows(), n.placed() && n.order <= s.seen():
		return false
	case s.queue.groups.foreign(n, s), c.selector != nil && !c.selector.Matches(properties{n.message, n.redelivered() > 0}):
		if n.placed() {
			s.scanned, s.epoch = n.order, s.queue.epoch
			s.queue.furthest = max(s.queue.furthest, n.order)
		}
		return false
	}
	return true
}

// send dispatches a message to the consumer, unless that can take none now.
func (s *seat) send(n *node) bool {
	c := s.consumer
	c.mu.Lock()
	defer c.mu.Unlock()
	if !s.hasRoom() {
		return false
	}
	d := Delivery{Message: s.queue.groups.claim(n, s)}
	n.seat = s
	c.launch(n, d)
	if n.stored {
		s.queue.reached = max(s.queue.reached, n.message.BrokerSequence())
	}
	return true
}

// room tells whether the consumer can take a message now. If not, the seat is to rest.
func (s *seat) room() bool {
	s.consumer.mu.Lock()
	defer s.consumer.mu.Unlock()
	return s.hasRoom()
}

// hasRoom is room with the consumer's lock held.
func (s *seat) hasRoom() bool {
	c, q := s.consumer, s.queue
	full := c.credit() == 0
	if !full && (c.flight.length == c.done || !q.broker.flying.spent(q)) {
		return true
	}
	if !s.waits {
		s.waits = true
		c.short = append(c.short, s)
	}
	if !full && !s.held {
		s.held = true
		q.held = append(q.held, s)
	}
	return false
}

// rouse makes a seat ready whose consumer can take messages again. It is first shown what was offered while it was not.
func (q *queue) rouse(s *seat) {
	if s.ready || s.left {
		return
	}
	s.ready = true
	s.rank = q.priority(s.consumer)
	if q.policy.Load().StrictOrderDispatch {
		q.ready.addInOrder(s)
	} else {
		q.ready.add(s)
	}
	q.roused = append(q.roused, s)
}

// rest ends that a seat is offered messages.
func (q *queue) rest(s *seat) {
	if s.ready {
		s.ready = false
		q.ready.remove(s)
	}
}

// release rouses those who waited until less is in flight everywhere.
func (q *queue) release() {
	held := q.held
	q.held = nil
	for _, s := range held {
		s.held = false
		q.rouse(s)
	}
}

// priority is a consumer's among those of the queue.
func (q *queue) priority(c *Consumer) int8 {
	if q.policy.Load().UseConsumerPriority {
		return c.spec.Priority
	}
	return 0
}

// rank orders the ready seats anew, by a policy that has changed.
func (q *queue) rank() {
	old := q.ready
	q.ready = nil
	old.all(func(s *seat) bool {
		s.rank = q.priority(s.consumer)
		q.ready.add(s)
		return true
	})
}
