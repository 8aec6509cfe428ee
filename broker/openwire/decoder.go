package openwire

import (
	"bytes"
	"fmt"

	"github.com/twinmesh/twinmesh/broker/wire"
)

// Decoder decodes the frames of one direction of a connection. It must not be used by two goroutines at a time.
//
// With the marshal cache, structures of different frames share what is cached: it must not be changed.
type Decoder struct{ d decoder }

// NewDecoder returns the Decoder of a new connection with that format.
func NewDecoder(f Format) *Decoder {
	dec := &Decoder{decoder{version: f.Version, tight: f.Tight, stackTraces: f.StackTraces}}
	if f.Cache {
		dec.d.cache = newReadCache(f.CacheSize)
	}
	return dec
}

// Decode decodes a frame, from its type byte on. It keeps nothing of the frame's memory. The null frame is nil. After an
// error, which is a DecodeError, the connection is of no more use.
func (dec *Decoder) Decode(frame []byte) (DataStructure, error) {
	return dec.d.frame(frame)
}

// DecodeLoose decodes what AppendLoose appended, and nothing else.
func DecodeLoose(b []byte, version int) (DataStructure, error) {
	d := decoder{version: version}
	return d.frame(b)
}

// decoder reads fields. Which encoding it is, only its methods know. After an error they return zero values.
type decoder struct {
	version     int
	tight       bool
	stackTraces bool
	cache       *readCache // nil without one

	r     wire.Reader
	bits  bitReader
	depth int
}

func (d *decoder) frame(frame []byte) (DataStructure, error) {
	d.r, d.bits, d.depth = wire.NewReader(frame), bitReader{}, 0
	v := d.top()
	if d.r.Err() == nil && d.r.Len() > 0 {
		d.r.Fail(fmt.Errorf("%w: %d of them", ErrTrailing, d.r.Len()))
	}
	if err := d.r.Err(); err != nil {
		var kind byte
		if len(frame) > 0 {
			kind = frame[0]
		}
		return nil, &DecodeError{Type: kind, Offset: d.r.Offset(), Err: err}
	}
	return v, nil
}

func (d *decoder) top() DataStructure {
	kind := d.r.Byte()
	if d.r.Err() != nil || kind == 0 {
		return nil
	}
	v := d.make(kind)
	if v == nil {
		return nil
	}
	if d.tight {
		d.bits = readBits(&d.r)
	}
	v.decode(d)
	return v
}

func (d *decoder) make(kind byte) DataStructure {
	v := newStructure(kind)
	if v == nil || d.version < firstVersion(kind) {
		d.r.Fail(fmt.Errorf("%w: version %d has no type %d", ErrUnknownType, d.version, kind))
		return nil
	}
	return v
}

// enter goes one structure deeper; if it returns true, leave has to follow.
func (d *decoder) enter() bool {
	if d.depth >= maxDepth {
		d.r.Fail(ErrDepth)
		return false
	}
	d.depth++
	return true
}

func (d *decoder) leave() { d.depth-- }

func (d *decoder) bool() bool {
	if !d.tight {
		return d.r.Bool()
	}
	bit, ok := d.bits.take()
	if !ok {
		d.r.Fail(wire.ErrTruncated)
	}
	return bit && d.r.Err() == nil
}

func (d *decoder) octet() int8    { return int8(d.r.Byte()) }
func (d *decoder) int() int32     { return d.r.Int() }
func (d *decoder) fixed(v []byte) { copy(v, d.r.Take(len(v))) }

func (d *decoder) long() int64 {
	if !d.tight {
		return d.r.Long()
	}
	wide, odd := d.bool(), d.bool()
	switch {
	case wide && odd:
		return d.r.Long()
	case wide:
		return int64(d.r.Uint32())
	case odd:
		return int64(d.r.Uint16())
	}
	return 0
}

func (d *decoder) text() Text {
	if !d.bool() {
		return Text{}
	}
	if !d.tight {
		return S(d.r.Text())
	}
	ascii := d.bool()
	n := int(d.r.Uint16())
	if n > maxTightText {
		d.r.Fail(wire.ErrTextLength)
	}
	text, err := decodeTight(d.r.Take(n), ascii)
	if err != nil {
		d.r.Fail(err)
	}
	return S(text)
}

func decodeTight(b []byte, ascii bool) (string, error) {
	if !ascii {
		return wire.DecodeText(b)
	}
	if text := string(b); isASCII(text) {
		return text, nil
	}
	return "", wire.ErrText
}

func (d *decoder) bytes() []byte {
	if !d.bool() {
		return nil
	}
	if b := d.r.Take(int(d.r.Int())); b != nil {
		return bytes.Clone(b)
	}
	return nil
}

// structure reads what is nested; nil is null, or an error.
func (d *decoder) structure() DataStructure {
	if !d.bool() || !d.enter() {
		return nil
	}
	defer d.leave()
	v := d.make(d.r.Byte())
	if v == nil || d.r.Err() != nil {
		return nil
	}
	if d.tight && marshalAware(v.TypeByte()) && d.bool() {
		d.r.Fail(ErrCachedForm)
		return nil
	}
	v.decode(d)
	return v
}

func (d *decoder) cachedStructure() DataStructure {
	if d.cache == nil {
		return d.structure()
	}
	isNew, index := d.bool(), d.r.Short()
	if d.r.Err() != nil {
		return nil
	}
	if !isNew {
		v, err := d.cache.get(index)
		if err != nil {
			d.r.Fail(err)
		}
		return v
	}
	v := d.structure()
	if d.r.Err() == nil {
		if err := d.cache.put(index, v); err != nil {
			d.r.Fail(err)
		}
	}
	return v
}

// count reads an array's number of elements, each of which takes at least size bytes or, if size is 0, a bit.
func (d *decoder) count(size int) int {
	n := int(d.r.Short())
	room := d.r.Len() / max(size, 1)
	if size == 0 && d.tight {
		room = d.bits.left()
	}
	if n < 0 || n > room {
		if d.r.Err() == nil {
			d.r.Fail(fmt.Errorf("%w: %d", ErrArrayCount, n))
		}
		return 0
	}
	return n
}

func decodeNested[T DataStructure](d *decoder) T { return as[T](d, d.structure()) }
func decodeCached[T DataStructure](d *decoder) T { return as[T](d, d.cachedStructure()) }

// firstElements is how many elements of an array are allocated before any was read. An array may claim as many as there are
// bits left, and so may each array inside it.
const firstElements = 4

func decodeArray[T DataStructure](d *decoder) []T {
	if !d.bool() {
		return nil
	}
	n := d.count(0)
	array := make([]T, 0, min(n, firstElements))
	for ; n > 0 && d.r.Err() == nil; n-- {
		array = append(array, decodeNested[T](d))
	}
	return array
}

// as returns v as what belongs in its place.
func as[T DataStructure](d *decoder, v DataStructure) (t T) {
	if v == nil {
		return t
	}
	t, ok := v.(T)
	if !ok {
		d.r.Fail(fmt.Errorf("%w: a %s", ErrUnexpectedType, TypeName(v.TypeByte())))
	}
	return t
}
