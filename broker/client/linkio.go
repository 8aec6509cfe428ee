package client

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// negotiationTime is how long a broker may take to make its offer.
const negotiationTime = 15 * time.Second

// errGoodbye is the end of a link whose broker stops.
var errGoodbye = errors.New("the broker said goodbye")

// negotiate exchanges offers. Nothing else may be sent before.
func (l *Link) negotiate(ctx context.Context, in *inbound, offer openwire.Offer) error {
	stop := context.AfterFunc(ctx, func() { _ = l.conn.Close() })
	defer stop()
	theirs, err := exchange(l.conn, in, offer)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	if l.format, err = openwire.Negotiate(offer, theirs); err != nil {
		return err
	}
	l.encoder = openwire.NewEncoder(l.format)
	in.expect(l.format)
	return nil
}

// exchange writes one offer while it reads the other, since neither end waits for its peer.
func exchange(conn net.Conn, in *inbound, offer openwire.Offer) (openwire.Offer, error) {
	frame, err := openwire.NewEncoder(openwire.Handshake()).AppendFrame(nil, offer.Info())
	if err != nil {
		return openwire.Offer{}, err
	}
	written := make(chan error, 1)
	go func() {
		_, err := conn.Write(frame)
		written <- err
	}()
	theirs, err := openwire.ReadOffer(in.frames)
	if err != nil {
		_ = conn.Close() // so that the write ends
		<-written
		return theirs, err
	}
	return theirs, <-written
}

// inbound is the socket as it is read: it fails when nothing comes for too long. Each byte is a sign of life, so that a large
// message on a slow line is none of silence.
type inbound struct {
	net.Conn
	frames  *openwire.FrameReader
	until   time.Time     // silence is allowed at least until then
	silence time.Duration // how long the broker may say nothing; 0 is for ever
}

func newInbound(conn net.Conn) *inbound {
	in := &inbound{Conn: conn, until: time.Now().Add(negotiationTime), silence: time.Nanosecond}
	in.frames = openwire.NewFrameReader(in, openwire.HandshakeLimit)
	return in
}

func (in *inbound) expect(f openwire.Format) {
	in.silence = f.Inactivity
	in.until = time.Now().Add(f.InitialDelay + f.Inactivity)
	in.frames.SetLimit(int(f.MaxFrameSize))
}

// Read implements io.Reader.
func (in *inbound) Read(b []byte) (int, error) {
	var deadline time.Time
	if in.silence > 0 {
		if deadline = time.Now().Add(in.silence); deadline.Before(in.until) {
			deadline = in.until
		}
	}
	if err := in.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	began := time.Now()
	n, err := in.Conn.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("nothing was heard from the broker for %v", time.Since(began).Round(time.Millisecond))
	}
	return n, err
}

// read takes commands until the link ends, and then settles it.
func (l *Link) read(in *inbound) {
	decoder := openwire.NewDecoder(l.format)
	for {
		frame, err := in.frames.ReadFrame()
		if err != nil {
			l.fail(fmt.Errorf("reading: %w", err))
			break
		}
		v, err := decoder.Decode(frame)
		if err == nil {
			err = l.take(v)
		}
		if err != nil {
			l.fail(err)
			break
		}
	}
	<-l.wrote
	l.abandon()
	close(l.done)
}

// take does what a command of the broker asks for. An error ends the link.
func (l *Link) take(v openwire.DataStructure) error {
	switch c := v.(type) {
	case *openwire.Response:
		l.answer(c.CorrelationID, c, nil)
	case *openwire.ExceptionResponse:
		l.answer(c.CorrelationID, nil, fromThrowable(c.Exception))
	case *openwire.IntegerResponse:
		l.answer(c.CorrelationID, c, nil)
	case *openwire.DataResponse:
		l.answer(c.CorrelationID, c, nil)
	case *openwire.DataArrayResponse:
		l.answer(c.CorrelationID, c, nil)
	case *openwire.KeepAliveInfo:
		if c.ResponseRequired { // by an echo, which is not a Response
			return l.Tell(&openwire.KeepAliveInfo{})
		}
	case *openwire.ShutdownInfo:
		return errGoodbye
	case *openwire.BrokerInfo:
		l.mu.Lock()
		l.broker = c
		l.mu.Unlock()
		l.handle(l, c)
	case openwire.Command:
		l.handle(l, c)
	case nil: // a null frame says nothing
	default:
		return fmt.Errorf("the broker sent a %s where a command was expected", openwire.TypeName(v.TypeByte()))
	}
	return nil
}

func (l *Link) answer(id int32, c openwire.Command, err error) {
	l.mu.Lock()
	answered := l.requests[id]
	delete(l.requests, id)
	l.mu.Unlock()
	if answered != nil {
		answered(c, err)
	}
}

// write writes what is there, and breaks a silence.
func (l *Link) write() {
	defer close(l.wrote)
	every := time.Duration(math.MaxInt64)
	if l.format.Inactivity > 0 {
		every = max(l.format.Inactivity/3, time.Millisecond)
	}
	silence := time.NewTimer(every)
	defer silence.Stop()
	var b []byte
	for {
		select {
		case <-l.wake:
		case <-silence.C:
			_ = l.Tell(&openwire.KeepAliveInfo{})
		}
		var last bool
		b, last = l.gathered(b)
		if len(b) > 0 {
			if _, err := l.conn.Write(b); err != nil {
				l.fail(fmt.Errorf("writing: %w", err))
				return
			}
			silence.Reset(every)
		}
		if last {
			l.fail(ErrClosed)
			return
		}
	}
}

// gathered exchanges the buffer that was written for what is to be written, and tells whether that is the last.
func (l *Link) gathered(written []byte) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cap(written) > 2*unwritten {
		written = nil
	}
	out := l.out
	l.out = written[:0]
	if l.emptied != nil {
		close(l.emptied)
		l.emptied = nil
	}
	return out, l.finishing || l.err != nil
}
