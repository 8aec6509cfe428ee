// Package openwire holds one OpenWire client's conversation with the core: negotiation, who the client is, and each
// command with its one response. Bytes are the codec's business, queues and topics the core's.
package openwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// Authenticator tells whether a client is who it says.
type Authenticator interface {
	Authenticate(user, password string) error
}

// Options are what sessions of one connector share.
type Options struct {
	BrokerID, BrokerName string
	Broker               *core.Broker
	Authenticator        Authenticator // nil lets everyone in
	Offer                openwire.Offer
	Logger               *slog.Logger
}

// handshakeTime is how long a client may take to say who it is.
const handshakeTime = 15 * time.Second

// session is the state of one conversation. It belongs to the goroutine that reads; what others send goes through out.
type session struct {
	options Options
	conn    net.Conn
	frames  *openwire.FrameReader
	out     *writer
	logger  *slog.Logger
	ctx     context.Context

	format  openwire.Format
	decoder *openwire.Decoder

	connection   *core.Connection // nil before the client is known
	id           *openwire.ConnectionID
	last         core.LastDelivered // for consumers that the client did not close
	consumers    map[openwire.ConsumerID]*consumer
	windows      map[string]*openwire.ProducerInfo // of producers with a window, by their id's bytes
	transactions map[int64]*core.Transaction
}

// errEnd ends a conversation as the client wished.
var errEnd = errors.New("the client is done")

// Serve speaks with one client until it goes, breaks the rules, or ctx ends, which tells it that the broker stops. It
// closes the connection, and leaves no goroutine behind.
func Serve(ctx context.Context, conn net.Conn, o Options) {
	s := &session{
		options: o, conn: conn, ctx: ctx,
		frames:       openwire.NewFrameReader(conn, openwire.HandshakeLimit),
		logger:       o.Logger.With("remote", conn.RemoteAddr().String()),
		last:         core.AllUnknown,
		consumers:    map[openwire.ConsumerID]*consumer{},
		windows:      map[string]*openwire.ProducerInfo{},
		transactions: map[int64]*core.Transaction{},
	}
	s.out = newWriter(conn)
	goodbye := context.AfterFunc(ctx, s.goodbye)
	err := s.converse()
	goodbye()
	if s.connection != nil {
		s.connection.Close(s.last)
	}
	for _, c := range s.consumers {
		c.stopPulls()
	}
	s.out.close()
	s.report(err)
}

// goodbye tells the client that the broker stops, so that it goes elsewhere at once.
func (s *session) goodbye() {
	s.out.command(&openwire.ShutdownInfo{})
	s.out.finish()
}

func (s *session) report(err error) {
	switch {
	case s.ctx.Err() != nil, err == nil, errors.Is(err, errEnd), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		s.logger.Debug("a client is gone", "error", err)
	default:
		s.logger.Info("ended a connection", "error", err)
	}
}

// converse goes from the first frame to the last.
func (s *session) converse() error {
	if err := s.conn.SetReadDeadline(time.Now().Add(handshakeTime)); err != nil {
		return err
	}
	if err := s.negotiate(); err != nil {
		return err
	}
	for {
		frame, err := s.frames.ReadFrame()
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		if err := s.handle(frame); err != nil {
			return err
		}
		if err := s.expectSigns(); err != nil {
			return err
		}
	}
}

// negotiate agrees on the encoding. Nothing but the offer may be sent before the peer's has come.
func (s *session) negotiate() error {
	if err := s.out.start(s.options.Offer.Info()); err != nil {
		return fmt.Errorf("negotiating: %w", err)
	}
	frame, err := s.frames.ReadFrame()
	if err != nil {
		return fmt.Errorf("negotiating: %w", err)
	}
	first, err := openwire.NewDecoder(openwire.Handshake()).Decode(frame)
	if err != nil {
		return fmt.Errorf("negotiating: %w", err)
	}
	info, ok := first.(*openwire.WireFormatInfo)
	if !ok {
		return fmt.Errorf("negotiating: a client begins with a WireFormatInfo, this one with a %s", openwire.TypeName(first.TypeByte()))
	}
	theirs, err := info.Offer()
	if err != nil {
		return fmt.Errorf("negotiating: %w", err)
	}
	if s.format, err = openwire.Negotiate(s.options.Offer, theirs); err != nil {
		return fmt.Errorf("negotiating: %w", err)
	}
	s.decoder = openwire.NewDecoder(s.format)
	s.out.agree(s.format)
	s.out.command(&openwire.BrokerInfo{
		BrokerID:   &openwire.BrokerID{Value: openwire.S(s.options.BrokerID)},
		BrokerName: openwire.S(s.options.BrokerName),
		BrokerURL:  openwire.S("tcp://" + s.conn.LocalAddr().String()),
	})
	return nil
}

// expectSigns sets by when the next frame has to come, once the client is known.
func (s *session) expectSigns() error {
	switch {
	case s.connection == nil:
		return nil
	case s.format.Inactivity == 0:
		return s.conn.SetReadDeadline(time.Time{})
	}
	return s.conn.SetReadDeadline(time.Now().Add(max(s.format.Inactivity, s.format.InitialDelay)))
}
