package file

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/group"
)

// An entry on the disk, big endian:
//
//	 0  magic     4
//	 4  length    4   of the body
//	 8  number    8
//	16  term      8   of who wrote it first; a takeover keeps it when it writes the entry again
//	24  checksum  4   CRC32C of the segment's seed and of the 24 bytes before
//	28  body          records, each with its frame: length 4, checksum 4, data
//
// A record's checksum is the CRC32C of its entry's number, its length and its data, so that a record read alone is checked,
// too. The segment's seed holds broker, term and first entry: bytes that a recycled file still has never parse as its own.
const (
	entryMagic  = 0x7457_4d65
	entryHeader = 28
	maxEntry    = entryHeader + group.MaxBody
)

// errNoEntry says that no whole entry of the wanted number is at a place.
var errNoEntry = errors.New("no entry")

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func seed(words ...uint64) uint32 {
	var b []byte
	for _, w := range words {
		b = binary.BigEndian.AppendUint64(b, w)
	}
	return crc32.Checksum(b, castagnoli())
}

// sealEntry fills in the header at the front of buf and the checksums of the records behind it.
func sealEntry(buf []byte, segmentSeed uint32, number, term uint64) {
	body := buf[entryHeader:]
	binary.BigEndian.PutUint32(buf, entryMagic)
	binary.BigEndian.PutUint32(buf[4:], uint32(len(body)))
	binary.BigEndian.PutUint64(buf[8:], number)
	binary.BigEndian.PutUint64(buf[16:], term)
	binary.BigEndian.PutUint32(buf[24:], crc32.Update(segmentSeed, castagnoli(), buf[:24]))
	recordSeed := seed(number)
	for at := uint32(0); int(at) < len(body); {
		data, next := group.RecordAt(body, at)
		binary.BigEndian.PutUint32(body[at+4:], recordChecksum(recordSeed, body[at:at+4], data))
		at = next
	}
}

func recordChecksum(recordSeed uint32, length, data []byte) uint32 {
	return crc32.Update(crc32.Update(recordSeed, castagnoli(), length), castagnoli(), data)
}

// entryHead is a checked header.
type entryHead struct {
	length       int // of the whole entry
	number, term uint64
}

// parseHead checks the header at the front of b.
func parseHead(b []byte, segmentSeed uint32) (entryHead, error) {
	if len(b) < entryHeader || binary.BigEndian.Uint32(b) != entryMagic ||
		binary.BigEndian.Uint32(b[24:]) != crc32.Update(segmentSeed, castagnoli(), b[:24]) {
		return entryHead{}, errNoEntry
	}
	body := binary.BigEndian.Uint32(b[4:])
	if body > group.MaxBody {
		return entryHead{}, errNoEntry
	}
	return entryHead{
		length: entryHeader + int(body),
		number: binary.BigEndian.Uint64(b[8:]),
		term:   binary.BigEndian.Uint64(b[16:]),
	}, nil
}

// parseRecords checks the records in a body and returns them. They refer to body.
func parseRecords(body []byte, number uint64) ([]log.Record, error) {
	var records []log.Record
	recordSeed := seed(number)
	for at := uint32(0); int(at) < len(body); {
		data, next, err := parseRecord(body, at, recordSeed)
		if err != nil {
			return nil, err
		}
		records = append(records, log.Record{Position: log.Position{Entry: number, Offset: at}, Data: data})
		at = next
	}
	return records, nil
}

// parseRecord checks the record whose frame starts at offset at of b.
func parseRecord(b []byte, at, recordSeed uint32) (data []byte, next uint32, err error) {
	data, next = group.RecordAt(b, at)
	if data == nil || recordChecksum(recordSeed, b[at:at+4], data) != binary.BigEndian.Uint32(b[at+4:]) {
		return nil, at, errNoEntry
	}
	return data, next, nil
}
