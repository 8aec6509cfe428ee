package file

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/log/logtest"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// TestZombieAtEveryOperation stops a process before each operation of its life as a candidate and as a holder, takes its
// locks, lets another take over and work, and wakes it. Nothing that it still does may count or do harm.
func TestZombieAtEveryOperation(t *testing.T) {
	for _, cached := range []bool{false, true} {
		t.Run(fmt.Sprintf("caches %v", cached), func(t *testing.T) {
			woke := 0
			for at := int64(1); zombie(t, cached, at); at++ {
				woke++
			}
			if woke < 100 {
				t.Errorf("only %d operations were tried", woke)
			}
		})
	}
}

// zombie stops the process before operation number at. It returns false if there were fewer.
func zombie(t *testing.T, cached bool, at int64) bool {
	m := vfs.NewMem()
	old := &history{}
	if err := old.workload(t.Context(), on(t, m.Process(), noFault)); err != nil { // so that there is something to take over
		t.Fatal(err)
	}
	p := m.Process()
	p.Cached = cached
	stopped, wake := make(chan vfs.Op, 1), make(chan struct{})
	var candidate atomic.Bool // it has looked for the term to succeed; before, it would be no zombie but the next holder
	var count atomic.Int64
	o := on(t, p, func(op vfs.Op) error {
		candidate.CompareAndSwap(false, strings.Contains(op.Name, termPrefix))
		if candidate.Load() && changes(op) && count.Add(1) == at {
			stopped <- op
			<-wake
		}
		return nil
	})
	o.Poll = time.Hour // its watch shall not help it
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { ended <- old.workload(ctx, o) }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
		return false
	case op := <-stopped:
		p.LoseLocks()
		cancel() // if it finds that it is a standby, it shall not wait
		next := m.Process()
		next.Cached = cached
		if err := overtake(t, m, next, old, wake, ended); err != nil {
			t.Fatalf("stopped before operation %d, %s %s at %d: %v\non the disk:\n%s", at, op.Kind, op.Name, op.Offset, err,
				m.Names(testDirectory))
		}
	}
	return true
}

// overtake lets another process take over from a stopped one, wakes that while the other works, and checks what is left.
func overtake(t *testing.T, m *vfs.Mem, next *vfs.Process, old *history, wake chan struct{}, ended chan error) error {
	before := old.now()
	l, err := Open(on(t, next, noFault))
	if err != nil {
		close(wake)
		return err
	}
	defer l.Close()
	a := logtest.NewApplied(t)
	if _, err := l.Lead(t.Context(), a.Apply); err != nil {
		close(wake)
		return err
	}
	inherited := a.Data()
	if err := before.check(inherited); err != nil {
		close(wake)
		return fmt.Errorf("taken over: %w", err)
	}
	logtest.Append(t, l, "new one")
	logtest.Flush(t, l, a)
	close(wake)
	logtest.Append(t, l, "new two")
	logtest.Flush(t, l, a)
	<-ended
	if after := old.now(); after.applied > before.applied {
		return fmt.Errorf("the old holder applied record %d after the takeover", after.applied-1)
	}
	logtest.Append(t, l, "new three")
	l.Close()
	return sameAgain(t, m, append(inherited, "new one", "new two", "new three"))
}

// sameAgain checks that the next holder finds what the last one had.
func sameAgain(t *testing.T, m *vfs.Mem, want []string) error {
	got, err := recoverAll(t, on(t, m.Disk().Process(), noFault))
	if err != nil {
		return err
	}
	if len(got) > len(want) {
		return fmt.Errorf("%d records are there, want %d", len(got), len(want))
	}
	for i, data := range want[len(want)-len(got):] { // a zombie's drop may have counted
		if got[i] != data {
			return fmt.Errorf("record %d of %d is %.40q, want %.40q", i, len(want), got[i], data)
		}
	}
	return nil
}
