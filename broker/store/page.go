package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/message"
)

// Recovered is a queue that has pending messages or a horizon.
type Recovered struct {
	Destination destination.Destination
	Messages    int
	Bytes       int64 // sum of their sizes
	Horizon     uint64
}

// Recovered lists the queues, by name, and no topics: Subscriptions tells what these are kept for. It is meant for when Lead has returned.
func (s *Store) Recovered() []Recovered {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Recovered
	for _, q := range s.state.queues {
		if q.name.IsTopic() {
			continue
		}
		all = append(all, Recovered{Destination: q.name, Messages: q.count, Bytes: q.bytes, Horizon: q.horizon})
	}
	slices.SortFunc(all, func(a, b Recovered) int { return strings.Compare(a.Destination.Name, b.Destination.Name) })
	return all
}

// Pending is how many messages the queue has, and the sum of their sizes. Messages count until their removal is durable.
func (s *Store) Pending(queue destination.Destination) (messages int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.state.names[queue]; q != nil {
		return q.count, q.bytes
	}
	return 0, 0
}

// Expired returns the sequences of up to most messages of the queue above after that have expired at now, in milliseconds since
// 1970, without those whose removal is on its way. It reads nothing from the log.
func (s *Store) Expired(queue destination.Destination, after uint64, now int64, most int) []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.state.names[queue]
	if q == nil {
		return nil
	}
	var expired []uint64
	for it := range q.above(after) {
		if len(expired) == most {
			break
		}
		if it.expired(now) && !s.hides(q, it) {
			expired = append(expired, it.sequence)
		}
	}
	return expired
}

// Expiration is a message that expires, and when that is, in milliseconds since 1970.
type Expiration struct {
	Sequence uint64
	At       int64
}

// Expirations lists the messages of a queue that expire, without reading them from the log.
func (s *Store) Expirations(queue destination.Destination) (all []Expiration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.state.names[queue]
	if q == nil {
		return nil
	}
	for it := range q.above(0) {
		if it.expiration() > 0 && !s.leaves(q, it) {
			all = append(all, Expiration{it.sequence, it.expiration()})
		}
	}
	return all
}

// Page loads messages of a queue with sequences above after, in their order, without those whose removal is on its way: one
// at least if there is one, then no more than maxMessages or, by their sizes, maxBytes.
func (s *Store) Page(queue destination.Destination, after uint64, maxMessages, maxBytes int) ([]*message.Message, error) {
	return s.page(queue, after, maxMessages, maxBytes, func(*item) bool { return true })
}

// PagePriority is Page for messages of one priority.
func (s *Store) PagePriority(queue destination.Destination, priority byte, after uint64, maxMessages, maxBytes int) ([]*message.Message, error) {
	return s.page(queue, after, maxMessages, maxBytes, func(it *item) bool { return it.priority() == priority })
}

func (s *Store) page(queue destination.Destination, after uint64, maxMessages, maxBytes int, of func(*item) bool) ([]*message.Message, error) {
	for {
		found := s.locatePage(queue, after, maxMessages, maxBytes, of)
		var messages []*message.Message
		for _, place := range found {
			m, err := s.load(queue, place)
			if err != nil {
				return nil, fmt.Errorf("load a message of %v: %w", queue, err)
			}
			if m != nil {
				messages = append(messages, m)
			}
		}
		if len(messages) > 0 || len(found) == 0 {
			return messages, nil
		}
		after = found[len(found)-1].sequence // all of them were removed just now
	}
}

// hides tells whether a message is not to be paged in: its removal is on its way, or prepared. Called with mu held.
func (s *Store) hides(q *queue, it *item) bool {
	return s.leaves(q, it) || s.state.hidden[it.sequence] > 0
}

// place is where a message lies.
type place struct {
	sequence uint64
	at       log.Position
	size     int
	parts    []log.Position
}

func (s *Store) placeOf(it *item) place {
	return place{sequence: it.sequence, at: it.position(), size: it.size(), parts: s.state.large[it.sequence]}
}

func (s *Store) locatePage(queue destination.Destination, after uint64, maxMessages, maxBytes int, of func(*item) bool) []place {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.state.names[queue]
	if q == nil {
		return nil
	}
	var found []place
	bytes := 0
	for it := range q.above(after) {
		if s.hides(q, it) || !of(it) {
			continue
		}
		bytes += it.size()
		if len(found) > 0 && (len(found) >= maxMessages || bytes > maxBytes) {
			break
		}
		found = append(found, s.placeOf(it))
	}
	return found
}

// locate returns where a message lies now, and false if it is gone or leaving.
func (s *Store) locate(queue destination.Destination, sequence uint64) (place, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.state.names[queue]; q != nil {
		if it := q.get(sequence); it != nil && !s.leaves(q, it) {
			return s.placeOf(it), true
		}
	}
	return place{}, false
}

// load reads a message, wherever Clean puts it meanwhile. It returns nil if the message was removed meanwhile.
func (s *Store) load(queue destination.Destination, p place) (*message.Message, error) {
	for {
		m, err := s.read(p)
		if err == nil {
			return m, nil
		}
		now, ok := s.locate(queue, p.sequence)
		switch {
		case !ok:
			return nil, nil
		case !errors.Is(err, log.ErrDropped) || now.at == p.at:
			return nil, err
		}
		p = now
	}
}

// headRoom is more than what stands in front of a body in its record.
const headRoom = 24

// read reads a message from the log, without the mutex.
func (s *Store) read(p place) (*message.Message, error) {
	body, err := s.readBody(p)
	if err != nil {
		return nil, err
	}
	m, err := message.Parse(body)
	if err != nil {
		return nil, fmt.Errorf("the record at %v: %w", p.at, err)
	}
	m.SetBrokerSequence(p.sequence)
	return m, nil
}

func (s *Store) readBody(p place) ([]byte, error) {
	if p.parts != nil {
		return s.readParts(p.parts, p.size)
	}
	buf, err := s.log.Read(p.at, make([]byte, 0, p.size+headRoom))
	if err != nil {
		return nil, err
	}
	var r record
	if err := r.decode(buf); err != nil {
		return nil, fmt.Errorf("the record at %v: %w", p.at, err)
	}
	return r.body, nil
}
