package file

import (
	"testing"

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
