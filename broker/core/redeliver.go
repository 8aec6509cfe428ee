package core

import (
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// redeliveryDelayProperty tells how many milliseconds a message waited for its redelivery. By it a client takes a message though it has
// refused it before.
const redeliveryDelayProperty = "redeliveryDelay"

// redeliver returns the job that a refused message becomes if the broker is to deliver it again, nil if it is not; ends is whether
// it is to have no dead letter either.
func (b *Broker) redeliver(m *message.Message, at destination.Destination, d death) (job *message.Message, ends bool, err error) {
	r := b.redelivery.Load()
	if r == nil || d.expired || m.Expired(b.millis()) {
		return nil, false, nil
	}
	p := r.Find(at)
	if p == nil {
		return nil, !r.FallbackToDeadLetter, nil
	}
	times := m.Redeliveries()
	delay, again := p.Again(times, m.ID())
	if !again {
		return nil, !r.SendToDLQIfMaxRetriesExceeded, nil
	}
	next := withProperties(m, []message.Set{message.SetRedeliveries(times + 1)},
		[]wire.Entry{{Key: redeliveryDelayProperty, Value: wire.LongValue(delay)}})
	job, err = newJob(next, b.millis()+delay)
	return job, false, err
}
