package destination

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWhatAPatternCovers(t *testing.T) {
	for _, c := range []struct {
		pattern     string
		covers, not []string
	}{
		{"A.B", []string{"A.B"}, []string{"A", "A.B.C", "a.b"}},
		{"A.*", []string{"A.B", "A.*"}, []string{"A", "A.B.C", "B.A"}},
		{"*.B", []string{"A.B"}, []string{"B", "A.B.C"}},
		{"A.*.C", []string{"A.B.C"}, []string{"A.C", "A.B.C.D"}},
		{"A.>", []string{"A", "A.B", "A.B.C", "A.>", "*.B"}, []string{"B", "AB", ">"}},
		{"A.>.>", []string{"A", "A.B"}, []string{"B"}},
		{"A.*.>", []string{"A.B", "A.B.C"}, []string{"A", "B.B"}},
		{">", []string{"A", "A.B", "*", ">"}, nil},
		{">.>", []string{"A", "A.B"}, nil},
		{"A.>.C", []string{"A.>.C"}, []string{"A.B.C", "A"}},
		{"A,B.*", []string{"A", "B.C"}, []string{"B", "A.C"}},
		{"A*", []string{"A*"}, []string{"AB"}},
	} {
		for _, name := range slices.Concat(c.covers, c.not) {
			want := slices.Contains(c.covers, name)
			if got := (Destination{Queue, c.pattern}).Covers(Destination{Queue, name}); got != want {
				t.Errorf("%s covers %s: got %t", c.pattern, name, got)
			}
			if (Destination{Queue, c.pattern}).Covers(Destination{TempQueue, name}) {
				t.Errorf("%s covers a destination of another kind", c.pattern)
			}
		}
	}
}

func TestTheMostSpecificPatternIsFound(t *testing.T) {
	for _, c := range []struct{ patterns, name, want string }{
		{"> A.> A.B.> A.B", "A.B", "A.B"},
		{"> A.> A.B.>", "A.B", "A.B.>"},
		{"> A.> A.* A.*.>", "A.B", "A.*"},
		{"> A.> A.*.>", "A.B.C", "A.*.>"},
		{"A.*.C A.B.>", "A.B.C", "A.*.C"}, // neither is narrower
		{"A.> *.B", "A.B", "*.B"},
		{"A.X.> *.X.> A.*.Q", "A.X.Q", "A.*.Q"},
		{"A.> B.>", "A", "A.>"},
		{"A.> B.>", "C", ""},
		{"A.> A.*", "A.*", "A.*"},
	} {
		var m Map[string]
		for _, p := range strings.Fields(c.patterns) {
			m.Add(Destination{Topic, p}, p)
		}
		if got, found := m.Find(Destination{Topic, c.name}); got != c.want || found != (c.want != "") {
			t.Errorf("of %s %s has %q, want %q", c.patterns, c.name, got, c.want)
		}
	}
}

// TestMapIsAsSlowAsItsDefinition compares with trying each pattern on each of a few names.
func TestMapIsAsSlowAsItsDefinition(t *testing.T) {
	part := rapid.SampledFrom([]string{"A", "B", "*"})
	names := everyName()
	rapid.Check(t, func(t *rapid.T) {
		var m Map[string]
		var patterns []string
		for range rapid.IntRange(1, 6).Draw(t, "patterns") {
			p := strings.Join(rapid.SliceOfN(part, 1, 3).Draw(t, "parts"), ".") + rapid.SampledFrom([]string{"", ".>"}).Draw(t, "end")
			patterns = append(patterns, p)
			m.Add(Destination{Queue, p}, p)
		}
		slices.Sort(patterns)
		patterns = slices.Compact(patterns)
		for _, name := range names {
			d := Destination{Queue, name}
			all := m.All(d)
			slices.Sort(all)
			want := slices.DeleteFunc(slices.Clone(patterns), func(p string) bool { return !matchesSlowly(p, name) })
			if !slices.Equal(all, want) {
				t.Fatalf("%s is covered by %v, want %v", name, all, want)
			}
			checkBest(t, &m, d, want, names)
		}
	})
}

// checkBest fails unless what was found is among the candidates, and none of these covers strictly fewer names.
func checkBest(t *rapid.T, m *Map[string], d Destination, candidates, names []string) {
	best, found := m.Find(d)
	if found != (len(candidates) > 0) || found && !slices.Contains(candidates, best) {
		t.Fatalf("%s has %q, %t, of %v", d.Name, best, found, candidates)
	}
	for _, other := range candidates {
		fewer, more := false, false
		for _, name := range names {
			mine, theirs := matchesSlowly(best, name), matchesSlowly(other, name)
			fewer, more = fewer || mine && !theirs, more || theirs && !mine
		}
		if fewer && !more {
			t.Fatalf("%s has %s, though %s is narrower", d.Name, best, other)
		}
	}
}

// everyName returns the names of up to four parts of A, B or C.
func everyName() (names []string) {
	last := []string{""}
	for range 4 {
		var next []string
		for _, name := range last {
			for _, p := range []string{"A", "B", "C"} {
				next = append(next, strings.TrimPrefix(name+"."+p, "."))
			}
		}
		names, last = append(names, next...), next
	}
	return names
}

func matchesSlowly(pattern, name string) bool {
	want, have := strings.Split(pattern, "."), strings.Split(name, ".")
	if n := len(want) - 1; want[n] == ">" {
		want = want[:n]
		if len(have) < len(want) {
			return false
		}
		have = have[:len(want)]
	}
	return slices.EqualFunc(want, have, func(w, h string) bool { return w == "*" || w == h })
}

func FuzzCovers(f *testing.F) {
	f.Add("A.*.>", "A.B.C")
	f.Add(">", "")
	f.Add("..>", "..")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		p, d := Destination{Queue, pattern}, Destination{Queue, name}
		if !p.IsComposite() && !p.Covers(p) {
			t.Errorf("%q does not cover itself", pattern)
		}
		if p.Narrower(p) || p.Narrower(d) && d.Narrower(p) {
			t.Errorf("%q and %q are narrower than each other", pattern, name)
		}
		if !strings.ContainsAny(pattern+name, "*>,") && p.Covers(d) != (pattern == name) {
			t.Errorf("%q covers %q", pattern, name)
		}
	})
}
