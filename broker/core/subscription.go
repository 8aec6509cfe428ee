package core

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// writeAhead is how many bytes may be on the way to a topic consumer that does not read. The rest waits, where it can be put out of
// memory.
const writeAhead = 256 << 10

// subscription is one consumer's share of one or several topics: what is on the way to it, counted, and what waits. A consumer
// that does not keep up costs nobody else anything: what waits for it is in memory as long as there is some of that, then
// in the spool, and when that is full, too, is discarded.
type subscription struct {
	consumer *Consumer
	policy   atomic.Pointer[policy.Policy]

	attached sync.Mutex // taken under the broker's lock, and nothing else is under it
	topics   []*topic

	mu       sync.Mutex
	pending  pending
	sent     int // delivered and not acknowledged
	expanded int // of these, how many have reached the program, so that they do not count against the prefetch
	leaving  int // bytes of messages delivered and not written yet
	pulls    pulls
	lost     int // how many messages were discarded
	closed   bool
}

// offer sends the message, or keeps it until the consumer can take it. It is false if the consumer does not want it.
func (s *subscription) offer(m *message.Message, from *Connection) bool {
	c := s.consumer
	if c.spec.NoLocal && from == c.connection {
		return false
	}
	if c.selector != nil && !c.selector.Matches(properties{m, false}) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
	case s.pending.count == 0 && s.ready():
		s.consumer.slow.Store(false)
		s.deliver(m)
	default:
		s.keep(m)
		s.dispatch()
	}
	return true
}

// ready tells whether the consumer can take a message, and its connection, too. s.mu is held.
func (s *subscription) ready() bool {
	return s.credit() > 0 && (s.leaving == 0 || s.leaving < writeAhead && s.fanout().room())
}

// fanout is the memory of what is on the way to topic consumers, or waits for them.
func (s *subscription) fanout() *budget { return &s.consumer.connection.broker.fanout }

func (s *subscription) deliver(m *message.Message) {
	s.sent++
	s.consumer.dispatched.Add(1)
	if t := s.topicOf(m); t != nil {
		t.dispatched.Add(1)
	}
	s.leaving += m.Size()
	s.fanout().add(m.Size())
	if a := s.consumer.connection.broker.advisories; a.hears(DispatchedAdvisory) {
		a.happened(Advice{Family: DispatchedAdvisory, Destination: m.Destination(), Message: m, Subject: s.consumer.spec.Subject})
	}
	s.consumer.receiver.Deliver(Delivery{Message: m, Redelivered: m.Redeliveries(), Pull: s.pulls.answer(), subscription: s})
}

// topicOf is the topic that a message came from, nil if that is gone.
func (s *subscription) topicOf(m *message.Message) *topic {
	s.attached.Lock()
	topics := s.topics
	s.attached.Unlock()
	if len(topics) == 1 {
		return topics[0]
	}
	return s.consumer.connection.broker.existingTopic(m.Destination())
}

// dispatch sends what waits as far as the consumer can take it. s.mu is held.
func (s *subscription) dispatch() {
	for s.pending.count > 0 && s.ready() {
		m := s.retrieve(s.pending.next(s.policy.Load().PrioritizedMessages))
		switch {
		case m == nil:
		case m.Expired(s.consumer.connection.broker.millis()):
			s.lapse(m)
		default:
			s.deliver(m)
		}
		if s.pending.count == 0 {
			s.consumer.slow.Store(false)
		}
	}
}

// written ends the count of a delivered message. Closing did that for all of them.
func (s *subscription) written(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.leaving -= size
		s.fanout().add(-size)
		s.dispatch()
	}
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
		s.consumed(min(s.sent, a.Count))
		s.sent = max(0, s.sent-a.Count)
		s.expanded = max(0, s.expanded-a.Count)
	}
	call(done)
	s.dispatch()
	return nil
}

// consumed counts acknowledged messages, those of a consumer of several topics with its first one.
func (s *subscription) consumed(count int) {
	s.consumer.dequeued.Add(int64(count))
	s.attached.Lock()
	defer s.attached.Unlock()
	if len(s.topics) > 0 {
		s.topics[0].dequeued.Add(int64(count))
	}
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
	s.attached.Lock()
	topics := s.topics
	s.attached.Unlock()
	for _, t := range topics {
		t.remove(s)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	s.fanout().add(-s.leaving)
	s.pending.take(func(w *waiting) bool {
		s.forget(w)
		return true
	})
}

// String is what logs call it.
func (s *subscription) String() string {
	return fmt.Sprintf("a consumer of %s", s.consumer.spec.Destination)
}
