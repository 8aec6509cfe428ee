package core

import (
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// maxNotes is how many happenings may wait to be told. What is more than that is told to nobody: whoever tells is behind, and
// advisories are not worth the memory.
const maxNotes = 1 << 16

// happened notes what happened to a message or because of one, if somebody listens and the destination's policy wants it told. It is
// told a little later, so any lock may be held but a consumer's, under which no policy can be found.
func (a *advisories) happened(v Advice) {
	if a.advisor == nil || !a.hears(v.Family) || v.Destination.IsAdvisory() {
		return
	}
	p := a.broker.policy(v.Destination)
	if !told(v.Family, p, v.Destination) {
		return
	}
	v.Body, v.Topic = p.IncludeBodyForAdvisory, perDestination(v.Family, v.Destination)
	a.mu.Lock()
	room := len(a.notes) < maxNotes
	if room {
		a.note(v)
	}
	a.mu.Unlock()
	if room {
		a.later()
	}
}

// hears tells whether anybody listens to a family.
func (a *advisories) hears(f Family) bool { return a.heard[f].Load() > 0 }

// told tells whether a policy wants a family told. What a queue's consumers are slow for is always, as in ActiveMQ.
func told(f Family, p *policy.Policy, d destination.Destination) bool {
	switch f {
	case SlowConsumerAdvisory:
		return p.AdvisoryForSlowConsumers || d.IsQueue()
	case FastProducerAdvisory:
		return p.AdvisoryForFastProducers
	case DiscardedAdvisory:
		return p.AdvisoryForDiscardingMessages
	case FullAdvisory:
		return p.AdvisoryWhenFull
	case DeliveredAdvisory:
		return p.AdvisoryForDelivery
	case ConsumedAdvisory:
		return p.AdvisoryForConsumed
	case DispatchedAdvisory:
		return p.AdvisoryForDispatched
	case NoConsumerAdvisory:
		return p.SendAdvisoryIfNoConsumers
	}
	return true
}

// consumed tells that messages were acknowledged.
func (q *queue) consumed(nodes []*node) {
	if !q.broker.advisories.hears(ConsumedAdvisory) {
		return
	}
	for _, n := range nodes {
		_, at, _ := q.backing.origin(n.message)
		q.broker.advisories.happened(Advice{Family: ConsumedAdvisory, Destination: at, Message: n.message})
	}
}

// dispatched tells that a message is on its way to a consumer.
func (q *queue) dispatched(n *node, c *Consumer) {
	q.statistics.dispatched.Add(1)
	c.dispatched.Add(1)
	if in := n.message.BrokerIn(); in > 0 {
		q.process.add(q.broker.millis() - in)
	}
	if q.broker.advisories.hears(DispatchedAdvisory) {
		_, at, _ := q.backing.origin(n.message)
		q.broker.advisories.happened(Advice{Family: DispatchedAdvisory, Destination: at, Message: n.message, Subject: c.spec.Subject})
	}
}

// delivered tells that a message has reached its destination, and whether nobody is there to get it. Persistent ones wait for somebody,
// or are for durable subscriptions.
func (b *Broker) delivered(m *message.Message, d destination.Destination, attended bool) {
	b.advisories.happened(Advice{Family: DeliveredAdvisory, Destination: d, Message: m})
	if !attended && !m.Persistent() {
		b.advisories.happened(Advice{Family: NoConsumerAdvisory, Destination: d, Message: m})
	}
}

// Held tells that a message waits, and its producer with it, because the memory for such messages is full.
func (c *Connection) Held(m *message.Message, producer *Producer) {
	b := c.broker
	b.memory.mu.Lock()
	used := b.memory.used
	b.memory.mu.Unlock()
	for _, d := range m.Destination().Members() {
		b.advisories.happened(Advice{Family: FullAdvisory, Destination: d, Count: int(used)})
		if producer != nil {
			b.advisories.happened(Advice{Family: FastProducerAdvisory, Destination: d, Subject: producer.spec.Subject})
		}
	}
}
