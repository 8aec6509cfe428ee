package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// AckMode says what acknowledges the messages of a session (JMS 1.1 §4.4.11).
type AckMode int

const (
	// AutoAck acknowledges each message as Receive returns it.
	AutoAck AckMode = iota
	// ClientAck has the program acknowledge, by Message.Ack, all that the session has received so far.
	ClientAck
	// IndividualAck has the program acknowledge each message by itself.
	IndividualAck
	// Transacted has messages sent and received at the Commit, or not at all.
	Transacted
)

// Session is an order of sending and receiving. It is for one goroutine at a time, with its producers and consumers.
type Session struct {
	connection *Connection
	mode       AckMode
	id         openwire.SessionID
	entry      *entry
	children   int64 // how many producers and consumers there were
	consumers  []*Consumer
	producers  []*Producer
	current    *transaction // nil if nothing is open
	finished   int64        // transactions that there were
	closed     bool
}

func (s *Session) transport() *transport { return s.connection.transport }

// open adds something of the session's at the broker, and has it said again on each new link.
func (s *Session) open(ctx context.Context, e *entry) error {
	if s.closed {
		return ErrClosed
	}
	e.ask = true
	_, err := s.transport().ask(ctx, &request{command: e.commands[0], withLocked: func() { s.transport().track(e) }})
	return err
}

// Producer makes a producer for a destination; for whatever each message names if d has no name.
func (s *Session) Producer(ctx context.Context, d destination.Destination) (*Producer, error) {
	s.children++
	id := &openwire.ProducerID{ConnectionID: s.id.ConnectionID, SessionID: s.id.Value, Value: s.children}
	info := &openwire.ProducerInfo{ProducerID: id}
	if d.Name != "" {
		info.Destination = toWire(d)
	}
	p := &Producer{session: s, id: id, destination: d}
	p.entry = &entry{commands: []openwire.Command{info}, failed: s.connection.failed}
	if err := s.open(ctx, p.entry); err != nil {
		s.transport().forget(p.entry, nil)
		return nil, fmt.Errorf("a producer for %s: %w", d, err)
	}
	s.producers = append(s.producers, p)
	return p, nil
}

// ConsumerOptions say what a consumer takes. The zero ConsumerOptions take everything, and have ActiveMQ's prefetch.
type ConsumerOptions struct {
	// Selector is over the messages' headers and properties (JMS 1.1 §3.8).
	Selector string
	// Subscription is the name of a durable subscription to a topic, which keeps what comes while nobody consumes from it (JMS 1.1
	// §6.11.1). It is one of Options.ClientID, which has to be set, and is there until Session.Unsubscribe. With another
	// destination, selector or NoLocal it begins anew.
	Subscription string
	// Prefetch is how many messages may be on their way and not acknowledged; 0 stands for 1000, of a topic 32,766, of a
	// durable subscription 100. With PullEach, Receive asks for each message.
	Prefetch int32
	// NoLocal leaves out what the connection itself sends to a topic.
	NoLocal bool
	// Priority among the consumers of a queue: the highest that can take a message gets it.
	Priority int8
}

// PullEach as a prefetch has no message on its way that nobody waits for.
const PullEach = -1

const (
	queuePrefetch   = 1000
	topicPrefetch   = 32_766
	durablePrefetch = 100
)

func (o ConsumerOptions) prefetch(d destination.Destination) int32 {
	switch {
	case o.Prefetch < 0:
		return 0
	case o.Prefetch > 0:
		return o.Prefetch
	case o.Subscription != "":
		return durablePrefetch
	case d.IsTopic():
		return topicPrefetch
	}
	return queuePrefetch
}

// Consumer makes a consumer, whose messages are on their way from then on.
func (s *Session) Consumer(ctx context.Context, d destination.Destination, o ConsumerOptions) (*Consumer, error) {
	if o.Subscription != "" && !s.connection.named {
		return nil, fmt.Errorf("a durable subscription to %s: set a client id, by which the broker knows whose it is", d)
	}
	s.children++
	c := &Consumer{
		session: s, destination: toWire(d), prefetch: o.prefetch(d), arrived: make(chan struct{}, 1),
		id: &openwire.ConsumerID{ConnectionID: s.id.ConnectionID, SessionID: s.id.Value, Value: s.children},
	}
	c.entry = &entry{failed: c.fail, lost: c.lost, commands: []openwire.Command{&openwire.ConsumerInfo{
		ConsumerID: c.id, Destination: c.destination, PrefetchSize: c.prefetch, Selector: nullable(o.Selector),
		SubscriptionName: nullable(o.Subscription), NoLocal: o.NoLocal, Priority: o.Priority, DispatchAsync: true,
	}}}
	s.connection.mu.Lock()
	s.connection.consumers[*c.id] = c // before the broker knows it, since messages may come before the answer
	s.connection.mu.Unlock()
	if err := s.open(ctx, c.entry); err != nil {
		c.Close()
		return nil, fmt.Errorf("a consumer of %s: %w", d, err)
	}
	s.consumers = append(s.consumers, c)
	return c, nil
}

// Unsubscribe ends a durable subscription of the connection's client, with what waits for it. Nobody may be consuming from it.
func (s *Session) Unsubscribe(ctx context.Context, name string) error {
	if s.closed {
		return ErrClosed
	}
	_, err := s.transport().ask(ctx, &request{command: &openwire.RemoveSubscriptionInfo{
		ConnectionID: &openwire.ConnectionID{Value: s.id.ConnectionID}, ClientID: openwire.S(s.connection.options.ClientID),
		SubscriptionName: openwire.S(name),
	}})
	if err != nil {
		return fmt.Errorf("unsubscribe %s: %w", name, err)
	}
	return nil
}

// acknowledge does Message.Ack.
func (s *Session) acknowledge(ctx context.Context, m *Message) error {
	switch s.mode {
	case IndividualAck:
		return m.origin.consumer.acknowledgeOne(ctx, m.origin)
	case ClientAck:
		if !s.transport().onLink(m.origin.link, nil) {
			return ErrStale
		}
		var all error
		for _, c := range s.consumers {
			all = errors.Join(all, c.acknowledgeAll(ctx))
		}
		return all
	}
	return nil
}

// Close ends the session with its producers and consumers. A transaction that is open is rolled back.
func (s *Session) Close(ctx context.Context) error {
	if s.closed {
		return nil
	}
	var err error
	if s.current != nil {
		err = s.Rollback(ctx)
	}
	s.closed = true
	for _, c := range slices.Clone(s.consumers) {
		c.Close()
	}
	for _, p := range slices.Clone(s.producers) {
		p.Close()
	}
	s.transport().forget(s.entry, &openwire.RemoveInfo{ObjectID: &s.id, LastDeliveredSequenceID: noneDelivered})
	return err
}
