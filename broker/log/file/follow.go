package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// follower applies what holders write. It opens every file afresh for each look: NFS promises to show what another machine
// synced only to who opens the file after that. One goroutine uses it.
type follower struct {
	fs     vfs.FS
	dir    string
	broker string
	apply  log.Apply
	table  *table

	headers map[string]header // by name, of segments that have a successor of their term: only those are final, see header
	begun   bool              // whether the place to start was chosen
	next    uint64            // entry to apply
	place   place             // where it begins
}

// place is an offset in a segment.
type place struct {
	segment string
	offset  int64
}

// end is what a look found behind the applied entries.
type end struct {
	next    uint64   // the lowest entry not applied
	tail    *scanned // entry next: whole, but not known to count; nil if there is none
	segment counted  // in which the log ends; its name is that of no file in a new directory
	offset  int64    // in that segment, behind the last whole entry
	keep    uint64   // entries below it are not needed
	left    []header // segments that do not count
}

// number is that of the first entry that is not there.
func (e end) number() uint64 {
	if e.tail != nil {
		return e.tail.number + 1
	}
	return e.next
}

// errBehind means that what a standby was to apply next is gone.
var errBehind = errors.New("the holder dropped entries before this standby read them; start it again to follow from the first " +
	"that is kept")

// look applies each entry that counts for ever. What reads badly may be on its way: it is for the new holder to judge.
func (f *follower) look() (end, error) {
	segments, left, keep, err := f.survey()
	if err != nil {
		return end{}, err
	}
	e := end{keep: keep, left: left}
	if err := f.begin(segments, keep); err != nil {
		return e, err
	}
	for {
		c, err := f.locate(segments)
		if err != nil || c == nil {
			e.next = f.next
			return e, err
		}
		tail, whole, err := f.read(*c)
		if err != nil {
			return e, err
		}
		if whole {
			continue
		}
		e.next, e.tail, e.segment, e.offset = f.next, tail, *c, f.place.offset
		if tail != nil {
			e.offset = tail.offset + int64(tail.length)
		}
		return e, e.lacking(f.dir)
	}
}

// begin chooses where to start.
func (f *follower) begin(segments []counted, keep uint64) error {
	if f.begun {
		return nil
	}
	f.next = keep
	if len(segments) > 0 {
		if first := segments[0].first; first > keep {
			return fmt.Errorf("%w: no segment in %s has entries %d to %d, which are still needed; restore the files from a copy",
				errLacking, f.dir, keep, first-1)
		}
		f.next = segments[0].first
	}
	f.begun = true
	return nil
}

// errLacking means that entries which a later segment vouches for are not there. A follower may see that for a moment.
var errLacking = errors.New("the log is not whole")

// lacking returns an error if the log ended although there is a later segment.
func (e end) lacking(dir string) error {
	if e.segment.last() {
		return nil
	}
	return fmt.Errorf("%w: %s cannot be read at offset %d, where entry %d is to be, but should go up to entry %d: its bytes "+
		"changed or were lost after they were durable; restore the file from a copy", errLacking,
		filepath.Join(dir, e.segment.name()), e.offset, e.number(), e.segment.limit-1)
}

// survey lists the directory and plans what to read.
func (f *follower) survey() (segments []counted, left []header, keep uint64, err error) {
	names, err := f.fs.List(f.dir)
	if err != nil {
		return nil, nil, 0, err
	}
	var all []header
	for _, name := range names {
		if _, _, ok := segmentName(name); !ok {
			continue
		}
		h, err := f.header(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was dropped meanwhile
		}
		if err != nil {
			return nil, nil, 0, fmt.Errorf("read segment %s: %w", filepath.Join(f.dir, name), err)
		}
		all = append(all, h)
	}
	f.keepFinal(all)
	segments, left, keep = plan(all)
	f.table.drop(keep)
	return segments, left, keep, nil
}

// keepFinal forgets the headers that are to be read again in the next look: that of each term's last segment.
func (f *follower) keepFinal(all []header) {
	last := map[uint64]header{}
	for _, h := range all {
		if h.first >= last[h.term].first {
			last[h.term] = h
		}
	}
	for _, h := range last {
		delete(f.headers, h.name())
	}
}

// header reads a segment's header and checks that the segment is what its name says. A holder that drops while it has
// written no entry into its last segment replaces that by one of the same name, whose header says what was dropped.
func (f *follower) header(name string) (header, error) {
	if h, ok := f.headers[name]; ok {
		return h, nil
	}
	file, err := f.fs.Open(filepath.Join(f.dir, name), os.O_RDONLY)
	if err != nil {
		return header{}, err
	}
	defer file.Close()
	b := make([]byte, headerBytes)
	if n, err := file.ReadAt(b, 0); err != nil {
		if !errors.Is(err, io.EOF) {
			return header{}, err
		}
		b = b[:n]
	}
	h, err := parseHeader(b)
	switch {
	case err != nil:
		return header{}, fmt.Errorf("%w; restore the file from a copy", err)
	case h.broker != f.broker:
		return header{}, errOtherBroker(f.dir, h.broker, f.broker)
	case h.name() != name:
		return header{}, fmt.Errorf("by its header it is %s; give it that name again", h.name())
	}
	f.headers[name] = h
	return h, nil
}

// locate returns the segment that holds the next entry, and sets the place to read on from; nil if there are no segments.
func (f *follower) locate(segments []counted) (*counted, error) {
	for i, c := range segments {
		if f.next < c.first || f.next >= c.limit {
			continue
		}
		if f.place.segment == c.name() {
			return &segments[i], nil
		}
		if f.next != c.first {
			return nil, fmt.Errorf("%s takes the place of entries from %d on, of which up to %d were applied already; restart "+
				"the broker, and report this", filepath.Join(f.dir, c.name()), c.first, f.next-1)
		}
		f.place = place{c.name(), headerBytes}
		f.table.begin(c.header)
		return &segments[i], nil
	}
	if len(segments) == 0 {
		return nil, nil
	}
	return nil, errBehind
}

// read applies what counts of a segment from the follower's place on. whole tells that this was all up to the segment's limit;
// otherwise tail is the last whole entry, if there is one that was not applied.
func (f *follower) read(c counted) (tail *scanned, whole bool, err error) {
	file, err := f.fs.Open(filepath.Join(f.dir, c.name()), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, fmt.Errorf("%w: %s was listed and is gone", errLacking, c.name())
	}
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	s := &scanner{file: file, seed: c.seed(), offset: f.place.offset}
	for {
		number := f.next
		if tail != nil {
			number++
		}
		if number == c.limit {
			return nil, true, f.count(tail)
		}
		e, err := s.next(number)
		if errors.Is(err, errNoEntry) {
			return tail, false, nil
		}
		if err != nil {
			return nil, false, fmt.Errorf("read %s at offset %d: %w", filepath.Join(f.dir, c.name()), s.offset, err)
		}
		if err := f.count(tail); err != nil {
			return nil, false, err
		}
		e.bytes = bytes.Clone(e.bytes) // the scanner reads on over it
		tail = &e
	}
}

// count applies an entry, unless it is nil, that is known to count.
func (f *follower) count(s *scanned) error {
	if s == nil {
		return nil
	}
	e, err := s.entry()
	if err != nil {
		return err
	}
	f.apply(e)
	f.next = s.number + 1
	f.place.offset = s.offset + int64(s.length)
	f.table.add(s.offset, f.place.offset)
	return nil
}
