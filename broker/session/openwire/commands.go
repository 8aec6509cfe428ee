package openwire

import (
	"errors"
	"fmt"
	"maps"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// handle does what a frame asks for. An error ends the conversation.
func (s *session) handle(frame []byte) error {
	if openwire.IsMessage(frame) {
		return s.handleMessage(frame)
	}
	v, err := s.decoder.Decode(frame)
	if err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	c, ok := v.(openwire.Command)
	if !ok {
		return fmt.Errorf("%s where a command was expected", nameOf(v))
	}
	r := s.reply(c.Base().CommandID, c.Base().ResponseRequired)
	if done, err := s.always(c, r); done {
		return err
	}
	if s.connection != nil {
		return s.command(c, r)
	}
	if info, ok := c.(*openwire.ConnectionInfo); ok {
		return s.connect(info, r)
	}
	return fmt.Errorf("%s before the client said who it is", nameOf(c))
}

func (s *session) handleMessage(frame []byte) error {
	m, err := s.parse(frame)
	if err != nil {
		return err
	}
	if s.connection == nil {
		return errors.New("a message before the client said who it is")
	}
	return s.send(m)
}

// always does what may be asked for at any time; it is false if c is none of that. What a client says by a ConnectionControl,
// for example that it fails over, changes nothing here, and nobody ends a broker by a ControlCommand.
func (s *session) always(c openwire.Command, r reply) (bool, error) {
	switch c.(type) {
	case *openwire.KeepAliveInfo:
		if r.wanted { // by an echo, which is not a Response
			s.out.command(&openwire.KeepAliveInfo{})
		}
		return true, nil
	case *openwire.ConnectionControl, *openwire.ControlCommand, *openwire.FlushCommand:
		r.done()
		return true, nil
	case *openwire.BrokerInfo:
		return true, s.refuse(r, openwire.JMSException, notYet("network connectors"))
	case *openwire.ShutdownInfo:
		r.done()
		return true, errEnd
	}
	return false, nil
}

// command does what a known client asks for. What cannot be done is the client's to know; it goes on.
func (s *session) command(c openwire.Command, r reply) error {
	switch c := c.(type) {
	case *openwire.MessageAck:
		s.acknowledge(c, r)
	case *openwire.TransactionInfo:
		s.transaction(c, r)
	case *openwire.ConnectionInfo:
		return s.connectAgain(c, r)
	case *openwire.ConsumerInfo:
		s.consume(c, r)
	case *openwire.ProducerInfo:
		r.answer(s.produce(c))
	case *openwire.RemoveInfo:
		s.remove(c, r)
	case *openwire.MessagePull:
		s.pull(c)
		r.done()
	case *openwire.ConsumerControl:
		s.control(c)
		r.done()
	case *openwire.DestinationInfo:
		r.finish(s.destination(c, r.done))
	case *openwire.RemoveSubscriptionInfo:
		r.finish(s.connection.Unsubscribe(c.SubscriptionName.String(), r.done))
	default: // a SessionInfo, for one: a session begins with what belongs to it
		r.done()
	}
	return nil
}

func notYet(what string) error {
	return &core.Error{Kind: core.General, Text: "this broker does not support " + what + " yet"}
}

// destination creates or removes a destination. It calls done unless it fails.
func (s *session) destination(c *openwire.DestinationInfo, done func()) error {
	if c.Destination == nil {
		return &core.Error{Kind: core.InvalidDestination, Text: "no destination was given"}
	}
	d := toDestination(c.Destination)
	err := s.mayChange(d, c.OperationType == openwire.DestinationAdd)
	if err != nil {
		return err
	}
	switch add := c.OperationType == openwire.DestinationAdd; {
	case !add && !d.IsTemp():
		return s.connection.RemoveDestination(d, done)
	case !add:
		err = s.connection.RemoveTemporary(d)
	case d.IsTemp():
		err = s.connection.AddTemporary(d)
	default:
		err = s.connection.CreateDestination(d)
	}
	if err == nil {
		done()
	}
	return err
}

// remove ends what the client closes, with all that belongs to it.
func (s *session) remove(c *openwire.RemoveInfo, r reply) {
	last := s.lastDelivered(c)
	switch id := c.ObjectID.(type) {
	case *openwire.ConsumerID:
		s.unsubscribe(*id, last)
	case *openwire.SessionID:
		s.removeSession(id.Value, last)
	case *openwire.ConnectionID:
		s.disconnect(last, r)
		return
	case *openwire.ProducerID:
		s.unproduce(*id)
	}
	r.done()
}

// lastDelivered is how much the program saw, of which older versions of the protocol say nothing.
func (s *session) lastDelivered(c *openwire.RemoveInfo) core.LastDelivered {
	const since = 5
	if s.format.Version < since {
		return core.AllUnknown
	}
	return core.LastDelivered(c.LastDeliveredSequenceID)
}

func (s *session) removeSession(id int64, last core.LastDelivered) {
	s.unsubscribeAll(last, maps.Keys(s.consumersOf[id]))
	for producer := range s.producersOf[id] {
		s.unproduce(producer)
	}
}

func toDestination(d openwire.Destination) destination.Destination {
	return destination.Destination{Kind: destination.Kind(d.TypeByte()), Name: d.Name()}
}
