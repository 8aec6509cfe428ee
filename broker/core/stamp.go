package core

import "github.com/twinmesh/twinmesh/broker/message"

// stamp sets a message's times by the broker's clock, if it is told to.
func (b *Broker) stamp(m *message.Message) *message.Message {
	s := b.stamping.Load()
	if s == nil || m.Timestamp() <= 0 || m.FromNetwork() && !s.ProcessNetworkMessages || b.returns(m) {
		return m
	}
	now := b.millis()
	live := s.ZeroExpirationOverride
	if m.Expiration() > 0 {
		live = m.Expiration() - m.Timestamp()
	}
	if s.TTLCeiling > 0 {
		live = min(live, s.TTLCeiling)
	}
	if s.FutureOnly && now+live <= m.Expiration() {
		return m
	}
	sets := []message.Set{message.SetTimestamp(now)}
	if live > 0 {
		sets = append(sets, message.SetExpiration(now+live))
	}
	return m.With(sets...)
}

// returns tells whether a client sends a dead letter to where it belongs.
func (b *Broker) returns(m *message.Message) bool {
	from, moved := m.OriginalDestination()
	if !moved {
		return false
	}
	letters, _, some := b.policy(m.Destination()).DeadLetterStrategy.LettersOf(from, "")
	return some && letters == m.Destination()
}
