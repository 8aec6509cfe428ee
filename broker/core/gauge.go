package core

import "sync"

// gauge counts bytes against a limit. Adding never fails; who is about to add waits for room before.
type gauge struct {
	limit int64
	mu    sync.Mutex
	used  int64
	freed chan struct{} // closed when used falls below limit; nil while nobody waits
}

func newGauge(limit int64) *gauge { return &gauge{limit: limit} }

func (g *gauge) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.used += int64(n)
	if g.used < g.limit && g.freed != nil {
		close(g.freed)
		g.freed = nil
	}
}

// room tells whether there is any.
func (g *gauge) room() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.used < g.limit
}

// full returns nil if there is room, else a channel that is closed when there is.
func (g *gauge) full() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.used < g.limit {
		return nil
	}
	if g.freed == nil {
		g.freed = make(chan struct{})
	}
	return g.freed
}
