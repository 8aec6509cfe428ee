package wire

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

// body is a line of testdata/bodies.txt.gz, whose bytes the Java client wrote.
type body struct {
	kind, name string
	content    []byte
	values     []any // nil if the body is null
}

func goldenBodies(t testing.TB, kinds ...string) []body {
	t.Helper()
	file, err := os.Open("testdata/bodies.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var bodies []body
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		column := strings.Split(lines.Text(), "\t")
		if compressed := column[2] == "1"; compressed || !strings.Contains(strings.Join(kinds, " "), column[0]) {
			continue
		}
		b := body{kind: column[0], name: column[1]}
		if column[3] != "null" {
			if b.content, err = hex.DecodeString(column[3]); err != nil {
				t.Fatal(err)
			}
		}
		decoder := json.NewDecoder(strings.NewReader(column[4]))
		decoder.UseNumber()
		if err := decoder.Decode(&b.values); err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, b)
	}
	if len(bodies) == 0 {
		t.Fatal("no golden bodies")
	}
	return bodies
}

func TestGoldenMaps(t *testing.T) {
	for _, b := range goldenBodies(t, "properties", "map") {
		t.Run(b.kind+"/"+b.name, func(t *testing.T) {
			if err := CheckMap(b.content, Limits{}); err != nil {
				t.Fatal(err)
			}
			got, entries := readMap(t, NewMapReader(b.content))
			if want := asJSON(t, b.values); b.values != nil && asJSON(t, got) != want {
				t.Errorf("got  %s\nwant %s", asJSON(t, got), want)
			}
			if len(entries) == 0 {
				return // null and empty are the same here
			}
			if again := AppendMap(nil, entries); !bytes.Equal(again, b.content) {
				t.Errorf("encoded\ngot  %x\nwant %x", again, b.content)
			}
		})
	}
}

func TestGoldenStreams(t *testing.T) {
	for _, b := range goldenBodies(t, "stream") {
		t.Run(b.name, func(t *testing.T) {
			got, values := readList(t, NewStreamReader(b.content))
			if asJSON(t, got) != asJSON(t, b.values) {
				t.Errorf("got  %s\nwant %s", asJSON(t, got), asJSON(t, b.values))
			}
			var again []byte
			for _, v := range values {
				again = AppendValue(again, v)
			}
			if !bytes.Equal(again, b.content) {
				t.Errorf("encoded\ngot  %x\nwant %x", again, b.content)
			}
		})
	}
}

// readMap returns a map as the golden JSON has it, and its entries made anew from Go values.
func readMap(t *testing.T, m MapReader) (golden []any, entries []Entry) {
	golden = []any{}
	for m.Next() {
		tag, value, anew := readValue(t, m.Value())
		golden = append(golden, []any{m.Key(), tag, value})
		entries = append(entries, Entry{m.Key(), anew})
	}
	if m.Err() != nil {
		t.Fatal(m.Err())
	}
	return golden, entries
}

func readList(t *testing.T, l ListReader) (golden []any, values []Value) {
	golden = []any{}
	for l.Next() {
		tag, value, anew := readValue(t, l.Value())
		golden = append(golden, []any{tag, value})
		values = append(values, anew)
	}
	if l.Err() != nil {
		t.Fatal(l.Err())
	}
	return golden, values
}

func readValue(t *testing.T, v Value) (tag string, golden any, anew Value) {
	integer, _ := v.Int()
	float, _ := v.Float()
	switch v.Kind() {
	case KindNull:
		return "null", nil, NullValue()
	case KindBool:
		return "bool", v.Bool(), BoolValue(v.Bool())
	case KindByte:
		return "byte", integer, ByteValue(int8(integer))
	case KindChar:
		return "char", integer, CharValue(uint16(integer))
	case KindShort:
		return "short", integer, ShortValue(int16(integer))
	case KindInt:
		return "int", integer, IntValue(int32(integer))
	case KindLong:
		return "long", integer, LongValue(integer)
	case KindFloat:
		return "float", fmt.Sprintf("%08x", math.Float32bits(float32(float))), FloatValue(float32(float))
	case KindDouble:
		return "double", fmt.Sprintf("%016x", math.Float64bits(float)), DoubleValue(float)
	case KindString:
		return "string", v.Text(), TextValue(v.Text())
	case KindBigString:
		return "bigstring", v.Text(), TextValue(v.Text())
	case KindBytes:
		return "bytes", hex.EncodeToString(v.Bytes()), BytesValue(v.Bytes())
	case KindMap:
		golden, entries := readMap(t, v.Map())
		return "map", golden, MapValue(entries)
	default:
		golden, values := readList(t, v.List())
		return "list", golden, ListValue(values)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLookup(t *testing.T) {
	m := AppendMap(nil, []Entry{
		{"first", IntValue(7)},
		{"k\x00😀", TextValue("odd key")},
		{"big", TextValue(strings.Repeat("b", bigString))},
		{"list", ListValue([]Value{BoolValue(true)})},
		{"last", DoubleValue(1.5)},
	})
	if v, ok := Lookup(m, "k\x00😀"); !ok || v.Text() != "odd key" {
		t.Errorf("odd key: got %v, %v", v, ok)
	}
	if v, ok := Lookup(m, "big"); !ok || v.Kind() != KindBigString || len(v.Text()) != bigString {
		t.Errorf("big string: got %v, %v", v, ok)
	}
	if _, ok := Lookup(m, "missing"); ok {
		t.Error("found what is not there")
	}
	if _, ok := Lookup(nil, "first"); ok {
		t.Error("found something in nothing")
	}
	if _, ok := Lookup(m[:len(m)-1], "last"); ok {
		t.Error("found a value that is cut off")
	}
	if n := testing.AllocsPerRun(100, func() {
		if v, ok := Lookup(m, "last"); !ok || v.Kind() != KindDouble {
			t.Error("last not found")
		}
	}); n != 0 {
		t.Errorf("a look-up allocates %v times", n)
	}
}

func TestSetEntry(t *testing.T) {
	var m []byte
	for _, e := range []Entry{{"a", IntValue(1)}, {"b", TextValue("x")}, {"a", LongValue(2)}} {
		var err error
		if m, err = SetEntry(m, e.Key, e.Value); err != nil {
			t.Fatal(err)
		}
	}
	want := AppendMap(nil, []Entry{{"b", TextValue("x")}, {"a", LongValue(2)}})
	if !bytes.Equal(m, want) {
		t.Errorf("got %x, want %x", m, want)
	}
	if _, err := SetEntry([]byte{0, 0, 0, 1}, "a", NullValue()); err == nil {
		t.Error("a broken map was changed")
	}
}

func TestRemoveEntries(t *testing.T) {
	m := AppendMap(nil, []Entry{{"a", IntValue(1)}, {"b", TextValue("x")}, {"c", LongValue(2)}})
	got, err := RemoveEntries(m, "a", "c", "d")
	if want := AppendMap(nil, []Entry{{"b", TextValue("x")}}); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
	if _, err := RemoveEntries([]byte{0, 0, 0, 1}, "a"); err == nil {
		t.Error("a broken map was changed")
	}
}

func TestBadMapsAreRefused(t *testing.T) {
	count := func(n int32, rest string) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(n)), rest...)
	}
	deep := []byte{}
	for range MaxDepth + 1 {
		deep = append(deep, "\x0c\x00\x00\x00\x01"...)
	}
	for name, c := range map[string]struct {
		input  []byte
		limits Limits
		want   error
	}{
		"negative count":            {count(-2, ""), Limits{}, ErrLength},
		"more entries than bytes":   {count(math.MaxInt32, "\x00\x00\x00"), Limits{}, ErrTruncated},
		"cut off":                   {count(2, "\x00\x01k\x01\x01"), Limits{}, ErrTruncated},
		"unknown kind":              {count(1, "\x00\x01k\x0e"), Limits{}, ErrKind},
		"key that is no text":       {count(1, "\x00\x01\xff\x00"), Limits{}, ErrText},
		"text that is none":         {count(1, "\x00\x01k\x09\x00\x01\xff"), Limits{}, ErrText},
		"byte array beyond the end": {count(1, "\x00\x01k\x0a\x7f\xff\xff\xff"), Limits{}, ErrTruncated},
		"negative length":           {count(1, "\x00\x01k\x0d\xff\xff\xff\xff"), Limits{}, ErrLength},
		"bytes behind":              {count(1, "\x00\x01k\x00\x00"), Limits{}, ErrLength},
		"too deep":                  {count(1, "\x00\x01k"+string(deep)+"\x00"), Limits{}, ErrLimit},
		"too many entries":          {count(2, "\x00\x01k\x00\x00\x01l\x00"), Limits{Entries: 1}, ErrLimit},
		"too long a value":          {count(1, "\x00\x01k\x0a\x00\x00\x00\x02\x00\x00"), Limits{Bytes: 1}, ErrLimit},
		"a list where none may be":  {count(1, "\x00\x01k\x0c\x00\x00\x00\x00"), Limits{Flat: true}, ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			if err := CheckMap(c.input, c.limits); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func FuzzMap(f *testing.F) {
	for _, b := range goldenBodies(f, "properties", "map") {
		f.Add(b.content)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var entries []Entry
		m := NewMapReader(b)
		for m.Next() {
			entries = append(entries, Entry{m.Key(), m.Value()})
		}
		if m.Err() != nil {
			return
		}
		once := AppendMap(nil, entries)
		if err := CheckMap(once, Limits{}); err != nil {
			t.Fatalf("%x became %x: %v", b, once, err)
		}
		_, _ = Lookup(once, "k")
	})
}
