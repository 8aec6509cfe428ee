package file

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// operation is one append, with when it began and when it was applied at who appended it, by a clock that all share.
type operation struct {
	data    string
	began   int64
	done    int64 // math.MaxInt64 if its appender never saw it applied: it may be in the log, or not
	applied chan struct{}
}

// histories collects what several holders and standbys of one log do and see.
type histories struct {
	t        *testing.T
	volume   *vfs.Mem
	cached   bool
	led      chan *life
	progress chan struct{} // holds a token when something was applied

	mu         sync.Mutex
	clock      int64
	operations map[string]*operation
	lives      []*life
}

// life is a process from its start to its end.
type life struct {
	h       *histories
	process *vfs.Process
	gate    atomic.Pointer[chan struct{}] // the process stops at it before each operation
	term    uint64
	applied []string // guarded by h.mu
	own     int      // of these; guarded by h.mu
}

func (l *life) before(vfs.Op) error {
	if gate := l.gate.Load(); gate != nil {
		<-*gate
	}
	return nil
}

func (l *life) apply(e log.Entry) {
	l.h.mu.Lock()
	defer l.h.mu.Unlock()
	for _, r := range e.Records {
		l.applied = append(l.applied, string(r.Data))
		if op, ok := r.Note.(*operation); ok {
			l.h.clock++
			op.done = l.h.clock
			l.own++
			close(op.applied)
		}
	}
	select {
	case l.h.progress <- struct{}{}:
	default:
	}
}

func (h *histories) begin() *operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	op := &operation{data: fmt.Sprint(len(h.operations)), began: h.clock, done: math.MaxInt64, applied: make(chan struct{})}
	h.operations[op.data] = op
	return op
}

// live runs one process after another, until ctx ends.
func (h *histories) live(ctx context.Context) {
	for ctx.Err() == nil {
		l := &life{h: h, process: h.volume.Process()}
		l.process.Cached = h.cached
		h.mu.Lock()
		h.lives = append(h.lives, l)
		h.mu.Unlock()
		l.run(ctx)
	}
}

// run is a process's life: it follows, leads, and has several goroutines append until it cannot any more. How it ends is no
// business of the test.
func (l *life) run(ctx context.Context) {
	opened, err := Open(on(l.h.t, l.process, l.before))
	if err != nil {
		return
	}
	defer opened.Close()
	if l.term, err = opened.Lead(ctx, l.apply); err != nil {
		return
	}
	select {
	case l.h.led <- l:
	case <-ctx.Done():
	}
	var appenders sync.WaitGroup
	for range 4 {
		appenders.Go(func() {
			for ctx.Err() == nil && l.append(opened) {
				continue
			}
		})
	}
	appenders.Wait()
}

func (l *life) append(opened *Log) bool {
	op := l.h.begin()
	if _, err := opened.Append(op, []byte(op.data)); err != nil {
		return false
	}
	select {
	case <-op.applied:
		return true
	case <-opened.Done():
		return false
	}
}

// await waits until a holder has had so many records of its own applied.
func (h *histories) await(l *life, own int) {
	for {
		h.mu.Lock()
		enough := l.own >= own
		h.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-h.progress:
		case <-h.t.Context().Done():
			h.t.Fatal("the test ended while it waited for a holder")
		}
	}
}

// disturb ends a holder's time in one of three ways, and returns the next holder.
func (h *histories) disturb(l *life, way int) *life {
	switch way % 3 {
	case 0:
		l.process.Kill()
		return <-h.led
	case 1:
		return h.robbed(l)
	}
	gate := make(chan struct{})
	l.gate.Store(&gate)
	next := h.robbed(l)
	h.await(next, 10)
	l.gate.Store(nil)
	close(gate)
	return next
}

// robbed takes a holder's locks until another leads: whoever is first may be the holder itself.
func (h *histories) robbed(l *life) *life {
	again := time.NewTicker(testPoll)
	defer again.Stop()
	for {
		l.process.LoseLocks()
		select {
		case next := <-h.led:
			return next
		case <-again.C:
		}
	}
}

// check compares everything that was seen with the log at last: it is in the order of real time, has all that was applied
// anywhere, and whoever followed or led saw a beginning of it.
func (h *histories) check(final []string) {
	earliestDone := int64(math.MaxInt64) // of what comes later in the log
	seen := map[string]bool{}
	for _, data := range slices.Backward(final) {
		op := h.operations[data]
		if op == nil || seen[data] {
			h.t.Fatalf("record %q was never appended, or is there twice", data)
		}
		seen[data] = true
		if earliestDone < op.began {
			h.t.Fatalf("record %q began when one was done that comes later in the log", data)
		}
		earliestDone = min(earliestDone, op.done)
	}
	for data, op := range h.operations {
		if op.done < math.MaxInt64 && !seen[data] {
			h.t.Fatalf("record %q was applied and is lost", data)
		}
	}
	for _, l := range h.lives {
		if len(l.applied) > len(final) || !slices.Equal(l.applied, final[:len(l.applied)]) {
			h.t.Fatalf("the process of term %d applied what is not a beginning of the log", l.term)
		}
	}
}

// TestHistoriesOfTakeovers has several processes append at once while one holder after the other is killed, or loses its
// locks, or sleeps through a takeover and goes on. All that they did and saw has to be explained by one log.
func TestHistoriesOfTakeovers(t *testing.T) {
	for _, cached := range []bool{false, true} {
		t.Run(fmt.Sprintf("caches %v", cached), func(t *testing.T) {
			h := &histories{t: t, volume: vfs.NewMem(), cached: cached, led: make(chan *life),
				progress: make(chan struct{}, 1), operations: map[string]*operation{}}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var processes sync.WaitGroup
			for range 3 {
				processes.Go(func() { h.live(ctx) })
			}
			holder := <-h.led
			for round := range 30 {
				h.await(holder, 40)
				holder = h.disturb(holder, round)
			}
			h.await(holder, 40)
			cancel()
			processes.Wait()
			final, err := recoverAll(t, on(t, h.volume.Disk().Process(), noFault))
			if err != nil {
				t.Fatal(err)
			}
			h.check(final)
			t.Logf("%d records of %d appends, in %d terms", len(final), len(h.operations), holder.term)
		})
	}
}
