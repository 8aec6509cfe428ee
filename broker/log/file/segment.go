package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

const (
	segmentSuffix = ".log"
	newSuffix     = ".new"   // of a segment that is being made
	spareSuffix   = ".spare" // of a segment to be used again
)

// header is what a segment begins with. It is complete before the segment gets its name and never changes, but the whole
// segment may be replaced by another one while it has no entry.
type header struct {
	broker string
	term   uint64 // in which the segment is written
	first  uint64 // entry
	start  uint64 // the first entry of this term: at and above it, nothing of a lower term counts
	keep   uint64 // entries below it are not needed any more
}

// A header on the disk, big endian: magic 8, term 8, first 8, start 8, keep 8, length of the broker's name 1, the name,
// zeros; CRC32C of it all in the last 4 of headerBytes. The magic's last byte is the format's version.
const headerBytes = 512

const segmentMagic = "twinlog\x01"

func (h header) name() string { return fmt.Sprintf("%010d-%020d%s", h.term, h.first, segmentSuffix) }

// seed makes the checksums of this segment's entries its own.
func (h header) seed() uint32 {
	return crc32.Update(seed(h.term, h.first), castagnoli(), []byte(h.broker))
}

func (h header) encode() []byte {
	b := make([]byte, 0, headerBytes)
	b = append(b, segmentMagic...)
	for _, n := range []uint64{h.term, h.first, h.start, h.keep} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = append(append(b, byte(len(h.broker))), h.broker...)
	b = b[:headerBytes]
	binary.BigEndian.PutUint32(b[headerBytes-4:], crc32.Checksum(b[:headerBytes-4], castagnoli()))
	return b
}

var (
	errNotSegment   = errors.New("it does not begin like a segment of this version")
	errHeaderBroken = errors.New("its header is damaged")
)

func parseHeader(b []byte) (header, error) {
	if len(b) < headerBytes || !bytes.HasPrefix(b, []byte(segmentMagic)) {
		return header{}, errNotSegment
	}
	if crc32.Checksum(b[:headerBytes-4], castagnoli()) != binary.BigEndian.Uint32(b[headerBytes-4:]) {
		return header{}, errHeaderBroken
	}
	n := int(b[40])
	if n > maxBroker {
		return header{}, errHeaderBroken
	}
	return header{
		broker: string(b[41 : 41+n]),
		term:   binary.BigEndian.Uint64(b[8:]),
		first:  binary.BigEndian.Uint64(b[16:]),
		start:  binary.BigEndian.Uint64(b[24:]),
		keep:   binary.BigEndian.Uint64(b[32:]),
	}, nil
}

// segmentName tells term and first entry by a segment's name.
func segmentName(name string) (term, first uint64, ok bool) {
	base, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		return 0, 0, false
	}
	t, f, _ := strings.Cut(base, "-")
	term, errTerm := strconv.ParseUint(t, 10, 64)
	first, errFirst := strconv.ParseUint(f, 10, 64)
	ok = errTerm == nil && errFirst == nil && header{term: term, first: first}.name() == name
	return term, first, ok
}
