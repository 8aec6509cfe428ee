package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/twinmesh/twinmesh/broker/log"
)

// scanner reads the entries of one open segment, from offset on.
type scanner struct {
	file   io.ReaderAt
	seed   uint32
	offset int64 // of the next entry

	window []byte // what was read from the file at windowAt
	at     int64
}

// scanAhead is how much is read at once, in bytes, if entries are small.
const scanAhead = 256 << 10

// scanned is an entry as it lies in a segment. Its bytes are valid until the next call of the scanner.
type scanned struct {
	entryHead
	offset int64
	bytes  []byte
}

// entry is what Apply gets.
func (s scanned) entry() (log.Entry, error) {
	records, err := parseRecords(s.bytes[entryHeader:], s.number)
	return log.Entry{Number: s.number, Term: s.term, Records: records}, err
}

// next returns the entry at the scanner's offset, which has to be whole and have that number, and moves behind it. The error
// is errNoEntry or the file's.
func (s *scanner) next(number uint64) (scanned, error) {
	e, err := s.entryAt(s.offset)
	if err != nil {
		return scanned{}, err
	}
	if e.number != number {
		return scanned{}, errNoEntry
	}
	s.offset += int64(e.length)
	return e, nil
}

// entryAt returns the whole entry at an offset, with records that are checked.
func (s *scanner) entryAt(offset int64) (scanned, error) {
	b, err := s.bytesAt(offset, entryHeader)
	if err != nil {
		return scanned{}, err
	}
	head, err := parseHead(b, s.seed)
	if err != nil {
		return scanned{}, err
	}
	b, err = s.bytesAt(offset, head.length)
	if err != nil {
		return scanned{}, err
	}
	if len(b) < head.length {
		return scanned{}, errNoEntry
	}
	e := scanned{entryHead: head, offset: offset, bytes: b[:head.length]}
	if _, err := e.entry(); err != nil {
		return scanned{}, err
	}
	return e, nil
}

// bytesAt returns at least n bytes from an offset on, or fewer at the file's end.
func (s *scanner) bytesAt(offset int64, n int) ([]byte, error) {
	if from := offset - s.at; from >= 0 && from+int64(n) <= int64(len(s.window)) {
		return s.window[from:], nil
	}
	if size := max(n, scanAhead); cap(s.window) < size {
		s.window = make([]byte, size)
	}
	s.window = s.window[:cap(s.window)]
	got, err := s.file.ReadAt(s.window, offset)
	s.window, s.at = s.window[:got], offset
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return s.window, nil
}

// later looks behind the scanner's offset for a whole entry above number, which shows that what is broken at the offset
// is no torn end: something after it was written when it was durable.
func (s *scanner) later(number uint64) (found scanned, ok bool, err error) {
	magic := binary.BigEndian.AppendUint32(nil, entryMagic)
	for offset := s.offset; ; {
		b, err := s.bytesAt(offset, len(magic))
		if err != nil || len(b) < len(magic) {
			return scanned{}, false, err
		}
		i := bytes.Index(b, magic)
		if i < 0 {
			offset += int64(len(b) - len(magic) + 1)
			continue
		}
		offset += int64(i)
		e, err := s.entryAt(offset)
		if err == nil && e.number > number {
			return e, true, nil
		}
		if err != nil && !errors.Is(err, errNoEntry) {
			return scanned{}, false, err
		}
		offset++
	}
}

// torn tells whether entry number was begun at the scanner's offset. What else may be there, a file that is used again still
// has from before.
func (s *scanner) torn(number uint64) (bool, error) {
	b, err := s.bytesAt(s.offset, entryHeader)
	if err != nil {
		return false, err
	}
	head, err := parseHead(b, s.seed)
	return err == nil && head.number == number, nil
}
