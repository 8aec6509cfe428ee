package openwire

import (
	"errors"
	"maps"
	"net"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/security"
)

// connect takes the client's word on who it is. From then on frames may be as large as was agreed on. A client whose id is taken
// stays a stranger and may try again; who gives a wrong password has to come back for that.
func (s *session) connect(c *openwire.ConnectionInfo, r reply) error {
	if c.ConnectionID == nil {
		return errors.New("a ConnectionInfo without an id")
	}
	id := c.ConnectionID.Value.String()
	logger := s.logger.With("client", c.ClientID.String(), "connection", id)
	name, err := s.authenticate(c)
	if name != "" {
		logger = logger.With("user", name)
	}
	if err != nil {
		s.logger = logger
		return s.refuse(r, openwire.SecurityException, err)
	}
	connection, err := s.options.Broker.Connect(core.ConnectionSpec{
		ID: id, ClientID: c.ClientID.String(), Replaced: func() { s.abandon(errReplaced) },
		User: name, Remote: s.remote(), StealsLink: s.options.Connector.AllowLinkStealing, Subject: connectionSubject(c), Again: c.FailoverReconnect,
	})
	s.complaints.by(logger)
	if err != nil {
		r.fail(err)
		return nil
	}
	s.logger = logger
	s.connection, s.id, s.userName, s.again = connection, c.ConnectionID, name, c.FailoverReconnect
	s.parking = newParking(s.ctx, s.logger)
	s.frames.SetLimit(int(s.format.MaxFrameSize))
	r.done()
	switch {
	case c.Manageable && s.options.Connector.UpdateClusterClients:
		s.options.Cluster.join(s, c.FailoverReconnect)
	case c.Manageable:
		s.out.command(control("", false))
	}
	return nil
}

// authenticate returns the name of the user, which is the client's own word where nobody is asked for a password.
func (s *session) authenticate(c *openwire.ConnectionInfo) (name string, err error) {
	name = c.UserName.String()
	if s.options.Authenticator == nil {
		return name, nil
	}
	s.user, err = s.options.Authenticator.Authenticate(s.ctx, security.Login{Address: s.host(), Name: name, Password: c.Password.String()})
	if s.user != nil {
		name = s.user.Name()
	}
	return name, err
}

// host is where the client is, without the port.
func (s *session) host() string {
	address := s.conn.RemoteAddr().String()
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// remote is where the client is, as a URL.
func (s *session) remote() string {
	address := s.conn.RemoteAddr()
	if address.Network() == "pipe" {
		return "vm://" + s.options.BrokerName
	}
	return "tcp://" + address.String()
}

// refuse answers with an error and ends the conversation once that is written.
func (s *session) refuse(r reply, class openwire.ExceptionClass, err error) error {
	r.raiseQuietly(openwire.NewThrowable(class, cut(err.Error(), maxText)))
	return refusal{err}
}

// connectAgain takes a ConnectionInfo of a client that is known. The same one may be said twice, and one who closed its connection
// may open another one over the same socket, as ActiveMQ's ActiveMQConnection.doCleanup does.
func (s *session) connectAgain(c *openwire.ConnectionInfo, r reply) error {
	if s.left {
		s.parking.drain() // and with it the close of the one before
		s.forget()
		return s.connect(c, r)
	}
	if c.ConnectionID == nil || c.ConnectionID.Value != s.id.Value {
		r.fail(&core.Error{Kind: core.IllegalState, Text: "this socket carries another connection already: open a socket for each"})
		return nil
	}
	r.done()
	return nil
}

// disconnect closes the client's connection, so that its client id is free when it has the answer. What it consumed goes
// back at once; the rest waits for what was sent before.
func (s *session) disconnect(last core.LastDelivered, r reply) {
	s.last, s.left = last, true
	s.unsubscribeAll(last, maps.Keys(s.consumers))
	s.parking.whenEmpty(func() {
		s.connection.Close(last)
		r.done()
	})
}
