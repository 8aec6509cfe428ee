package security

import (
	"slices"
	"sync"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/destination"
)

// Right is something that a user may do with a destination.
type Right int

// The rights.
const (
	Read  Right = iota // consume and browse
	Write              // send
	Admin              // create and remove
	rightCount
)

// everybody is a group that every user is in.
const everybody = "*"

// grant has the groups that have each right.
type grant [rightCount][]string

func newGrant(g config.Grant) grant { return grant{Read: g.Read, Write: g.Write, Admin: g.Admin} }

func (g grant) join(other grant) grant {
	for r := range g {
		g[r] = append(slices.Clone(g[r]), other[r]...)
	}
	return g
}

func (g grant) allows(r Right, groups []string) bool {
	for _, group := range g[r] {
		if group == everybody || slices.Contains(groups, group) {
			return true
		}
	}
	return false
}

// rights are what an authorization says.
type rights struct {
	entries   destination.Map[grant]
	always    grant // to every queue and topic
	temporary grant
}

// newRights returns nil, which allows everything, if there is no authorization.
func newRights(a *config.Authorization) *rights {
	if a == nil {
		return nil
	}
	r := &rights{temporary: newGrant(config.Grant{Read: config.Names{everybody}, Write: config.Names{everybody}, Admin: config.Names{everybody}})}
	if a.TempDestinations != nil {
		r.temporary = newGrant(*a.TempDestinations)
	}
	grants := map[destination.Destination]grant{}
	add := func(kind destination.Kind, name string, g config.Grant) {
		for _, member := range (destination.Destination{Kind: kind, Name: name}).Members() {
			grants[member] = grants[member].join(newGrant(g))
		}
	}
	for _, e := range a.Entries {
		switch {
		case e.Default:
			r.always = r.always.join(newGrant(e.Grant))
		case e.Queue != "":
			add(destination.Queue, e.Queue, e.Grant)
		default:
			add(destination.Topic, e.Topic, e.Grant)
		}
	}
	for _, topic := range []string{"ActiveMQ.Advisory.TempQueue", "ActiveMQ.Advisory.TempTopic"} {
		// ActiveMQ's client consumes from these whenever it connects.
		add(destination.Topic, topic, config.Grant{Read: config.Names{everybody}, Admin: config.Names{everybody}})
	}
	for d, g := range grants {
		r.entries.Add(d, g)
	}
	return r
}

// allow tells whether a user of these groups has a right to every member of a destination. What several entries grant is united.
func (r *rights) allow(right Right, d destination.Destination, groups []string) bool {
	for _, member := range d.Members() {
		if !r.allowOne(right, member, groups) {
			return false
		}
	}
	return true
}

func (r *rights) allowOne(right Right, d destination.Destination, groups []string) bool {
	if d.IsTemp() {
		return r.temporary.allows(right, groups)
	}
	for _, g := range r.entries.All(d) {
		if g.allows(right, groups) {
			return true
		}
	}
	return r.always.allows(right, groups)
}

// maxRemembered bounds how many destinations' verdicts a user keeps.
const maxRemembered = 1024

// User is a client that was let in. A nil one may do everything. Its methods may be called by many goroutines.
type User struct {
	guard *Guard
	name  string
	own   []string // groups beside those of the configuration

	mu       sync.Mutex
	rules    *rules // under which the verdicts and groups were found
	groups   []string
	verdicts map[verdict]bool
}

type verdict struct {
	right Right
	d     destination.Destination
}

// Name is who it is.
func (u *User) Name() string {
	if u == nil {
		return ""
	}
	return u.name
}

// Restricted tells whether there is anything that some users may not do.
func (u *User) Restricted() bool { return u != nil && u.guard.rules.Load().rights != nil }

// Rules stands for what May goes by: it is another one when that has changed.
func (u *User) Rules() any { return u.guard.rules.Load() }

// May tells whether the user has a right to all that d names. What it says changes with the configuration.
func (u *User) May(right Right, d destination.Destination) bool {
	if u == nil {
		return true
	}
	rules := u.guard.rules.Load()
	if rules.rights == nil {
		return true
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if rules != u.rules || len(u.verdicts) >= maxRemembered {
		u.rules, u.verdicts = rules, map[verdict]bool{}
		u.groups = append(slices.Clone(u.own), rules.groups[u.name]...)
	}
	key := verdict{right, d}
	may, known := u.verdicts[key]
	if !known {
		may = rules.rights.allow(right, d, u.groups)
		u.verdicts[key] = may
	}
	return may
}
