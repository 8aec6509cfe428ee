package core

import (
	"maps"
	"slices"
	"sync"

	"github.com/twinmesh/twinmesh/broker/message"
)

// audience is who consumes from a queue, for who asks while it holds the lock of another destination: routing does. Its own
// lock is taken last of all.
type audience struct {
	mu        sync.RWMutex
	consumers map[*Consumer]struct{}
}

func (a *audience) add(c *Consumer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.consumers == nil {
		a.consumers = map[*Consumer]struct{}{}
	}
	a.consumers[c] = struct{}{}
}

func (a *audience) remove(c *Consumer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.consumers, c)
}

func (a *audience) all() []*Consumer {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Collect(maps.Keys(a.consumers))
}

// wants tells whether some consumer would take the message.
func (a *audience) wants(m *message.Message) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for c := range a.consumers {
		if c.selector == nil || c.selector.Matches(properties{m, false}) {
			return true
		}
	}
	return false
}
