package store

import (
	"iter"
	"math"

	"github.com/twinmesh/twinmesh/broker/log"
)

// maxProducers is how many producers' last sequences are kept: the ones that stored something last.
const maxProducers = 100_000

// producers knows the last sequence that each producer stored, so that what a client sends again after a failover is told
// from what is new. The listed ones are state: they change only as records are applied, so that standby and holder
// forget the same one when there are too many. Beside that the holder notes what is appended and not applied yet.
type producers struct {
	known          map[string]*producer
	newest, oldest *producer // the ends of the list of applied ones
	listed         int
}

type producer struct {
	id           string
	listed       bool
	newer, older *producer

	last     int64
	recorded uint64 // the entry without which last would be forgotten
	linked   uint64 // the entry without which its place in the list would be another

	appended   int64        // the highest on its way
	appendedAt log.Position // by the record at this position or before
}

func newProducers() *producers { return &producers{known: map[string]*producer{}} }

// last returns a producer's last sequence, stored or on its way there, and whether there is any.
func (ps *producers) last(id []byte) (int64, bool) {
	if p := ps.known[string(id)]; p != nil {
		return max(p.last, p.appended), true
	}
	return 0, false
}

// append notes that a record at a position will store a producer's sequence.
func (ps *producers) append(id []byte, sequence int64, at log.Position) {
	if len(id) == 0 {
		return
	}
	p := ps.get(id)
	p.appended = max(p.appended, sequence)
	p.appendedAt = at
}

// apply does what the record at a position says: the producer stored a sequence. recorded is the entry that tells the
// producer and the sequence, an earlier one if the record commits a transaction. An old sequence, as a dead letter has it, changes
// only the place in the list: whoever reads the log from behind the newer one's record would list the producer by it.
func (ps *producers) apply(id []byte, sequence int64, recorded uint64, at log.Position) {
	if len(id) == 0 {
		return
	}
	p := ps.get(id)
	if !p.listed || sequence > p.last {
		p.last, p.recorded = sequence, recorded
	} else if sequence == p.last {
		p.recorded = max(p.recorded, recorded)
	}
	if p.listed {
		ps.unlink(p)
	}
	ps.link(p)
	p.linked = recorded
	if ps.listed > maxProducers {
		ps.forget(ps.oldest, at)
	}
}

func (ps *producers) get(id []byte) *producer {
	p := ps.known[string(id)]
	if p == nil {
		p = &producer{id: string(id), last: math.MinInt64, appended: math.MinInt64}
		ps.known[p.id] = p
	}
	return p
}

// forget takes p off the list, and out of memory if nothing of it is on its way.
func (ps *producers) forget(p *producer, at log.Position) {
	ps.unlink(p)
	p.last = math.MinInt64
	if p.appendedAt.Compare(at) <= 0 {
		delete(ps.known, p.id)
	}
}

func (ps *producers) link(p *producer) {
	p.listed, p.newer, p.older = true, nil, ps.newest
	if p.older != nil {
		p.older.newer = p
	} else {
		ps.oldest = p
	}
	ps.newest = p
	ps.listed++
}

func (ps *producers) unlink(p *producer) {
	if p.newer != nil {
		p.newer.older = p.older
	} else {
		ps.newest = p.older
	}
	if p.older != nil {
		p.older.newer = p.newer
	} else {
		ps.oldest = p.newer
	}
	p.listed, p.newer, p.older = false, nil, nil
	ps.listed--
}

// all goes over the state, the longest unheard of first.
func (ps *producers) all() iter.Seq[*producer] {
	return func(yield func(*producer) bool) {
		for p := ps.oldest; p != nil; p = p.newer {
			if !yield(p) {
				return
			}
		}
	}
}
