package core

import (
	"iter"
	"sync"
	"sync/atomic"
)

// roster has the durable subscriptions of a topic, those that are online or all of them. Who goes over it takes no lock, since it
// takes queues' locks on the way, and sees who was there when it began, but for those that left meanwhile.
type roster struct {
	mu      sync.Mutex
	entries atomic.Pointer[[]*entry]
	gone    int // of the entries
	count   atomic.Int64
}

// entry is one stay in a roster.
type entry struct {
	durable *durable
	gone    atomic.Bool
}

func (r *roster) add(d *durable) *entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &entry{durable: d}
	var entries []*entry
	if old := r.entries.Load(); old != nil {
		entries = *old
	}
	entries = append(entries, e) // behind the end of what others see
	r.entries.Store(&entries)
	r.count.Add(1)
	return e
}

// remove ends a stay. Most of the time that is a mark, so that many may come and go.
func (r *roster) remove(e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.gone.Swap(true) {
		return
	}
	r.gone++
	r.count.Add(-1)
	entries := *r.entries.Load()
	if r.gone*2 < len(entries) {
		return
	}
	left := make([]*entry, 0, len(entries)-r.gone)
	for _, e := range entries {
		if !e.gone.Load() {
			left = append(left, e)
		}
	}
	r.entries.Store(&left)
	r.gone = 0
}

func (r *roster) all() iter.Seq[*durable] {
	return func(yield func(*durable) bool) {
		entries := r.entries.Load()
		if entries == nil {
			return
		}
		for _, e := range *entries {
			if !e.gone.Load() && !yield(e.durable) {
				return
			}
		}
	}
}

func (r *roster) empty() bool { return r.count.Load() == 0 }
