package openwire

import (
	"encoding/binary"
	"math"

	"github.com/twinmesh/twinmesh/broker/wire"
)

// The bits of a tight frame stand in front of its body, least significant first, with their length in bytes before them:
// one byte below 64; 0xC0 and a byte up to 255; else 0x80 and two bytes.
const (
	bitsShort   = 64
	bitsOneByte = 0xC0
	bitsTwo     = 0x80
)

type bitWriter struct {
	bytes []byte
	used  uint // bits of the last byte; 0 if it is full
}

func (w *bitWriter) append(bit bool) {
	if w.used == 0 {
		w.bytes = append(w.bytes, 0)
	}
	if bit {
		w.bytes[len(w.bytes)-1] |= 1 << w.used
	}
	w.used = (w.used + 1) % 8
}

// appendTo appends the bits, with their length, to a frame.
func (w *bitWriter) appendTo(frame []byte) []byte {
	switch n := len(w.bytes); {
	case n < bitsShort:
		frame = append(frame, byte(n))
	case n <= math.MaxUint8:
		frame = append(frame, bitsOneByte, byte(n))
	default:
		frame = binary.BigEndian.AppendUint16(append(frame, bitsTwo), uint16(n))
	}
	return append(frame, w.bytes...)
}

type bitReader struct {
	bytes []byte
	next  int // bit
}

func readBits(r *wire.Reader) bitReader {
	n := int(r.Byte())
	switch n {
	case bitsOneByte:
		n = int(r.Byte())
	case bitsTwo:
		n = int(r.Short())
	default:
		if n >= bitsShort {
			r.Fail(wire.ErrLength)
		}
	}
	return bitReader{bytes: r.Take(n)}
}

// take returns the next bit; ok is false if there is none.
func (b *bitReader) take() (bit, ok bool) {
	at := b.next / 8
	if at >= len(b.bytes) {
		return false, false
	}
	bit = b.bytes[at]>>(b.next%8)&1 == 1
	b.next++
	return bit, true
}

func (b *bitReader) left() int { return 8*len(b.bytes) - b.next }
