package core

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// topic hands each message to the subscriptions that there are. Who is not there does not get it (JMS 1.1 §6.2), unless the
// subscription is durable: so a persistent message to it is stored if there is one of these, once for all of them.
type topic struct {
	broker *Broker
	name   destination.Destination
	owner  *Connection // of a temporary topic
	place  place       // among what advisories tell of
	policy atomic.Pointer[policy.Policy]

	producers atomic.Int64 // how many there are

	mu            sync.RWMutex
	subscriptions []*subscription
	swept         int64 // when expired messages were looked for, in milliseconds since 1970

	durables roster
	online   roster // of the durables
}

// keeps tells whether a message to the topic is stored.
func (t *topic) keeps(m *message.Message) bool { return m.Persistent() && !t.durables.empty() }

// store keeps a persistent message and, when that is durable, gives it to all subscriptions and calls done.
func (t *topic) store(m *message.Message, from *Connection, done func()) error {
	err := t.broker.store.Add(m, func() {
		t.arrive(m, from)
		call(done)
	})
	if err == nil {
		t.advance(m.BrokerSequence()) // becomes durable together with the message
	}
	return err
}

// advance puts the horizons of who is online ahead of a message.
func (t *topic) advance(sequence uint64) {
	for d := range t.online.all() {
		d.queue.advance(sequence)
	}
}

// arrive gives a stored message to all that are there; the durable subscriptions that are offline find it in the store.
func (t *topic) arrive(m *message.Message, from *Connection) {
	t.hand(m, from)
	for d := range t.online.all() {
		d.queue.arrive(m, true)
	}
}

// publish gives a message that is not stored to all subscriptions; from is nil for what the broker sends.
func (t *topic) publish(m *message.Message, from *Connection) {
	t.hand(m, from)
	for d := range t.durables.all() {
		d.offer(m)
	}
}

// hand gives the message to the subscriptions that are not durable.
func (t *topic) hand(m *message.Message, from *Connection) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, s := range t.subscriptions {
		s.offer(m, from)
	}
}

func (t *topic) add(s *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.subscriptions = append(t.subscriptions, s)
}

func (t *topic) remove(s *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.subscriptions = slices.DeleteFunc(t.subscriptions, func(o *subscription) bool { return o == s })
}

func (t *topic) used() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.subscriptions) > 0
}

// needed tells whether somebody consumes from the topic by its own name, and not only by a pattern.
func (t *topic) needed() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.ContainsFunc(t.subscriptions, func(s *subscription) bool { return s.consumer.names(t.name) })
}

// subscription is one consumer's share of one or several topics: what is on the way to it, counted, and what waits.
type subscription struct {
	consumer *Consumer
	topics   []*topic

	mu       sync.Mutex
	waiting  []*message.Message
	sent     int // delivered and not acknowledged
	expanded int // of these, how many have reached the program, so that they do not count against the prefetch
	leaving  int // bytes of messages delivered and not written yet
	pulls    pulls
	closed   bool
}

// offer sends the message, or keeps it until the consumer can take it.
func (s *subscription) offer(m *message.Message, from *Connection) {
	c := s.consumer
	if c.spec.NoLocal && from == c.connection {
		return
	}
	if c.selector != nil && !c.selector.Matches(properties{m, false}) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.waiting = append(s.waiting, m)
	c.connection.broker.memory.add(m.Size())
	s.dispatch()
}

// dispatch sends what waits as far as the consumer can take it. s.mu is held.
func (s *subscription) dispatch() {
	for len(s.waiting) > 0 && s.credit() > 0 {
		m := s.next()
		if m.Expired(s.consumer.connection.broker.millis()) {
			s.free(m.Size())
			s.lapse(m)
			continue
		}
		s.sent++
		s.leaving += m.Size()
		s.consumer.receiver.Deliver(Delivery{Message: m, Redelivered: m.Redeliveries(), Pull: s.pulls.answer(), subscription: s})
	}
}

// written ends the count of a delivered message. Closing did that for all of them.
func (s *subscription) written(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.leaving -= size
		s.free(size)
	}
}

func (s *subscription) free(size int) { s.consumer.connection.broker.memory.add(-size) }

func (s *subscription) next() *message.Message {
	m := s.waiting[0]
	s.waiting[0] = nil
	s.waiting = s.waiting[1:]
	return m
}

func (s *subscription) credit() int {
	if s.consumer.spec.Prefetch == 0 {
		return s.pulls.waiting()
	}
	return s.consumer.spec.Prefetch - s.sent + s.expanded
}

// acknowledge implements source. Of a topic's message only the count matters: there is nothing to give back to.
func (s *subscription) acknowledge(_ *Consumer, a Ack, _ *Transaction, done func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch a.Kind {
	case Delivered:
		s.expanded = min(s.sent, s.expanded+a.Count)
	case Redelivered:
	default:
		s.sent = max(0, s.sent-a.Count)
		s.expanded = max(0, s.expanded-a.Count)
	}
	call(done)
	s.dispatch()
	return nil
}

// pull implements source.
func (s *subscription) pull(_ *Consumer, wait bool) (number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number = s.pulls.ask()
	s.dispatch()
	if !wait {
		s.endPull(number)
	}
	return number
}

// cancelPull implements source.
func (s *subscription) cancelPull(_ *Consumer, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endPull(number)
}

func (s *subscription) endPull(number uint64) {
	if s.pulls.waits(number) {
		s.consumer.receiver.Deliver(Delivery{Pull: s.pulls.answer()})
	}
}

// setPrefetch implements source.
func (s *subscription) setPrefetch(c *Consumer, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.spec.Prefetch = n
	s.dispatch()
}

// close implements source.
func (s *subscription) close(c *Consumer, _ LastDelivered) {
	c.connection.broker.advisories.deafen(c.spec.Destination)
	if c.spec.Destination.IsPattern() {
		c.connection.broker.unfollow(c)
	}
	for _, t := range s.topics {
		t.remove(s)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.free(s.leaving)
	for len(s.waiting) > 0 {
		s.free(s.next().Size())
	}
}
