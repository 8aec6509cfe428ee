package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// Options say where a program connects, and as whom.
type Options struct {
	// URL is tcp://HOST:PORT, whose connection ends with its socket, or failover:(tcp://…,tcp://…)?…, whose connection
	// outlives it. Options have ActiveMQ's names, meanings and defaults.
	URL            string
	User, Password string
	ClientID       string // "" has the connection's own
	// Failed is told of errors that answer nothing that the program waits for, as of an acknowledgement. It is called by the
	// goroutine that reads, and must not wait. nil ignores them.
	Failed func(error)
	Logger *slog.Logger // nil logs nothing
	// Dial opens a socket; nil opens one of TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Connection is a program's hold on a broker, or on one after the other. Its methods may be called by any goroutine.
type Connection struct {
	options   Options
	id        string
	named     bool // its client id is one that the program chose
	transport *transport
	sessions  atomic.Int64 // how many there were
	closing   sync.Once

	mu        sync.Mutex
	consumers map[openwire.ConsumerID]*Consumer
}

// Connect connects, and returns when a broker has taken the client or none will. If ctx ends before, nothing is left. The
// caller closes the connection.
func Connect(ctx context.Context, o Options) (*Connection, error) {
	target, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	c := &Connection{options: o, id: newID(), consumers: map[openwire.ConsumerID]*Consumer{}}
	if c.options.Logger == nil {
		c.options.Logger = slog.New(slog.DiscardHandler)
	}
	c.named = c.options.ClientID != ""
	if !c.named {
		c.options.ClientID = c.id
	}
	c.transport = &transport{
		target: target, dial: o.Dial, logger: c.options.Logger, introduce: c.introduce, handle: c.handle,
	}
	c.transport.begin()
	if err := c.transport.ready(ctx); err != nil {
		c.transport.close()
		return nil, err
	}
	return c, nil
}

// newID is an id that no other connection has, in the form of ActiveMQ's.
func newID() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return fmt.Sprintf("ID:%.100s-%s:1", host, rand.Text())
}

// introduce says who the client is.
func (c *Connection) introduce(ctx context.Context, l *Link, again bool) error {
	faultTolerant := c.transport.target.failover.maxReconnectAttempts != 0
	if faultTolerant {
		if err := l.Tell(&openwire.ConnectionControl{FaultTolerant: true}); err != nil {
			return err
		}
	}
	_, err := l.Ask(ctx, &openwire.ConnectionInfo{
		ConnectionID: &openwire.ConnectionID{Value: openwire.S(c.id)}, ClientID: openwire.S(c.options.ClientID),
		UserName: nullable(c.options.User), Password: nullable(c.options.Password),
		Manageable: true, ClientMaster: true, FaultTolerant: faultTolerant, FailoverReconnect: again,
	})
	return err
}

// handle takes what a broker says by itself.
func (c *Connection) handle(l *Link, v openwire.Command) {
	switch v := v.(type) {
	case *openwire.MessageDispatch:
		if consumer := c.consumer(v.ConsumerID); consumer != nil {
			consumer.deliver(l, v)
		}
	case *openwire.ConsumerControl:
		if consumer := c.consumer(v.ConsumerID); consumer != nil && v.Close {
			consumer.fail(errors.New("the broker closed the consumer"))
		}
	case *openwire.ConnectionError:
		c.failed(fromThrowable(v.Exception))
	case *openwire.ConnectionControl:
		c.transport.control(l, v)
	}
}

func (c *Connection) failed(err error) {
	if c.options.Failed != nil {
		c.options.Failed(err)
	}
}

func (c *Connection) consumer(id *openwire.ConsumerID) *Consumer {
	if id == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.consumers[*id]
}

// Session opens a session.
func (c *Connection) Session(ctx context.Context, mode AckMode) (*Session, error) {
	s := &Session{connection: c, mode: mode, id: openwire.SessionID{ConnectionID: openwire.S(c.id), Value: c.sessions.Add(1)}}
	s.entry = &entry{commands: []openwire.Command{&openwire.SessionInfo{SessionID: &s.id}}}
	if err := c.transport.tell(ctx, s.entry.commands[0], func() { c.transport.track(s.entry) }); err != nil {
		return nil, fmt.Errorf("opening a session: %w", err)
	}
	return s, nil
}

// Close ends the connection with all that belongs to it. What was acknowledged is so when it returns nil; transactions that
// are open are rolled back. If the broker does not answer before ctx ends the connection is cut off. Close may be called again.
func (c *Connection) Close(ctx context.Context) error {
	var err error
	c.closing.Do(func() {
		err = c.goodbye(ctx)
		c.transport.close()
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, consumer := range c.consumers {
			consumer.fail(ErrClosed)
		}
	})
	return err
}

// goodbye has the broker do all that was sent before, if there is one.
func (c *Connection) goodbye(ctx context.Context) error {
	c.transport.mu.Lock()
	l := c.transport.link
	c.transport.mu.Unlock()
	if l == nil {
		return nil
	}
	_, err := l.Ask(ctx, &openwire.RemoveInfo{
		ObjectID: &openwire.ConnectionID{Value: openwire.S(c.id)}, LastDeliveredSequenceID: noneDelivered,
	})
	if err != nil {
		return fmt.Errorf("closing the connection: %w", err)
	}
	return nil
}
