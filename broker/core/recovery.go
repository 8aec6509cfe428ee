package core

import (
	"bytes"
	"strings"
	"sync"

	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// The properties of messages that a topic is to retain, and of those that it did, as in ActiveMQ.
const (
	retainProperty   = "ActiveMQ.Retain"
	retainedProperty = "ActiveMQ.Retained"
)

var retainBytes = []byte(retainProperty)

// recovery is what a topic keeps for retroactive consumers: the message that its sender wanted retained, and by its policy some of
// the last ones.
type recovery struct {
	limit int // of the bytes of kept

	mu       sync.Mutex
	retained *message.Message
	kept     []keptMessage // the oldest first
	size     int           // bytes of kept
	weight   int           // of kept, as ActiveMQ counts
}

type keptMessage struct {
	message *message.Message
	at      int64 // milliseconds since 1970
}

// add keeps a message if it is to be, and returns what the subscribers of now get: it, without the wish to retain it.
func (r *recovery) add(m *message.Message, p policy.SubscriptionRecoveryPolicy, now int64) *message.Message {
	m = r.retain(m)
	if p.LastImage == nil && p.FixedCount == nil && p.FixedSized == nil && p.Timed == nil {
		return m
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, keptMessage{m, now})
	r.size += m.Size()
	r.weight += weigh(m)
	r.shrink(p, now)
	return m
}

// retain keeps a message that wants it in place of the one before. One without a body just ends that.
func (r *recovery) retain(m *message.Message) *message.Message {
	if !bytes.Contains(m.Properties(), retainBytes) {
		return m
	}
	wish, _ := wire.Lookup(m.Properties(), retainProperty)
	if !wish.Bool() && !strings.EqualFold(wish.Text(), "true") {
		return m
	}
	properties, err := wire.RemoveEntries(m.Properties(), retainProperty)
	if err != nil {
		return m
	}
	m = m.With(message.SetProperties(properties))
	var retained *message.Message
	if len(m.Content()) > 0 {
		if properties, err = wire.SetEntry(properties, retainedProperty, wire.BoolValue(true)); err == nil {
			retained = m.With(message.SetProperties(properties))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retained = retained
	return m
}

// prune forgets what is kept no longer by the policy of now.
func (r *recovery) prune(p policy.SubscriptionRecoveryPolicy, now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shrink(p, now)
}

// shrink forgets the oldest as far as the policy and the limit say. r.mu is held.
func (r *recovery) shrink(p policy.SubscriptionRecoveryPolicy, now int64) {
	drop := 0
	for ; drop < len(r.kept) && (r.size > r.limit && drop+1 < len(r.kept) || r.excess(drop, p, now)); drop++ {
		r.size -= r.kept[drop].message.Size()
		r.weight -= weigh(r.kept[drop].message)
		r.kept[drop] = keptMessage{}
	}
	r.kept = r.kept[drop:]
	if len(r.kept) == 0 {
		r.kept = nil
	}
}

// excess tells whether the policy would forget the first message that is left when drop are gone.
func (r *recovery) excess(drop int, p policy.SubscriptionRecoveryPolicy, now int64) bool {
	switch {
	case p.LastImage != nil:
		return len(r.kept)-drop > 1
	case p.FixedCount != nil:
		return len(r.kept)-drop > p.FixedCount.MaximumSize
	case p.FixedSized != nil:
		return r.weight > p.FixedSized.MaximumSize
	case p.Timed != nil:
		return r.kept[drop].at+p.Timed.RecoverDuration < now
	}
	return true
}

// weigh is what a message counts for in ActiveMQ: a KiB beside its body and properties.
func weigh(m *message.Message) int { return 1024 + len(m.Content()) + len(m.Properties()) }

// recover gives a new subscription what is kept.
func (r *recovery) recover(s *subscription) {
	for _, m := range r.all() {
		s.recover(m)
	}
}

// recover gives a durable subscription that has just begun what its topics keep. It has everything since by itself.
func (d *durable) recover(retroactive bool) {
	now := d.broker.millis()
	for _, t := range d.broker.allTopics() {
		if !d.covers(t) || !retroactive && !t.policy.Load().AlwaysRetroactive {
			continue
		}
		for _, m := range t.recovery.all() {
			if m.BrokerSequence() < d.id && !m.Expired(now) {
				d.offer(m)
			}
		}
	}
}

// all is what is kept, the oldest first but for what was retained.
func (r *recovery) all() (all []*message.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.retained != nil {
		all = append(all, r.retained)
	}
	for _, k := range r.kept {
		all = append(all, k.message)
	}
	return all
}

// recover offers a message from before, whose sender may be gone.
func (s *subscription) recover(m *message.Message) {
	c := s.consumer
	own := c.spec.NoLocal && strings.HasPrefix(m.ID(), c.connection.spec.ID+":")
	if !own && !m.Expired(c.connection.broker.millis()) {
		s.offer(m, nil)
	}
}
