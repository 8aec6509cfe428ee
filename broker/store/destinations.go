package store

import (
	"fmt"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
)

// deletion is one whose record is on its way. What the queue has up to a sequence goes with it, also what is applied meanwhile.
type deletion struct {
	at      log.Position
	through uint64
}

// Create records that a queue is there, though nothing may be in it, until it is deleted.
func (s *Store) Create(queue destination.Destination, done func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.write(done, record{kind: kindCreate, destination: s.raw(queue)}, nil); err != nil {
		return fmt.Errorf("create %v: %w", queue, err)
	}
	return nil
}

// Delete forgets a queue: that it is there, its horizon, and all of its messages, however many, with one record. It returns the
// highest sequence that is gone with it; what is added later makes the queue anew. Messages of open transactions come later.
func (s *Store) Delete(queue destination.Destination, done func()) (through uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.delete(queue, done)
}

// DeleteEmpty is Delete for a queue that has no messages, and to which none is on its way. It tells whether it was one.
func (s *Store) DeleteEmpty(queue destination.Destination, done func()) (empty bool, through uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.state.names[queue]
	if q != nil && (q.count > 0 || q.arriving > s.state.applied) || s.newcomers[string(s.raw(queue))] > s.state.applied {
		return false, 0, nil
	}
	through, err = s.delete(queue, done)
	return true, through, err
}

// delete is Delete with mu held.
func (s *Store) delete(queue destination.Destination, done func()) (through uint64, err error) {
	at, err := s.write(done, record{kind: kindDelete, destination: s.raw(queue)}, nil)
	if err != nil {
		return 0, fmt.Errorf("delete %v: %w", queue, err)
	}
	through = s.term<<counterBits | s.counter
	if s.deleting == nil {
		s.deleting = map[destination.Destination]deletion{}
	}
	s.deleting[queue] = deletion{at, through}
	return through, nil
}

// comes notes that messages for an encoded destination are on their way, in a record at a position. Called with mu held.
func (s *Store) comes(raw []byte, at log.Position) {
	q := s.state.queues[string(raw)]
	if q != nil {
		if _, goes := s.deleting[q.name]; !goes && q.created > 0 || q.name.IsTopic() {
			q.arriving = at.Entry
			return
		}
	}
	if s.newcomers == nil {
		s.newcomers = map[string]uint64{}
	}
	s.newcomers[string(raw)] = at.Entry
}

// arrived forgets what was on its way and is applied. Called with mu held.
func (s *Store) arrived() {
	for raw, entry := range s.newcomers {
		if entry <= s.state.applied {
			delete(s.newcomers, raw)
		}
	}
}

// deleted ends what Delete noted, when the state has done what the record at a position says. Called with mu held.
func (s *Store) deleted(at log.Position) {
	for queue, d := range s.deleting {
		if d.at == at {
			delete(s.deleting, queue)
		}
	}
}

// leaves tells whether the removal of a queue's message is on its way. Called with mu held.
func (s *Store) leaves(q *queue, it *item) bool {
	if it.leaving() || len(s.deleting) == 0 {
		return it.leaving()
	}
	d, goes := s.deleting[q.name]
	return goes && it.sequence <= d.through
}

// restateCreated appends again which queues are there, of those that only a segment's records say. Called with mu held.
func (s *Store) restateCreated(g log.Segment) error {
	for _, q := range s.state.queues {
		if _, goes := s.deleting[q.name]; goes || !in(g, q.created) {
			continue
		}
		if _, err := s.write(nil, record{kind: kindCreate, destination: q.raw}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (st *state) create(raw []byte, at log.Position) error {
	q, err := st.queueOf(raw)
	if err != nil {
		return err
	}
	q.created = at.Entry
	return nil
}

// delete forgets a queue. Of a topic, whose messages are its subscriptions', nothing is deleted so.
func (st *state) delete(raw []byte) {
	q := st.queues[string(raw)]
	if q == nil || q.name.IsTopic() {
		return
	}
	st.count -= q.count
	st.bytes -= q.bytes
	if len(st.large) > 0 {
		for it := range q.above(0) {
			delete(st.large, it.sequence)
		}
	}
	delete(st.queues, string(q.raw))
	delete(st.names, q.name)
}
