package openwire

import (
	"fmt"

	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// produce notes a producer that wants to be told when its messages have arrived.
func (s *session) produce(c *openwire.ProducerInfo) error {
	if c.ProducerID != nil && c.WindowSize > 0 {
		s.windows[producerKey(c.ProducerID)] = c
	}
	return nil
}

// producerKey is the id as it stands in a message's bytes.
func producerKey(id *openwire.ProducerID) string {
	b, _ := openwire.AppendLoose([]byte{1}, id, openwire.NewestVersion) // an id that was read can be written
	return string(b)
}

// send takes a message. While the broker has no room for it, nothing more is read, so that the client is held by its socket.
func (s *session) send(frame []byte) error {
	m, err := s.parse(frame)
	if err != nil {
		return err
	}
	if err := s.connection.Room(s.ctx); err != nil {
		return err
	}
	r := s.reply(m.Command())
	done := r.done
	if p := s.windows[string(m.RawSender())]; p != nil {
		size := int32(1024 + len(m.Content()) + len(m.Properties()))
		done = func() {
			s.out.command(&openwire.ProducerAck{ProducerID: p.ProducerID, Size: size})
			r.done()
		}
	}
	if !m.Transacted() {
		r.finish(s.connection.Send(m, done))
		return nil
	}
	s.sendTransacted(m, r, done)
	return nil
}

// sendTransacted sends in a transaction, which fails if the message does; a client that waits for no answer learns at the commit.
func (s *session) sendTransacted(m *message.Message, r reply, done func()) {
	id, local := m.LocalTransaction()
	if !local {
		r.fail(notYet("XA transactions"))
		return
	}
	t, err := s.open(id)
	if err == nil {
		err = t.Send(m)
	}
	switch {
	case err == nil:
		done()
	case r.wanted:
		r.fail(err)
	}
}

// parse returns the frame's message in its one form. On most connections it has that form already.
func (s *session) parse(frame []byte) (*message.Message, error) {
	if s.format.SharedMessages() {
		m, err := message.Parse(frame)
		if err == nil && m.HasDataStructure() {
			_, err = s.decoder.Decode(frame)
		}
		return m, err
	}
	v, err := s.decoder.Decode(frame)
	if err != nil {
		return nil, fmt.Errorf("decoding a message: %w", err)
	}
	b, err := openwire.AppendLoose(nil, v, openwire.NewestVersion)
	if err != nil {
		return nil, fmt.Errorf("converting a message: %w", err)
	}
	return message.Parse(b)
}
