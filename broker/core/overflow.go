package core

import (
	"fmt"
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// budget is an amount of memory of which somebody else decides what to do when it is spent.
type budget struct {
	limit int64
	used  atomic.Int64
}

func (b *budget) add(n int) { b.used.Add(int64(n)) }

func (b *budget) room() bool { return b.used.Load() < b.limit }

// keep has a message wait for the consumer, and discards what is then beyond its limit. s.mu is held.
func (s *subscription) keep(m *message.Message) {
	c, p := s.consumer, s.policy.Load()
	s.judge(m)
	limit := p.PendingMessageLimitStrategy.Limit(c.spec.Prefetch, c.spec.MaximumPending)
	if limit == 0 {
		s.discard(m)
		return
	}
	if !s.store(m) {
		s.discard(m)
		return
	}
	if limit > 0 {
		s.evict(limit)
	}
}

// store puts a message behind those that wait: in memory, or if there is too little in the spool. It is false if neither has room.
func (s *subscription) store(m *message.Message) bool {
	w := waiting{message: m, size: m.Size(), priority: m.Priority(), expiration: m.Expiration()}
	f := s.fanout()
	if f.used.Load()+int64(w.cost()) > f.limit {
		place, err := s.consumer.connection.broker.spool.Put(m.Bytes())
		if err != nil || f.used.Load() > 2*f.limit { // what is in the spool takes some memory, too
			s.report("discarding what waits for slow consumers of topics, since neither memory nor the spool has room", err)
			if err == nil {
				s.consumer.connection.broker.spool.Drop(place)
			}
			return false
		}
		w.message, w.spooled = nil, place
	}
	f.add(w.cost())
	p := s.policy.Load()
	s.pending.push(w, p.PrioritizedMessages || p.MessageEvictionStrategy.LowestPriority != nil)
	return true
}

// report tells of trouble, once for a subscription.
func (s *subscription) report(what string, err error) {
	if s.lost == 0 {
		s.consumer.connection.broker.logger.Warn(what, "consumer", s.String(), "connection", s.consumer.connection.spec.ID, "error", err)
	}
}

// retrieve makes a message of one that waited, nil if it cannot be read back.
func (s *subscription) retrieve(w waiting) *message.Message {
	m, err := s.load(&w)
	s.forget(&w)
	if err != nil {
		s.report("cannot read back a message that waited for a slow consumer", err)
		s.lost++
	}
	return m
}

func (s *subscription) load(w *waiting) (*message.Message, error) {
	if w.message != nil {
		return w.message, nil
	}
	b, err := s.consumer.connection.broker.spool.Get(w.spooled)
	if err != nil {
		return nil, err
	}
	return message.Parse(b)
}

// forget gives back the room of a message that waited.
func (s *subscription) forget(w *waiting) {
	s.fanout().add(-w.cost())
	if w.message == nil {
		s.consumer.connection.broker.spool.Drop(w.spooled)
	}
}

// evict discards messages until not more than limit wait, by the strategy of the policy: those that have expired first, if many wait.
func (s *subscription) evict(limit int) {
	strategy := s.policy.Load().MessageEvictionStrategy
	if s.pending.count > min(limit, strategy.Watermark()) {
		for _, w := range s.pending.expired(s.consumer.connection.broker.millis()) {
			if m := s.retrieve(w); m != nil {
				s.lapse(m)
			}
		}
	}
	for s.pending.count > limit {
		switch {
		case strategy.UniqueProperty != nil:
			s.evictOutdated(strategy.UniqueProperty.PropertyName)
		case strategy.LowestPriority != nil:
			s.evictOne(s.pending.lowest())
		default:
			s.evictOne(s.pending.next(false))
		}
	}
}

func (s *subscription) evictOne(w waiting) {
	if m := s.retrieve(w); m != nil {
		s.discard(m)
	}
}

// lookedAt is how many waiting messages an eviction by a property looks at, from the oldest on.
const lookedAt = 1000

// evictOutdated discards the messages that a newer one has the same value of a property as, and those without it. If there is no such
// message the oldest goes.
func (s *subscription) evictOutdated(property string) {
	newest := map[string]uint64{}
	values := map[uint64]string{}
	seen := 0
	s.pending.take(func(w *waiting) bool {
		if seen++; seen > lookedAt {
			return false
		}
		if m, err := s.load(w); err == nil {
			if value, found := propertyText(m, property); found {
				newest[value] = max(newest[value], w.order)
				values[w.order] = value
			}
		}
		return false
	})
	if len(newest) == 0 || len(newest) == min(seen, lookedAt) {
		s.evictOne(s.pending.next(false))
		return
	}
	seen = 0
	outdated := s.pending.take(func(w *waiting) bool {
		seen++
		value, found := values[w.order]
		return seen <= lookedAt && !(found && newest[value] == w.order)
	})
	for _, w := range outdated {
		s.evictOne(w)
	}
}

// propertyText tells a property's value apart from all others.
func propertyText(m *message.Message, name string) (string, bool) {
	v, found := wire.Lookup(m.Properties(), name)
	if !found || v.IsNull() {
		return "", false
	}
	if v.IsText() {
		return "text " + v.Text(), true
	}
	if n, exact := v.Int(); exact {
		return fmt.Sprint(n), true
	}
	f, _ := v.Float()
	return fmt.Sprint(v.Kind(), v.Bool(), f), true
}
