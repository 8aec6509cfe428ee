package openwire

import (
	"fmt"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/security"
)

// maxWritable bounds for how many destinations a session remembers that its client may send to them.
const maxWritable = 1024

// forbidden is the error of a user who lacks a right, in ActiveMQ's words, who names a composite by its members alone.
func (s *session) forbidden(what string, d destination.Destination) error {
	name := d.String()
	if d.IsComposite() {
		name = d.Name
	}
	return &core.Error{Kind: core.Security, Text: fmt.Sprintf("User %s is not authorized to %s: %s", s.user.Name(), what, name)}
}

// mayConsume checks the right to read, and to create what is not there. Of a wildcard that is the right to all that it names; what
// it covers is checked one by one.
func (s *session) mayConsume(d destination.Destination) error {
	if !s.user.May(security.Read, d) {
		return s.forbidden("read from", d)
	}
	return s.mayCreate(d)
}

// mayProduce checks the right to write, and to create what is not there.
func (s *session) mayProduce(d destination.Destination) error {
	if !s.user.May(security.Write, d) {
		return s.forbidden("write to", d)
	}
	return s.mayCreate(d)
}

// mayCreate checks the right to those members of d that would come into being.
func (s *session) mayCreate(d destination.Destination) error {
	if !s.user.Restricted() {
		return nil
	}
	for _, member := range d.Members() {
		if !member.IsPattern() && !s.options.Broker.Exists(member) && !s.user.May(security.Admin, member) {
			return s.forbidden("create", member)
		}
	}
	return nil
}

// mayRemove checks the right to remove d; what is not there may be removed by everybody.
func (s *session) mayRemove(d destination.Destination) error {
	if s.options.Broker.Exists(d) && !s.user.May(security.Admin, d) {
		return s.forbidden("remove", d)
	}
	return nil
}

// mayChange checks the right to create or remove d.
func (s *session) mayChange(d destination.Destination, create bool) error {
	if create {
		return s.mayCreate(d)
	}
	return s.mayRemove(d)
}

// mayRead is the right to read what a pattern covers.
func (s *session) mayRead() func(destination.Destination) bool {
	if s.user == nil {
		return nil
	}
	return func(d destination.Destination) bool { return s.user.May(security.Read, d) }
}

// maySend is mayProduce of a message. It remembers what is allowed until the rules change or a destination is removed.
func (s *session) maySend(m *message.Message) error {
	if !s.user.Restricted() {
		return nil
	}
	state := writableState{s.user.Rules(), s.options.Broker.Removals()}
	if state != s.writableState || len(s.writable) >= maxWritable {
		s.writableState, s.writable = state, map[string]struct{}{}
	}
	raw := m.RawDestination()
	if _, allowed := s.writable[string(raw)]; allowed {
		return nil
	}
	if err := s.mayProduce(m.Destination()); err != nil {
		return err
	}
	s.writable[string(raw)] = struct{}{}
	return nil
}

// writableState is what a verdict on a send depends on.
type writableState struct {
	rules    any
	removals uint64
}
