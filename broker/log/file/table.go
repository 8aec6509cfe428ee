package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/group"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// table knows where each applied entry lies, and reads records. Its methods may be called by several goroutines.
type table struct {
	fs  vfs.FS
	dir string

	mu       sync.Mutex
	segments []*tableSegment
}

// tableSegment is the applied part of a segment. Four bytes an entry are little beside what the store keeps of a message,
// and spare a search on the disk.
type tableSegment struct {
	header
	offsets []uint32 // of entries, from first on
	bytes   int64
	file    vfs.File // opened by the first Read; nil before
}

func (s *tableSegment) next() uint64 { return s.first + uint64(len(s.offsets)) }

// begin adds a segment behind the others, in place of one that turned out to hold nothing.
func (t *table) begin(h header) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.segments); n > 0 && len(t.segments[n-1].offsets) == 0 {
		t.segments = t.segments[:n-1]
	}
	t.segments = append(t.segments, &tableSegment{header: h})
}

// add says where the next entry lies: in the last segment, at offset.
func (t *table) add(offset, end int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.segments[len(t.segments)-1]
	s.offsets = append(s.offsets, uint32(offset))
	s.bytes = max(s.bytes, end)
}

// grew says how large the last segment's file is.
func (t *table) grew(bytes int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.segments[len(t.segments)-1].bytes = bytes
}

// droppable tells whether a segment but the last holds only entries below keep.
func (t *table) droppable(keep uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.segments) > 1 && t.segments[0].next() <= keep
}

// drop forgets all segments but the last that hold only entries below keep, and returns their headers.
func (t *table) drop(keep uint64) []header {
	t.mu.Lock()
	defer t.mu.Unlock()
	var dropped []header
	for len(t.segments) > 1 && t.segments[0].next() <= keep {
		s := t.segments[0]
		if s.file != nil {
			s.file.Close()
		}
		dropped = append(dropped, s.header)
		t.segments = t.segments[1:]
	}
	return dropped
}

func (t *table) list() []log.Segment {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []log.Segment
	for _, s := range t.segments {
		all = append(all, log.Segment{First: s.first, Next: s.next(), Bytes: s.bytes})
	}
	return all
}

func (t *table) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.segments {
		if s.file != nil {
			s.file.Close()
			s.file = nil
		}
	}
}

// read appends the record at p to buf. Reading goes on while segments are dropped: the file may be closed under it, or be used
// again, which the checksum shows. Then it looks once more.
func (t *table) read(p log.Position, buf []byte) ([]byte, error) {
	for attempt := 0; ; attempt++ {
		file, body, err := t.find(p, attempt > 0)
		if err == nil {
			var got []byte
			if got, err = readRecord(file, body+int64(p.Offset), p.Entry, buf); err == nil {
				return got, nil
			}
		}
		if attempt > 0 {
			return buf, fmt.Errorf("read record %v in %s: %w", p, t.dir, err)
		}
	}
}

// find returns the file that holds p's entry and where its body begins.
func (t *table) find(p log.Position, reopen bool) (vfs.File, int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.segments) > 0 && p.Entry < t.segments[0].first {
		return nil, 0, log.ErrDropped
	}
	for i := len(t.segments) - 1; i >= 0; i-- {
		s := t.segments[i]
		if p.Entry < s.first {
			continue
		}
		if p.Entry >= s.next() {
			break
		}
		file, err := s.open(t.fs, t.dir, reopen)
		return file, int64(s.offsets[p.Entry-s.first]) + entryHeader, err
	}
	return nil, 0, fmt.Errorf("entry %d was not applied", p.Entry)
}

// open returns the segment's file. A file that was opened before may show what was there then, where caches are those of
// NFS.
func (s *tableSegment) open(fsys vfs.FS, dir string, again bool) (vfs.File, error) {
	if s.file != nil && again {
		s.file.Close()
		s.file = nil
	}
	if s.file == nil {
		f, err := fsys.Open(filepath.Join(dir, s.name()), os.O_RDONLY)
		if err != nil {
			return nil, err
		}
		s.file = f
	}
	return s.file, nil
}

// readAhead is what is read at first, in bytes: most records are shorter.
const readAhead = 4 << 10

// readRecord appends the record whose frame is at a place in a file to buf.
func readRecord(file vfs.File, at int64, entry uint64, buf []byte) ([]byte, error) {
	front := len(buf)
	n := readAhead
	for {
		buf = slices.Grow(buf[:front], n)[:front+n]
		got, err := file.ReadAt(buf[front:], at)
		need, ok := group.RecordLength(buf[front : front+got])
		switch {
		case !ok || got < min(need, n):
			return nil, fmt.Errorf("no whole record is there: %w", orEnd(err))
		case need > n:
			n = need
			continue
		}
		data, _, err := parseRecord(buf[front:front+need], 0, seed(entry))
		if err != nil {
			return nil, errors.New("the record's checksum is wrong: its bytes changed on the disk, or none starts there")
		}
		return append(buf[:front], data...), nil
	}
}
