package file

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/logtest"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

const testPoll = time.Millisecond

func options(t testing.TB, fsys vfs.FS, dir string) Options {
	return Options{
		Directory: dir, Broker: "orders-0", SegmentBytes: logtest.SegmentBytes, Poll: testPoll, FS: fsys,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func opener(fsys func() vfs.FS, dir string) logtest.Opener {
	return func(t testing.TB) log.Log {
		t.Helper()
		l, err := Open(options(t, fsys(), dir))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
}

func TestLogOnDisk(t *testing.T) {
	logtest.Run(t, func(t testing.TB) logtest.Opener {
		return opener(func() vfs.FS { return vfs.OS{} }, filepath.Join(t.TempDir(), "data"))
	})
}

func TestLogInMemory(t *testing.T) {
	logtest.Run(t, func(t testing.TB) logtest.Opener {
		m := vfs.NewMem()
		return opener(func() vfs.FS { return m.Process() }, "/data")
	})
}

func TestLogOnMountsWithCaches(t *testing.T) {
	logtest.Run(t, func(t testing.TB) logtest.Opener {
		m := vfs.NewMem()
		return opener(func() vfs.FS {
			p := m.Process()
			p.Cached = true
			return p
		}, "/data")
	})
}
