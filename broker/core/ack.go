package core

// acknowledge implements source.
func (q *queue) acknowledge(c *Consumer, a Ack, tx *Transaction, done func()) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	nodes := c.acked(a)
	switch a.Kind {
	case Delivered:
		for _, n := range nodes {
			c.mark(n, delivered)
		}
	case Redelivered:
		for _, n := range nodes {
			n.redeliveries++
		}
	case Poison, Expired:
		c.land(nodes)
		q.bury(nodes, causeOf(a))
	case Standard, Individual, Unmatched:
		if tx != nil {
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
func (q *queue) pull(c *Consumer, wait bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c.pulls++
	q.dispatch()
	if !wait {
		c.endPull()
	}
}

// cancelPull implements source.
func (q *queue) cancelPull(c *Consumer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c.endPull()
}

// endPull answers a pull that got nothing.
func (c *Consumer) endPull() {
	if c.pulls > 0 {
		c.pulls--
		c.receiver.Deliver(Delivery{})
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
