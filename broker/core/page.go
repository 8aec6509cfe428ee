package core

import "github.com/twinmesh/twinmesh/broker/message"

// tier is the part of a queue that the window and the store share: all of it, or in a queue that keeps to priorities the
// messages of one of them.
type tier struct {
	cursor uint64 // highest sequence of a stored message that came into the window
	behind bool   // the store has messages above cursor that are not in the window
}

const (
	// priorities is how many there are in JMS.
	priorities = 10
	// tierShift is where in an order the tier stands.
	tierShift = 56
)

// tierOf is the tier that a message belongs to.
func (q *queue) tierOf(m *message.Message) int {
	if len(q.tiers) == 1 || m == nil {
		return 0
	}
	return priorities - 1 - int(m.Priority())
}

// tier is the one of its queue that the node is in.
func (n *node) tier() int { return int(n.order >> tierShift) }

// fallBehind has the queue look for messages in the store.
func (q *queue) fallBehind() {
	for i := range q.tiers {
		q.tiers[i].behind = true
	}
}

func (q *queue) isBehind() bool {
	for _, l := range q.tiers {
		if l.behind {
			return true
		}
	}
	return false
}

// lowestCursor is the sequence from which on something may be in the store alone.
func (q *queue) lowestCursor() uint64 {
	lowest := q.tiers[0].cursor
	for _, l := range q.tiers {
		lowest = min(lowest, l.cursor)
	}
	return lowest
}

// page brings in what the store holds, once the window is low, and tells whether there is more in the window now.
func (q *queue) page() bool {
	for i := range q.tiers {
		if !q.tiers[i].behind || !q.hungry(i) {
			continue
		}
		messages, err := q.loadTier(i)
		if err != nil {
			q.broker.logger.Error("cannot read messages back", "queue", q.name.String(), "error", err)
			return false
		}
		q.tiers[i].behind = len(messages) > 0
		admitted := false
		for _, m := range messages {
			admitted = q.push(m, true) || admitted
		}
		switch {
		case admitted:
			return true
		case len(messages) > 0:
			q.broker.feed(map[*queue]struct{}{q: {}}) // goes on when others had the lock
			return false
		}
	}
	return false
}

// loadTier reads the next messages of a tier.
func (q *queue) loadTier(i int) ([]*message.Message, error) {
	after := q.tiers[i].cursor
	if len(q.tiers) == 1 {
		return q.backing.page(after, pageMessages, pageBytes)
	}
	return q.backing.pagePriority(byte(priorities-1-i), after, pageMessages, pageBytes)
}

// hungry tells whether the window has nothing left, of a tier or above, for some consumer that could take more. A consumer whose
// selector matches nothing in the window makes it grow, up to a limit; what is deeper in the queue is scouted for.
func (q *queue) hungry(i int) bool {
	if q.waiting >= cacheBytes {
		return false
	}
	if n := q.window.after(q.offered); n != nil && n.tier() <= i {
		return false
	}
	return q.someoneHasRoom()
}

// someoneHasRoom tells whether somebody can take a message. Those asked who cannot rest.
func (q *queue) someoneHasRoom() bool {
	for q.anyoneReady() {
		s := q.exclusive
		if s == nil {
			s = q.ready[0].first
		}
		if s.room() {
			return true
		}
		q.rest(s)
	}
	return false
}
