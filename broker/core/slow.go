package core

import (
	"fmt"

	"github.com/twinmesh/twinmesh/broker/message"
)

// judge notes that a consumer is slow: it has its prefetch, and as much waits. s.mu is held.
func (s *subscription) judge(m *message.Message) {
	c := s.consumer
	if prefetch := c.spec.Prefetch; prefetch <= 1 || s.pending.count <= prefetch || c.slow.Swap(true) {
		return
	}
	b := c.connection.broker
	b.logger.Warn("a consumer is slow: it has its prefetch, and as much waits for it", "consumer", s.String(),
		"connection", c.connection.spec.ID, "prefetch", c.spec.Prefetch)
	b.watch.fell(c, &b.policy(m.Destination()).SlowConsumerStrategy)
	b.advisories.happened(Advice{Family: SlowConsumerAdvisory, Destination: m.Destination(), Subject: c.spec.Subject})
}

// fell notes that there is a message for a consumer of a queue or of a durable subscription that has its prefetch. The queue's lock is held.
func (s *seat) fell() {
	c, q := s.consumer, s.queue
	c.mu.Lock()
	prefetch := c.spec.Prefetch
	c.mu.Unlock()
	if prefetch > 0 && !c.slow.Swap(true) {
		q.broker.watch.fell(c, &q.policy.Load().SlowConsumerStrategy)
		q.broker.advisories.happened(Advice{Family: SlowConsumerAdvisory, Destination: q.name, Subject: c.spec.Subject})
	}
}

// discard ends a message that the consumer is too slow for. s.mu is held.
func (s *subscription) discard(m *message.Message) {
	b, d := s.consumer.connection.broker, m.Destination()
	s.lost++
	if d.IsAdvisory() {
		return
	}
	b.advisories.happened(Advice{Family: DiscardedAdvisory, Destination: d, Message: m, Subject: s.consumer.spec.Subject, Count: s.lost})
	cause := death{cause: fmt.Sprintf("java.lang.Throwable: Subscription discard. ID:%v", s.consumer.spec.Subject)}
	if err := b.mourn(m, b.policy(d), d, "", cause, nil); err != nil {
		b.logger.Debug("no dead letters: the store takes nothing more", "topic", d.String(), "error", err)
	}
}
