package core

import "github.com/twinmesh/twinmesh/broker/destination"

func (c *Connection) advice() Advice {
	return Advice{Family: ConnectionAdvisory, Topic: advisoryPrefix + familyNames[ConnectionAdvisory], Subject: c.spec.Subject}
}

func (c *Consumer) advice() Advice {
	d := c.spec.Destination
	return Advice{Family: ConsumerAdvisory, Topic: perDestination(ConsumerAdvisory, d), Subject: c.spec.Subject, Destination: d}
}

func (p *Producer) advice() Advice {
	d := p.spec.Destination
	a := Advice{Family: ProducerAdvisory, Topic: perDestination(ProducerAdvisory, d), Subject: p.spec.Subject, Destination: d}
	if p.anonymous() {
		a.Topic = advisoryPrefix + familyNames[ProducerAdvisory] + ".Anonymous"
	}
	return a
}

func (q *queue) advice() Advice { return adviceOf(q.name, q.owner) }

func (t *topic) advice() Advice { return adviceOf(t.name, t.owner) }

func adviceOf(d destination.Destination, owner *Connection) Advice {
	f := map[destination.Kind]Family{
		destination.Queue: QueueAdvisory, destination.Topic: TopicAdvisory,
		destination.TempQueue: TempQueueAdvisory, destination.TempTopic: TempTopicAdvisory,
	}[d.Kind]
	a := Advice{Family: f, Topic: advisoryPrefix + familyNames[f], Destination: d}
	if owner != nil {
		a.Subject = owner.spec.Subject
	}
	return a
}

// master is the broker itself, which clients learn of that ask who serves.
type master struct{}

func (master) advice() Advice {
	return Advice{Family: MasterAdvisory, Topic: advisoryPrefix + familyNames[MasterAdvisory]}
}

// countConsumers is how many consumers there are of a destination, or of the members of a composite.
func (b *Broker) countConsumers(d destination.Destination) (count int) {
	b.each(d, func(q *queue) {
		q.mu.Lock()
		defer q.mu.Unlock()
		count += len(q.seats)
	}, func(t *topic) {
		t.mu.RLock()
		defer t.mu.RUnlock()
		count += len(t.subscriptions)
	})
	return count
}

// countProducers is how many producers there are for a destination, or for the members of a composite.
func (b *Broker) countProducers(d destination.Destination) (count int) {
	b.each(d, func(q *queue) { count += int(q.producers.Load()) }, func(t *topic) { count += int(t.producers.Load()) })
	return count
}

// each calls one of the functions for each queue or topic that is there, of those that d names.
func (b *Broker) each(d destination.Destination, queues func(*queue), topics func(*topic)) {
	for _, member := range d.Members() {
		b.mu.RLock()
		q, t := b.queues[member], b.topics[member]
		b.mu.RUnlock()
		if q != nil {
			queues(q)
		}
		if t != nil {
			topics(t)
		}
	}
}
