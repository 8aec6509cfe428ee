package vfs

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// sector is what a disk writes whole, in bytes: a page may be torn between sectors.
const sector = 512

// CrashClone returns the volume as a power cut at this moment might leave it, without locks; m itself goes on. What was
// synced is there. Of the rest, seed decides for each page whether the new content arrived, the old stayed or the page is
// torn between them; how far a file had grown; and which changes of names are still seen.
func (m *Mem) CrashClone(seed uint64) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := crash{rand: rand.New(rand.NewPCG(seed, 1)), nodes: map[*memNode]*memNode{}}
	clone := &Mem{dirs: map[string]*memDir{}, inode: m.inode}
	for _, name := range slices.Sorted(maps.Keys(m.dirs)) {
		names := c.names(m.dirs[name])
		clone.dirs[name] = &memDir{names: names, synced: maps.Clone(names)}
	}
	return clone
}

// Disk returns the volume as it would be if everything had been synced, without locks.
func (m *Mem) Disk() *Mem {
	m.mu.Lock()
	for _, d := range m.dirs {
		for _, n := range d.names {
			n.sync()
		}
		d.synced, d.undone = maps.Clone(d.names), nil
	}
	m.mu.Unlock()
	return m.CrashClone(0)
}

type crash struct {
	rand  *rand.Rand
	nodes map[*memNode]*memNode
}

func (c *crash) names(d *memDir) map[string]*memNode {
	after := maps.Clone(d.synced)
	for _, r := range d.undone {
		if c.rand.IntN(2) == 0 {
			r.apply(after)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		after[name] = c.node(after[name])
	}
	return after
}

func (c *crash) node(n *memNode) *memNode {
	if c.nodes[n] == nil {
		data := c.data(n)
		c.nodes[n] = &memNode{inode: n.inode, data: data, synced: slices.Clone(data), dirty: map[int64]bool{}}
	}
	return c.nodes[n]
}

func (c *crash) data(n *memNode) []byte {
	size := int64(len(n.synced))
	if grown := int64(len(n.data)) - size; grown > 0 {
		size += c.rand.Int64N(grown + 1)
	}
	data := grow(slices.Clone(n.synced), size)[:size]
	for _, page := range slices.Sorted(maps.Keys(n.dirty)) {
		from := min(page*BlockSize, size)
		to := min(from+BlockSize, size, int64(len(n.data)))
		if from >= to {
			continue
		}
		switch c.rand.IntN(3) {
		case 0: // the old page stayed
		case 1:
			copy(data[from:to], n.data[from:to])
		case 2:
			copy(data[from:min(from+sector*c.rand.Int64N(BlockSize/sector), to)], n.data[from:to])
		}
	}
	return data
}
