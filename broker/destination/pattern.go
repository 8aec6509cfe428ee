package destination

import (
	"cmp"
	"strings"
)

// Covers tells whether d, as a pattern, stands for other, as ActiveMQ's destination filters do: * is for any one part and a > at
// the end for all that follow, also none, so A.> covers A. Kinds are kept apart, and a composite covers what one of its
// members does. Of a pattern that ends with >, any part also covers a * of other.
func (d Destination) Covers(other Destination) bool {
	if !d.IsComposite() {
		return d.Kind == other.Kind && covers(d.Name, other.Name)
	}
	for _, member := range d.Members() {
		if member.Covers(other) {
			return true
		}
	}
	return false
}

func covers(pattern, name string) bool {
	pattern, open := strings.CutSuffix(trimDescendants(pattern), ".>")
	if pattern == ">" {
		return true
	}
	for {
		want, wanted, more := strings.Cut(pattern, ".")
		have, had, longer := strings.Cut(name, ".")
		switch {
		case want != "*" && want != have && !(open && have == "*"):
			return false
		case !more:
			return open || !longer
		case !longer:
			return false
		}
		pattern, name = wanted, had
	}
}

// trimDescendants makes A.>.> the same as A.>.
func trimDescendants(pattern string) string {
	for strings.HasSuffix(pattern, ".>.>") || pattern == ">.>" {
		pattern = pattern[:len(pattern)-len(".>")]
	}
	return pattern
}

// Narrower tells whether d, as a pattern, covers less than other, of two that cover some destination both.
func (d Destination) Narrower(other Destination) bool {
	narrower := false
	for a, b := trimDescendants(d.Name), trimDescendants(other.Name); a != b; {
		mine, restA, _ := strings.Cut(a, ".")
		theirs, restB, _ := strings.Cut(b, ".")
		if difference := cmp.Compare(width(mine, a), width(theirs, b)); difference > 0 {
			return false
		} else if difference < 0 {
			narrower = true
		}
		if mine == ">" && mine == a || theirs == ">" && theirs == b {
			break
		}
		a, b = restA, restB
	}
	return narrower
}

// width orders the first part of what is left of a pattern by how much it covers.
func width(part, rest string) int {
	switch {
	case part == ">" && part == rest:
		return 2
	case part == "*":
		return 1
	}
	return 0
}

// Map finds values by the patterns that cover a destination. It is filled, and then read by any number of goroutines. The zero
// Map is empty.
type Map[T any] struct {
	entries  map[Destination]T
	patterns []Destination
}

// Add enters a value under a pattern, or under each member of a composite, in place of what is there.
func (m *Map[T]) Add(pattern Destination, value T) {
	if m.entries == nil {
		m.entries = map[Destination]T{}
	}
	for _, p := range pattern.Members() {
		if _, exists := m.entries[p]; !exists && p.IsPattern() {
			m.patterns = append(m.patterns, p)
		}
		m.entries[p] = value
	}
}

// Find returns the value of the most specific pattern that covers d: its own name, else a pattern that no other one is narrower than.
// Of several of these it is the first by name, as in ActiveMQ, where * comes before letters.
func (m *Map[T]) Find(d Destination) (value T, found bool) {
	if value, found = m.entries[d]; found {
		return value, true
	}
	var best Destination
	candidates := m.covering(d)
	for _, p := range candidates {
		if hasNarrower(candidates, p) || found && best.Name < p.Name {
			continue
		}
		best, found = p, true
	}
	return m.entries[best], found
}

func hasNarrower(candidates []Destination, p Destination) bool {
	for _, other := range candidates {
		if other.Narrower(p) {
			return true
		}
	}
	return false
}

func (m *Map[T]) covering(d Destination) (patterns []Destination) {
	for _, p := range m.patterns {
		if p.Covers(d) {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

// All returns the values of every pattern that covers d.
func (m *Map[T]) All(d Destination) (values []T) {
	for _, p := range m.covering(d) {
		values = append(values, m.entries[p])
	}
	if value, found := m.entries[d]; found && !d.IsPattern() {
		values = append(values, value)
	}
	return values
}
