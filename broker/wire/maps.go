package wire

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// A primitive map has an int32 count, then for each entry a key (a text with a uint16 length) and a value with its tag. No
// bytes at all are an empty map, as a message without properties has it.

// Entry is one entry of a primitive map.
type Entry struct {
	Key   string
	Value Value
}

// Limits bound a map that is read from somebody not to be trusted. Zero fields do not bound.
type Limits struct {
	Entries int // of the map itself
	Bytes   int // of one text or byte array
	Flat    bool
}

// MapReader goes over the entries of a map, in their order:
//
//	for m := wire.NewMapReader(b); m.Next(); {
//		… m.Key(), m.Value()
//	}
type MapReader struct {
	r     Reader
	left  int
	key   []byte
	value Value
}

// NewMapReader returns a reader in front of the first entry of the map b.
func NewMapReader(b []byte) MapReader {
	m := MapReader{r: NewReader(b)}
	if len(b) > 0 {
		m.left = m.r.count()
	}
	return m
}

// Next goes to the next entry. It returns false at the end, and at an error.
func (m *MapReader) Next() bool {
	if m.left == 0 || m.r.err != nil {
		return false
	}
	m.left--
	m.key = m.r.rawText(int(m.r.Uint16()))
	m.value = m.r.Value()
	return m.r.err == nil
}

// Key is the current entry's key.
func (m *MapReader) Key() string {
	s, _ := DecodeText(m.key) // checked by Next
	return s
}

// Value is the current entry's value.
func (m *MapReader) Value() Value { return m.value }

// Err returns what ended the iteration, nil at the map's end.
func (m *MapReader) Err() error { return m.r.err }

// ListReader goes over values that stand one after another: a list, or the body of a StreamMessage.
type ListReader struct {
	r     Reader
	left  int // of a stream, -1
	value Value
}

// NewListReader returns a reader in front of the first element of the list b.
func NewListReader(b []byte) ListReader {
	l := ListReader{r: NewReader(b)}
	l.left = l.r.count()
	return l
}

// NewStreamReader returns a reader in front of the first of the values that b consists of.
func NewStreamReader(b []byte) ListReader {
	return ListReader{r: NewReader(b), left: -1}
}

// Next goes to the next value. It returns false at the end, and at an error.
func (l *ListReader) Next() bool {
	if l.left == 0 || l.left < 0 && l.r.Len() == 0 || l.r.err != nil {
		return false
	}
	if l.left > 0 {
		l.left--
	}
	l.value = l.r.Value()
	return l.r.err == nil
}

// Value is the current value.
func (l *ListReader) Value() Value { return l.value }

// Err returns what ended the iteration, nil at the end.
func (l *ListReader) Err() error { return l.r.err }

// Lookup finds the first entry of the map b with this key. It allocates nothing for ordinary keys, and reads no further
// than it has to. What cannot be read is taken as not there.
func Lookup(b []byte, key string) (Value, bool) {
	if len(b) == 0 {
		return Value{}, false
	}
	if TextLen(key) != len(key) { // only then do the two forms of a text differ
		key = string(AppendTextBytes(nil, key))
	}
	r := NewReader(b)
	for n := r.count(); n > 0 && r.err == nil; n-- {
		found := string(r.Take(int(r.Uint16()))) == key
		v := r.Value()
		if found && r.err == nil {
			return v, true
		}
	}
	return Value{}, false
}

// CheckMap tells whether b is a whole map and nothing else, within the limits.
func CheckMap(b []byte, limits Limits) error {
	m := NewMapReader(b)
	if limits.Entries > 0 && m.left > limits.Entries {
		return fmt.Errorf("%w: %d entries, at most %d are allowed", ErrLimit, m.left, limits.Entries)
	}
	for m.Next() {
		if err := limits.check(m.value); err != nil {
			return fmt.Errorf("%q: %w", m.Key(), err)
		}
	}
	if m.r.err == nil && m.r.Len() > 0 {
		return fmt.Errorf("%w: %d bytes after the end of a map", ErrLength, m.r.Len())
	}
	return m.r.err
}

func (l Limits) check(v Value) error {
	if l.Bytes > 0 && len(v.raw) > l.Bytes {
		return fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrLimit, len(v.raw), l.Bytes)
	}
	if l.Flat && (v.kind == KindMap || v.kind == KindList) {
		return fmt.Errorf("%w: a map or list is not allowed here", ErrLimit)
	}
	return nil
}

// AppendMap appends a map.
func AppendMap(b []byte, entries []Entry) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(entries)))
	for _, e := range entries {
		b = AppendValue(AppendText(b, e.Key), e.Value)
	}
	return b
}

// SetEntry returns a copy of the map b with one entry added or replaced.
func SetEntry(b []byte, key string, v Value) ([]byte, error) {
	out, count, err := appendOthers(make([]byte, 4, len(b)+len(key)+len(v.raw)+16), b, key)
	if err != nil {
		return nil, fmt.Errorf("setting %q in a map: %w", key, err)
	}
	binary.BigEndian.PutUint32(out, count+1)
	return AppendValue(AppendText(out, key), v), nil
}

// RemoveEntries returns a copy of the map b without the entries of some keys.
func RemoveEntries(b []byte, keys ...string) ([]byte, error) {
	out, count, err := appendOthers(make([]byte, 4, len(b)+4), b, keys...)
	if err != nil {
		return nil, fmt.Errorf("removing %q from a map: %w", keys, err)
	}
	binary.BigEndian.PutUint32(out, count)
	return out, nil
}

// appendOthers appends the entries of the map b but for those of some keys, and tells how many.
func appendOthers(out, b []byte, keys ...string) (_ []byte, count uint32, err error) {
	m := NewMapReader(b)
	for start := m.r.off; m.Next(); start = m.r.off {
		if !slices.Contains(keys, m.Key()) {
			out = append(out, b[start:m.r.off]...)
			count++
		}
	}
	return out, count, m.Err()
}
