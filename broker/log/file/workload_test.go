package file

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/logtest"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

const testDirectory = "/data"

// changes tells the operations that change something: where a crash or a pause makes a difference.
func changes(op vfs.Op) bool { return op.Kind != vfs.OpRead && op.Kind != vfs.OpLock }

// on returns options for a log on a volume in memory that asks before each of its operations.
func on(t testing.TB, p *vfs.Process, before func(vfs.Op) error) Options {
	o := options(t, &vfs.Faulty{FS: p, Before: before}, testDirectory)
	o.SegmentBytes = 16 << 10
	return o
}

// history is what a test knows of a log: what it appended in which order, and how much of that it saw applied.
type history struct {
	mu       sync.Mutex
	appended []string
	applied  int // of appended
	dropped  int // records below it need not be there
}

// state is a moment of a history.
type state struct {
	appended         []string
	applied, dropped int
}

func (h *history) now() state {
	h.mu.Lock()
	defer h.mu.Unlock()
	return state{h.appended[:len(h.appended):len(h.appended)], h.applied, h.dropped}
}

// append appends a record of a certain length; the error is the log's.
func (h *history) append(l log.Log, length int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	index := len(h.appended)
	data := fmt.Sprintf("%d %s", index, strings.Repeat("x", length))
	h.appended = append(h.appended, data)
	_, err := l.Append(index, []byte(data))
	return err
}

// apply notes what is applied at a holder that appended it.
func (h *history) apply(e log.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range e.Records {
		switch note := r.Note.(type) {
		case int:
			h.applied = max(h.applied, note+1)
		case chan struct{}:
			close(note)
		}
	}
}

// drop gives up all but the last few of what was applied.
func (h *history) drop(l log.Log, entry uint64) error {
	h.mu.Lock()
	h.dropped = h.applied
	h.mu.Unlock()
	return l.Drop(entry)
}

// check compares what was recovered with a moment of the history: a run of what was appended, in order and without a gap, that has
// everything that was applied and not dropped.
func (s state) check(got []string) error {
	if len(got) == 0 {
		if s.applied > s.dropped {
			return fmt.Errorf("nothing was recovered, of %d applied", s.applied)
		}
		return nil
	}
	var first int
	if _, err := fmt.Sscanf(got[0], "%d ", &first); err != nil {
		return fmt.Errorf("%.40q was never appended", got[0])
	}
	if first > s.dropped {
		return fmt.Errorf("the first recovered record is %d, but from %d on they are needed", first, s.dropped)
	}
	for i, data := range got {
		if first+i >= len(s.appended) || data != s.appended[first+i] {
			return fmt.Errorf("record %d is %.40q", first+i, data)
		}
	}
	if first+len(got) < s.applied {
		return fmt.Errorf("the last recovered record is %d, but %d were applied", first+len(got)-1, s.applied)
	}
	return nil
}

// workload appends, drops and begins segments, in one term. It ends early when the log does.
func (h *history) workload(ctx context.Context, o Options) error {
	l, err := Open(o)
	if err != nil {
		return err
	}
	defer l.Close()
	if _, err := l.Lead(ctx, h.apply); err != nil {
		return err
	}
	for i := range 24 {
		if err := h.step(l, i); err != nil {
			return err
		}
	}
	return nil
}

func (h *history) step(l *Log, i int) error {
	for range 1 + i%3 {
		if err := h.append(l, i*i*13%5000); err != nil {
			return err
		}
	}
	flushed := make(chan struct{})
	if _, err := l.Append(flushed); err != nil {
		return err
	}
	select {
	case <-flushed:
	case <-l.Done():
		return l.Err()
	}
	if segments := l.Segments(); i%8 == 7 {
		return h.drop(l, segments[len(segments)-1].Next)
	}
	return nil
}

// recoverAll returns what the next holder finds.
func recoverAll(t testing.TB, o Options) ([]string, error) {
	l, err := Open(o)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	a := logtest.NewApplied(t)
	if _, err := l.Lead(t.Context(), a.Apply); err != nil {
		return nil, err
	}
	return a.Data(), nil
}
