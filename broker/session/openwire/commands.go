package openwire

import (
	"errors"
	"fmt"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// handle does what a frame asks for. An error ends the conversation.
func (s *session) handle(frame []byte) error {
	if openwire.IsMessage(frame) {
		if s.connection == nil {
			return errors.New("a message before the client said who it is")
		}
		return s.send(frame)
	}
	v, err := s.decoder.Decode(frame)
	if err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	c, ok := v.(openwire.Command)
	if !ok {
		return fmt.Errorf("a %s where a command was expected", openwire.TypeName(v.TypeByte()))
	}
	r := s.reply(c.Base().CommandID, c.Base().ResponseRequired)
	if s.connection == nil {
		return s.greet(c, r)
	}
	return s.command(c, r)
}

// greet takes what may come before the client is known: nothing else is acted on.
func (s *session) greet(c openwire.Command, r reply) error {
	switch c := c.(type) {
	case *openwire.ConnectionInfo:
		return s.connect(c, r)
	case *openwire.ConnectionControl, *openwire.KeepAliveInfo:
		return nil
	case *openwire.ShutdownInfo:
		return errEnd
	}
	return fmt.Errorf("a %s before the client said who it is", openwire.TypeName(c.TypeByte()))
}

func (s *session) connect(c *openwire.ConnectionInfo, r reply) error {
	if c.ConnectionID == nil {
		return errors.New("a ConnectionInfo without an id")
	}
	s.logger = s.logger.With("client", c.ClientID.String(), "connection", c.ConnectionID.Value.String())
	if a := s.options.Authenticator; a != nil {
		if err := a.Authenticate(c.UserName.String(), c.Password.String()); err != nil {
			return s.refuse(r, openwire.SecurityException, err)
		}
	}
	connection, err := s.options.Broker.Connect(core.ConnectionSpec{
		ID: c.ConnectionID.Value.String(), ClientID: c.ClientID.String(), Replaced: func() { _ = s.conn.Close() },
	})
	if err != nil {
		return s.refuse(r, classOf(err), err)
	}
	s.connection, s.id = connection, c.ConnectionID
	s.frames.SetLimit(int(s.format.MaxFrameSize))
	r.done()
	if c.Manageable {
		s.out.command(&openwire.ConnectionControl{ConnectedBrokers: openwire.S(""), ReconnectTo: openwire.S("")})
	}
	return nil
}

// refuse answers with an error and ends the conversation once that is written.
func (s *session) refuse(r reply, class openwire.ExceptionClass, err error) error {
	r.throw(openwire.NewThrowable(class, err.Error()))
	s.out.finish()
	return fmt.Errorf("refused: %w", err)
}

// command does what a known client asks for. What cannot be done is the client's to know; it goes on.
func (s *session) command(c openwire.Command, r reply) error {
	var err error
	switch c := c.(type) {
	case *openwire.MessageAck:
		r.finish(s.acknowledge(c, r.done))
		return nil
	case *openwire.TransactionInfo:
		r.finish(s.transaction(c, r.done))
		return nil
	case *openwire.KeepAliveInfo:
		if c.ResponseRequired {
			s.out.command(&openwire.KeepAliveInfo{})
		}
		return nil
	case *openwire.ShutdownInfo:
		return errEnd
	case *openwire.BrokerInfo:
		return s.refuse(r, openwire.JMSException, errors.New("this broker does not take network connectors yet"))
	case *openwire.ConsumerInfo:
		err = s.subscribe(c)
	case *openwire.ProducerInfo:
		err = s.produce(c)
	case *openwire.RemoveInfo:
		s.remove(c)
	case *openwire.MessagePull:
		s.pull(c)
	case *openwire.ConsumerControl:
		s.control(c)
	case *openwire.DestinationInfo:
		err = s.destination(c)
	case *openwire.RemoveSubscriptionInfo:
		err = notYet("durable subscriptions")
	}
	if err != nil {
		r.fail(err)
		return nil
	}
	r.done()
	return nil
}

func notYet(what string) error {
	return &core.Error{Kind: core.General, Text: "this broker does not support " + what + " yet"}
}

// destination creates or removes a temporary destination. Others come into being when they are used.
func (s *session) destination(c *openwire.DestinationInfo) error {
	if c.Destination == nil {
		return &core.Error{Kind: core.InvalidDestination, Text: "no destination was given"}
	}
	d := toDestination(c.Destination)
	switch {
	case c.OperationType != openwire.DestinationAdd && !d.IsTemp():
		return notYet("removing destinations that are not temporary")
	case !d.IsTemp():
		return d.Validate()
	case c.OperationType == openwire.DestinationAdd:
		return s.connection.AddTemporary(d)
	}
	return s.connection.RemoveTemporary(d)
}

// remove ends what the client closes, with all that belongs to it.
func (s *session) remove(c *openwire.RemoveInfo) {
	last := core.LastDelivered(c.LastDeliveredSequenceID)
	switch id := c.ObjectID.(type) {
	case *openwire.ConsumerID:
		s.unsubscribe(*id, last)
	case *openwire.SessionID:
		for key := range s.consumers {
			if key.SessionID == id.Value {
				s.unsubscribe(key, last)
			}
		}
	case *openwire.ConnectionID:
		s.last = last
		for key := range s.consumers {
			s.unsubscribe(key, last)
		}
	case *openwire.ProducerID:
		delete(s.windows, producerKey(id))
	}
}

func toDestination(d openwire.Destination) destination.Destination {
	return destination.Destination{Kind: destination.Kind(d.TypeByte()), Name: d.Name()}
}
