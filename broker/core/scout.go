package core

import "github.com/twinmesh/twinmesh/broker/message"

// scoutPages is how many pages are read at once on behalf of consumers that find nothing in the window.
const scoutPages = 4

// scout looks for messages in the store for those consumers whose selectors, or groups, match nothing in a window that is as large
// as it may get. It keeps what they take, and reads on where they have left off. After some pages it lets others have the queue, and
// goes on when the store has done what was asked for before.
func (q *queue) scout() {
	for range scoutPages {
		if !q.scouts() || !q.scoutPage() {
			return
		}
	}
	err := q.broker.store.Barrier(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.dispatch()
	})
	if err != nil {
		q.broker.logger.Debug("no dispatch: the store takes nothing more", "queue", q.name.String(), "error", err)
	}
}

// scouts tells whether somebody can take a message, and may find one only in the store.
func (q *queue) scouts() bool {
	return q.name.IsQueue() && len(q.tiers) == 1 && q.tiers[0].behind && q.waiting >= cacheBytes && q.window.after(q.offered) == nil &&
		!q.deleted && q.someoneHasRoom()
}

// scoutPage offers a page of what is in the store alone, and tells whether there may be more of it for somebody.
func (q *queue) scoutPage() bool {
	after := q.scoutedByAll()
	found, err := q.backing.page(after, pageMessages, pageBytes)
	if err != nil {
		q.broker.logger.Error("cannot read messages back", "queue", q.name.String(), "error", err)
		return false
	}
	now := q.broker.millis()
	for _, m := range found {
		if m.BrokerSequence() >= q.horizon {
			q.advance(m.BrokerSequence())
			return false
		}
		if !m.Expired(now) {
			q.offerAhead(m)
		}
		if !q.anyoneReady() {
			return false
		}
		q.scouted(m.BrokerSequence())
	}
	return len(found) > 0
}

// scoutedByAll is the sequence up to which all who are offered messages know what is in the store.
func (q *queue) scoutedByAll() uint64 {
	after := uint64(1<<64 - 1)
	q.ready.all(func(s *seat) bool {
		if q.eligible(s) {
			after = min(after, s.knows())
		}
		return true
	})
	return max(after, q.tiers[0].cursor)
}

// scouted notes that all who are offered messages have looked at what the store has up to a sequence.
func (q *queue) scouted(sequence uint64) {
	q.ready.all(func(s *seat) bool {
		if q.eligible(s) {
			s.ahead, s.aheadEpoch = max(s.knows(), sequence), q.returns
		}
		return true
	})
}

// knows is the sequence up to which the seat has refused, or taken, what is in the store alone.
func (s *seat) knows() uint64 {
	if s.aheadEpoch != s.queue.returns {
		return 0
	}
	return s.ahead
}

// offerAhead offers a message that the window has not come to. Who takes it has it ahead of its turn.
func (q *queue) offerAhead(m *message.Message) {
	sequence := m.BrokerSequence()
	n := q.ahead[sequence]
	if n == nil {
		n = &node{message: m, stored: true, suspect: sequence < q.suspect, redeliveries: m.Redeliveries(), group: q.groups.nameOf(m)}
	}
	if n.seat != nil {
		return // in flight
	}
	q.offer(n)
	if n.seat != nil {
		if q.ahead == nil {
			q.ahead = map[uint64]*node{}
		}
		q.ahead[sequence] = n
	}
}

// catchUpWith returns what is known of a stored message that the window comes to now, nil for nothing.
func (q *queue) catchUpWith(m *message.Message) *node {
	n := q.ahead[m.BrokerSequence()]
	delete(q.ahead, m.BrokerSequence())
	return n
}
