package file

import (
	"cmp"
	"math"
	"slices"
)

// counted is a segment of which entries first <= n < limit are part of the log.
type counted struct {
	header
	limit uint64 // math.MaxUint64 for the last segment, whose end only reading tells
}

func (c counted) last() bool { return c.limit == math.MaxUint64 }

// plan says which segments of a directory are the log, in order, and which are left over: superseded by a higher term, or
// with nothing in them that is still needed. keep is the lowest entry that is.
func plan(all []header) (log []counted, left []header, keep uint64) {
	byTerm := slices.SortedFunc(slices.Values(all), func(a, b header) int {
		return cmp.Or(cmp.Compare(b.term, a.term), cmp.Compare(b.first, a.first))
	})
	keep = 1
	limit, start := uint64(math.MaxUint64), uint64(math.MaxUint64)
	for i, h := range byTerm {
		if i > 0 && h.term != byTerm[i-1].term {
			limit = min(limit, start)
		}
		if h.first >= limit {
			left = append(left, h)
			continue
		}
		log = append(log, counted{h, limit})
		keep = max(keep, h.keep)
		limit, start = h.first, min(start, h.start)
	}
	slices.Reverse(log)
	needed := slices.IndexFunc(log, func(c counted) bool { return c.limit > keep })
	for _, c := range log[:max(needed, 0)] {
		left = append(left, c.header)
	}
	return log[max(needed, 0):], left, keep
}
