package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

const (
	// unwritten is how many bytes may wait to be written before senders wait.
	unwritten = 1 << 20
	// farewell is how long the last words may take.
	farewell = time.Second
)

// LinkOptions say how to speak with a broker.
type LinkOptions struct {
	// Offer is what this end can do, as a rule openwire.BrokerOffer.
	Offer openwire.Offer
	// Dial opens the socket; nil opens one of TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Handle takes each command of the broker that answers nothing. It is called by the goroutine that reads, one command after
	// the other: it must not wait, and not close the link. nil ignores them.
	Handle func(l *Link, c openwire.Command)
}

// Link is one conversation with a broker, over one socket. When it breaks, all that was asked fails with ErrDisconnected, in
// the order of asking. Its methods may be called by any goroutine.
type Link struct {
	conn   net.Conn
	format openwire.Format
	handle func(*Link, openwire.Command)
	wake   chan struct{} // holds one when there is something to write
	wrote  chan struct{} // closed when the writing goroutine has ended
	done   chan struct{}

	mu        sync.Mutex
	encoder   *openwire.Encoder
	out       []byte        // frames to be written
	emptied   chan struct{} // closed when out is taken; nil while nobody waits
	requests  map[int32]func(openwire.Command, error)
	lastID    int32
	broker    *openwire.BrokerInfo
	finishing bool  // the socket is closed after what is there
	err       error // why it ended
}

// Dial connects, and returns when both ends have agreed on the encoding. What the broker requires next is a ConnectionInfo from
// a client, a BrokerInfo from a bridge; Dial sends neither. The caller closes the link.
func Dial(ctx context.Context, address string, o LinkOptions) (*Link, error) {
	dial := o.Dial
	if dial == nil {
		dial = func(ctx context.Context, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}
	}
	conn, err := dial(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", address, err)
	}
	l := &Link{
		conn: conn, handle: o.Handle,
		wake: make(chan struct{}, 1), wrote: make(chan struct{}), done: make(chan struct{}),
		requests: map[int32]func(openwire.Command, error){},
	}
	if l.handle == nil {
		l.handle = func(*Link, openwire.Command) {}
	}
	in := newInbound(conn)
	if err := l.negotiate(ctx, in, o.Offer); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("negotiating with %s: %w", address, err)
	}
	go l.read(in)
	go l.write()
	return l, nil
}

// Format is what was agreed on.
func (l *Link) Format() openwire.Format { return l.format }

// Broker is how the broker introduced itself, nil if it has not yet.
func (l *Link) Broker() *openwire.BrokerInfo {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broker
}

// Done is closed when the link has ended, all that was asked has its answer or error, and no command will be handled any more.
func (l *Link) Done() <-chan struct{} { return l.done }

// Err tells why the link ended, nil while it lasts; ErrClosed after Close.
func (l *Link) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Ask sends a command and waits for its answer: a Response of any kind, an *Error if the broker refuses. When ctx ends before,
// the command may have been done or not.
func (l *Link) Ask(ctx context.Context, c openwire.Command) (openwire.Command, error) {
	if err := l.Room(ctx); err != nil {
		return nil, err
	}
	answer := make(chan result, 1)
	if err := l.Start(c, func(c openwire.Command, err error) { answer <- result{c, err} }); err != nil {
		return nil, err
	}
	select {
	case r := <-answer:
		return r.command, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

type result struct {
	command openwire.Command
	err     error
}

// Start sends a command without waiting, and has answered called once by the goroutine that reads: it must not wait. If Start
// returns an error it is not called. The link owns the command until then.
func (l *Link) Start(c openwire.Command, answered func(openwire.Command, error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Base().ResponseRequired = true
	if err := l.put(c); err != nil {
		return err
	}
	l.requests[l.lastID] = answered
	return nil
}

// Tell sends a command that is not answered, without waiting.
func (l *Link) Tell(c openwire.Command) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Base().ResponseRequired = false
	return l.put(c)
}

func (l *Link) put(c openwire.Command) error {
	if l.err != nil || l.finishing {
		return l.reason()
	}
	l.lastID++
	c.Base().CommandID = l.lastID
	out, err := l.encoder.AppendFrame(l.out, c)
	if err != nil {
		return err
	}
	l.out = out
	l.signal()
	return nil
}

// reason is why nothing can be sent.
func (l *Link) reason() error {
	if l.err == nil || errors.Is(l.err, ErrClosed) {
		return fmt.Errorf("%w: %w", ErrDisconnected, ErrClosed)
	}
	return fmt.Errorf("%w: %w", ErrDisconnected, l.err)
}

func (l *Link) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Room waits while too much waits to be written. Who sends much calls it before each Start or Tell.
func (l *Link) Room(ctx context.Context) error {
	for {
		l.mu.Lock()
		if len(l.out) < unwritten || l.err != nil {
			l.mu.Unlock()
			return nil
		}
		if l.emptied == nil {
			l.emptied = make(chan struct{})
		}
		emptied := l.emptied
		l.mu.Unlock()
		select {
		case <-emptied:
		case <-l.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Close says goodbye, and returns when the link has ended.
func (l *Link) Close() error {
	l.mu.Lock()
	if l.err == nil && !l.finishing {
		_ = l.put(&openwire.ShutdownInfo{})
		l.finishing = true
		_ = l.conn.SetWriteDeadline(time.Now().Add(farewell))
	}
	l.mu.Unlock()
	l.signal()
	<-l.done
	return nil
}

// fail ends the link. The first reason counts.
func (l *Link) fail(err error) {
	l.mu.Lock()
	if l.finishing {
		err = ErrClosed
	}
	if l.err == nil {
		l.err = err
	}
	l.mu.Unlock()
	_ = l.conn.Close()
	l.signal()
}

// abandon fails what has no answer, in the order of asking.
func (l *Link) abandon() {
	l.mu.Lock()
	requests, reason := l.requests, l.reason()
	l.requests = map[int32]func(openwire.Command, error){}
	l.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(requests)) {
		requests[id](nil, reason)
	}
}
