package store

import (
	"iter"
	"slices"
	"sort"

	"github.com/twinmesh/twinmesh/broker/log"
)

const (
	// maxSize is the size of the longest message that an item can tell.
	maxSize = 1<<31 - 1
	leaving = 1 << 31
	// maxNeeds is the largest number of durable subscriptions that an item can tell.
	maxNeeds = 1<<needBits - 1
	needBits = 16
	// priorityBits is what an item has for its priority.
	priorityBits = 4

	chunkItems = 512
	smallChunk = 16 // items below which no room is given back
)

// item is a pending message: 32 bytes that the garbage collector does not look into.
type item struct {
	sequence uint64
	entry    uint64 // of its record, or of its first part; 0 once it is removed
	life     uint64 // when it expires, its priority, and how many durable subscriptions need it
	offset   uint32
	bits     uint32 // the size, and whether it is leaving
}

func newItem(at log.Position, size uint32, expiration int64, priority byte) item {
	it := item{entry: at.Entry, offset: at.Offset, bits: size, life: uint64(priority) << needBits}
	if 0 < expiration && expiration < 1<<(64-needBits-priorityBits) { // what is beyond is as good as never
		it.life |= uint64(expiration) << (needBits + priorityBits)
	}
	return it
}

// expiration is in milliseconds since 1970; 0 is never.
func (it *item) expiration() int64 { return int64(it.life >> (needBits + priorityBits)) }

func (it *item) expired(now int64) bool { return it.expiration() > 0 && it.expiration() <= now }

func (it *item) priority() byte { return byte(it.life >> needBits & (1<<priorityBits - 1)) }

// needs is how many durable subscriptions are not through with a topic's message. Only a holder counts them.
func (it *item) needs() int     { return int(it.life & maxNeeds) }
func (it *item) setNeeds(n int) { it.life = it.life&^maxNeeds | uint64(n) }

func (it *item) size() int              { return int(it.bits &^ leaving) }
func (it *item) leaving() bool          { return it.bits&leaving != 0 }
func (it *item) position() log.Position { return log.Position{Entry: it.entry, Offset: it.offset} }

// index has the pending messages of one queue in the order of their sequences. They lie in chunks; most come in at the end
// of the last one and leave the first. A removed one stays as a gap until its chunk is mostly gaps.
type index struct {
	chunks []*chunk
	count  int
	bytes  int64 // sum of their sizes
}

type chunk struct {
	items  []item // by sequence, never empty but in the only chunk of an empty index
	live   int    // those not removed
	lowest uint64 // no live item has a lower entry
}

// find returns where sequence is or would be: the chunk whose last item is the first not below it, and the place in that.
func (x *index) find(sequence uint64) (c, i int) {
	c = sort.Search(len(x.chunks), func(c int) bool {
		items := x.chunks[c].items
		return len(items) > 0 && items[len(items)-1].sequence >= sequence
	})
	if c == len(x.chunks) {
		return c, 0
	}
	items := x.chunks[c].items
	return c, sort.Search(len(items), func(i int) bool { return items[i].sequence >= sequence })
}

// get returns the item, or nil. It is valid until the index changes.
func (x *index) get(sequence uint64) *item {
	c, i := x.find(sequence)
	if c == len(x.chunks) {
		return nil
	}
	if it := &x.chunks[c].items[i]; it.sequence == sequence && it.entry != 0 {
		return it
	}
	return nil
}

// put adds an item, or replaces the one of its sequence, which goes on leaving if it was, and is needed as before.
func (x *index) put(it item) {
	if old := x.get(it.sequence); old != nil {
		x.bytes += int64(it.size() - old.size())
		it.bits |= old.bits & leaving
		it.setNeeds(old.needs())
		*old = it
		c, _ := x.find(it.sequence)
		x.chunks[c].lowest = min(x.chunks[c].lowest, it.entry)
		return
	}
	x.count++
	x.bytes += int64(it.size())
	c, i := x.place(it.sequence)
	c.items = slices.Insert(c.items, i, it)
	c.live++
	if c.live == 1 || it.entry < c.lowest {
		c.lowest = it.entry
	}
}

// place returns a chunk with room, and where in it a new sequence belongs.
func (x *index) place(sequence uint64) (*chunk, int) {
	c, i := x.find(sequence)
	if c < len(x.chunks) {
		if len(x.chunks[c].items) < chunkItems {
			return x.chunks[c], i
		}
		x.split(c)
		return x.place(sequence)
	}
	if c == 0 || len(x.chunks[c-1].items) == chunkItems {
		x.chunks = append(x.chunks, &chunk{})
		return x.chunks[c], 0
	}
	last := x.chunks[c-1]
	return last, len(last.items)
}

// split makes two chunks of a full one.
func (x *index) split(c int) {
	full := x.chunks[c]
	half := len(full.items) / 2
	first, second := newChunk(full.items[:half]), newChunk(full.items[half:])
	x.chunks = slices.Replace(x.chunks, c, c+1, keepLive(first, second)...)
}

func keepLive(chunks ...*chunk) []*chunk {
	return slices.DeleteFunc(chunks, func(c *chunk) bool { return c.live == 0 })
}

// newChunk makes a chunk of the live ones of some items, with room for as many more.
func newChunk(runs ...[]item) *chunk {
	n := 0
	for _, items := range runs {
		n += countLive(items)
	}
	c := &chunk{items: make([]item, 0, min(2*n, chunkItems))}
	for _, items := range runs {
		for i := range items {
			if items[i].entry != 0 {
				c.items = append(c.items, items[i])
			}
		}
	}
	c.live = n
	c.settle()
	return c
}

func countLive(items []item) int {
	n := 0
	for i := range items {
		if items[i].entry != 0 {
			n++
		}
	}
	return n
}

// settle makes lowest exact.
func (c *chunk) settle() {
	c.lowest = 0
	for i := range c.items {
		if e := c.items[i].entry; e != 0 && (c.lowest == 0 || e < c.lowest) {
			c.lowest = e
		}
	}
}

// remove takes an item out and tells whether it was there.
func (x *index) remove(sequence uint64) (item, bool) {
	it := x.get(sequence)
	if it == nil {
		return item{}, false
	}
	removed := *it
	it.entry = 0
	x.count--
	x.bytes -= int64(removed.size())
	c, _ := x.find(sequence)
	x.chunks[c].live--
	x.shrink(c)
	return removed, true
}

// shrink gives back what a chunk no longer needs: all of it, or its gaps once it is mostly gaps.
func (x *index) shrink(c int) {
	k := x.chunks[c]
	switch {
	case k.live == 0 && len(x.chunks) == 1 && cap(k.items) <= smallChunk:
		k.items = k.items[:0]
	case k.live == 0 && c == 0:
		x.chunks[0] = nil
		x.chunks = x.chunks[1:]
	case k.live == 0:
		x.chunks = slices.Delete(x.chunks, c, c+1)
	case len(k.items) > smallChunk && k.live*4 <= len(k.items):
		x.chunks[c] = newChunk(k.items)
		x.join(c)
		x.join(c - 1)
	}
}

// join makes one chunk of c and the one after it if they fill half of one at most.
func (x *index) join(c int) {
	if c < 0 || c+1 >= len(x.chunks) || x.chunks[c].live+x.chunks[c+1].live > chunkItems/2 {
		return
	}
	one := newChunk(x.chunks[c].items, x.chunks[c+1].items)
	x.chunks = slices.Replace(x.chunks, c, c+2, one)
}

// above goes over the items with sequences above after, in order. The index must not change meanwhile.
func (x *index) above(after uint64) iter.Seq[*item] {
	return func(yield func(*item) bool) {
		if after == 1<<64-1 {
			return
		}
		first, i := x.find(after + 1)
		for c := first; c < len(x.chunks); c++ {
			items := x.chunks[c].items
			for ; i < len(items); i++ {
				if items[i].entry != 0 && !yield(&items[i]) {
					return
				}
			}
			i = 0
		}
	}
}

// within goes over the items with sequences above after whose entries are in first <= entry < next, in order. It does not
// look into chunks that have none below next.
func (x *index) within(first, next, after uint64) iter.Seq[*item] {
	return func(yield func(*item) bool) {
		start, _ := x.find(after + 1)
		for _, c := range x.chunks[start:] {
			if c.lowest >= next {
				continue
			}
			c.settle()
			for i := range c.items {
				it := &c.items[i]
				if it.entry >= first && it.entry < next && it.entry != 0 && it.sequence > after && !yield(it) {
					return
				}
			}
		}
	}
}
