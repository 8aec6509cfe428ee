package core

// dispatch hands messages to consumers until no consumer can take one. q.mu is held.
func (q *queue) dispatch() {
	if q.broker.stopping.Load() || q.gathers() > 0 {
		return
	}
	for q.sweep(); q.page(); {
		q.sweep()
	}
	q.scout()
}

// sweep goes over the window: first for those who were roused, over what the others have refused, then over the rest for all.
func (q *queue) sweep() {
	now := q.broker.millis()
	for len(q.roused) > 0 {
		s := q.roused[0]
		q.roused = q.roused[1:]
		q.catchUp(s, now)
	}
	q.roused = nil
	for q.anyoneReady() {
		if len(q.tiers) > 1 && q.page() {
			continue // what comes in may be before what is there
		}
		n := q.next(q.offered, now)
		if n == nil {
			return
		}
		q.offered = n.order
		q.offer(n)
	}
}

// catchUp offers one seat what was offered to the others before.
func (q *queue) catchUp(s *seat, now int64) {
	for at := s.seen(); q.eligible(s); {
		n := q.next(at, now)
		if n == nil || n.order > q.offered {
			return
		}
		at = n.order
		q.try(s, n)
	}
}

// next returns the first message above an order that may be dispatched, nil if there is none, or none below the horizon. What
// has expired is buried on the way.
func (q *queue) next(after uint64, now int64) *node {
	for n := q.window.after(after); n != nil; n = q.window.after(n.order) {
		switch {
		case n.message.Expired(now):
			q.take(n)
			q.lapse([]*node{n})
		case n.stored && n.message.BrokerSequence() >= q.horizon:
			q.advance(n.message.BrokerSequence())
			return nil
		case !n.hollow:
			return n
		case !q.refill(n):
			return nil
		case !n.hollow:
			return n
		}
	}
	return nil
}

// eligible tells whether a seat is offered messages.
func (q *queue) eligible(s *seat) bool { return s.ready && (q.exclusive == nil || q.exclusive == s) }

func (q *queue) anyoneReady() bool {
	if q.exclusive != nil {
		return q.exclusive.ready
	}
	return len(q.ready) > 0
}

// offer gives n to the first consumer that can take it: those of higher priority first, and in turn among equals.
func (q *queue) offer(n *node) {
	switch owner := q.groups.owner(n); {
	case q.exclusive != nil:
		q.try(q.exclusive, n)
	case owner != nil:
		q.try(owner, n)
	case n.group != "":
		for s := q.leastLoaded(n); s != nil && !q.try(s, n); {
			s = q.leastLoaded(n)
		}
	default:
		q.ready.all(func(s *seat) bool { return !q.try(s, n) })
	}
}

// leastLoaded returns who is to own the group of n: who owns the fewest, among those of the highest priority that want it.
func (q *queue) leastLoaded(n *node) (best *seat) {
	q.ready.all(func(s *seat) bool {
		if best != nil && s.rank < best.rank {
			return false
		}
		if (best == nil || s.groups < best.groups) && s.wants(n) {
			best = s
		}
		return true
	})
	return best
}

// try gives n to a seat, and tells whether it took it. One that has no room rests.
func (q *queue) try(s *seat, n *node) bool {
	if !s.ready || !s.wants(n) {
		return false
	}
	if !s.send(n) {
		s.fell()
		q.rest(s)
		return false
	}
	s.consumer.slow.Store(false)
	q.dispatched(n, s.consumer)
	if n.placed() {
		q.take(n)
	}
	if q.exclusive == nil && !q.policy.Load().StrictOrderDispatch {
		q.ready.remove(s)
		q.ready.add(s)
	}
	return true
}

// lookAgain has everyone look at all of the window once more, also at what he refused.
func (q *queue) lookAgain() { q.lookAgainFrom(0) }

func (q *queue) lookAgainFrom(order uint64) {
	q.offered = min(q.offered, max(order, 1)-1)
	if order <= q.furthest {
		q.epoch++
		q.furthest = 0
	}
}
