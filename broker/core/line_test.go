package core

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinmesh/twinmesh/broker/message"
)

// A line is a sorted set, however it is filled and emptied.
func TestALineIsASortedSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w line
		nodes := map[uint64]*node{}
		for _, order := range rapid.SliceOfNDistinct(rapid.Uint64Range(1, 5000), 0, 1500, rapid.ID).Draw(t, "orders") {
			nodes[order] = &node{order: order, message: &message.Message{}}
			w.insert(nodes[order])
			if len(nodes) > 3 && order%3 == 0 {
				first := w.first()
				w.remove(first)
				delete(nodes, first.order)
			}
		}
		for order, n := range nodes {
			if order%2 == 0 {
				w.remove(n)
				delete(nodes, order)
			}
		}
		var got, want []uint64
		for n := w.first(); n != nil; n = w.after(n.order) {
			got = append(got, n.order)
		}
		for order := range nodes {
			want = append(want, order)
		}
		slices.Sort(want)
		if !slices.Equal(got, want) || w.length != len(want) {
			t.Fatalf("%d: %v, want %v", w.length, got, want)
		}
	})
}
