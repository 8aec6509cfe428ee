package spool_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/spool"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// segment is the size of a segment in these tests.
const segment = 1000

func newSpool(t testing.TB, limit int64) (*spool.Spool, string) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := spool.New(spool.Options{FS: vfs.OS{}, Directory: dir, Limit: limit, Segment: segment})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, dir
}

func put(t testing.TB, s *spool.Spool, b []byte) core.Spooled {
	t.Helper()
	p, err := s.Put(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever comes and goes, what is kept is what was put.
func TestWhatIsKeptIsWhatWasPut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := spool.New(spool.Options{FS: vfs.NewMem().Process(), Directory: "/spool", Limit: 1 << 30, Segment: segment})
		defer func() { _ = s.Close() }()
		type kept struct {
			place core.Spooled
			bytes []byte
		}
		var all []kept
		var last []byte
		for i := range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch step := rapid.IntRange(0, 3).Draw(rt, "step"); {
			case step == 0 && len(all) > 0:
				n := rapid.IntRange(0, len(all)-1).Draw(rt, "drop")
				s.Drop(all[n].place)
				all = append(all[:n], all[n+1:]...)
			case step == 1 && last != nil:
				p, err := s.Put(last)
				if err != nil {
					rt.Fatal(err)
				}
				all = append(all, kept{p, last})
			default:
				last = bytes.Repeat([]byte{byte(i)}, rapid.SampledFrom([]int{1, 100, segment / 3, segment}).Draw(rt, "size"))
				p, err := s.Put(last)
				if err != nil {
					rt.Fatal(err)
				}
				all = append(all, kept{p, last})
			}
			for _, k := range all {
				if got, err := s.Get(k.place); err != nil || !bytes.Equal(got, k.bytes) {
					rt.Fatalf("of %d bytes at %+v: %d bytes, %v", len(k.bytes), k.place, len(got), err)
				}
			}
		}
	})
}

func TestOneCopyOfWhatIsPutTwice(t *testing.T) {
	s, _ := newSpool(t, 15)
	b := []byte("0123456789")
	first, second := put(t, s, b), put(t, s, b)
	if first != second {
		t.Errorf("at %+v and %+v", first, second)
	}
	s.Drop(first)
	if got, err := s.Get(second); err != nil || string(got) != string(b) {
		t.Errorf("after one of them is dropped: %q, %v", got, err)
	}
}

func TestTheLimit(t *testing.T) {
	s, _ := newSpool(t, 3*segment)
	random := make([]byte, segment)
	var places []core.Spooled
	for i := range 3 {
		random[0] = byte(rand.IntN(256))
		places = append(places, put(t, s, append([]byte(nil), random...)))
		if i == 2 {
			if _, err := s.Put([]byte{1}); err == nil {
				t.Error("it takes more than its limit")
			}
		}
	}
	s.Drop(places[1])
	put(t, s, append([]byte(nil), random...))
}

// A process that dies leaves nothing, and what it left between two steps is removed by the next one.
func TestNothingIsLeft(t *testing.T) {
	s, dir := newSpool(t, 1<<20)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "spool-1"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, s, []byte("new"))
	names, err := os.ReadDir(dir)
	if err != nil || len(names) > 0 {
		t.Errorf("%v, %v", names, err)
	}
}

func TestNoDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := spool.New(spool.Options{FS: vfs.OS{}, Directory: file, Limit: 1 << 20})
	if _, err := s.Put([]byte("x")); err == nil {
		t.Error("it takes what it cannot keep")
	}
}

func BenchmarkPutGetDrop(b *testing.B) {
	s, _ := newSpool(b, 1<<30)
	message := make([]byte, 1024)
	b.SetBytes(1024)
	for b.Loop() {
		p := put(b, s, message)
		if _, err := s.Get(p); err != nil {
			b.Fatal(err)
		}
		s.Drop(p)
	}
}
