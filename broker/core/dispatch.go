package core

import (
	"cmp"
	"slices"
)

// dispatch hands messages to consumers until no consumer can take one. q.mu is held.
func (q *queue) dispatch() {
	q.sweep()
	for q.page() {
		q.sweep()
	}
}

// sweep goes once over the window.
func (q *queue) sweep() {
	now := q.broker.millis()
	for n := q.window.first; n != nil && q.credit(); {
		next := n.next
		switch {
		case n.message.Expired(now):
			q.take(n)
			q.lapse([]*node{n})
		case n.stored && n.message.BrokerSequence() >= q.horizon:
			q.advance(n.message.BrokerSequence())
			return
		default:
			q.offer(n)
		}
		n = next
	}
}

// credit tells whether any consumer can take a message.
func (q *queue) credit() bool {
	return slices.ContainsFunc(q.consumers, func(c *Consumer) bool { return c.credit() > 0 })
}

// offer gives n to the first consumer that can take it: those of higher priority first, and in turn among equals.
func (q *queue) offer(n *node) {
	for i, c := range q.consumers {
		if c.credit() == 0 || !c.wants(n) {
			continue
		}
		q.take(n)
		if !q.policy.Load().StrictOrderDispatch {
			q.rotate(i)
		}
		c.send(n)
		return
	}
}

// rotate puts the i-th consumer behind all others of its priority.
func (q *queue) rotate(i int) {
	c := q.consumers[i]
	for ; i+1 < len(q.consumers) && q.priority(q.consumers[i+1]) == q.priority(c); i++ {
		q.consumers[i] = q.consumers[i+1]
	}
	q.consumers[i] = c
}

// priority is a consumer's among those of the queue.
func (q *queue) priority(c *Consumer) int8 {
	if q.policy.Load().UseConsumerPriority {
		return c.spec.Priority
	}
	return 0
}

// rank orders the consumers by priority.
func (q *queue) rank() {
	slices.SortStableFunc(q.consumers, func(a, b *Consumer) int { return cmp.Compare(q.priority(b), q.priority(a)) })
}

// attach adds a consumer, behind those of at least its priority.
func (q *queue) attach(c *Consumer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := len(q.consumers)
	for i > 0 && q.priority(q.consumers[i-1]) < q.priority(c) {
		i--
	}
	q.consumers = slices.Insert(q.consumers, i, c)
	q.attended.Store(true)
	q.audience.add(c)
	q.dispatch()
}

// detach takes a consumer off and returns what it had in flight to the queue, but what was acknowledged in an open transaction.
// redelivered says which of the returned messages count as delivered once more.
func (q *queue) detach(c *Consumer, redelivered func(*node) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.consumers = slices.DeleteFunc(q.consumers, func(o *Consumer) bool { return o == c })
	q.attended.Store(len(q.consumers) > 0)
	q.audience.remove(c)
	var back []*node
	for n := c.flight.first; n != nil; {
		next := n.next
		if n.state != consumed {
			c.release(n)
			if redelivered(n) {
				n.redeliveries++
			}
			n.state = outstanding
			back = append(back, n)
		}
		n = next
	}
	q.giveBack(back)
	q.dispatch()
}

// remove ends the queue and all that is in it.
func (q *queue) remove() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deleted = true
	for n := q.window.first; n != nil; n = n.next {
		q.hold(n, -1)
		if !n.stored {
			q.broker.memory.add(-n.message.Size())
		}
	}
	q.window = list{}
}

// has tells whether the consumer is attached.
func (q *queue) has(c *Consumer) bool { return slices.Contains(q.consumers, c) }
