package store

import (
	"fmt"
	"slices"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/message"
)

// A message too long for one record lies in parts. They come first, and an envelope that names them makes the message;
// parts without one, of a process that ended in between, are nothing. The message counts as lying where its first part does,
// so that the oldest segment is not dropped from under it.

// writeParts appends the parts of a message, none for one that fits in its record. They are kept from Clean until the
// envelope is applied. It does not hold the mutex all along, so that others are not kept waiting.
func (s *Store) writeParts(m *message.Message) ([]log.Position, error) {
	if m.Size() <= s.whole {
		return nil, nil
	}
	if m.Size() > maxSize {
		return nil, fmt.Errorf("%d bytes: the most is %d", m.Size(), maxSize)
	}
	var parts []log.Position
	for piece := range slices.Chunk(m.Bytes(), s.whole) {
		at, err := s.writePart(piece, len(parts) == 0)
		if err != nil {
			return nil, err
		}
		parts = append(parts, at)
	}
	return parts, nil
}

func (s *Store) writePart(piece []byte, first bool) (log.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, err := s.write(nil, record{kind: kindPart}, piece)
	if err == nil && first {
		s.building[at] = struct{}{}
	}
	return at, err
}

// abandon gives up parts that get no envelope. Called with mu held.
func (s *Store) abandon(parts []log.Position) {
	if len(parts) > 0 {
		delete(s.building, parts[0])
	}
}

// writeMessage appends the record that r begins: with the message, or with the envelope of its parts. Called with mu held.
func (s *Store) writeMessage(done func(), r record, m *message.Message, parts []log.Position) (log.Position, error) {
	if parts == nil {
		return s.write(done, r, m.Bytes())
	}
	r.kind = enveloped(r.kind)
	r.destination = m.RawDestination()
	r.producer, r.producerSequence = m.RawProducer(), m.ProducerSequence()
	r.expiration, r.priority, r.size, r.parts = m.Expiration(), m.Priority(), uint32(m.Size()), parts
	return s.write(done, r, nil)
}

// enveloped is the kind that says the same of a message in parts.
func enveloped(k kind) kind {
	switch k {
	case kindMessage:
		return kindLargeMessage
	case kindMoved:
		return kindLargeMoved
	}
	return kindLargeTxMessage
}

// readParts puts a message together again.
func (s *Store) readParts(parts []log.Position, size int) ([]byte, error) {
	body := make([]byte, 0, size)
	var r record
	var buf []byte
	for _, at := range parts {
		var err error
		if buf, err = s.log.Read(at, buf[:0]); err != nil {
			return nil, err
		}
		if err := r.decode(buf); err != nil || r.kind != kindPart {
			return nil, fmt.Errorf("the record at %v is not a part of a message", at)
		}
		body = append(body, r.body...)
	}
	return body, nil
}
