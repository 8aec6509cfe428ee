package wire

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// Java's modified UTF-8 (java.io.DataInput) differs from UTF-8 in two ways: NUL is C0 80, and a character beyond the basic plane
// is a pair of surrogates, each of three bytes. Java strings may hold a surrogate without its other half. In a Go
// string such a half is kept as its three bytes, which is not valid UTF-8 but comes back unchanged.

// MaxText is the number of bytes that a text with a uint16 length can have.
const MaxText = 65_535

var (
	// ErrText is returned for bytes that are not modified UTF-8.
	ErrText = errors.New("not modified UTF-8")
	// ErrTextLength is returned for a text of more than MaxText bytes.
	ErrTextLength = errors.New("text of more than 65,535 bytes")
)

// DecodeText returns the text that is b in modified UTF-8.
func DecodeText(b []byte) (string, error) {
	n := plainPrefix(b)
	if n == len(b) {
		return string(b), nil
	}
	out := make([]byte, n, len(b))
	copy(out, b)
	for i := n; i < len(b); {
		unit, size := decodeUnit(b[i:])
		if size == 0 {
			return "", ErrText
		}
		i += size
		if isHighSurrogate(unit) {
			if low, n := decodeUnit(b[i:]); n == 3 && isLowSurrogate(low) {
				out = utf8.AppendRune(out, combine(unit, low))
				i += n
				continue
			}
		}
		out = appendUnit(out, unit)
	}
	return string(out), nil
}

// AppendText appends s with a uint16 length. The caller has checked TextLen against MaxText.
func AppendText(b []byte, s string) []byte {
	return AppendTextBytes(binary.BigEndian.AppendUint16(b, uint16(TextLen(s))), s)
}

// AppendTextBytes appends s in modified UTF-8, without a length.
func AppendTextBytes(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c != 0 && c < utf8.RuneSelf {
			b = append(b, c)
			i++
			continue
		}
		r, size := decodeRune(s[i:])
		i += size
		switch {
		case r == 0:
			b = append(b, 0xC0, 0x80)
		case r > 0xFFFF:
			b = append3(append3(b, 0xD800+(r-0x10000)>>10), 0xDC00+(r-0x10000)&0x3FF)
		default:
			b = appendUnit(b, r)
		}
	}
	return b
}

// TextLen is the number of bytes that s has in modified UTF-8.
func TextLen(s string) int {
	n := len(s)
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == 0:
			n++
			i++
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := decodeRune(s[i:])
			i += size
			if r > 0xFFFF {
				n += 2
			} else if size == 1 {
				n += 2 // a stray byte is written as U+FFFD
			}
		}
	}
	return n
}

// plainPrefix is the length of the ASCII without NUL at the front of b, which stands for itself.
func plainPrefix(b []byte) int {
	for i, c := range b {
		if c == 0 || c >= utf8.RuneSelf {
			return i
		}
	}
	return len(b)
}

// decodeUnit reads one UTF-16 unit; size 0 means that b does not start with one. As in Java, a plain zero byte is NUL.
func decodeUnit(b []byte) (unit rune, size int) {
	switch {
	case len(b) == 0:
		return 0, 0
	case b[0] < 0x80:
		return rune(b[0]), 1
	case b[0]&0xE0 == 0xC0 && len(b) >= 2 && b[1]&0xC0 == 0x80:
		return rune(b[0]&0x1F)<<6 | rune(b[1]&0x3F), 2
	case b[0]&0xF0 == 0xE0 && len(b) >= 3 && b[1]&0xC0 == 0x80 && b[2]&0xC0 == 0x80:
		return rune(b[0]&0x0F)<<12 | rune(b[1]&0x3F)<<6 | rune(b[2]&0x3F), 3
	}
	return 0, 0
}

// decodeRune is utf8.DecodeRuneInString, but takes a lone surrogate for what it is.
func decodeRune(s string) (r rune, size int) {
	r, size = utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 && len(s) >= 3 && s[0] == 0xED && s[1]&0xE0 == 0xA0 && s[2]&0xC0 == 0x80 {
		return 0xD000 | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F), 3
	}
	return r, size
}

// appendUnit appends one UTF-16 unit as UTF-8 would, surrogates included.
func appendUnit(b []byte, u rune) []byte {
	switch {
	case u < 0x80:
		return append(b, byte(u))
	case u < 0x800:
		return append(b, 0xC0|byte(u>>6), 0x80|byte(u&0x3F))
	}
	return append3(b, u)
}

func append3(b []byte, u rune) []byte {
	return append(b, 0xE0|byte(u>>12), 0x80|byte(u>>6&0x3F), 0x80|byte(u&0x3F))
}

func isHighSurrogate(u rune) bool { return u >= 0xD800 && u < 0xDC00 }
func isLowSurrogate(u rune) bool  { return u >= 0xDC00 && u < 0xE000 }

func combine(high, low rune) rune { return 0x10000 + (high-0xD800)<<10 + (low - 0xDC00) }

// ValidText tells whether DecodeText takes b.
func ValidText(b []byte) bool {
	for i := plainPrefix(b); i < len(b); {
		_, size := decodeUnit(b[i:])
		if size == 0 {
			return false
		}
		i += size
	}
	return true
}
