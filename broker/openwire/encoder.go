package openwire

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/twinmesh/twinmesh/broker/wire"
)

// maxTightText is the longest text in tight encoding, in bytes: the Java client can neither write nor read a longer one.
const maxTightText = 32_766

// Encoder encodes the frames of one direction of a connection. It must not be used by two goroutines at a time.
//
// With the marshal cache, the peer's cache follows the frames in the order they were encoded: each has to be written, in that
// order, and after an error the connection is of no more use.
type Encoder struct {
	e            encoder
	maxFrameSize int64
	body         []byte // tight: kept from frame to frame
}

// NewEncoder returns the Encoder of a new connection with that format.
func NewEncoder(f Format) *Encoder {
	enc := &Encoder{maxFrameSize: f.MaxFrameSize}
	enc.e = encoder{version: f.Version, tight: f.Tight, stackTraces: f.StackTraces}
	if f.Cache {
		enc.e.cache = newWriteCache(f.CacheSize)
	}
	return enc
}

// sizePrefix is the number of bytes that a frame's size takes.
const sizePrefix = 4

// AppendFrame appends the frame of v, with its size; nil is the null frame. After an error, which is an EncodeError, dst is
// returned as it was.
func (enc *Encoder) AppendFrame(dst []byte, v DataStructure) ([]byte, error) {
	frame := enc.appendBody(append(dst, make([]byte, sizePrefix)...), v)
	e := &enc.e
	size := len(frame) - len(dst) - sizePrefix
	if enc.maxFrameSize > 0 && int64(size) > enc.maxFrameSize {
		e.fail(fmt.Errorf("%w: %d bytes, the peer takes %d at most", ErrFrameSize, size, enc.maxFrameSize))
	}
	if e.err != nil {
		return dst, &EncodeError{Type: typeOf(v), Err: e.err}
	}
	binary.BigEndian.PutUint32(frame[len(dst):], uint32(size))
	return frame, nil
}

// appendBody appends the type byte and all that follows it.
func (enc *Encoder) appendBody(frame []byte, v DataStructure) []byte {
	e := &enc.e
	e.err = nil
	if e.cache != nil {
		e.cache.makeRoom()
	}
	if v == nil || v.absent() {
		return append(frame, 0)
	}
	if e.tight {
		return enc.appendTight(frame, v)
	}
	e.buf = frame
	e.structure(v)
	frame, e.buf = e.buf, nil
	return frame
}

// appendTight encodes the body beside the frame, since the bits that stand in front of it are known only at its end.
func (enc *Encoder) appendTight(frame []byte, v DataStructure) []byte {
	e := &enc.e
	e.buf, e.bits = enc.body[:0], bitWriter{bytes: e.bits.bytes[:0]}
	e.structure(v)
	enc.body, e.buf = e.buf, nil
	return append(e.bits.appendTo(append(frame, enc.body[0])), enc.body[1:]...)
}

// AppendLoose appends a structure, its type byte first, in the loose, uncached encoding of a version: the form in which a
// broker keeps messages.
func AppendLoose(dst []byte, v DataStructure, version int) ([]byte, error) {
	e := encoder{version: version, buf: dst}
	if e.structure(v); e.err != nil {
		return dst, &EncodeError{Type: v.TypeByte(), Err: e.err}
	}
	return e.buf, nil
}

func typeOf(v DataStructure) byte {
	if v == nil {
		return 0
	}
	return v.TypeByte()
}

// encoder writes fields. Which encoding it is, loose or tight, cached or not, only its methods know.
type encoder struct {
	version     int
	tight       bool
	stackTraces bool
	cache       *writeCache // nil without one

	buf   []byte // in tight encoding, the body
	bits  bitWriter
	depth int
	err   error // the first one
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// enter goes one structure deeper; if it returns true, leave has to follow.
func (e *encoder) enter() bool {
	if e.depth >= maxDepth {
		e.fail(ErrDepth)
		return false
	}
	e.depth++
	return true
}

func (e *encoder) leave() { e.depth-- }

func (e *encoder) bool(v bool) {
	switch {
	case e.tight:
		e.bits.append(v)
	case v:
		e.buf = append(e.buf, 1)
	default:
		e.buf = append(e.buf, 0)
	}
}

func (e *encoder) octet(v int8)   { e.buf = append(e.buf, byte(v)) }
func (e *encoder) short(v int16)  { e.buf = binary.BigEndian.AppendUint16(e.buf, uint16(v)) }
func (e *encoder) int(v int32)    { e.buf = binary.BigEndian.AppendUint32(e.buf, uint32(v)) }
func (e *encoder) fixed(v []byte) { e.buf = append(e.buf, v...) }

// long spends, in tight encoding, two bits on how wide it is.
func (e *encoder) long(v int64) {
	if !e.tight {
		e.buf = binary.BigEndian.AppendUint64(e.buf, uint64(v))
		return
	}
	wide, odd := v < 0 || v > math.MaxUint16, v < 0 || v > math.MaxUint32 || v > 0 && v <= math.MaxUint16
	e.bits.append(wide)
	e.bits.append(odd)
	switch {
	case wide && odd:
		e.buf = binary.BigEndian.AppendUint64(e.buf, uint64(v))
	case wide:
		e.buf = binary.BigEndian.AppendUint32(e.buf, uint32(v))
	case odd:
		e.buf = binary.BigEndian.AppendUint16(e.buf, uint16(v))
	}
}

func (e *encoder) text(t Text) {
	e.bool(t.present)
	if !t.present {
		return
	}
	limit := wire.MaxText
	if e.tight {
		limit = maxTightText
		e.bits.append(isASCII(t.text))
	}
	if n := wire.TextLen(t.text); n > limit {
		e.fail(fmt.Errorf("%w: %d bytes, at most %d can be sent", wire.ErrTextLength, n, limit))
		return
	}
	e.buf = wire.AppendText(e.buf, t.text)
}

// isASCII tells whether a text has no characters but 1 to 127.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i]-1 >= 127 {
			return false
		}
	}
	return true
}

func (e *encoder) bytes(b []byte) {
	e.bool(b != nil)
	if b != nil {
		e.buf = binary.BigEndian.AppendUint32(e.buf, uint32(len(b)))
		e.buf = append(e.buf, b...)
	}
}

func (e *encoder) nested(v DataStructure) {
	present := v != nil && !v.absent()
	if e.bool(present); !present || !e.enter() {
		return
	}
	defer e.leave()
	if e.tight && marshalAware(v.TypeByte()) {
		e.bits.append(false) // no cached form
	}
	e.structure(v)
}

// structure writes a type byte and what belongs to it.
func (e *encoder) structure(v DataStructure) {
	kind := v.TypeByte()
	if e.version < firstVersion(kind) {
		e.fail(fmt.Errorf("%w: version %d has no %s", ErrUnknownType, e.version, TypeName(kind)))
	}
	e.buf = append(e.buf, kind)
	v.encode(e)
}

// cached writes a value once, and from then on only where it stands in the peer's cache.
func (e *encoder) cached(v DataStructure) {
	if e.cache == nil {
		e.nested(v)
		return
	}
	key := e.cache.key(v, e.version)
	slot, known := e.cache.find(key)
	e.bool(!known)
	if known {
		e.short(slot)
		return
	}
	content := string(key) // the nested values use the cache's buffer, too
	if !e.tight {
		e.short(e.cache.add(content))
		e.nested(v)
		return
	}
	// What is inside has its slots first, though the index stands in front of it.
	at := len(e.buf)
	e.short(0)
	e.nested(v)
	binary.BigEndian.PutUint16(e.buf[at:], uint16(e.cache.add(content)))
}

// count writes an array's number of elements.
func (e *encoder) count(n int) {
	if n > math.MaxInt16 {
		e.fail(fmt.Errorf("%w: %d elements", ErrArrayCount, n))
	}
	e.short(int16(n))
}

func encodeArray[T DataStructure](e *encoder, array []T) {
	e.bool(array != nil)
	if array == nil {
		return
	}
	e.count(len(array))
	for _, v := range array {
		if e.err != nil {
			return
		}
		e.nested(v)
	}
}
