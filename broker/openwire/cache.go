package openwire

import (
	"fmt"
	"slices"
)

// The marshal cache: each direction of a connection numbers the values it has sent, so that ids and destinations that are
// sent over and over go as two bytes. The reader keeps as many slots as were negotiated and follows the indexes on the wire;
// the writer hands them out in turn.

// defaultCacheSize is the number of slots where none was negotiated.
const defaultCacheSize = 16_383

// freeSlots is how many slots the writer keeps free at the beginning of a frame.
const freeSlots = 100

// notCached is the index of a value that the reader is not to keep.
const notCached = -1

func slotCount(negotiated int) int {
	if negotiated <= 0 || negotiated > defaultCacheSize {
		return defaultCacheSize
	}
	return negotiated
}

// writeCache knows which values the peer's cache holds. A value is known by its bytes in loose, uncached encoding, which
// tell type and content; null, which is cached like any other, by none.
type writeCache struct {
	slots  map[string]int16
	order  []string // what is in slots, oldest first
	next   int      // the slot to hand out next
	size   int
	buffer []byte
}

func newWriteCache(size int) *writeCache {
	return &writeCache{slots: map[string]int16{}, size: slotCount(size)}
}

// makeRoom drops the oldest slots until freeSlots are free. It is called before each frame.
func (c *writeCache) makeRoom() {
	drop := min(len(c.order), max(0, len(c.order)-(c.size-freeSlots)))
	for _, key := range c.order[:drop] {
		delete(c.slots, key)
	}
	c.order = slices.Delete(c.order, 0, drop)
}

// key returns what a value is known by, good until the next call.
func (c *writeCache) key(v DataStructure, version int) []byte {
	if v == nil || v.absent() {
		return nil
	}
	e := encoder{version: version, buf: c.buffer[:0]}
	e.structure(v) // what cannot be encoded here cannot be encoded in the frame, which is where it is told
	c.buffer = e.buf
	return e.buf
}

func (c *writeCache) find(key []byte) (slot int16, known bool) {
	slot, known = c.slots[string(key)]
	return slot, known
}

// add gives a value the next slot, or notCached if all are taken.
func (c *writeCache) add(key string) int16 {
	if len(c.order) >= c.size {
		return notCached
	}
	slot := int16(c.next)
	c.next = (c.next + 1) % c.size
	c.slots[key] = slot
	c.order = append(c.order, key)
	return slot
}

// readCache holds what the peer has sent. A slot may hold null, which is not the same as nothing.
type readCache struct {
	slots []slot // no longer than what was used
	size  int
}

type slot struct {
	value DataStructure
	used  bool
}

func newReadCache(size int) *readCache { return &readCache{size: slotCount(size)} }

func (c *readCache) get(index int16) (DataStructure, error) {
	if index < 0 || int(index) >= len(c.slots) || !c.slots[index].used {
		return nil, fmt.Errorf("%w: nothing is in slot %d", ErrCacheIndex, index)
	}
	return c.slots[index].value, nil
}

func (c *readCache) put(index int16, v DataStructure) error {
	switch {
	case index == notCached:
		return nil
	case index < 0 || int(index) >= c.size:
		return fmt.Errorf("%w: slot %d of %d", ErrCacheIndex, index, c.size)
	}
	if missing := int(index) + 1 - len(c.slots); missing > 0 {
		c.slots = append(c.slots, make([]slot, missing)...)
	}
	c.slots[index] = slot{v, true}
	return nil
}
