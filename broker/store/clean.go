package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/message"
)

// Space comes back oldest first: what still counts in the oldest segment is appended again, then the segment is dropped.
// In this order the record that removes a message is never dropped before the records that make it, so a message that is
// gone stays gone. For the same reason a message is moved only while its removal is not on its way, which one look under the
// mutex decides.

const (
	overhead      = 64  // more than what a message's record has beside the message
	moveAtOnce    = 128 // messages looked up at a time
	producersOnce = 512 // producers restated in a record
)

// Clean drops the oldest segment if the log is much longer than what counts in it, and tells whether it did; then it may be
// worth another call. It does its work in small steps that let others through, and waits for room. One goroutine
// calls it at a time.
func (s *Store) Clean(ctx context.Context) (bool, error) {
	if err := s.Dispose(); err != nil {
		return false, err
	}
	oldest, ok := s.oldest()
	if !ok {
		return false, nil
	}
	if whole, err := s.rewritePrepared(ctx, oldest); err != nil {
		return false, fmt.Errorf("clean the log of what is prepared: %w", err)
	} else if !whole {
		return false, nil
	}
	if err := s.moveAll(ctx, oldest); err != nil {
		return false, fmt.Errorf("clean the log: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.restate(oldest); err != nil {
		return false, fmt.Errorf("clean the log: %w", err)
	}
	if err := s.log.Drop(oldest.Next); err != nil {
		return false, fmt.Errorf("clean the log: %w", err)
	}
	s.cleaned = oldest.Next
	return true, nil
}

// oldest returns the segment that is to be dropped next, if any is worth it and can be.
func (s *Store) oldest() (log.Segment, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	segments := slices.DeleteFunc(s.log.Segments(), func(g log.Segment) bool { return g.Next <= s.cleaned })
	if len(segments) < 2 {
		return log.Segment{}, false
	}
	total := int64(0)
	for _, g := range segments {
		total += g.Bytes
	}
	live := s.state.bytes + int64(s.state.count)*overhead + s.state.waiting
	if total <= max(s.options.MinBytes, 2*live) {
		return log.Segment{}, false
	}
	return segments[0], s.settled(segments[0].Next)
}

// settled tells whether all below an entry is applied and part of no message or transaction that is not complete yet.
// Called with mu held.
func (s *Store) settled(next uint64) bool {
	if s.state.applied+1 < next {
		return false
	}
	for _, tx := range s.state.open {
		if tx.first < next {
			return false
		}
	}
	for first := range s.building {
		if first.Entry < next {
			return false
		}
	}
	return true
}

// moveAll appends again the messages that lie in a segment.
func (s *Store) moveAll(ctx context.Context, g log.Segment) error {
	for _, queue := range s.queuesNow() {
		after := uint64(0)
		for {
			found := s.locateWithin(queue, g, after)
			if len(found) == 0 {
				break
			}
			for _, p := range found {
				if err := s.move(ctx, queue, p); err != nil {
					return err
				}
			}
			after = found[len(found)-1].sequence
		}
	}
	return nil
}

func (s *Store) queuesNow() []destination.Destination {
	s.mu.Lock()
	defer s.mu.Unlock()
	queues := make([]destination.Destination, 0, len(s.state.names))
	for name := range s.state.names {
		queues = append(queues, name)
	}
	return queues
}

func (s *Store) locateWithin(queue destination.Destination, g log.Segment, after uint64) []place {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.state.names[queue]
	if q == nil {
		return nil
	}
	var found []place
	for it := range q.within(g.First, g.Next, after) {
		if s.leaves(q, it) {
			continue
		}
		if found = append(found, s.placeOf(it)); len(found) == moveAtOnce {
			break
		}
	}
	return found
}

// move appends a message again unless it is gone or leaving.
func (s *Store) move(ctx context.Context, queue destination.Destination, p place) error {
	if err := s.log.Room(ctx); err != nil {
		return err
	}
	m, err := s.load(queue, p)
	if err != nil || m == nil {
		return err
	}
	parts, err := s.writeParts(m)
	if err != nil {
		return err
	}
	return s.writeMoved(queue, m, parts)
}

func (s *Store) writeMoved(queue destination.Destination, m *message.Message, parts []log.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.state.names[queue]
	if q == nil {
		s.abandon(parts)
		return nil
	}
	if it := q.get(m.BrokerSequence()); it == nil || s.leaves(q, it) {
		s.abandon(parts)
		return nil
	}
	_, err := s.writeMessage(nil, record{kind: kindMoved, sequence: m.BrokerSequence()}, m, parts)
	return err
}

// restate appends again what else only the segment's records say. Called with mu held.
func (s *Store) restate(g log.Segment) error {
	for _, q := range s.state.queues {
		if _, goes := s.deleting[q.name]; goes || q.horizon == 0 || !in(g, q.recorded) || q.horizonAppended.Entry > s.state.applied {
			continue // the horizon on its way counts, not this one
		}
		r := record{kind: kindHorizon, destination: q.raw, sequence: q.horizon}
		if _, err := s.write(nil, r, nil); err != nil {
			return err
		}
	}
	if err := s.restateCreated(g); err != nil {
		return err
	}
	if err := s.restateSubscriptions(g); err != nil {
		return err
	}
	var stale []lastSequence
	for p := range s.state.producers.all() {
		if in(g, p.recorded) || in(g, p.linked) {
			stale = append(stale, lastSequence{[]byte(p.id), p.last})
		}
	}
	for some := range slices.Chunk(stale, producersOnce) {
		if _, err := s.write(nil, record{kind: kindProducers, producers: some}, nil); err != nil {
			return err
		}
	}
	return s.restateOutcomes(g)
}

func in(g log.Segment, entry uint64) bool { return g.First <= entry && entry < g.Next }
