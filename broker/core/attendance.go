package core

import (
	"errors"
	"slices"
	"sync/atomic"
)

// attendance is the source of a consumer of queues: of one, of several, or of those that a pattern covers, now and later. What
// the consumer may have is for all of them together. Who found it full waits in a line, and when it has room again is asked in
// turn, so that no queue keeps it from another.
type attendance struct {
	only *seat // of a consumer of one queue

	// Changed under the consumer's lock.
	seats  []*seat
	closed bool
}

// acknowledge implements source.
func (a *attendance) acknowledge(c *Consumer, k Ack, tx *Transaction, done func()) error {
	c.mu.Lock()
	nodes := c.acked(k, tx)
	if len(nodes) == 0 && tx == nil && k.Kind != Delivered && k.Kind != Redelivered {
		c.mu.Unlock()
		return ErrNotDispatched
	}
	switch k.Kind {
	case Delivered:
		for _, n := range nodes {
			c.mark(n, delivered)
		}
	case Redelivered:
		for _, n := range nodes {
			n.redeliveries++
			n.returned = true
		}
	case Poison, Expired:
		c.land(nodes)
		c.mu.Unlock()
		return a.finish(c, nodes, done, func(q *queue, nodes []*node, done func()) error { return q.bury(nodes, deathOf(k), done) })
	case Standard, Individual, Unmatched:
		if tx != nil {
			if err := tx.acknowledge(c, k, nodes); err != nil {
				c.mu.Unlock()
				return err
			}
			break
		}
		c.land(nodes)
		c.mu.Unlock()
		return a.finish(c, nodes, done, func(q *queue, nodes []*node, done func()) error {
			c.dequeued.Add(int64(len(nodes)))
			q.consumed(nodes)
			return q.drop(nodes, nil, done)
		})
	default:
		c.mu.Unlock()
		return errorf(General, "unknown kind of acknowledgement %d", k.Kind)
	}
	c.mu.Unlock()
	call(done)
	a.refill(c)
	return nil
}

// finish ends messages that are out of flight, those of each queue under its lock, and uses the room that they leave.
func (a *attendance) finish(c *Consumer, nodes []*node, done func(), end func(*queue, []*node, func()) error) error {
	all := bySeat(nodes)
	if len(all) == 0 {
		call(done)
	}
	done = afterAll(len(all), done)
	var failed error
	for _, some := range all {
		s := some[0].seat
		q := s.queue
		q.mu.Lock()
		failed = errors.Join(failed, end(q, some, done))
		if s == a.only {
			q.rouse(s)
		}
		q.dispatch()
		q.mu.Unlock()
	}
	if a.only == nil || len(all) == 0 {
		a.refill(c)
	}
	return failed
}

// bySeat returns the nodes of each seat, in their order.
func bySeat(nodes []*node) (all [][]*node) {
	if len(nodes) > 0 && !slices.ContainsFunc(nodes, func(n *node) bool { return n.seat != nodes[0].seat }) {
		return [][]*node{nodes}
	}
	places := map[*seat]int{}
	for _, n := range nodes {
		i, known := places[n.seat]
		if !known {
			i = len(all)
			places[n.seat] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], n)
	}
	return all
}

// afterAll returns what calls done when it is called for the n-th time.
func afterAll(n int, done func()) func() {
	if done == nil || n == 1 {
		return done
	}
	left := new(atomic.Int64)
	left.Store(int64(n))
	return func() {
		if left.Add(-1) == 0 {
			done()
		}
	}
}

// refill gives the consumer what there is for it, once it can take more. No lock is held.
func (a *attendance) refill(c *Consumer) {
	if a.only != nil {
		a.only.refill()
		return
	}
	for range c.waitingSeats() {
		if s := c.nextShort(); s != nil {
			s.refill()
		}
	}
}

func (c *Consumer) waitingSeats() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.short)
}

// nextShort returns the first seat in the line of those who found the consumer full, nil if it still is.
func (c *Consumer) nextShort() *seat {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.short) == 0 || c.credit() == 0 {
		return nil
	}
	s := c.short[0]
	c.short = c.short[1:]
	s.waits = false
	return s
}

func (s *seat) refill() {
	q := s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rouse(s)
	q.dispatch()
}

// pull implements source.
func (a *attendance) pull(c *Consumer, wait bool) (number uint64) {
	c.mu.Lock()
	number = c.pulls.ask()
	c.mu.Unlock()
	a.refill(c)
	if !wait && !a.afterHorizons(c, func() { a.cancelPull(c, number) }) {
		a.cancelPull(c, number)
	}
	return number
}

// afterHorizons calls f once the horizons that were asked for stand, if there are messages that may wait for that.
func (a *attendance) afterHorizons(c *Consumer, f func()) bool {
	return slices.ContainsFunc(c.seats(), func(s *seat) bool { return s.queue.awaitsHorizon() }) && c.connection.broker.store.Barrier(f) == nil
}

// seats returns the seats of a consumer of queues.
func (c *Consumer) seats() []*seat {
	a, attends := c.source.(*attendance)
	if !attends {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(a.seats)
}

func (q *queue) awaitsHorizon() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.window.length > 0 && q.horizon < q.requested.Load()
}

// cancelPull implements source.
func (a *attendance) cancelPull(c *Consumer, number uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pulls.waits(number) {
		c.receiver.Deliver(Delivery{Pull: c.pulls.answer()})
	}
}

// setPrefetch implements source.
func (a *attendance) setPrefetch(c *Consumer, n int) {
	c.mu.Lock()
	c.spec.Prefetch = n
	c.mu.Unlock()
	a.refill(c)
}

// close implements source.
func (a *attendance) close(c *Consumer, last LastDelivered) {
	if a.only == nil {
		c.connection.broker.unfollow(c)
	}
	seats := a.leave(c)
	back := map[*seat][]*node{}
	for _, nodes := range bySeat(c.recall(nil, last.covers)) {
		back[nodes[0].seat] = nodes
	}
	for _, s := range seats {
		s.queue.detach(s, back[s])
		delete(back, s)
	}
	for s, nodes := range back { // of queues that are no more
		s.queue.takeBack(nodes)
	}
}

// leave takes the consumer from all its seats.
func (a *attendance) leave(c *Consumer) []*seat {
	c.mu.Lock()
	defer c.mu.Unlock()
	seats := a.seats
	a.seats, c.short, a.closed = nil, nil, true
	return seats
}
