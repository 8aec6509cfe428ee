// Package server listens for clients and keeps count of them. What is spoken on a connection is not its business.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// acceptPause is how long a listener waits when it could not accept, because there are no file descriptors, for example.
const acceptPause = time.Second

// Options say where to listen, and for how many.
type Options struct {
	Address            string
	MaximumConnections int
	// Handle speaks with one client and returns when that is over. Its context ends when the listener closes.
	Handle func(ctx context.Context, conn net.Conn)
	Logger *slog.Logger
}

// Listener accepts clients until Close.
type Listener struct {
	options  Options
	listener net.Listener
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	full  bool // and said so
}

// Listen begins to listen. Its caller must close the listener.
func Listen(o Options) (*Listener, error) {
	listener, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("listening for clients: %w", err)
	}
	return Serve(listener, o), nil
}

// Serve is Listen on a listener that there is already, which it closes. Options.Address is not looked at.
func Serve(listener net.Listener, o Options) *Listener {
	l := &Listener{options: o, listener: listener, conns: map[net.Conn]struct{}{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.running.Go(l.accept)
	return l
}

// Addr is where it listens.
func (l *Listener) Addr() net.Addr { return l.listener.Addr() }

// Close stops listening and ends the handlers' context. Connections whose handlers have not returned when ctx ends are
// closed. It returns when all handlers have.
func (l *Listener) Close(ctx context.Context) {
	l.cancel()
	_ = l.listener.Close()
	stop := context.AfterFunc(ctx, l.cut)
	defer stop()
	l.running.Wait()
}

func (l *Listener) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		_ = conn.Close()
	}
}

func (l *Listener) accept() {
	for {
		conn, err := l.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			l.options.Logger.Warn("cannot accept a connection; trying again in a second", "address", l.Addr().String(), "error", err)
			l.pause()
		case l.enter(conn):
			l.running.Go(func() { l.handle(conn) })
		default:
			_ = conn.Close()
		}
	}
}

func (l *Listener) pause() {
	select {
	case <-time.After(acceptPause):
	case <-l.ctx.Done():
	}
}

// enter counts a connection in, if there is place. That there is none is said once, not for each client that tries again.
func (l *Listener) enter(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ctx.Err() != nil:
		return false
	case len(l.conns) < l.options.MaximumConnections:
		l.conns[conn], l.full = struct{}{}, false
		return true
	case !l.full:
		l.full = true
		l.options.Logger.Warn("refusing connections until others end: raise maximumConnections of the connector, or find out who keeps so many",
			"address", l.Addr().String(), "maximumConnections", l.options.MaximumConnections, "remote", conn.RemoteAddr().String())
	}
	return false
}

func (l *Listener) handle(conn net.Conn) {
	defer func() {
		l.mu.Lock()
		delete(l.conns, conn)
		l.mu.Unlock()
		_ = conn.Close()
	}()
	l.options.Handle(l.ctx, conn)
}
