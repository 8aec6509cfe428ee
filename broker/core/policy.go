package core

import (
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// policy returns the options of a destination, or of a pattern that someone consumes from. Queues and topics keep their own.
func (b *Broker) policy(d destination.Destination) *policy.Policy {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.policies.Find(d)
}

// SetPolicies replaces the options of all destinations, also of those that are in use. What it means for a consumer's prefetch
// holds for consumers that come after.
func (b *Broker) SetPolicies(policies *policy.Map) {
	b.mu.Lock()
	b.use(policies) // and whatever comes into being has its options from these
	b.mu.Unlock()
	for _, q := range b.allQueues() {
		q.setPolicy(policies.Find(q.name))
	}
	for _, d := range b.allDurables() {
		d.queue.setPolicy(policies.Find(d.Destination))
	}
	for _, t := range b.allTopics() {
		t.setPolicy(policies)
	}
}

// use takes policies; b.mu is held or b is not shared yet.
func (b *Broker) use(policies *policy.Map) {
	b.policies = policies
	b.setRouting(policies.Virtual)
	b.recount()
	b.audits.forget()
	b.stamping.Store(policies.TimeStamping)
	b.redelivery.Store(policies.Redelivery)
}

func (q *queue) setPolicy(p *policy.Policy) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.policy.Store(p)
	q.usage.wake()
	q.groups.Groups = p.Groups()
	q.rank()
	if q.exclusive == nil || !q.competes(q.exclusive) {
		q.setExclusive(q.successor())
	}
	q.dispatch()
}

func (t *topic) setPolicy(policies *policy.Map) {
	t.policy.Store(policies.Find(t.name))
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, s := range t.subscriptions {
		s.policy.Store(policies.Find(s.consumer.spec.Destination.Members()[0]))
	}
}

// prefetch is what a consumer asks for, or what the policy of its destination says to those who ask for their client's default.
func (b *Broker) prefetch(spec ConsumerSpec) int {
	first := spec.Destination.Members()[0]
	p := b.policy(first)
	switch {
	case spec.Subscription != "":
		return durablePrefetch(spec.Prefetch, p)
	case spec.Browser && spec.Prefetch == policy.ClientBrowserPrefetch:
		return p.QueueBrowserPrefetch
	case spec.Browser:
	case first.IsQueue() && spec.Prefetch == policy.ClientQueuePrefetch:
		return p.QueuePrefetch
	case first.IsTopic() && spec.Prefetch == policy.ClientTopicPrefetch:
		return p.TopicPrefetch
	}
	return spec.Prefetch
}

// durablePrefetch is prefetch for a durable subscription. Clients that optimize acknowledgements ask for another default, which stays as
// long as no policy says anything.
func durablePrefetch(asked int, p *policy.Policy) int {
	standard := asked == policy.ClientDurableTopicPrefetch
	optimized := asked == policy.ClientOptimizedDurableTopicPrefetch && p.DurableTopicPrefetch != policy.ClientDurableTopicPrefetch
	if standard || optimized {
		return p.DurableTopicPrefetch
	}
	return asked
}
