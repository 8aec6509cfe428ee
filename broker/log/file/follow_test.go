package file

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/logtest"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// TestDropsWithNothingBetween lets a holder drop twice without an entry between, which gives its empty segment another header under
// the same name, and a standby look after each. What the standby writes when it takes over has to say what was dropped.
func TestDropsWithNothingBetween(t *testing.T) {
	w := write(t)
	l, a, _ := logtest.Lead(t, opener(func() vfs.FS { return w.volume.Process() }, testDirectory))
	p := w.volume.Process()
	standby := &follower{fs: p, dir: testDirectory, broker: "orders-0", apply: logtest.NewApplied(t).Apply,
		table: &table{fs: p, dir: testDirectory}, headers: map[string]header{}}
	for _, s := range l.Segments()[1:3] {
		if err := l.Drop(s.First); err != nil {
			t.Fatal(err)
		}
		logtest.Flush(t, l, a)
		for firstSegment(t, p) < s.First { // removed by the holder in its own time
			runtime.Gosched()
		}
		if _, err := standby.look(); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	takeover := &takeover{o: on(t, p, noFault), f: standby}
	if err := takeover.run(); err != nil {
		t.Fatal(err)
	}
	takeover.writer.close()
	takeover.claim.close()
	if _, err := recoverAll(t, on(t, w.volume.Process(), noFault)); err != nil {
		t.Error(err)
	}
}

// firstSegment is the first entry of all segments that there are.
func firstSegment(t *testing.T, fsys vfs.FS) uint64 {
	t.Helper()
	names, err := fsys.List(testDirectory)
	if err != nil {
		t.Fatal(err)
	}
	lowest := uint64(math.MaxUint64)
	for _, name := range names {
		if _, first, ok := segmentName(name); ok {
			lowest = min(lowest, first)
		}
	}
	return lowest
}

// TestStandbyTriesTheLock counts how often a standby tries it: NFS may wake late who waits for it.
func TestStandbyTriesTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := vfs.NewMem()
		holder, _, _ := logtest.Lead(t, opener(func() vfs.FS { return m.Process() }, testDirectory))
		defer holder.Close()
		var tries atomic.Int64
		o := on(t, m.Process(), func(op vfs.Op) error {
			if op.Kind == vfs.OpLock && op.Name == filepath.Join(testDirectory, lockFile) {
				tries.Add(1)
			}
			return nil
		})
		o.Poll = 0 // the default
		standby, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		defer standby.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		if _, err := standby.Lead(ctx, func(log.Entry) {}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Lead: %v", err)
		}
		if n := tries.Load(); n != 41 {
			t.Errorf("it tried the lock %d times in 10 s, want one at once and one every 250 ms", n)
		}
	})
}
