package core

import (
	"fmt"
	"sync"

	"github.com/twinmesh/twinmesh/broker/policy"
)

// watch is of the slow consumers of destinations whose policies have a strategy against them.
type watch struct {
	mu      sync.Mutex // may be taken under a destination's lock
	slow    map[*Consumer]*slowness
	checked map[*policy.AbortSlowConsumer]int64 // when, in milliseconds since 1970
}

// slowness is what is known of a slow consumer.
type slowness struct {
	limits *policy.AbortSlowConsumer
	times  int // that it became slow
	checks int // that found it slow
}

// excessive tells whether the limits are reached.
func (s *slowness) excessive() bool {
	return s.limits.MaxSlowDuration > 0 && int64(s.checks)*s.limits.CheckPeriod >= s.limits.MaxSlowDuration ||
		s.limits.MaxSlowCount > 0 && s.times >= s.limits.MaxSlowCount
}

// fell notes that a consumer has become slow.
func (w *watch) fell(c *Consumer, strategy *policy.SlowConsumerStrategy) {
	if strategy.Abort != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.note(c, strategy.Abort).times++
	}
}

// note returns what is known of a slow consumer. w.mu is held.
func (w *watch) note(c *Consumer, limits *policy.AbortSlowConsumer) *slowness {
	s := w.slow[c]
	if s == nil || s.limits != limits {
		s = &slowness{limits: limits}
		w.slow[c] = s
	}
	return s
}

// forget ends the watch of a consumer.
func (w *watch) forget(c *Consumer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.slow, c)
}

// due tells whether the strategy's period is over, in which case the next one begins. w.mu is held.
func (w *watch) due(limits *policy.AbortSlowConsumer, now int64) bool {
	last, known := w.checked[limits]
	if known && now-last < limits.CheckPeriod {
		return false
	}
	w.checked[limits] = now
	return known
}

// AbortSlow closes consumers that are slower than the policies allow. Its owner calls it often.
func (b *Broker) AbortSlow() {
	now := b.millis()
	strategies := b.strategies()
	w := &b.watch
	w.mu.Lock()
	due := map[*policy.AbortSlowConsumer]bool{}
	for limits := range w.checked {
		if strategies[limits] == nil { // the policy was replaced
			delete(w.checked, limits)
		}
	}
	for limits := range strategies {
		due[limits] = w.due(limits, now)
	}
	w.mu.Unlock()
	for limits, strategy := range strategies {
		if due[limits] && strategy.AbortAck != nil {
			b.findSilent(strategy, now)
		}
	}
	for c, limits := range w.excessive(due) {
		b.abort(c, limits)
	}
}

// strategies are those of all destinations.
func (b *Broker) strategies() map[*policy.AbortSlowConsumer]*policy.SlowConsumerStrategy {
	all := map[*policy.AbortSlowConsumer]*policy.SlowConsumerStrategy{}
	add := func(p *policy.Policy) {
		if l := p.SlowConsumerStrategy.Limits(); l != nil {
			all[l] = &p.SlowConsumerStrategy
		}
	}
	for _, q := range b.allQueues() {
		add(q.policy.Load())
	}
	for _, t := range b.allTopics() {
		add(t.policy.Load())
	}
	return all
}

// excessive takes out those who reach their limits, in this check of the strategies that are due.
func (w *watch) excessive(due map[*policy.AbortSlowConsumer]bool) map[*Consumer]*policy.AbortSlowConsumer {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := map[*Consumer]*policy.AbortSlowConsumer{}
	for c, s := range w.slow {
		isDue, inUse := due[s.limits]
		switch {
		case !inUse || isDue && !c.slow.Load():
			delete(w.slow, c)
		case isDue:
			if s.checks++; s.excessive() {
				delete(w.slow, c)
				found[c] = s.limits
			}
		}
	}
	return found
}

// findSilent notes who has acknowledged nothing for longer than the strategy allows, of its destinations' consumers.
func (b *Broker) findSilent(strategy *policy.SlowConsumerStrategy, now int64) {
	for _, q := range b.allQueues() {
		if q.policy.Load().SlowConsumerStrategy.AbortAck == strategy.AbortAck {
			b.judgeSilence(q.advisedAt(), q.attendants(), strategy.AbortAck, now)
		}
	}
	for _, t := range b.allTopics() {
		if t.policy.Load().SlowConsumerStrategy.AbortAck == strategy.AbortAck {
			b.judgeSilence(t.advisedAt(), t.attendants(), strategy.AbortAck, now)
		}
	}
}

func (b *Broker) judgeSilence(slow Advice, consumers []*Consumer, strategy *policy.AbortSlowAckConsumer, now int64) {
	for _, c := range consumers {
		silent := strategy.MaxTimeSinceLastAck >= 0 && now-c.heard.Load() > strategy.MaxTimeSinceLastAck
		if !silent || strategy.IgnoreIdleConsumers && c.source.inFlight(c) == 0 {
			b.watch.forget(c)
			continue
		}
		if !c.slow.Swap(true) {
			slow.Subject = c.spec.Subject
			b.advisories.happened(slow)
		}
		b.watch.mu.Lock()
		b.watch.note(c, &strategy.AbortSlowConsumer).times++
		b.watch.mu.Unlock()
	}
}

// advisedAt is what is told of a slow consumer of the queue.
func (q *queue) advisedAt() Advice { return Advice{Family: SlowConsumerAdvisory, Destination: q.name} }

func (t *topic) advisedAt() Advice { return Advice{Family: SlowConsumerAdvisory, Destination: t.name} }

// attendants are the queue's consumers.
func (q *queue) attendants() (all []*Consumer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range q.seats {
		all = append(all, s.consumer)
	}
	return all
}

// attendants are the topic's consumers, also those of durable subscriptions.
func (t *topic) attendants() (all []*Consumer) {
	t.mu.RLock()
	for _, s := range t.subscriptions {
		all = append(all, s.consumer)
	}
	t.mu.RUnlock()
	for d := range t.online.all() {
		all = append(all, d.queue.attendants()...)
	}
	return all
}

// inFlight implements source.
func (a *attendance) inFlight(c *Consumer) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flight.length
}

// inFlight implements source.
func (s *subscription) inFlight(*Consumer) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// abort closes a slow consumer, or its connection.
func (b *Broker) abort(c *Consumer, limits *policy.AbortSlowConsumer) {
	b.logger.Warn("closing a consumer that is too slow", "destination", c.spec.Destination.String(),
		"connection", c.connection.spec.ID, "all its connection", limits.AbortConnection)
	if c.spec.Abort != nil {
		c.spec.Abort(c, limits.AbortConnection, fmt.Sprintf("a consumer of %s was slow too often (%d) or too long (%d ms)",
			c.spec.Destination, limits.MaxSlowCount, limits.MaxSlowDuration))
	}
}

// inFlight implements source. A browser has nothing to acknowledge.
func (*browser) inFlight(*Consumer) int { return 0 }
