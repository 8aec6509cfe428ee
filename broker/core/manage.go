package core

import (
	"slices"
	"strings"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// management begins the names of destinations, in whatever case, whose messages ask for what is scheduled or remove it.
const management = "ActiveMQ.Scheduler.Management"

// The properties of messages to a management destination, as in ActiveMQ. Of what is due from the start to the end time is
// spoken; of all if not both are there.
const (
	actionProperty = "AMQ_SCHEDULER_ACTION"
	startProperty  = "ACTION_START_TIME" // milliseconds since 1970, as the following
	endProperty    = "ACTION_END_TIME"
)

func isManagement(d destination.Destination) bool {
	return len(d.Name) >= len(management) && strings.EqualFold(d.Name[:len(management)], management)
}

// manage does what a message to a management destination says, and calls done when that is durable. What it does not know it
// ignores.
func (s *schedule) manage(m *message.Message, done func()) error {
	properties := m.Properties()
	covers, err := span(properties)
	if err != nil {
		return err
	}
	action, _ := wire.Lookup(properties, actionProperty)
	id, _ := wire.Lookup(properties, jobProperty)
	to, wanted := m.ReplyTo()
	switch {
	case action.Text() == "BROWSE" && wanted:
		return s.whenSettled(func() { s.report("list", s.list(to, covers)); call(done) })
	case action.Text() == "REMOVEALL":
		return s.whenSettled(func() { s.report("remove", s.removeAll(covers, done)) })
	case action.Text() == "REMOVE" && id.Text() != "":
		return s.whenSettled(func() {
			s.report("remove", s.removeAll(func(job *message.Message) bool {
				own, _ := wire.Lookup(job.Properties(), jobProperty)
				return own.Text() == id.Text()
			}, done))
		})
	}
	return s.broker.store.Barrier(done)
}

// span returns what tells whether a job is one of those spoken of.
func span(properties []byte) (func(job *message.Message) bool, error) {
	start, hasStart, err := number(properties, startProperty)
	if err != nil {
		return nil, err
	}
	end, hasEnd, err := number(properties, endProperty)
	if err != nil {
		return nil, err
	}
	return func(job *message.Message) bool {
		return !hasStart || !hasEnd || start <= job.Expiration() && job.Expiration() <= end
	}, nil
}

func (s *schedule) report(what string, err error) {
	if err != nil {
		s.broker.logger.Error("cannot "+what+" scheduled messages", "error", err)
	}
}

// whenSettled calls do once what ran before is durable, and lets nothing run meanwhile.
func (s *schedule) whenSettled(do func()) error {
	return s.broker.store.Barrier(func() {
		s.running.Lock()
		defer s.running.Unlock()
		if s.flying == 0 {
			do()
		} else if err := s.whenSettled(do); err != nil {
			s.report("look at", err)
		}
	})
}

// list sends a copy of each job to a destination.
func (s *schedule) list(to destination.Destination, covers func(*message.Message) bool) error {
	return s.each(func(found []*message.Message) error {
		t := s.own.work()
		for _, job := range found {
			if !covers(job) {
				continue
			}
			_, id := s.newID()
			if err := t.addAll(job.With(id, message.SetDestination(to), message.SetPersistent(false), message.SetType("Advisory"),
				message.SetExpiration(job.Arrival()), message.SetArrival(0))); err != nil {
				return err
			}
		}
		return t.commit(nil)
	})
}

// removeAll removes jobs and calls done when that is durable.
func (s *schedule) removeAll(covers func(*message.Message) bool, done func()) error {
	err := s.each(func(found []*message.Message) error {
		found = slices.DeleteFunc(found, func(job *message.Message) bool { return !covers(job) })
		if len(found) == 0 {
			return nil
		}
		sequences := make([]uint64, len(found))
		for i, job := range found {
			sequences[i] = job.BrokerSequence()
		}
		s.forget(sequences)
		return s.broker.store.Remove(jobs, sequences, nil)
	})
	if err != nil {
		return err
	}
	return s.broker.store.Barrier(done)
}

// each goes over all jobs, some at a time, in the order in which they came.
func (s *schedule) each(do func([]*message.Message) error) error {
	for after := uint64(0); ; {
		found, err := s.broker.store.Page(jobs, after, pageMessages, pageBytes)
		if err != nil || len(found) == 0 {
			return err
		}
		after = found[len(found)-1].BrokerSequence()
		if err := do(found); err != nil {
			return err
		}
	}
}
