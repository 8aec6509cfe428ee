package core

// acknowledge implements source.
func (q *queue) acknowledge(c *Consumer, a Ack, tx *Transaction, done func()) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	nodes := c.acked(a, tx)
	switch a.Kind {
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
		err := q.bury(nodes, deathOf(a), done)
		q.dispatch()
		return err
	case Standard, Individual, Unmatched:
		if tx != nil {
			if tx.phase != active {
				return tx.late(nil)
			}
			if err := tx.covers(c, a); err != nil {
				return err
			}
			tx.consume(c, nodes)
			break
		}
		c.land(nodes)
		err := q.drop(nodes, nil, done)
		q.dispatch()
		return err
	default:
		return errorf(General, "unknown kind of acknowledgement %d", a.Kind)
	}
	call(done)
	q.dispatch()
	return nil
}

// pull implements source.
func (q *queue) pull(c *Consumer, wait bool) (number uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	number = c.pulls.ask()
	q.dispatch()
	if !wait && !q.afterHorizon(func() { q.cancelPull(c, number) }) {
		c.endPull(number)
	}
	return number
}

// afterHorizon calls f once the horizon that was asked for stands, if there are messages that may wait for that.
func (q *queue) afterHorizon(f func()) bool {
	return q.window.first != nil && q.horizon < q.requested.Load() && q.broker.store.Barrier(f) == nil
}

// cancelPull implements source.
func (q *queue) cancelPull(c *Consumer, number uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c.endPull(number)
}

// endPull answers a pull that got nothing.
func (c *Consumer) endPull(number uint64) {
	if c.pulls.waits(number) {
		c.receiver.Deliver(Delivery{Pull: c.pulls.answer()})
	}
}

// setPrefetch implements source.
func (q *queue) setPrefetch(c *Consumer, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c.spec.Prefetch = n
	q.dispatch()
}

// close implements source.
func (q *queue) close(c *Consumer, last LastDelivered) { q.detach(c, last.covers) }
