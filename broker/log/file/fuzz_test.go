package file

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/twinmesh/twinmesh/broker/log/group"
)

// sealed is an entry as a holder writes it.
func sealed(h header, number, term uint64, records ...string) []byte {
	b := make([]byte, entryHeader)
	for _, r := range records {
		b = group.AppendRecord(b, []byte(r))
	}
	sealEntry(b, h.seed(), number, term)
	return b
}

// FuzzSegment reads anything as a segment: header, entries, and what may follow damage.
func FuzzSegment(f *testing.F) {
	h := header{broker: "orders-0", term: 3, first: 7, start: 5, keep: 2}
	whole := append(h.encode(), sealed(h, 7, 2, "one", "")...)
	whole = append(whole, sealed(h, 8, 3, "two")...)
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(h.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := parseHeader(b); err == nil && !bytes.Equal(got.encode(), b[:headerBytes]) {
			t.Errorf("header %+v has other bytes than it was read from", got)
		}
		s := &scanner{file: bytes.NewReader(b), seed: h.seed(), offset: headerBytes}
		number := h.first
		for ; ; number++ {
			at := s.offset
			e, err := s.next(number)
			if errors.Is(err, errNoEntry) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			again := bytes.Clone(e.bytes)
			sealEntry(again, h.seed(), number, e.term)
			if !bytes.Equal(again, b[at:s.offset]) {
				t.Errorf("entry %d has other bytes than it was read from", number)
			}
		}
		if _, _, err := s.later(number); err != nil {
			t.Error(err)
		}
	})
}

func FuzzPage(f *testing.F) {
	f.Add(page{7, "process 1 on host"}.encode())
	f.Add(make([]byte, pageBytes))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePage(b)
		if err == nil && p.term != 0 && !bytes.Equal(p.encode()[:pageBytes], b[:pageBytes]) {
			t.Errorf("page %+v has other bytes than it was read from", p)
		}
	})
}

func FuzzSegmentName(f *testing.F) {
	f.Add(header{term: 3, first: 7}.name())
	f.Add("db-1.log")
	f.Fuzz(func(t *testing.T, name string) {
		if term, first, ok := segmentName(name); ok && (header{term: term, first: first}).name() != name {
			t.Errorf("%q was read as term %d, entry %d", name, term, first)
		}
	})
}

// TestRecycledBytesNeverParse reads whole entries of another segment, term or broker in this one's place.
func TestRecycledBytesNeverParse(t *testing.T) {
	h := header{broker: "orders-0", term: 3, first: 7}
	for _, other := range []header{
		{broker: "orders-0", term: 3, first: 6},
		{broker: "orders-0", term: 2, first: 7},
		{broker: "orders-1", term: 3, first: 7},
	} {
		s := &scanner{file: bytes.NewReader(sealed(other, 7, 3, "old")), seed: h.seed()}
		if _, err := s.next(7); !errors.Is(err, errNoEntry) {
			t.Errorf("an entry of %+v was read in %+v: %v", other, h, err)
		}
	}
	body := sealed(h, 7, 3, "new")
	copy(body[entryHeader:], sealed(h, 6, 3, "old")[entryHeader:]) // the header arrived, the page with the body did not
	s := &scanner{file: bytes.NewReader(body), seed: h.seed()}
	if _, err := s.next(7); !errors.Is(err, errNoEntry) {
		t.Errorf("the records of entry 6 were read as those of entry 7: %v", err)
	}
}

func TestPlan(t *testing.T) {
	h := func(term, first, start, keep uint64) header {
		return header{term: term, first: first, start: start, keep: keep}
	}
	end := uint64(math.MaxUint64)
	tests := []struct {
		name string
		all  []header
		log  []counted
		left []header
		keep uint64
	}{
		{"nothing", nil, nil, nil, 1},
		{"one term", []header{h(1, 9, 1, 1), h(1, 1, 1, 1)}, []counted{{h(1, 1, 1, 1), 9}, {h(1, 9, 1, 1), end}}, nil, 1},
		{"a takeover in the middle of a segment", []header{h(1, 1, 1, 1), h(2, 6, 6, 1)},
			[]counted{{h(1, 1, 1, 1), 6}, {h(2, 6, 6, 1), end}}, nil, 1},
		{"a late segment of the lower term", []header{h(1, 1, 1, 1), h(1, 7, 1, 1), h(2, 6, 6, 1)},
			[]counted{{h(1, 1, 1, 1), 6}, {h(2, 6, 6, 1), end}}, []header{h(1, 7, 1, 1)}, 1},
		{"the higher term's first segment was dropped", []header{h(1, 7, 1, 1), h(2, 20, 6, 20)},
			[]counted{{h(2, 20, 6, 20), end}}, []header{h(1, 7, 1, 1)}, 20},
		{"a late segment below one that is missing", []header{h(1, 7, 1, 1), h(2, 20, 6, 15)},
			[]counted{{h(2, 20, 6, 15), end}}, []header{h(1, 7, 1, 1)}, 15},
		{"dropped and not removed yet", []header{h(1, 1, 1, 1), h(1, 5, 1, 1), h(1, 9, 1, 7)},
			[]counted{{h(1, 5, 1, 1), 9}, {h(1, 9, 1, 7), end}}, []header{h(1, 1, 1, 1)}, 7},
		{"a claimant that wrote nothing new", []header{h(1, 1, 1, 1), h(2, 6, 6, 1), h(3, 6, 6, 1)},
			[]counted{{h(1, 1, 1, 1), 6}, {h(3, 6, 6, 1), end}}, []header{h(2, 6, 6, 1)}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			log, left, keep := plan(test.all)
			opt := cmp.AllowUnexported(header{}, counted{})
			if diff := cmp.Diff(test.log, log, opt); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.left, left, opt); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
			if keep != test.keep {
				t.Errorf("keep %d, want %d", keep, test.keep)
			}
		})
	}
}

// TestPlanLosesNothing plans the segments of random terms, where each takes over at or above where the one before began, and
// finds each entry in the highest term that has it.
func TestPlanLosesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		owner := map[uint64]uint64{} // the term of each entry
		var all []header
		next := uint64(1)
		for term := range uint64(rapid.IntRange(1, 6).Draw(r, "terms")) {
			start := next - min(next-1, rapid.Uint64Range(0, 1).Draw(r, "written again"))
			next = start
			for range rapid.IntRange(1, 4).Draw(r, "segments") {
				all = append(all, header{term: term + 1, first: next, start: start, keep: 1})
				for range rapid.IntRange(1, 5).Draw(r, "entries") {
					owner[next] = term + 1
					next++
				}
			}
		}
		log, _, _ := plan(rapid.Permutation(all).Draw(r, "order"))
		for n := uint64(1); n < next; n++ {
			var terms []uint64
			for _, c := range log {
				if c.first <= n && n < c.limit {
					terms = append(terms, c.term)
				}
			}
			if diff := cmp.Diff([]uint64{owner[n]}, terms); diff != "" {
				r.Fatalf("entry %d is in (-want +got):\n%s", n, diff)
			}
		}
	})
}
