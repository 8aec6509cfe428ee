package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// Producer sends messages, numbered, so that a broker knows one that was sent twice.
type Producer struct {
	session     *Session
	id          *openwire.ProducerID
	destination destination.Destination // without a name: each message's own
	entry       *entry
	sequence    int64
	closed      bool
}

// Send sends a message and sets its ID and Timestamp. Outside of a transaction it returns when the broker has a persistent
// message, on its disk if that is to a queue; others it only sends on their way. With the error of ctx the message may have
// arrived or not.
func (p *Producer) Send(ctx context.Context, m *Message) error {
	if !m.NonPersistent && p.session.mode != Transacted {
		answer := make(chan error, 1)
		r, err := p.start(ctx, m, func(err error) { answer <- err })
		if err != nil {
			return p.explain(m, err)
		}
		select {
		case err := <-answer:
			return p.explain(m, err)
		case <-ctx.Done():
			p.session.transport().drop(r)
			return p.explain(m, p.session.transport().unready(ctx))
		}
	}
	v, size, err := p.prepare(m)
	if err != nil {
		return err
	}
	if p.session.mode == Transacted {
		return p.explain(m, p.session.sendTransacted(ctx, v, size))
	}
	return p.explain(m, p.session.transport().tell(ctx, v, nil))
}

// SendAsync sends a message without waiting for the broker, and has sent called once, with what Send would return: by the goroutine
// that reads, so it must not wait. It waits while much is unanswered. If it returns an error, sent is not called. Sends of
// a transaction are answered by the Commit: use Send for them.
func (p *Producer) SendAsync(ctx context.Context, m *Message, sent func(error)) error {
	if p.session.mode == Transacted {
		return errors.New("SendAsync in a transacted session, in which Send does not wait either")
	}
	_, err := p.start(ctx, m, sent)
	return p.explain(m, err)
}

func (p *Producer) start(ctx context.Context, m *Message, sent func(error)) (*request, error) {
	v, size, err := p.prepare(m)
	if err != nil {
		return nil, err
	}
	r := &request{command: v, size: size, answered: func(_ openwire.Command, err error) { sent(err) }}
	return r, p.session.transport().start(ctx, r)
}

// prepare makes what is sent of a message, numbered, and tells about how large it is.
func (p *Producer) prepare(m *Message) (openwire.Message, int, error) {
	if p.closed || p.session.closed {
		return nil, 0, ErrClosed
	}
	if p.destination.Name != "" {
		m.Destination = p.destination
	}
	if m.Destination.Name == "" {
		return nil, 0, errors.New("sending: neither the producer nor the message has a destination")
	}
	if err := m.Destination.Validate(); err != nil {
		return nil, 0, fmt.Errorf("sending to %s: %w", m.Destination, err)
	}
	m.Timestamp = time.Now()
	v, err := m.encode()
	if err != nil {
		return nil, 0, err
	}
	p.sequence++
	f := v.Fields()
	f.ProducerID, f.MessageID = p.id, &openwire.MessageID{ProducerID: p.id, ProducerSequenceID: p.sequence}
	m.ID = messageID(f.MessageID)
	const head = 512 // or about that
	return v, head + len(f.Content) + len(f.MarshalledProperties), nil
}

func (p *Producer) explain(m *Message, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sending to %s: %w", m.Destination, err)
}

// Close ends the producer. It does not wait.
func (p *Producer) Close() {
	p.closed = true
	s := p.session
	s.producers = slices.DeleteFunc(s.producers, func(other *Producer) bool { return other == p })
	s.transport().forget(p.entry, &openwire.RemoveInfo{ObjectID: p.id, LastDeliveredSequenceID: noneDelivered})
}
