package core

import (
	"context"
	"slices"
	"sync"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

// ConnectionSpec describes a client's connection.
type ConnectionSpec struct {
	ID       string // one connection over all its reconnections
	ClientID string // "" for a client that has none
	User     string // who it is, "" if nobody asks. Nobody takes the place of another user's connection by its id
	Remote   string // where the client is, as others learn it who want its client id
	// StealsLink takes the client id from the connection that has it, which is replaced as if it came back.
	StealsLink bool
	// Replaced is called, from another goroutine, when the same connection comes back over another socket, before this one
	// is closed. It tells the old socket's session to end, and does not wait for it.
	Replaced func()
	Subject  any // what advisories tell of it, for the Advisor
	// Again says that the client had this connection before, and may say again what it had no answer to.
	Again bool
}

// Connection is a client's hold on the broker. Its methods, and those of its consumers and transactions, may be called by
// any goroutine. After Close they return an error.
type Connection struct {
	broker *Broker
	spec   ConnectionSpec

	mu           sync.Mutex // held during each call, so that Close comes between two
	closed       bool
	consumers    map[*Consumer]struct{}
	producers    map[*Producer]struct{}
	transactions map[*Transaction]struct{}
	temporary    map[destination.Destination]struct{}
	place        place // among what advisories tell of
}

// Connect adds a connection. One with the same id is replaced, as failover clients need; a client id that another
// connection has is refused (JMS 1.1 §4.3.2), unless links may be stolen.
func (b *Broker) Connect(spec ConnectionSpec) (*Connection, error) {
	c := &Connection{
		broker: b, spec: spec,
		consumers:    map[*Consumer]struct{}{},
		producers:    map[*Producer]struct{}{},
		transactions: map[*Transaction]struct{}{},
		temporary:    map[destination.Destination]struct{}{},
	}
	for {
		old, err := b.register(c)
		if err != nil {
			return nil, err
		}
		if old == nil {
			c.place = b.advisories.came(c)
			c.tellOfCommits()
			return c, nil
		}
		if old.spec.ID != spec.ID {
			b.logger.Warn("a client takes another's client id", "client", spec.ClientID, "remote", spec.Remote, "from", old.spec.Remote)
		}
		old.spec.Replaced()
		old.Close(AllUnknown)
	}
}

// register enters c, or returns the connection that has to go first.
func (b *Broker) register(c *Connection) (old *Connection, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.connections[c.spec.ID]; old != nil {
		if old.spec.User != c.spec.User {
			return nil, errorf(InvalidClientID, "Broker: %s - Connection: %s is another user's", b.name, c.spec.ID)
		}
		return old, nil
	}
	if id := c.spec.ClientID; id != "" {
		if old := b.clients[id]; old != nil && c.spec.StealsLink {
			return old, nil
		} else if old != nil {
			return nil, errorf(InvalidClientID, "Broker: %s - Client: %s already connected from %s", b.name, id, old.spec.Remote)
		}
		b.clients[id] = c
	}
	b.connections[c.spec.ID] = c
	return nil, nil
}

func (b *Broker) unregister(c *Connection) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.connections[c.spec.ID] == c {
		delete(b.connections, c.spec.ID)
	}
	if id := c.spec.ClientID; b.clients[id] == c {
		delete(b.clients, id)
	}
}

// Close ends the connection with all that belongs to it: its transactions roll back, what its consumers have in flight
// goes back to the queues, its temporary destinations vanish. last is for the consumers that are still open.
func (c *Connection) Close(last LastDelivered) {
	if c.enter() != nil {
		return
	}
	defer c.mu.Unlock()
	c.closed = true
	for consumer := range c.consumers {
		consumer.ending.Store(true)
	}
	for t := range c.transactions {
		t.abort()
	}
	for _, w := range c.broker.branches.of(c) {
		w.abort()
	}
	for consumer := range c.consumers {
		consumer.close(last)
	}
	for p := range c.producers {
		p.end()
	}
	for d := range c.temporary {
		c.broker.removeTemporary(d)
	}
	c.broker.unregister(c)
	c.broker.advisories.went(c.place)
}

// CloseConsumers ends some of the connection's consumers. What they have in flight goes back to their queues, and not from one
// of them to another, which would count as a delivery.
func (c *Connection) CloseConsumers(last LastDelivered, consumers ...*Consumer) {
	if c.enter() != nil {
		return
	}
	defer c.mu.Unlock()
	for _, consumer := range consumers {
		consumer.ending.Store(true)
	}
	for _, consumer := range consumers {
		if _, open := c.consumers[consumer]; open {
			delete(c.consumers, consumer)
			consumer.close(last)
		}
	}
}

// enter locks the connection, unless it is closed.
func (c *Connection) enter() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return errClosed
	}
	return nil
}

// Room waits while too much is not yet durable. A sender calls it before each message. The wait is the disk's, and ends
// whatever this connection does.
func (c *Connection) Room(ctx context.Context) error { return c.broker.store.Room(ctx) }

// WhenDurable calls done once all that was asked for before is durable.
func (c *Connection) WhenDurable(done func()) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.mu.Unlock()
	return c.broker.store.Barrier(done)
}

// Send sends a message to its destination; done is called when the broker has it: for a persistent message on a queue,
// when it is durable.
func (c *Connection) Send(m *message.Message, done func()) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.mu.Unlock()
	if isQuestion(m) {
		return c.broker.answer(m, done)
	}
	if err := sendable(m); err != nil {
		return err
	}
	m = c.broker.stamp(m)
	m.SetBrokerIn(c.broker.millis())
	p, err := planOf(m)
	if err != nil {
		return err
	}
	copies, err := c.broker.route(m)
	switch {
	case err != nil:
		return err
	case (p != nil || slices.ContainsFunc(copies, c.broker.keeps)) && !c.broker.store.Fresh(m):
		return c.broker.store.Barrier(done)
	case isManagement(m.Destination()):
		return c.broker.schedule.manage(m, done)
	case p != nil:
		return c.broker.schedule.put(m, p, done)
	case len(copies) == 1:
		return c.sendOne(copies[0], done)
	}
	return c.sendAll(copies, done)
}

func (c *Connection) sendOne(m *message.Message, done func()) error {
	d := m.Destination()
	if m.Expired(c.broker.millis()) {
		return c.broker.mourn(m, c.broker.policy(d), d, "", death{expired: true}, done)
	}
	if d.IsTopic() {
		t, err := c.broker.topic(d)
		if err != nil {
			return err
		}
		if t.keeps(m) {
			return t.store(m, c, done)
		}
		m.SetBrokerSequence(c.broker.store.NextSequence())
		t.publish(m, c)
		call(done)
		return nil
	}
	q, err := c.broker.queue(d)
	if err != nil {
		return err
	}
	if c.broker.keeps(m) {
		return q.store(m, done)
	}
	m.SetBrokerSequence(c.broker.store.NextSequence())
	q.arrive(m, false)
	call(done)
	return nil
}

// sendAll sends what a message is routed to, as one.
func (c *Connection) sendAll(copies []*message.Message, done func()) error {
	t := c.work()
	if err := t.addEach(copies); err != nil {
		t.undo()
		return err
	}
	return t.commit(done)
}

// stored tells whether a message, as it is routed, is kept in the store: a persistent one for a queue that outlives its connection.
func stored(m *message.Message) bool {
	return m.Persistent() && m.Destination().Kind == destination.Queue
}

// keeps tells whether a message, as it is routed, is kept in the store, for a queue or for the durable subscriptions of a topic.
func (b *Broker) keeps(m *message.Message) bool {
	if stored(m) || !m.Persistent() {
		return m.Persistent()
	}
	t := b.existingTopic(m.Destination())
	return t != nil && t.keeps(m)
}

// sendable refuses what the broker cannot do justice to.
func sendable(m *message.Message) error {
	d := m.Destination()
	switch {
	case d.Validate() != nil:
		return errorf(InvalidDestination, "cannot send to %s: %v", d, d.Validate())
	case d.IsPattern():
		return errorf(InvalidDestination, "cannot send to %s: a wildcard is for consumers", d)
	}
	return nil
}

// Subscribe adds a consumer, whose deliveries go to the receiver from then on, also before Subscribe returns.
func (c *Connection) Subscribe(spec ConsumerSpec, receiver Receiver) (*Consumer, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	d := spec.Destination
	if err := d.Validate(); err != nil {
		return nil, errorf(InvalidDestination, "cannot consume from %s: %v", d, err)
	}
	s, err := compile(spec.Selector)
	if err != nil {
		return nil, err
	}
	spec.Prefetch = c.broker.prefetch(spec)
	consumer := &Consumer{spec: spec, connection: c, receiver: receiver, selector: s}
	consumer.strict = !c.broker.policy(d.Members()[0]).UsePrefetchExtension
	consumer.heard.Store(c.broker.millis())
	if err := c.broker.attach(consumer, d.Members()); err != nil {
		return nil, err
	}
	c.consumers[consumer] = struct{}{}
	c.broker.audience.add(consumer)
	if !isAdvisory(d) {
		consumer.place = c.broker.advisories.came(consumer)
	}
	return consumer, nil
}

// mayShare refuses the temporary destination of another connection (JMS 1.1 §4.4.3), unless its policy allows that.
func (c *Consumer) mayShare(d destination.Destination, owner *Connection) error {
	if owner == nil || owner == c.connection || c.connection.broker.policy(d).AllowTempDestinationStealing {
		return nil
	}
	kind := "queue"
	if d.IsTopic() {
		kind = "topic"
	}
	return errorf(InvalidDestination, "%s: Subscribing to a temporary %s created by another connection is not permitted", d, kind)
}

var errClosed = &Error{IllegalState, "the connection is closed"}
