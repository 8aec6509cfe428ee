package core

import (
	"sync"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// maxAudits is of how many dead letter queues the last ones are known at most.
const maxAudits = 1000

// audits know which messages are dead letters already, so that one that several queues or subscriptions have becomes one dead
// letter. They are in memory alone: a broker that takes over knows of none.
type audits struct {
	mu  sync.Mutex
	all map[auditKey]*audit
}

// auditKey says who shares an audit: all with the same strategy, and of an individual strategy all with the same dead letter queue.
type auditKey struct {
	strategy any
	letters  destination.Destination
}

// repeats tells whether the message is a dead letter already, or another one where these letters go. From now on it is.
func (a *audits) repeats(m *message.Message, to destination.Destination, s *policy.DeadLetterStrategy, o policy.DeadLetterOptions) bool {
	key := auditKey{strategy: s.Shared}
	if s.Individual != nil {
		key = auditKey{strategy: s.Individual, letters: to}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	one := a.all[key]
	if one == nil {
		a.makeRoom()
		one = &audit{depth: o.MaxAuditDepth, producers: o.MaxProducersToAudit, windows: map[string]*window{}}
		a.all[key] = one
	}
	return one.mark(m)
}

// makeRoom forgets one of the audits, whichever it is, if there are as many as may be.
func (a *audits) makeRoom() {
	for key := range a.all {
		if len(a.all) < maxAudits {
			return
		}
		delete(a.all, key)
	}
}

// forget is for when the strategies are others.
func (a *audits) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = map[auditKey]*audit{}
}

// audit knows the last messages of some producers.
type audit struct {
	depth, producers int
	windows          map[string]*window
	order            []string // of the producers, by when they came
}

// mark tells whether the message was marked before.
func (a *audit) mark(m *message.Message) bool {
	id := string(m.RawProducer())
	w := a.windows[id]
	if w == nil {
		if len(a.order) >= a.producers {
			delete(a.windows, a.order[0])
			a.order = a.order[1:]
		}
		w = &window{}
		a.windows[id] = w
		a.order = append(a.order, id)
	}
	return w.mark(m.ProducerSequence(), a.depth)
}

// window is the numbers among the last so many that were marked.
type window struct {
	first int64 // the lowest that it can tell, a multiple of 64
	bits  []uint64
}

// mark tells whether n was marked before; of a number that is too old it is not known.
func (w *window) mark(n int64, depth int) bool {
	words := int64(depth+62)/64 + 1 // since the first of them is left a bit at a time
	if len(w.bits) == 0 {
		w.first = max(0, n&^63-(words-1)*64)
	}
	if n < w.first {
		return false
	}
	if surplus := (n-w.first)/64 - words; surplus >= 0 {
		w.bits = w.bits[min(surplus+1, int64(len(w.bits))):]
		w.first += (surplus + 1) * 64
	}
	at, bit := (n-w.first)/64, uint64(1)<<(n&63)
	for int64(len(w.bits)) <= at {
		w.bits = append(w.bits, 0)
	}
	marked := w.bits[at]&bit != 0
	w.bits[at] |= bit
	return marked
}
