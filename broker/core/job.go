package core

import (
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// originProperty is where a job keeps the original destination that its message has.
const originProperty = "AMQ_SCHEDULED_ORIGIN"

// newJob is the message as it is stored until it is due at a time, persistent or not: its destination is jobs, its original
// destination the one that it is for, its expiration when it is due, its arrival the expiration that it has.
func newJob(m *message.Message, at int64) (*message.Message, error) {
	properties, err := wire.SetEntry(m.Properties(), jobProperty, wire.TextValue(m.ID()))
	if origin, moved := m.OriginalDestination(); moved && err == nil {
		properties, err = wire.SetEntry(properties, originProperty, wire.TextValue(origin.String()))
	}
	if err != nil {
		return nil, err
	}
	return m.With(message.NoTransaction(), message.SetDestination(jobs), message.SetOriginalDestination(m.Destination()),
		message.SetExpiration(at), message.SetArrival(m.Expiration()), message.SetProperties(properties)), nil
}

// delivery is a job's message as it goes to its destination. Its time to live begins now. One of several has an id of its own.
func (s *schedule) delivery(job *message.Message, several bool) *message.Message {
	to, _ := job.OriginalDestination()
	sets := []message.Set{message.SetDestination(to), originOf(job), message.SetArrival(0)}
	if properties, err := wire.RemoveEntries(job.Properties(), delayProperty, periodProperty, repeatProperty, cronProperty, originProperty); err == nil {
		sets = append(sets, message.SetProperties(properties))
	}
	if several {
		_, id := s.newID()
		sets = append(sets, id)
	}
	sent, expires, now := job.Timestamp(), job.Arrival(), s.broker.millis()
	if sent > 0 && expires > 0 && now > sent {
		sets = append(sets, message.SetTimestamp(now))
		expires += now - sent
	}
	return job.With(append(sets, message.SetExpiration(expires))...)
}

// originOf is the original destination that a job's message had.
func originOf(job *message.Message) message.Set {
	origin, _ := wire.Lookup(job.Properties(), originProperty)
	if d, err := destination.Parse(origin.Text(), destination.Queue); err == nil {
		return message.SetOriginalDestination(d)
	}
	return message.NoOriginalDestination()
}
