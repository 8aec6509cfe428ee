package core

import (
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// ProducerSpec describes a producer.
type ProducerSpec struct {
	Destination destination.Destination // the zero one if it names one with each message
	Subject     any                     // what advisories tell of it, for the Advisor
}

// Producer is what a client sends with. Messages do not need one: it is there to be counted, and told of.
type Producer struct {
	spec       ProducerSpec
	connection *Connection
	counted    []*atomic.Int64 // where it counts
	place      place
}

func (p *Producer) anonymous() bool { return p.spec.Destination.Kind == 0 }

// AddProducer adds a producer. The queue or topic that it is for comes into being, if it is no temporary one.
func (c *Connection) AddProducer(spec ProducerSpec) (*Producer, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	p := &Producer{spec: spec, connection: c}
	if !p.anonymous() {
		if err := spec.Destination.Validate(); err != nil {
			return nil, errorf(InvalidDestination, "cannot produce for %s: %v", spec.Destination, err)
		}
		counted, err := c.broker.countersOf(spec.Destination)
		if err != nil {
			return nil, err
		}
		p.counted = counted
	}
	for _, n := range p.counted {
		n.Add(1)
	}
	c.producers[p] = struct{}{}
	if !isAdvisory(spec.Destination) && (!p.anonymous() || c.broker.anonymousAdvisories) {
		p.place = c.broker.advisories.came(p)
	}
	return p, nil
}

// countersOf returns where the producers for a destination are counted. Of a temporary one that is no more there is none.
func (b *Broker) countersOf(d destination.Destination) (counters []*atomic.Int64, err error) {
	for _, member := range d.Members() {
		var counter *atomic.Int64
		if member.IsPattern() {
			continue
		}
		if counter, err = b.producersOf(member); err == nil {
			counters = append(counters, counter)
		} else if !member.IsTemp() {
			return nil, err
		}
	}
	return counters, nil
}

func (b *Broker) producersOf(d destination.Destination) (*atomic.Int64, error) {
	if d.IsTopic() {
		t, err := b.topic(d)
		if err != nil {
			return nil, err
		}
		return &t.producers, nil
	}
	q, err := b.queue(d)
	if err != nil {
		return nil, err
	}
	return &q.producers, nil
}

// Close ends the producer. What it sent stays.
func (p *Producer) Close() {
	if p.connection.enter() != nil {
		return
	}
	defer p.connection.mu.Unlock()
	if _, open := p.connection.producers[p]; open {
		delete(p.connection.producers, p)
		p.end()
	}
}

func (p *Producer) end() {
	for _, n := range p.counted {
		n.Add(-1)
	}
	p.connection.broker.advisories.went(p.place)
}
