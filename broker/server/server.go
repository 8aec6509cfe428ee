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
}

// Listen begins to listen.
func Listen(o Options) (*Listener, error) {
	listener, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("listening for clients: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &Listener{options: o, listener: listener, ctx: ctx, cancel: cancel, conns: map[net.Conn]struct{}{}}
	l.running.Go(l.accept)
	return l, nil
}

// Addr is where it listens.
func (l *Listener) Addr() net.Addr { return l.listener.Addr() }

// Close stops listening and ends the handlers' context. Connections whose handlers have not returned when ctx ends are
// closed. It returns when all handlers have.
func (l *Listener) Close(ctx context.Context) {
	_ = l.listener.Close()
	l.cancel()
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
		case err != nil: // no file descriptors, for example
			l.options.Logger.Warn("cannot accept a connection; trying again in a second", "address", l.options.Address, "error", err)
			l.pause()
		case !l.enter(conn):
			l.options.Logger.Warn("refused a connection: maximumConnections is reached", "remote", conn.RemoteAddr(), "maximumConnections", l.options.MaximumConnections)
			_ = conn.Close()
		default:
			l.running.Go(func() { l.handle(conn) })
		}
	}
}

func (l *Listener) pause() {
	select {
	case <-time.After(time.Second):
	case <-l.ctx.Done():
	}
}

func (l *Listener) enter(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) >= l.options.MaximumConnections {
		return false
	}
	l.conns[conn] = struct{}{}
	return true
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
