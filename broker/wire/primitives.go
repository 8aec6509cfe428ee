package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Kind is the tag byte in front of a primitive value.
type Kind byte

// The kinds of value, as OpenWire numbers them. Double comes before Float, but Int before Long.
const (
	KindNull Kind = iota
	KindBool
	KindByte
	KindChar
	KindShort
	KindInt
	KindLong
	KindDouble
	KindFloat
	KindString
	KindBytes
	KindMap
	KindList
	KindBigString // a string with an int32 length
)

// bigString is the length in UTF-16 units from which on Java writes a string as a KindBigString.
const bigString = 8191

// MaxDepth is how deep maps and lists may be inside each other.
const MaxDepth = 64

var (
	// ErrKind is returned for a tag byte that is none of the kinds.
	ErrKind = errors.New("unknown kind of value")
	// ErrLimit is returned for a map that goes beyond the given Limits, or nests deeper than MaxDepth.
	ErrLimit = errors.New("too large or too deep")
)

// Value is one primitive value of a message's properties or body. Texts, byte arrays, maps and lists in a Value that was read
// are parts of the input, so that reading allocates nothing. The zero Value is null.
type Value struct {
	kind Kind
	bits uint64 // of a number
	raw  []byte // of all others, without a length; of a map or list, with its count
}

// NullValue is null; a nil map stands for it as well.
func NullValue() Value { return Value{} }

// BoolValue makes a boolean.
func BoolValue(v bool) Value {
	if v {
		return Value{kind: KindBool, bits: 1}
	}
	return Value{kind: KindBool}
}

// ByteValue makes a byte.
func ByteValue(v int8) Value { return Value{kind: KindByte, bits: uint64(v)} }

// CharValue makes a char from a UTF-16 unit.
func CharValue(v uint16) Value { return Value{kind: KindChar, bits: uint64(v)} }

// ShortValue makes a short.
func ShortValue(v int16) Value { return Value{kind: KindShort, bits: uint64(v)} }

// IntValue makes an int.
func IntValue(v int32) Value { return Value{kind: KindInt, bits: uint64(v)} }

// LongValue makes a long.
func LongValue(v int64) Value { return Value{kind: KindLong, bits: uint64(v)} }

// FloatValue makes a float.
func FloatValue(v float32) Value {
	return Value{kind: KindFloat, bits: uint64(math.Float32bits(v))}
}

// DoubleValue makes a double.
func DoubleValue(v float64) Value {
	return Value{kind: KindDouble, bits: math.Float64bits(v)}
}

// TextValue makes a string, of the kind that Java would choose.
func TextValue(s string) Value {
	raw := AppendTextBytes(make([]byte, 0, TextLen(s)), s)
	if textUnits(raw) >= bigString {
		return Value{kind: KindBigString, raw: raw}
	}
	return Value{kind: KindString, raw: raw}
}

// BytesValue makes a byte array of b, which it keeps.
func BytesValue(b []byte) Value { return Value{kind: KindBytes, raw: b} }

// MapValue makes a map.
func MapValue(entries []Entry) Value {
	return Value{kind: KindMap, raw: AppendMap(nil, entries)}
}

// ListValue makes a list.
func ListValue(values []Value) Value {
	raw := binary.BigEndian.AppendUint32(nil, uint32(len(values)))
	for _, v := range values {
		raw = AppendValue(raw, v)
	}
	return Value{kind: KindList, raw: raw}
}

// Kind tells what the value is.
func (v Value) Kind() Kind { return v.kind }

// IsNull tells whether the value is null.
func (v Value) IsNull() bool { return v.kind == KindNull }

// IsText tells whether the value is a string of either kind.
func (v Value) IsText() bool { return v.kind == KindString || v.kind == KindBigString }

// Bool is a boolean's value, false of other kinds.
func (v Value) Bool() bool { return v.kind == KindBool && v.bits != 0 }

// Int returns a byte, char, short, int or long, and whether the value is one.
func (v Value) Int() (int64, bool) {
	return int64(v.bits), v.kind >= KindByte && v.kind <= KindLong
}

// Float returns a float or double, and whether the value is one.
func (v Value) Float() (float64, bool) {
	switch v.kind {
	case KindFloat:
		return float64(math.Float32frombits(uint32(v.bits))), true
	case KindDouble:
		return math.Float64frombits(v.bits), true
	}
	return 0, false
}

// Text is a string's text, "" of other kinds.
func (v Value) Text() string {
	if !v.IsText() {
		return ""
	}
	s, _ := DecodeText(v.raw) // checked when it was read
	return s
}

// RawText is a string's modified UTF-8, nil of other kinds. It is part of the input.
func (v Value) RawText() []byte {
	if !v.IsText() {
		return nil
	}
	return v.raw
}

// Bytes is a byte array's content, nil of other kinds. It is part of the input.
func (v Value) Bytes() []byte {
	if v.kind != KindBytes {
		return nil
	}
	return v.raw
}

// Map iterates over a map; over nothing for other kinds.
func (v Value) Map() MapReader {
	if v.kind != KindMap {
		return MapReader{}
	}
	return NewMapReader(v.raw)
}

// List iterates over a list; over nothing for other kinds.
func (v Value) List() ListReader {
	if v.kind != KindList {
		return ListReader{}
	}
	return NewListReader(v.raw)
}

// AppendValue appends a value with its tag.
func AppendValue(b []byte, v Value) []byte {
	b = append(b, byte(v.kind))
	switch v.kind {
	case KindBool, KindByte:
		return append(b, byte(v.bits))
	case KindChar, KindShort:
		return binary.BigEndian.AppendUint16(b, uint16(v.bits))
	case KindInt, KindFloat:
		return binary.BigEndian.AppendUint32(b, uint32(v.bits))
	case KindLong, KindDouble:
		return binary.BigEndian.AppendUint64(b, v.bits)
	case KindString:
		b = binary.BigEndian.AppendUint16(b, uint16(len(v.raw)))
	case KindBytes, KindBigString:
		b = binary.BigEndian.AppendUint32(b, uint32(len(v.raw)))
	}
	return append(b, v.raw...)
}

// Value reads a tag and its value. Maps and lists in it are gone through, too, so that their own readers find no
// surprises.
func (r *Reader) Value() Value { return r.value(MaxDepth) }

func (r *Reader) value(depth int) Value {
	v := Value{kind: Kind(r.Byte())}
	switch v.kind {
	case KindNull:
	case KindBool:
		return BoolValue(r.Bool())
	case KindByte:
		return ByteValue(int8(r.Byte()))
	case KindChar:
		return CharValue(r.Uint16())
	case KindShort:
		return ShortValue(r.Short())
	case KindInt:
		return IntValue(r.Int())
	case KindLong:
		return LongValue(r.Long())
	case KindFloat:
		v.bits = uint64(r.Uint32())
	case KindDouble:
		v.bits = uint64(r.Long())
	case KindString:
		v.raw = r.rawText(int(r.Uint16()))
	case KindBigString:
		v.raw = r.rawText(int(r.Int()))
	case KindBytes:
		v.raw = r.Take(int(r.Int()))
	case KindMap, KindList:
		v.raw = r.nested(v.kind, depth)
	default:
		r.Fail(fmt.Errorf("%w %d", ErrKind, v.kind))
	}
	return v
}

func (r *Reader) rawText(n int) []byte {
	b := r.Take(n)
	if !ValidText(b) {
		r.Fail(ErrText)
	}
	return b
}

// nested goes over a map or a list and returns its bytes.
func (r *Reader) nested(kind Kind, depth int) []byte {
	if depth == 0 {
		r.Fail(fmt.Errorf("%w: more than %d maps or lists inside each other", ErrLimit, MaxDepth))
		return nil
	}
	start := r.off
	for count := r.count(); count > 0 && r.err == nil; count-- {
		if kind == KindMap {
			r.rawText(int(r.Uint16()))
		}
		r.value(depth - 1)
	}
	if r.err != nil {
		return nil
	}
	return r.buf[start:r.off:r.off]
}

// count reads a map's or list's number of entries, each of which takes a byte at least. -1 is null.
func (r *Reader) count() int {
	n := int(r.Int())
	if n < -1 {
		r.Fail(ErrLength)
	}
	if n > r.Len() {
		r.Fail(ErrTruncated)
	}
	if r.err != nil || n < 0 {
		return 0
	}
	return n
}

// textUnits is the number of UTF-16 units of a text in modified UTF-8.
func textUnits(b []byte) int {
	n := 0
	for _, c := range b {
		if c&0xC0 != 0x80 {
			n++
		}
	}
	return n
}
