package core

import (
	"slices"
	"sort"
)

// stretchNodes is the most that one stretch of a line has.
const stretchNodes = 256

// line has the messages of a queue that wait, by their order. Any of them is found, put in and taken out in a time that hardly
// grows with their number, wherever it stands.
type line struct {
	stretches [][]*node // none is empty
	length    int
}

// after returns the first node with a higher order, nil if there is none.
func (w *line) after(order uint64) *node {
	s := sort.Search(len(w.stretches), func(s int) bool {
		stretch := w.stretches[s]
		return stretch[len(stretch)-1].order > order
	})
	if s == len(w.stretches) {
		return nil
	}
	stretch := w.stretches[s]
	return stretch[sort.Search(len(stretch), func(i int) bool { return stretch[i].order > order })]
}

func (w *line) first() *node { return w.after(0) }

// find returns the stretch that has the order or may take it, and the place in that.
func (w *line) find(order uint64) (s, i int) {
	s = sort.Search(len(w.stretches), func(s int) bool {
		stretch := w.stretches[s]
		return stretch[len(stretch)-1].order >= order
	})
	if s == len(w.stretches) {
		s--
	}
	stretch := w.stretches[s]
	return s, sort.Search(len(stretch), func(i int) bool { return stretch[i].order >= order })
}

// insert puts a node where its order says, which it raises if another one has that.
func (w *line) insert(n *node) {
	if len(w.stretches) == 0 {
		w.length++
		w.stretches = append(w.stretches, []*node{n})
		return
	}
	s, i := w.find(n.order)
	stretch := w.stretches[s]
	if i < len(stretch) && stretch[i].order == n.order {
		n.order++
		w.insert(n)
		return
	}
	w.length++
	if len(stretch) < stretchNodes {
		w.stretches[s] = slices.Insert(stretch, i, n)
		return
	}
	if i == len(stretch) {
		w.stretches = slices.Insert(w.stretches, s+1, []*node{n})
		return
	}
	half := len(stretch) / 2
	w.stretches = slices.Replace(w.stretches, s, s+1, slices.Clone(stretch[:half]), slices.Clone(stretch[half:]))
	w.length--
	w.insert(n)
}

func (w *line) remove(n *node) {
	w.length--
	s, i := w.find(n.order)
	stretch := w.stretches[s]
	switch {
	case len(stretch) == 1 && s == 0:
		w.stretches[0] = nil
		w.stretches = w.stretches[1:]
	case len(stretch) == 1:
		w.stretches = slices.Delete(w.stretches, s, s+1)
	case i == 0:
		stretch[0] = nil
		w.stretches[s] = stretch[1:]
	default:
		w.stretches[s] = slices.Delete(stretch, i, i+1)
	}
	if w.length == 0 {
		w.stretches = nil
	}
}
