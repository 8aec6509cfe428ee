// Package wire reads and writes the primitive values that messages and protocols are made of: big-endian numbers, and text
// as Java's modified UTF-8. It knows no protocol, no socket and no message.
//
// Nothing here trusts a length: a value that claims more bytes than are left is ErrTruncated, before anything is
// allocated for it.
package wire

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// ErrTruncated is returned where a value needs more bytes than there are. It is io.ErrUnexpectedEOF, with a text that fits.
var ErrTruncated = truncated{}

type truncated struct{}

func (truncated) Error() string        { return "the bytes end in the middle of a value" }
func (truncated) Is(target error) bool { return target == io.ErrUnexpectedEOF }

// ErrLength is returned for a length that no value can have, a negative one for example.
var ErrLength = errors.New("impossible length")

// Reader takes values off the front of a byte slice. The first error sticks: later reads return zero values, and Err tells
// at the end. Slices that it returns are parts of the input, not copies. The zero Reader is at the end of no bytes.
type Reader struct {
	buf []byte
	off int
	err error
}

// NewReader returns a Reader of b, which must not change while slices of it are in use.
func NewReader(b []byte) Reader { return Reader{buf: b} }

// Err returns the first error, or nil.
func (r *Reader) Err() error { return r.err }

// Fail makes err the Reader's error unless it has one.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Offset is the number of bytes taken.
func (r *Reader) Offset() int { return r.off }

// Len is the number of bytes left.
func (r *Reader) Len() int { return len(r.buf) - r.off }

// Take returns the next n bytes.
func (r *Reader) Take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 {
		r.err = ErrLength
		return nil
	}
	if n > r.Len() {
		r.err = ErrTruncated
		return nil
	}
	b := r.buf[r.off : r.off+n : r.off+n]
	r.off += n
	return b
}

// Bool reads a byte; anything but 0 is true, as in Java.
func (r *Reader) Bool() bool { return r.Byte() != 0 }

// Byte reads a byte.
func (r *Reader) Byte() byte {
	if b := r.Take(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 reads two bytes.
func (r *Reader) Uint16() uint16 {
	if b := r.Take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// Short reads a Java short.
func (r *Reader) Short() int16 { return int16(r.Uint16()) }

// Uint32 reads four bytes.
func (r *Reader) Uint32() uint32 {
	if b := r.Take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Int reads a Java int.
func (r *Reader) Int() int32 { return int32(r.Uint32()) }

// Long reads a Java long.
func (r *Reader) Long() int64 {
	if b := r.Take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// Double reads a Java double.
func (r *Reader) Double() float64 { return math.Float64frombits(uint64(r.Long())) }

// Float reads a Java float.
func (r *Reader) Float() float32 { return math.Float32frombits(r.Uint32()) }

// Text reads a uint16 length and so many bytes of modified UTF-8.
func (r *Reader) Text() string { return r.text(int(r.Uint16())) }

// BigText reads an int32 length and so many bytes of modified UTF-8.
func (r *Reader) BigText() string { return r.text(int(r.Int())) }

func (r *Reader) text(n int) string {
	s, err := DecodeText(r.Take(n))
	if err != nil {
		r.Fail(err)
	}
	return s
}
