package file

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/logtest"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// mentions checks that an error tells the user what they need.
func mentions(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that mentions %q", parts)
	}
	t.Logf("the message: %v", err)
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not mention %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error %q is not one line", err)
	}
}

// TestDiskFailsUnderHolder breaks one kind of operation under a holder that has appended and applied.
func TestDiskFailsUnderHolder(t *testing.T) {
	tests := []struct {
		name   string
		kind   vfs.Kind
		err    error
		length int // of the record that meets it: a long one makes the log begin a segment
		want   []string
	}{
		{"write", vfs.OpWrite, unix.EIO, 1, []string{"write entry", "/data", "input/output error", "kernel's log"}},
		{"sync", vfs.OpSync, unix.EIO, 1, []string{"sync entry", "/data", "input/output error", "kernel's log"}},
		{"disk full", vfs.OpWrite, unix.ENOSPC, 1, []string{"/data is full", "bytes are free, so it is a quota", "nothing that was ack"}},
		{"thin disk full", vfs.OpSync, unix.ENOSPC, 1, []string{"sync entry", "/data is full", "bytes are free", "the disk below it"}},
		{"quota", vfs.OpWrite, unix.EDQUOT, 1, []string{"/data is full"}},
		{"read-only", vfs.OpWrite, unix.EROFS, 1, []string{"/data is mounted read-only"}},
		{"begin a segment", vfs.OpRename, unix.EIO, 1 << 15, []string{"begin segment", "kernel's log"}},
		{"sync the directory", vfs.OpSyncDir, unix.EIO, 1 << 15, []string{"begin segment", "kernel's log"}},
		{"read the term", vfs.OpRead, unix.ESTALE, 1, []string{"cannot read whether there is a term above"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var broken atomic.Bool
			m := vfs.NewMem()
			l, a, _ := logtest.Lead(t, func(t testing.TB) log.Log {
				l, err := Open(on(t, m.Process(), func(op vfs.Op) error {
					if broken.Load() && op.Kind == test.kind {
						return test.err
					}
					return nil
				}))
				if err != nil {
					t.Fatal(err)
				}
				return l
			})
			logtest.Append(t, l, "applied")
			logtest.Flush(t, l, a)
			broken.Store(true)
			logtest.Append(t, l, strings.Repeat("x", test.length))
			<-l.Done()
			mentions(t, l.Err(), test.want...)
			applied := len(a.Data())
			if _, err := l.Append(nil, []byte("late")); !errors.Is(err, l.Err()) {
				t.Errorf("Append after it: %v", err)
			}
			l.Close()
			got, err := recoverAll(t, on(t, m.Process(), noFault))
			if err != nil || len(got) < applied || got[0] != "applied" {
				t.Errorf("recovered %d records of %d applied, %v", len(got), applied, err)
			}
		})
	}
}

// TestSyncIsNotTriedAgain lets one sync fail and the next succeed: the entry of the first must not count.
func TestSyncIsNotTriedAgain(t *testing.T) {
	var syncs atomic.Int64
	failing := int64(-1)
	l, a, _ := logtest.Lead(t, func(t testing.TB) log.Log {
		l, err := Open(on(t, vfs.NewMem().Process(), func(op vfs.Op) error {
			if op.Kind == vfs.OpSync && syncs.Add(1) == failing {
				return unix.EIO
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
	failing = syncs.Load() + 1
	logtest.Append(t, l, "x")
	<-l.Done()
	if len(a.All()) != 0 || syncs.Load() != failing {
		t.Errorf("applied %v; %d syncs, want the one that fails to be the last", a.All(), syncs.Load()-failing+1)
	}
}

// TestStolenLock lets somebody do to an idle holder's lock what nobody should.
func TestStolenLock(t *testing.T) {
	remove := func(t *testing.T, fsys vfs.FS, name string) {
		if err := fsys.Remove(filepath.Join(testDirectory, name)); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		steal func(*testing.T, *vfs.Process, vfs.FS)
		want  string
	}{
		{"lock removed", func(t *testing.T, _ *vfs.Process, f vfs.FS) { remove(t, f, lockFile) }, "removed /data/lock"},
		{"lock replaced", func(t *testing.T, _ *vfs.Process, f vfs.FS) {
			if _, err := f.Open(testDirectory+"/other", os.O_CREATE|os.O_RDWR); err != nil {
				t.Fatal(err)
			}
			if err := f.Rename(testDirectory+"/other", testDirectory+"/lock"); err != nil {
				t.Fatal(err)
			}
		}, "replaced /data/lock"},
		{"lock lost to another", func(t *testing.T, p *vfs.Process, f vfs.FS) {
			other, err := f.Open(testDirectory+"/lock", os.O_RDWR)
			if err != nil {
				t.Fatal(err)
			}
			for locked := false; !locked; {
				p.LoseLocks()
				if locked, err = other.TryLock(); err != nil {
					t.Fatal(err)
				}
			}
		}, "lock on /data/lock was lost"},
		{"term file removed", func(t *testing.T, _ *vfs.Process, f vfs.FS) { remove(t, f, "term.1") }, "term.1 was renamed or removed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := vfs.NewMem()
			p := m.Process()
			l, _, _ := logtest.Lead(t, opener(func() vfs.FS { return p }, testDirectory))
			test.steal(t, p, m.Process())
			<-l.Done()
			if !errors.Is(l.Err(), log.ErrRightLost) {
				t.Errorf("Err: %v, want %v", l.Err(), log.ErrRightLost)
			}
			mentions(t, l.Err(), test.want)
		})
	}
}

// TestTermsNeverBeginAnew removes the term file of a directory with segments.
func TestTermsNeverBeginAnew(t *testing.T) {
	m := vfs.NewMem()
	open := opener(func() vfs.FS { return m.Process() }, testDirectory)
	for range 3 {
		l, _, _ := logtest.Lead(t, open)
		logtest.Append(t, l, "x")
		l.Close()
	}
	if err := m.Process().Remove(testDirectory + "/term.3"); err != nil {
		t.Fatal(err)
	}
	_, a, term := logtest.Lead(t, open)
	if term <= 3 || len(a.All()) != 3 {
		t.Errorf("term %d with %d records", term, len(a.All()))
	}
}

func TestDirectoryOfAnother(t *testing.T) {
	fill := func(name string) func(*testing.T, *vfs.Mem) {
		return func(t *testing.T, m *vfs.Mem) {
			p := m.Process()
			if err := p.MkdirAll(testDirectory); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Open(filepath.Join(testDirectory, name), os.O_CREATE|os.O_RDWR); err != nil {
				t.Fatal(err)
			}
		}
	}
	other := func(t *testing.T, m *vfs.Mem) {
		o := options(t, m.Process(), testDirectory)
		o.Broker = "billing-1"
		if _, err := recoverAll(t, o); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		fill func(*testing.T, *vfs.Mem)
		want []string
	}{
		{"a Java broker's store", fill("db-1.log"), []string{"ActiveMQ", "db-1.log", "directory of its own", "receive its messages there and send them here"}},
		{"another broker's", other, []string{`"billing-1"`, `"orders-0"`, "directory of its own"}},
		{"another's that lost its identity", func(t *testing.T, m *vfs.Mem) {
			other(t, m)
			if err := m.Process().Remove(testDirectory + "/broker"); err != nil {
				t.Fatal(err)
			}
		}, []string{`"billing-1"`, `"orders-0"`}},
		{"an identity that is no text of ours", fill("broker"), []string{"/data/broker", "damaged or of a newer version"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := vfs.NewMem()
			test.fill(t, m)
			_, err := recoverAll(t, options(t, m.Process(), testDirectory))
			mentions(t, err, test.want...)
		})
	}
}

// TestDirectoryThatWeMayNotWrite uses the file system as another user would.
func TestDirectoryThatWeMayNotWrite(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o555)); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 { // who may write anywhere: be somebody else on this thread
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := unix.Setfsuid(12345); err != nil {
			t.Fatal(err)
		}
		defer unix.Setfsuid(0)
	}
	_, err := Open(Options{Directory: filepath.Join(dir, "data"), Broker: "orders-0"})
	mentions(t, err, dir, "permission denied", "belongs to uid", "mode dr-xr-xr-x", "this process runs as uid", "fsGroup")
}

func TestReadOnlyVolume(t *testing.T) {
	m := vfs.NewMem()
	_, err := Open(on(t, m.Process(), func(op vfs.Op) error {
		if op.Kind == vfs.OpOpen {
			return unix.EROFS
		}
		return nil
	}))
	mentions(t, err, "/data", "read-only", "mount it to be written")
}
