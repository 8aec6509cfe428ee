package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/group"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// zeroAhead is how many bytes of zeros are written ahead of the entries at a time. To overwrite zeros is about twice as fast
// as to make a file longer, because the sync need not write where the new blocks are. In steps this small the entry that
// pays for it is hardly late.
const zeroAhead = 256 << 10

// writer writes a holder's entries. It is used by the goroutine in Lead, and when that is done by the queue's.
type writer struct {
	fs       vfs.FS
	dir      string
	broker   string
	capacity int64 // at which another segment is begun
	claim    *claim
	table    *table

	start    uint64 // the term's first entry
	keep     uint64 // entries below it are not needed
	next     uint64 // entry
	segment  *segment
	unsealed bool   // whether the segment's last entry has records, and nothing behind it shows that it was whole
	spare    bool   // whether the term has a spare segment
	zeros    []byte // nil where zeros ahead do not pay: over a network they would cost what they spare
}

// segment is the one that is written to, locked.
type segment struct {
	header
	file   vfs.File
	end    int64 // behind the last entry
	filled int64 // up to here the file has been written to
}

var _ group.Writer = (*writer)(nil)

// Write is group.Writer's: the order of steps that package log demands.
func (w *writer) Write(e *group.Entry) error {
	b := e.Bytes()
	if s := w.segment; s.end > headerBytes && s.end+int64(len(b)) > w.capacity {
		if err := w.advance(); err != nil {
			return err
		}
	}
	offset := w.segment.end
	if err := w.put(w.segment, b, e.Number, w.claim.term); err != nil {
		return err
	}
	if err := w.segment.file.Sync(); err != nil {
		return w.failed("sync", e.Number, 0, err)
	}
	if err := w.claim.check(); err != nil {
		return err
	}
	w.next, w.unsealed = e.Number+1, true
	w.table.add(offset, w.segment.filled)
	return nil
}

// put writes an entry at the end of a segment, without syncing it.
func (w *writer) put(s *segment, b []byte, number, term uint64) error {
	sealEntry(b, s.seed(), number, term)
	end := s.end + int64(len(b))
	_, err := s.file.WriteAt(b, s.end)
	if err == nil && end > s.filled {
		s.filled = end
		err = w.zero(s)
	}
	if err != nil {
		return w.failed("write", number, int64(len(b)+len(w.zeros)), err)
	}
	s.end = end
	return nil
}

// failed explains an error of the segment that is written to, which has another name than when it was opened.
func (w *writer) failed(op string, number uint64, need int64, err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		err = p.Err
	}
	return fmt.Errorf("%s entry %d in %s: %w", op, number, w.dir, explain(w.fs, w.dir, need, err))
}

// zero writes zeros behind what a segment is filled with, as far as the segment will go.
func (w *writer) zero(s *segment) error {
	zeros := w.zeros[:max(0, min(int64(len(w.zeros)), w.capacity-s.filled))]
	if len(zeros) == 0 {
		return nil
	}
	if _, err := s.file.WriteAt(zeros, s.filled); err != nil {
		return err
	}
	s.filled += int64(len(zeros))
	return nil
}

// Drop is group.Writer's. If whole segments are not needed any more, it begins a new one, whose header says so, and
// then removes them.
func (w *writer) Drop(first uint64) error {
	w.keep = max(w.keep, first)
	if !w.table.droppable(w.keep) {
		return nil
	}
	return w.advance()
}

// advance begins the term's next segment and then removes those that are not needed.
func (w *writer) advance() error {
	s, err := w.create(w.next, nil)
	if err != nil {
		return err
	}
	if err := w.claim.check(); err != nil {
		s.file.Close()
		return err
	}
	w.segment.file.Close()
	w.begin(s)
	for _, h := range w.table.drop(w.keep) {
		if err := w.discard(h); err != nil {
			return fmt.Errorf("remove segment %s: %w", h.name(), explain(w.fs, w.dir, 0, err))
		}
	}
	return nil
}

// begin makes a new segment the one that is written to.
func (w *writer) begin(s *segment) {
	w.segment, w.unsealed = s, false
	w.table.begin(s.header)
	w.table.grew(s.filled)
}

// create makes a segment that begins with entry first, and with tail's copy if that is not nil. When it returns, the segment has
// its name and is durable.
func (w *writer) create(first uint64, tail *scanned) (*segment, error) {
	s := &segment{header: header{broker: w.broker, term: w.claim.term, first: first, start: w.start, keep: w.keep}}
	if err := w.prepare(s, tail); err != nil {
		if s.file != nil {
			s.file.Close()
		}
		return nil, fmt.Errorf("begin segment %s: %w", filepath.Join(w.dir, s.name()),
			explain(w.fs, w.dir, headerBytes+maxEntry+zeroAhead, err))
	}
	return s, nil
}

func (w *writer) prepare(s *segment, tail *scanned) error {
	unnamed, err := w.open(s)
	if err != nil {
		return err
	}
	locked, err := s.file.TryLock()
	if err != nil {
		return err
	}
	if !locked {
		return fmt.Errorf("%w: another process has locked %s", log.ErrRightLost, unnamed)
	}
	if _, err := s.file.WriteAt(s.encode(), 0); err != nil {
		return err
	}
	s.end = headerBytes
	s.filled = max(s.filled, s.end)
	if tail != nil {
		if err := w.put(s, tail.bytes, tail.number, tail.term); err != nil {
			return err
		}
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	if err := w.fs.Rename(unnamed, filepath.Join(w.dir, s.name())); err != nil {
		return err
	}
	return w.fs.SyncDir(w.dir)
}

// open opens the term's spare segment, or a new file.
func (w *writer) open(s *segment) (name string, err error) {
	name = filepath.Join(w.dir, s.name()+newSuffix)
	flag := os.O_RDWR | os.O_CREATE | os.O_EXCL
	if w.spare {
		name, flag = w.spareName(), os.O_RDWR
		w.spare = false
	}
	if s.file, err = w.fs.Open(name, flag); err != nil {
		return name, err
	}
	info, err := s.file.Stat()
	s.filled = info.Size
	return name, err
}

// discard removes a segment, or keeps it to be used again if it is of this term and there is none yet.
func (w *writer) discard(h header) error {
	name := filepath.Join(w.dir, h.name())
	if h.term != w.claim.term || w.spare {
		return w.fs.Remove(name)
	}
	w.spare = true
	if err := w.fs.Rename(name, w.spareName()); err != nil {
		return err
	}
	return w.fs.SyncDir(w.dir) // or a crash could give new content its old name back
}

func (w *writer) spareName() string {
	return filepath.Join(w.dir, fmt.Sprintf("%010d%s", w.claim.term, spareSuffix))
}

// seal writes an entry without records behind the last one, so that damage to that is told from an entry that was not
// written to its end. Nothing depends on the seal itself, so the term is not read after it.
func (w *writer) seal() error {
	if !w.unsealed {
		return nil
	}
	if err := w.put(w.segment, make([]byte, entryHeader), w.next, w.claim.term); err != nil {
		return err
	}
	return w.segment.file.Sync()
}

func (w *writer) close() {
	w.segment.file.Close()
}
