package store

import (
	"bytes"
	"cmp"
	"container/list"
	"iter"
	"slices"

	"github.com/twinmesh/twinmesh/broker/log"
)

const (
	// maxCommitters is how many connections' commits are on record: of the ones that committed last.
	maxCommitters = 10_000
	// maxCommits is how many of a connection's commits are: the last ones.
	maxCommits = 8
)

// commits are on record for whoever lost the answer to one. All of it is state: it changes only as records are applied, and in
// a way that depends on no record older than the ones that restate.
type commits struct {
	known map[string]*committer
	order list.List // of *committer, the one that committed or was restated last at the front
}

type committer struct {
	connection string
	last       []commit // by where they were recorded
	element    *list.Element
}

type commit struct {
	at       log.Position
	recorded uint64 // the entry that has it now
	time     int64
	name     string
}

func newCommits() *commits { return &commits{known: map[string]*committer{}} }

// note puts a commit on record.
func (cs *commits) note(connection, name []byte, time int64, at log.Position) {
	if len(connection) > 0 {
		cs.touch(connection).add(commit{at, at.Entry, time, string(name)})
	}
}

// restate puts a connection's commits on record as of entry.
func (cs *commits) restate(connection []byte, commits []restated, entry uint64) {
	c := cs.touch(connection)
	for _, r := range commits {
		c.add(commit{r.at, entry, r.time, string(r.name)})
	}
}

// touch returns a connection's commits, and forgets those of the connection that is unheard of for longest if there are too many.
func (cs *commits) touch(connection []byte) *committer {
	if c := cs.known[string(connection)]; c != nil {
		cs.order.MoveToFront(c.element)
		return c
	}
	c := &committer{connection: string(bytes.Clone(connection))}
	c.element = cs.order.PushFront(c)
	cs.known[c.connection] = c
	if cs.order.Len() > maxCommitters {
		oldest := cs.order.Remove(cs.order.Back()).(*committer)
		delete(cs.known, oldest.connection)
	}
	return c
}

func (c *committer) add(one commit) {
	i, found := slices.BinarySearchFunc(c.last, one, func(a, b commit) int { return a.at.Compare(b.at) })
	if found {
		c.last[i].recorded = max(c.last[i].recorded, one.recorded)
		return
	}
	c.last = slices.Insert(c.last, i, one)
	if len(c.last) > maxCommits {
		c.last = slices.Delete(c.last, 0, 1)
	}
}

// oldestFirst goes over the connections, the longest unheard of first.
func (cs *commits) oldestFirst() iter.Seq[*committer] {
	return func(yield func(*committer) bool) {
		for e := cs.order.Back(); e != nil; e = e.Prev() {
			if !yield(e.Value.(*committer)) {
				return
			}
		}
	}
}

// within tells whether some of it is only on record in a segment.
func (c *committer) within(g log.Segment) bool {
	return slices.ContainsFunc(c.last, func(o commit) bool { return in(g, o.recorded) })
}

func (c *committer) record() record {
	r := record{kind: kindCommits}
	r.connection = []byte(c.connection)
	for _, o := range c.last {
		r.commits = append(r.commits, restated{o.at, o.time, []byte(o.name)})
	}
	return r
}

// Committed is a commit on record.
type Committed struct {
	Connection string // whose client was to be told
	Name       string // of the transaction
	Time       int64  // in milliseconds since 1970
}

// Commits lists the commits on record, newest last: the last 8 of the 10,000 connections that committed last.
func (s *Store) Commits() []Committed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Committed
	for c := range s.state.commits.oldestFirst() {
		all = append(all, c.list()...)
	}
	slices.SortStableFunc(all, func(a, b Committed) int { return cmp.Compare(a.Time, b.Time) })
	return all
}

// CommitsOf lists those of one connection, newest last.
func (s *Store) CommitsOf(connection string) []Committed {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.state.commits.known[connection]; c != nil {
		return c.list()
	}
	return nil
}

func (c *committer) list() []Committed {
	var all []Committed
	for _, o := range c.last {
		all = append(all, Committed{c.connection, o.name, o.time})
	}
	return all
}
