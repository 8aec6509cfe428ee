package store

import (
	"iter"
	"slices"
	"sort"
)

// Span is a run of broker sequences, its ends included.
type Span struct {
	From, To uint64
}

// spans is a set of sequences: runs in order that neither touch nor overlap.
type spans []Span

// find returns the place of the first run that ends at sequence or above.
func (s spans) find(sequence uint64) int {
	return sort.Search(len(s), func(i int) bool { return s[i].To >= sequence })
}

// has tells whether a sequence is in the set.
func (s spans) has(sequence uint64) bool {
	i := s.find(sequence)
	return i < len(s) && s[i].From <= sequence
}

// add adds a run and returns the parts of it that were not in the set.
func (s *spans) add(added Span) (fresh []Span) {
	i := s.find(max(1, added.From) - 1)
	from, whole := added.From, added
	j := i
	for ; j < len(*s) && (*s)[j].From <= added.To+1; j++ {
		old := (*s)[j]
		if from < old.From {
			fresh = append(fresh, Span{from, old.From - 1})
		}
		from = max(from, old.To+1)
		whole = Span{min(whole.From, old.From), max(whole.To, old.To)}
	}
	if from <= added.To {
		fresh = append(fresh, Span{from, added.To})
	}
	*s = slices.Replace(*s, i, j, whole)
	return fresh
}

// gaps goes over the runs above a sequence that are not in the set; the last one is open.
func (s spans) gaps(above uint64) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		from := above + 1
		for _, run := range s[s.find(from):] {
			if from < run.From && !yield(Span{from, run.From - 1}) {
				return
			}
			from = run.To + 1
		}
		yield(Span{from, maxSequence})
	}
}
