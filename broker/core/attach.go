package core

import (
	"math"
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// attach adds a consumer, unless the queue is no more.
func (q *queue) attach(s *seat) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return false
	}
	q.enter(s)
	q.dispatch()
	return true
}

// enter is attach without what there is for the consumer.
func (q *queue) enter(s *seat) {
	q.coming++
	s.number, s.place = q.coming, len(q.seats)
	q.seats = append(q.seats, s)
	q.gather()
	q.attended.Store(true)
	q.audience.add(s.consumer)
	if q.competes(s) && q.takesOver(s) {
		q.setExclusive(s)
	}
	q.rouse(s)
}

// detach takes a consumer off and gives back what it had in flight.
func (q *queue) detach(s *seat, back []*node) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leave(s)
	q.giveBack(back)
	q.dispatch()
}

func (q *queue) leave(s *seat) {
	s.consumer.mu.Lock()
	s.left = true
	s.consumer.mu.Unlock()
	last := q.seats[len(q.seats)-1]
	q.seats[s.place], last.place = last, s.place
	q.seats[len(q.seats)-1] = nil
	q.seats = q.seats[:len(q.seats)-1]
	q.attended.Store(len(q.seats) > 0)
	q.audience.remove(s.consumer)
	q.rest(s)
	if s.groups > 0 {
		q.groups.leave(s)
		q.lookAgain()
	}
	if q.exclusive == s {
		q.setExclusive(q.successor())
	}
}

// takeBack puts messages back that nobody has in flight any more.
func (q *queue) takeBack(nodes []*node) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.giveBack(nodes)
	q.dispatch()
}

// needed tells whether somebody consumes from the queue by its own name, and not only by a pattern.
func (q *queue) needed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.ContainsFunc(q.seats, func(s *seat) bool { return s.consumer.names(q.name) })
}

// names tells whether a destination is one of those that the consumer was asked for by name.
func (c *Consumer) names(d destination.Destination) bool {
	return slices.Contains(c.spec.Destination.Members(), d)
}

// competes tells whether a consumer wants the queue for itself.
func (q *queue) competes(s *seat) bool {
	return s.consumer.spec.Exclusive || q.policy.Load().AllConsumersExclusiveByDefault
}

// takesOver tells whether a newcomer gets the queue for itself at once: if nobody has it, by a higher priority, or by the highest that
// there is, which always gets it.
func (q *queue) takesOver(s *seat) bool {
	priority := s.consumer.spec.Priority
	return q.exclusive == nil || priority == math.MaxInt8 || priority > q.exclusive.consumer.spec.Priority
}

// successor is who gets the queue next of those who want it for themselves: by priority, then who came first.
func (q *queue) successor() (next *seat) {
	for _, s := range q.seats {
		if !q.competes(s) {
			continue
		}
		if next == nil || s.consumer.spec.Priority > next.consumer.spec.Priority ||
			s.consumer.spec.Priority == next.consumer.spec.Priority && s.number < next.number {
			next = s
		}
	}
	return next
}

// setExclusive gives the queue to one consumer, or with nil to all.
func (q *queue) setExclusive(s *seat) {
	q.exclusive = s
	q.lookAgain()
}
