package core

import (
	"log/slog"
	"sync"
	"sync/atomic"
)

// allowance is how many bytes of stored messages may be in flight at all consumers together. Beyond it a consumer gets
// one message at a time, so that nobody stands still who acknowledges each. The queues that hold back because of it are
// noted, and dispatched when there is something of it again.
type allowance struct {
	limit    int64
	refilled func(short map[*queue]struct{})
	logger   *slog.Logger
	used     atomic.Int64

	mu    sync.Mutex
	short map[*queue]struct{} // those that hold back
}

// spent tells whether nothing is left, in which case q is noted.
func (a *allowance) spent(q *queue) bool {
	if a.used.Load() < a.limit {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used.Load() < a.limit { // add, which looks at what is noted after it has counted, may have missed q
		return false
	}
	if len(a.short) == 0 {
		a.logger.Warn("consumers get one message at a time, since those in flight fill the memory for them: "+
			"let consumers acknowledge or commit earlier, or have a smaller prefetch",
			"queue", q.name.String(), "bytes", a.limit)
	}
	a.short[q] = struct{}{}
	return true
}

// add counts n bytes more in flight, or fewer.
func (a *allowance) add(n int) {
	after := a.used.Add(int64(n))
	if after >= a.limit || after-int64(n) < a.limit {
		return
	}
	a.mu.Lock()
	short := a.short
	a.short = map[*queue]struct{}{}
	a.mu.Unlock()
	if len(short) > 0 {
		a.refilled(short)
	}
}
