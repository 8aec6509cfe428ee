package file

import (
	"sync"
	"testing"

	"github.com/twinmesh/twinmesh/broker/vfs"
)

func noFault(vfs.Op) error { return nil }

// TestPowerCutAtEveryOperation cuts the power before each operation of a workload, again somewhere in the recovery from that,
// and expects everything that was applied by then.
func TestPowerCutAtEveryOperation(t *testing.T) {
	m, h, seed := vfs.NewMem(), &history{}, uint64(0)
	var mu sync.Mutex // two goroutines of a log use the file system
	cut := func(op vfs.Op) error {
		if !changes(op) {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		seed++
		before := h.now() // everything applied by now is durable; what follows may be, too
		clone := m.CrashClone(seed)
		if err := before.checkTwice(t, clone, h, seed); err != nil {
			t.Errorf("power cut %d, before %s %s at %d: %v\non the disk:\n%s", seed, op.Kind, op.Name, op.Offset, err,
				clone.Names(testDirectory))
			return err
		}
		return nil
	}
	for range 3 {
		if err := h.workload(t.Context(), on(t, m.Process(), cut)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d power cuts", seed)
}

// checkTwice recovers what a power cut left, with another cut before some operation of the recovery.
func (s state) checkTwice(t *testing.T, disk *vfs.Mem, h *history, seed uint64) error {
	var again *vfs.Mem
	operations := uint64(0)
	cut := func(op vfs.Op) error {
		if changes(op) {
			if operations == seed%16 {
				again = disk.CrashClone(seed)
			}
			operations++
		}
		return nil
	}
	for _, volume := range []func() *vfs.Mem{func() *vfs.Mem { return disk }, func() *vfs.Mem { return again }} {
		if volume() == nil {
			continue
		}
		got, err := recoverAll(t, on(t, volume().Process(), cut))
		if err != nil {
			return err
		}
		after := h.now()
		s.appended = after.appended
		s.dropped = after.dropped
		if err := s.check(got); err != nil {
			return err
		}
	}
	return nil
}
