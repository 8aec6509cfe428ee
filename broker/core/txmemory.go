package core

import "github.com/twinmesh/twinmesh/broker/message"

const (
	// txBytes is how much of the stored messages that it sends a transaction keeps in memory, while the queues' share has room.
	txBytes = 1 << 20
	// storedOverhead is what a stored message of an open transaction counts, which is more than what broker and store keep of it.
	storedOverhead = 256
)

// room refuses what there is no memory for. Nothing but the end of a transaction gives this memory back, so there is no use in
// waiting for it.
func (t *work) room() error {
	b := t.broker
	if b.open.room() {
		return nil
	}
	return errorf(ResourceAllocation, "open transactions take %d bytes, which is all the memory that the broker has for them: "+
		"commit more often, and close what has left a transaction open", b.open.limit)
}

// another rolls back what has more in it than the broker's owner allows. The client begins another one then.
func (t *Transaction) another() error {
	most := t.broker.maxUncommitted
	if most <= 0 || t.sent+len(t.acks) < most {
		return nil
	}
	name := t.name
	if t.owner != nil {
		t.broker.logger.Warn("rolled back a transaction that has too much in it", "transaction", name, "connection", t.owner.spec.ID, "maxUncommittedCount", most)
	}
	delete(t.connection.transactions, t)
	t.end()
	t.undo()
	return errorf(ResourceAllocation, "Can not send message on transaction with id: '%s', Transaction has reached the maximum allowed number of "+
		"pending send operations before commit of '%d'", name, most)
}

// keeps tells whether a stored message for a queue stays in memory until the commit. Else the queue reads it from the store
// when a consumer wants it, as it does with all that it has no room for.
func (t *work) keeps(m *message.Message) bool {
	return t.cached+m.Size() <= txBytes && t.broker.cached.Load() < cacheBytes
}

// hold counts what is kept of a message.
func (t *work) hold(s send) {
	count := storedOverhead
	switch {
	case s.left:
	case s.queue != nil && s.place >= 0:
		t.cached += s.message.Size()
		t.broker.cached.Add(int64(s.message.Size()))
	default:
		count = s.message.Size()
	}
	t.held += count
	t.broker.open.add(count)
}

// letGo ends what hold began.
func (t *work) letGo() {
	t.broker.open.add(-t.held)
	t.broker.cached.Add(-int64(t.cached))
	t.held, t.cached = 0, 0
}

// append adds what is sent. Messages one after another that are left to the store are one, since all their queue is told is to
// look there.
func (t *work) append(s send) {
	t.hold(s)
	t.sent++
	if s.place >= 0 {
		t.stored++
	}
	if n := len(t.sends); s.left && n > 0 && t.sends[n-1].left && t.sends[n-1].queue == s.queue {
		return
	}
	if s.left {
		s.message = nil
	}
	t.sends = append(t.sends, s)
}

// hollow leaves to the store what a transaction has acknowledged, once what is in flight takes much of the memory for it. So
// whoever consumes a lot in one transaction does not stand still. c.mu is held.
func (c *Consumer) hollow(nodes []*node) {
	flying := c.connection.broker.flying
	for _, n := range nodes {
		if flying.used.Load() < flying.limit/2 {
			return
		}
		if n.stored && !n.hollow {
			c.weigh(n, -1)
			n.message = n.message.With(message.SetContent(nil), message.SetProperties(nil))
			n.hollow = true
			c.weigh(n, +1)
		}
	}
}

// fill gives nodes that are not in the window their messages back.
func (q *queue) fill(nodes []*node) error {
	for _, n := range nodes {
		if !n.hollow {
			continue
		}
		m, err := q.load(n.message.BrokerSequence())
		if err != nil {
			return err
		}
		if m != nil {
			n.message, n.hollow = m, false
		}
	}
	return nil
}

// refill gives a node in the window its message back, and tells whether that was possible. One whose message is gone vanishes.
func (q *queue) refill(n *node) bool {
	q.hold(n, -1)
	err := q.fill([]*node{n})
	q.hold(n, +1)
	switch {
	case err != nil:
		q.broker.logger.Error("cannot read a message back", "queue", q.name.String(), "error", err)
		return false
	case n.hollow:
		q.take(n)
	}
	return true
}
