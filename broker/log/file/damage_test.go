package file

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/log/logtest"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// written is the log of a broker that was killed: three segments in one term, with an entry for each record, and where they lie.
type written struct {
	volume   *vfs.Mem
	records  []string
	segments []string // names
	places   []place  // of entries
	ends     []int64  // offsets behind them
}

func write(t *testing.T) written {
	t.Helper()
	w := written{volume: vfs.NewMem()}
	p := w.volume.Process()
	l, err := Open(on(t, p, noFault))
	if err != nil {
		t.Fatal(err)
	}
	a := logtest.NewApplied(t)
	if _, err := l.Lead(t.Context(), a.Apply); err != nil {
		t.Fatal(err)
	}
	for i := range 24 {
		data := fmt.Sprintf("%d %s", i, strings.Repeat("x", 1800))
		logtest.Append(t, l, data)
		logtest.Flush(t, l, a)
		w.records = append(w.records, data)
		w.places = append(w.places, place{l.writer.segment.name(), l.writer.segment.end - int64(entryHeader+8+len(data))})
		w.ends = append(w.ends, l.writer.segment.end)
	}
	for _, s := range l.table.segments {
		w.segments = append(w.segments, s.name())
	}
	p.Kill()
	l.Close()
	if len(w.segments) != 3 {
		t.Fatalf("%d segments, want 3", len(w.segments))
	}
	return w
}

// change overwrites bytes of a file.
func (w written) change(t *testing.T, name string, offset int64, b []byte) {
	t.Helper()
	f, err := w.volume.Process().Open(filepath.Join(testDirectory, name), os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(b, offset); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDamageIsRefused changes what was durable. All of it has to be noticed, with file, place and what to do.
func TestDamageIsRefused(t *testing.T) {
	tests := []struct {
		name   string
		damage func(*testing.T, written) (want []string)
	}{
		{"a flipped bit in the middle of the last segment", func(t *testing.T, w written) []string {
			p := w.places[20]
			w.change(t, p.segment, p.offset+500, []byte{'y'})
			return []string{p.segment, fmt.Sprintf("offset %d", p.offset), "entry 21 is to be", "entry 22 follows", "restore"}
		}},
		{"a flipped bit in a header", func(t *testing.T, w written) []string {
			p := w.places[19]
			w.change(t, p.segment, p.offset+5, []byte{0xff})
			return []string{p.segment, fmt.Sprintf("offset %d", p.offset), "entry 20 is to be", "restore"}
		}},
		{"a lost page in an earlier segment", func(t *testing.T, w written) []string {
			w.change(t, w.segments[1], vfs.BlockSize, make([]byte, vfs.BlockSize))
			return []string{w.segments[1], "cannot be read at offset", "restore"}
		}},
		{"a lost last page of an earlier segment", func(t *testing.T, w written) []string {
			p := w.places[7]
			w.change(t, p.segment, p.offset, make([]byte, 1000))
			return []string{p.segment, fmt.Sprintf("offset %d", p.offset), "entry 8 is to be", "restore"}
		}},
		{"a lost first segment", func(t *testing.T, w written) []string {
			return append(w.remove(t, w.segments[0]), "entries 1 to 8")
		}},
		{"a lost middle segment", func(t *testing.T, w written) []string {
			w.remove(t, w.segments[1])
			return []string{w.segments[0], "entry 9 is to be"}
		}},
		{"no segments any more", func(t *testing.T, w written) []string {
			w.remove(t, w.segments...)
			return []string{"its segments (*.log) are gone", "restore", `"broker"`}
		}},
		{"a flipped bit in a segment's header", func(t *testing.T, w written) []string {
			w.change(t, w.segments[1], 9, []byte{7})
			return []string{w.segments[1], "header is damaged"}
		}},
		{"a segment cut to nothing", func(t *testing.T, w written) []string {
			w.change(t, w.segments[1], 0, make([]byte, headerBytes))
			return []string{w.segments[1], "does not begin like a segment"}
		}},
		{"a segment under another name", func(t *testing.T, w written) []string {
			other := header{term: 1, first: 99}.name()
			if err := w.volume.Process().Rename(testDirectory+"/"+w.segments[2], testDirectory+"/"+other); err != nil {
				t.Fatal(err)
			}
			return []string{other, "by its header it is " + w.segments[2]}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := write(t)
			want := test.damage(t, w)
			before := w.volume.Names(testDirectory)
			_, err := recoverAll(t, on(t, w.volume.Process(), noFault))
			mentions(t, err, want...)
			for _, name := range strings.Fields(before) {
				if strings.HasSuffix(name, segmentSuffix) && !strings.Contains(w.volume.Names(testDirectory), name) {
					t.Errorf("%s was removed in spite of the damage", name)
				}
			}
		})
	}
}

func (w written) remove(t *testing.T, names ...string) []string {
	for _, name := range names {
		if err := w.volume.Process().Remove(filepath.Join(testDirectory, name)); err != nil {
			t.Fatal(err)
		}
	}
	return []string{testDirectory}
}

// TestTornEnd cuts the last entry off at each of some lengths: it was never acknowledged, so the rest is the log.
func TestTornEnd(t *testing.T) {
	for _, kept := range []int64{0, 1, entryHeader - 1, entryHeader, entryHeader + 4, 1000} {
		w := write(t)
		last := len(w.places) - 1
		p := w.places[last]
		w.change(t, p.segment, p.offset+kept, make([]byte, w.ends[last]-p.offset-kept))
		got, err := recoverAll(t, on(t, w.volume.Process(), noFault))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(w.records[:last], got); diff != "" {
			t.Errorf("with %d bytes of the last entry (-want +got):\n%.400s", kept, diff)
		}
	}
}

// TestSealedEnd damages the last entry of a log that was closed in order, and of one that was killed since then while it had
// nothing to do. It was acknowledged, and so it is missed.
func TestSealedEnd(t *testing.T) {
	for _, killed := range []bool{false, true} {
		w := write(t)
		p := w.volume.Process()
		l, a, _ := logtest.Lead(t, opener(func() vfs.FS { return p }, testDirectory))
		logtest.Append(t, l, strings.Repeat("x", 1800))
		logtest.Flush(t, l, a)
		last := place{l.(*Log).writer.segment.name(), l.(*Log).writer.segment.end - 1000}
		l.Close()
		if killed {
			p = w.volume.Process()
			l, _, _ := logtest.Lead(t, opener(func() vfs.FS { return p }, testDirectory))
			p.Kill()
			l.Close()
		}
		w.change(t, last.segment, last.offset, []byte{'y'})
		_, err := recoverAll(t, on(t, w.volume.Process(), noFault))
		mentions(t, err, last.segment, "cannot be read at offset", "entry 25 is to be", "restore the file from a copy")
	}
}

// TestReadFindsDamage flips a bit under a log that has recovered.
func TestReadFindsDamage(t *testing.T) {
	w := write(t)
	l, err := Open(on(t, w.volume.Process(), noFault))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := logtest.NewApplied(t)
	if _, err := l.Lead(t.Context(), a.Apply); err != nil {
		t.Fatal(err)
	}
	w.change(t, w.places[3].segment, w.places[3].offset+500, []byte{'y'})
	_, err = l.Read(a.All()[3].Position, nil)
	mentions(t, err, "read record 4+0", testDirectory, "checksum is wrong")
	if _, err := l.Read(a.All()[4].Position, nil); err != nil {
		t.Errorf("the record after it: %v", err)
	}
}

// TestBehind has a standby find what it was to read next gone.
func TestBehind(t *testing.T) {
	w := write(t)
	f := &follower{fs: w.volume.Process(), dir: testDirectory, broker: "orders-0", apply: logtest.NewApplied(t).Apply,
		table: &table{fs: w.volume.Process(), dir: testDirectory}, headers: map[string]header{}}
	if _, err := f.look(); err != nil {
		t.Fatal(err)
	}
	f.next, f.place = 1, place{}
	l, a, _ := logtest.Lead(t, opener(func() vfs.FS { return w.volume.Process() }, testDirectory))
	if err := l.Drop(20); err != nil {
		t.Fatal(err)
	}
	logtest.Flush(t, l, a)
	l.Close()
	_, err := f.look()
	mentions(t, err, "dropped entries before this standby read them", "start it again")
}
