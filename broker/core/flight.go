package core

// manyInFlight is from how many messages in flight on they are also found by a map.
const manyInFlight = 32

// credit is the number of messages of queues that may be sent to the consumer now. c.mu is held, here and below.
func (c *Consumer) credit() int {
	if c.ending.Load() {
		return 0
	}
	if c.spec.Prefetch == 0 {
		return c.pulls.waiting()
	}
	if c.strict {
		return max(0, c.spec.Prefetch-c.flight.length)
	}
	return max(0, c.spec.Prefetch-c.outstanding)
}

// launch puts a message in flight, and on its way.
func (c *Consumer) launch(n *node, d Delivery) {
	c.flight.pushBack(n)
	if c.placed == nil && c.flight.length > manyInFlight {
		c.placed = map[uint64]*node{}
		for n := c.flight.first; n != nil; n = n.next {
			c.placed[n.message.BrokerSequence()] = n
		}
	} else if c.placed != nil {
		c.placed[n.message.BrokerSequence()] = n
	}
	c.weigh(n, +1)
	n.seat.queue.inFlight.Add(1)
	c.outstanding++
	n.returned = false
	d.Redelivered, d.Pull = n.redelivered(), c.pulls.answer()
	c.receiver.Deliver(d)
}

// weigh counts a stored message as in flight, or with sign -1 as not. What is not stored counts all along.
func (c *Consumer) weigh(n *node, sign int) {
	if n.stored {
		c.connection.broker.flying.add(sign * n.message.Size())
	}
}

// release takes a message out of flight.
func (c *Consumer) release(n *node) {
	c.flight.remove(n)
	delete(c.placed, n.message.BrokerSequence())
	if c.flight.length == 0 {
		c.placed = nil
	}
	c.weigh(n, -1)
	n.seat.queue.inFlight.Add(-1)
	if n.state == consumed {
		c.done--
	}
}

// mark says what is known of a message in flight, and keeps count of what fills the prefetch.
func (c *Consumer) mark(n *node, state flight) {
	if n.state == outstanding && state != outstanding {
		c.outstanding--
	}
	if n.state != outstanding && state == outstanding {
		c.outstanding++
	}
	if n.state != consumed && state == consumed {
		c.done++
	}
	if n.state == consumed && state != consumed {
		c.done--
	}
	n.state = state
	n.returned = n.returned && state == outstanding
}

// land takes messages out of flight.
func (c *Consumer) land(nodes []*node) {
	for _, n := range nodes {
		c.mark(n, consumed)
		c.release(n)
	}
}

// recall takes out of flight what came from the seat, or from any if that is nil, but what was acknowledged in an open transaction.
// redelivered says which of these count as delivered once more.
func (c *Consumer) recall(from *seat, redelivered func(*node) bool) (back []*node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := c.flight.first; n != nil; {
		next := n.next
		if n.state != consumed && (from == nil || n.seat == from) {
			if redelivered(n) {
				n.redeliveries++
			}
			c.land([]*node{n})
			n.state = outstanding
			back = append(back, n)
		}
		n = next
	}
	return back
}

// regain makes messages outstanding again that were acknowledged in a transaction, and returns those of them, out of flight, that
// came from where the consumer has no seat any more.
func (c *Consumer) regain(nodes []*node) (back []*node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range nodes {
		if !n.seat.left {
			c.mark(n, outstanding)
			continue
		}
		c.release(n)
		n.state = outstanding
		n.redeliveries++
		back = append(back, n)
	}
	return back
}

// acked finds the messages in flight that an acknowledgement is about, leaving out those that a transaction has already.
func (c *Consumer) acked(a Ack, tx *Transaction) []*node {
	first, last := c.ends(a)
	nodes := between(first, last)
	if a.counts() && tx == nil && a.Count < len(nodes) {
		return between(last, last)
	}
	return nodes
}

// ends finds the first and the last message in flight that an acknowledgement is about, nil if there is none.
func (c *Consumer) ends(a Ack) (first, last *node) {
	first, last = c.find(a.First), c.find(a.Last)
	switch {
	case last == nil:
		return nil, nil
	case a.Kind == Individual:
		first = last
	case first == nil && (a.First == 0 || a.Kind == Delivered):
		first = c.flight.first
	case first == nil: // it speaks of what another broker sent
		first = last
	}
	return first, last
}

// counts tells whether the acknowledgement names how many messages it ends. If there are more of them outside of a transaction,
// the client had another order of deliveries from the broker before this one, and some were never given to its program. So
// only the last one, which the client names, is certain.
func (a Ack) counts() bool {
	return a.Count > 0 && (a.Kind == Standard || a.Kind == Poison || a.Kind == Expired)
}

// between returns what is in flight from first to last and in no transaction; nothing if last comes before first.
func between(first, last *node) []*node {
	var nodes []*node
	for n := first; n != nil; n = n.next {
		if n.state != consumed {
			nodes = append(nodes, n)
		}
		if n == last {
			return nodes
		}
	}
	return nil
}

func (c *Consumer) find(sequence uint64) *node {
	if sequence == 0 {
		return nil
	}
	if c.placed != nil {
		return c.placed[sequence]
	}
	for n := c.flight.first; n != nil; n = n.next {
		if n.message.BrokerSequence() == sequence {
			return n
		}
	}
	return nil
}
