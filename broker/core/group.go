package core

import (
	containers "container/list"
	"hash/fnv"
	"strconv"

	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// groups are the message groups of a queue and who owns them: the first to get a message of a group gets all of it, until he
// closes it, leaves, or has to make room.
type groups struct {
	policy.Groups
	owned map[string]*containers.Element // of ownership
	used  containers.List                // the one used last in front
}

type ownership struct {
	group string
	owner *seat
}

// nameOf is the group that a message belongs to, or the bucket of groups.
func (g *groups) nameOf(m *message.Message) string {
	if g.Most == 0 {
		return "" // a durable subscription, which has one consumer
	}
	name := m.GroupID()
	if g.Buckets == 0 || name == "" {
		return name
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return strconv.Itoa(int(h.Sum32() % uint32(g.Buckets)))
}

// firstInGroup is the number by which a producer begins a group anew, with whoever is next.
const firstInGroup = 1

// owner returns the one who gets n whoever else is there, nil if any may have it.
func (g *groups) owner(n *node) *seat {
	if n.group == "" || n.message.GroupSequence() == firstInGroup {
		return nil
	}
	if e := g.owned[n.group]; e != nil {
		return e.Value.(*ownership).owner
	}
	return nil
}

// foreign tells whether n belongs to another than s.
func (g *groups) foreign(n *node, s *seat) bool {
	owner := g.owner(n)
	return owner != nil && owner != s
}

// claim makes s the owner of n's group, or ends the group, and returns the message as s gets it: the first one of a group says so.
func (g *groups) claim(n *node, s *seat) *message.Message {
	switch {
	case n.group == "":
		return n.message
	case g.owner(n) == nil:
		g.assign(n.group, s)
		return n.message.FirstForConsumer()
	}
	e := g.owned[n.group]
	g.used.MoveToFront(e)
	if n.message.GroupSequence() < 0 {
		g.forget(e)
		s.queue.lookAgain()
	}
	return n.message
}

func (g *groups) assign(group string, s *seat) {
	if e := g.owned[group]; e != nil {
		g.forget(e)
	}
	if g.owned == nil {
		g.owned = map[string]*containers.Element{}
	}
	g.owned[group] = g.used.PushFront(&ownership{group, s})
	s.groups++
	for len(g.owned) > g.Most {
		g.forget(g.used.Back())
		s.queue.lookAgain()
	}
}

func (g *groups) forget(e *containers.Element) {
	o := g.used.Remove(e).(*ownership)
	o.owner.groups--
	delete(g.owned, o.group)
}

// leave ends the ownership of one who goes.
func (g *groups) leave(s *seat) {
	for e := g.used.Front(); e != nil && s.groups > 0; {
		next := e.Next()
		if e.Value.(*ownership).owner == s {
			g.forget(e)
		}
		e = next
	}
}
