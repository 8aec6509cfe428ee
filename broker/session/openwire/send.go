package openwire

import (
	"fmt"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// produce adds a producer, and notes if it wants to be told when its messages have arrived.
func (s *session) produce(c *openwire.ProducerInfo) error {
	if c.ProducerID == nil {
		return &core.Error{Kind: core.General, Text: "a producer needs an id"}
	}
	if s.producers[*c.ProducerID] != nil {
		return nil // said again after a failover
	}
	spec := core.ProducerSpec{Subject: newSubject(c.ProducerID, c)}
	if c.Destination != nil {
		spec.Destination = toDestination(c.Destination)
	}
	if err := s.admitProducer(spec.Destination); err != nil {
		return err
	}
	p, err := s.connection.AddProducer(spec)
	if err != nil {
		return err
	}
	s.producers[*c.ProducerID] = p
	s.producersOf.add(c.ProducerID.SessionID, *c.ProducerID)
	s.senders[producerKey(c.ProducerID)] = sender{p, c.ProducerID, c.WindowSize > 0}
	return nil
}

// sender is a producer as its messages name it.
type sender struct {
	producer *core.Producer
	id       *openwire.ProducerID
	counts   bool // what is on the way, and so wants to be told of what has arrived
}

// unproduce ends a producer.
func (s *session) unproduce(id openwire.ProducerID) {
	if p := s.producers[id]; p != nil {
		delete(s.producers, id)
		s.producersOf.remove(id.SessionID, id)
		delete(s.senders, producerKey(&id))
		p.Close()
	}
}

// producerKey is the id as it stands in a message's bytes.
func producerKey(id *openwire.ProducerID) string {
	b, _ := openwire.AppendLoose([]byte{1}, id, openwire.NewestVersion) // an id that was read can be written
	return string(b)
}

// send takes a message. While too much is not yet durable it waits, and with it whatever the client says next; while there is
// no memory, only what the client sends.
func (s *session) send(m *message.Message) error {
	if err := s.connection.Room(s.ctx); err != nil {
		return err
	}
	r := s.arrival(m)
	if err := s.maySend(m); err != nil {
		s.refuseSend(m, r, err)
		return nil
	}
	if s.options.PopulateUserID {
		m = m.With(message.SetUserID(s.userName))
	}
	block := s.options.Broker.Blocked(m)
	switch {
	case m.Transacted():
		s.sendTransacted(m, block, r)
		return nil
	case block == nil && (s.parking.idle() || !s.parking.busy(laneOf(m))):
		r.finish(s.connection.Send(m, r.done))
		return nil
	}
	return s.sendInTurn(m, block, r)
}

// laneOf is what keeps the order of messages that wait. Those that are not persistent may be overtaken by those that are (JMS 1.1 §4.4.10.3).
func laneOf(m *message.Message) string { return lane(m.Persistent(), m.RawDestination()) }

func lane(persistent bool, rawDestination []byte) string {
	if persistent {
		return "p" + string(rawDestination)
	}
	return "n" + string(rawDestination)
}

// refuseSend answers a message that may not be sent. The transaction that it is part of fails, whether or not the client waits for
// the answer.
func (s *session) refuseSend(m *message.Message, r arrival, err error) {
	if m.Transacted() {
		if t, unknown := s.transactionOf(m); unknown == nil {
			t.Fail(err)
		}
	}
	r.fail(err)
}

// sendInTurn sends a message when there is room for it, behind those that wait for that.
func (s *session) sendInTurn(m *message.Message, block *core.Block, r arrival) error {
	switch err := s.parking.room(len(s.consumers) > 0); {
	case s.ctx.Err() != nil:
		return err
	case err != nil:
		r.fail(err)
		return nil
	}
	if block != nil {
		s.connection.Held(m, s.producerOf(m))
	}
	s.parking.pass(parked{
		lane: laneOf(m), size: m.Size(), fail: r.fail,
		blocked: func() *core.Block { return s.options.Broker.Blocked(m) },
		do:      func() { r.finish(s.connection.Send(m, r.done)) },
	})
	return nil
}

// producerOf returns who sends a message, nil if that is not known.
func (s *session) producerOf(m *message.Message) *core.Producer {
	return s.senders[string(m.RawSender())].producer
}

// sendTransacted sends in a transaction, which fails if the message does; a client that waits for no answer learns at the commit.
// What waits for room is the commit, and not the message.
func (s *session) sendTransacted(m *message.Message, block *core.Block, r arrival) {
	t, err := s.transactionOf(m)
	switch {
	case err != nil:
	case block != nil && block.Fails:
		err = block.Refused()
		t.Fail(err)
	default:
		err = t.Send(m)
	}
	if err != nil && r.wanted {
		r.fail(err)
		return
	}
	r.done()
}

func (s *session) transactionOf(m *message.Message) (*core.Transaction, error) {
	if x, distributed := m.XATransaction(); distributed {
		return s.branch(x)
	}
	id, _ := m.LocalTransaction()
	return s.begun(id)
}

// arrival answers a message: the command, and the producer if it counts what is on the way.
type arrival struct {
	reply
	producer *openwire.ProducerID // nil if it does not count
	size     int32                // as the client counts it
}

func (s *session) arrival(m *message.Message) arrival {
	id, wanted := m.Command()
	a := arrival{reply: s.reply(id, wanted)}
	if p := s.senders[string(m.RawSender())]; p.counts {
		a.producer = p.id
		a.size = int32(1024 + len(m.Content()) + len(m.Properties()))
	}
	return a
}

func (a arrival) done() {
	a.free()
	a.reply.done()
}

// fail frees the window too: the message is not on the way any more.
func (a arrival) fail(err error) {
	a.free()
	a.reply.fail(err)
}

func (a arrival) finish(err error) {
	if err != nil {
		a.fail(err)
	}
}

func (a arrival) free() {
	if a.producer != nil {
		a.out.command(&openwire.ProducerAck{ProducerID: a.producer, Size: a.size})
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
