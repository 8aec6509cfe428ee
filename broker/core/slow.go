package core

import (
	"fmt"

	"github.com/twinmesh/twinmesh/broker/message"
)

// judge notes that a consumer is slow: it has its prefetch, and as much waits. s.mu is held.
func (s *subscription) judge() {
	prefetch := s.consumer.spec.Prefetch
	if s.slow || prefetch <= 1 || s.pending.count <= prefetch {
		return
	}
	s.slow = true
	b := s.consumer.connection.broker
	b.logger.Warn("a consumer is slow: it has its prefetch, and as much waits for it", "consumer", s.String(),
		"connection", s.consumer.connection.spec.ID, "prefetch", prefetch)
}

// discard ends a message that the consumer is too slow for. s.mu is held.
func (s *subscription) discard(m *message.Message) {
	b, d := s.consumer.connection.broker, m.Destination()
	s.lost++
	if d.IsAdvisory() {
		return
	}
	cause := death{cause: fmt.Sprintf("java.lang.Throwable: Subscription discard. ID:%v", s.consumer.spec.Subject)}
	if err := b.mourn(m, b.policy(d), d, "", cause, nil); err != nil {
		b.logger.Debug("no dead letters: the store takes nothing more", "topic", d.String(), "error", err)
	}
}
