package store

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestSpansAreASet adds runs in any order and compares with a set of numbers.
func TestSpansAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 40
		var s spans
		var want [most + 1]bool
		for range rapid.IntRange(1, 20).Draw(t, "runs") {
			from := rapid.Uint64Range(0, most).Draw(t, "from")
			to := rapid.Uint64Range(from, most).Draw(t, "to")
			var fresh, added []uint64
			for n := from; n <= to; n++ {
				if !want[n] {
					added = append(added, n)
				}
				want[n] = true
			}
			for _, run := range s.add(Span{from, to}) {
				for n := run.From; n <= run.To; n++ {
					fresh = append(fresh, n)
				}
			}
			if diff := gocmp.Diff(added, fresh); diff != "" {
				t.Fatalf("%d to %d: what was not in it before (-want +got):\n%s", from, to, diff)
			}
		}
		checkRuns(t, s, want[:])
		checkGaps(t, s, want[:], rapid.Uint64Range(0, most).Draw(t, "above"))
	})
}

func checkRuns(t *rapid.T, s spans, want []bool) {
	got := make([]bool, len(want))
	for i, run := range s {
		if i > 0 && run.From <= s[i-1].To+1 {
			t.Fatalf("runs touch: %v", s)
		}
		for n := run.From; n <= run.To; n++ {
			got[n] = true
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("the set (-want +got):\n%s", diff)
	}
}

func checkGaps(t *rapid.T, s spans, want []bool, above uint64) {
	missing := make([]bool, len(want))
	for gap := range s.gaps(above) {
		for n := gap.From; n <= gap.To && n < uint64(len(want)); n++ {
			missing[n] = true
		}
	}
	for n := range want {
		if missing[n] != (uint64(n) > above && !want[n]) {
			t.Fatalf("%d in a gap above %d of %v: %v", n, above, s, missing[n])
		}
	}
}
