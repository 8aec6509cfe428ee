// Package openwire holds one OpenWire client's conversation with the core: negotiation, who the client is, and each
// command with its one response. Bytes are the codec's business, queues and topics the core's.
//
// # Goroutines
//
// A conversation has two: one reads and does what commands ask for, one writes what has gathered. Neither waits for the
// disk but when too much is unsynced, and the reader never waits for memory that its own client's acknowledgements could
// free for ever: see parking, which has a third while something is parked. Serve returns when all of them have ended.
package openwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/security"
)

// lingerTime is how long a client has to take the last words and close its end.
const lingerTime = 2 * time.Second

// Authenticator tells whether a client is who it says, and returns what it may do.
type Authenticator interface {
	Authenticate(ctx context.Context, l security.Login) (*security.User, error)
}

// Options are what sessions of one connector share.
type Options struct {
	BrokerID, BrokerName string
	Broker               *core.Broker
	Authenticator        Authenticator // nil lets everyone in, and do everything
	PopulateUserID       bool          // messages carry the name of the user who sends them, JMSXUserID
	Connector            config.Connector
	Cluster              *Cluster // where the connector updates its clients
	Offer                openwire.Offer
	Logger               *slog.Logger
}

// session is the state of one conversation. It belongs to the goroutine that reads; what others send goes through out.
type session struct {
	options    Options
	conn       net.Conn
	in         *inbound
	frames     *openwire.FrameReader
	out        *writer
	logger     *slog.Logger
	complaints complaints
	ctx        context.Context         // ends with the conversation; its cause is the reason
	end        context.CancelCauseFunc // may be called by any goroutine

	format  openwire.Format
	decoder *openwire.Decoder

	user          *security.User
	userName      string              // as the client gave it, if nobody checks
	writable      map[string]struct{} // the destinations that the client may send to, by their bytes
	writableState writableState

	connection   *core.Connection // nil before the client is known
	id           *openwire.ConnectionID
	left         bool // the client closed its connection, and may open another one
	parking      *parking
	again        bool               // the client had the connection before, over another socket
	last         core.LastDelivered // for consumers that the client did not close
	consumers    map[openwire.ConsumerID]*consumer
	producers    map[openwire.ProducerID]*core.Producer
	consumersOf  bySession[openwire.ConsumerID]
	producersOf  bySession[openwire.ProducerID]
	senders      map[string]sender                 // by their ids' bytes
	transactions map[int64]*core.Transaction       // begun on this connection
	branches     map[message.XID]*core.Transaction // likewise, until a client leaves them
}

// The reasons for an end that is nobody's fault.
var (
	errEnd      = errors.New("the client is done")
	errStopping = errors.New("the broker stops")
	errReplaced = errors.New("the client came back over another connection")
)

// Serve speaks with one client until it goes, breaks the rules, or ctx ends, which tells it that the broker stops. It
// closes the connection, and leaves no goroutine behind.
func Serve(ctx context.Context, conn net.Conn, o Options) {
	s := newSession(conn, o)
	stop := context.AfterFunc(ctx, s.goodbye)
	err := s.converse()
	stop()
	s.report(s.close(err))
}

func newSession(conn net.Conn, o Options) *session {
	s := &session{
		options: o, conn: conn,
		in: newInbound(conn, o.Connector),
	}
	s.forget()
	s.ctx, s.end = context.WithCancelCause(context.Background())
	s.frames = openwire.NewFrameReader(s.in, openwire.HandshakeLimit)
	s.out = newWriter(conn, o.Connector, s.abandon)
	return s
}

// forget makes the client a stranger, who has nothing.
func (s *session) forget() {
	s.logger = s.options.Logger.With("remote", s.conn.RemoteAddr().String())
	s.complaints.by(s.logger)
	s.connection, s.id, s.left, s.last = nil, nil, false, core.AllUnknown
	s.user, s.userName, s.writable, s.writableState = nil, "", nil, writableState{}
	s.consumers = map[openwire.ConsumerID]*consumer{}
	s.producers = map[openwire.ProducerID]*core.Producer{}
	s.consumersOf, s.producersOf = bySession[openwire.ConsumerID]{}, bySession[openwire.ProducerID]{}
	s.senders = map[string]sender{}
	s.transactions = map[int64]*core.Transaction{}
	s.branches = map[message.XID]*core.Transaction{}
}

// abandon ends the conversation at once, without a word. Any goroutine may call it.
func (s *session) abandon(reason error) {
	s.end(reason)
	_ = s.conn.Close()
}

// goodbye tells the client that the broker stops, so that it goes elsewhere at once, and gives it a moment to do so.
// Before the format is agreed on nothing can be said, and the connection is just closed.
func (s *session) goodbye() {
	s.out.command(&openwire.ShutdownInfo{})
	if !s.out.finish() {
		s.abandon(errStopping)
		return
	}
	s.end(errStopping)
	select {
	case <-time.After(lingerTime):
	case <-s.out.closed:
	}
	_ = s.conn.Close()
}

// converse goes from the first frame to the last.
func (s *session) converse() error {
	if err := s.negotiate(); err != nil {
		return fmt.Errorf("negotiating: %w", err)
	}
	for {
		if err := s.out.room(s.ctx); err != nil {
			return err
		}
		frame, err := s.frames.ReadFrame()
		if s.ctx.Err() != nil {
			return context.Cause(s.ctx)
		}
		if err == nil {
			err = s.handle(frame)
		} else if err = s.refuseFrame(err); err != nil {
			err = fmt.Errorf("reading: %w", err)
		}
		if err != nil {
			return err
		}
	}
}

// close ends all that belongs to the conversation and returns why it ended, err if nobody gave a reason before.
func (s *session) close(err error) error {
	s.end(err)
	err = context.Cause(s.ctx)
	if s.options.Cluster != nil {
		s.options.Cluster.leave(s)
	}
	if s.connection != nil {
		s.parking.stop()
		s.connection.Close(s.last)
	}
	for _, c := range s.consumers {
		c.stopPulls()
	}
	if isPolite(err) && s.out.finish() {
		s.out.wait()
		s.linger()
	}
	_ = s.conn.Close()
	s.out.close()
	return err
}

// linger reads on until the client closes its end. Closing with something unread would reset the connection, and the last
// words could be lost on their way.
func (s *session) linger() {
	if s.conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.Copy(io.Discard, s.conn)
	}
}

// refusal is an end that the client was told the reason of.
type refusal struct{ error }

func (r refusal) Error() string { return "refused: " + r.error.Error() }

// isPolite tells whether the client is to hear what was said to it last.
func isPolite(err error) bool {
	return errors.Is(err, errEnd) || errors.Is(err, errStopping) || errors.As(err, &refusal{})
}

func (s *session) report(err error) {
	switch {
	case errors.Is(err, errEnd), errors.Is(err, errStopping), errors.Is(err, errReplaced), errors.Is(err, io.EOF):
		s.logger.Debug("a client is gone", "reason", err)
	case errors.As(err, &refusal{}):
		s.logger.Warn("refused a client", "reason", err)
	default:
		s.logger.Info("ended a connection", "reason", err)
	}
}
