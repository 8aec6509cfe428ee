package wire

import (
	"bytes"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestTextIsModifiedUTF8(t *testing.T) {
	for _, c := range []struct{ name, text, hex string }{
		{"empty", "", ""},
		{"ascii", "plain", "706c61696e"},
		{"NUL is two bytes", "a\x00b", "61c08062"},
		{"two bytes", "é", "c3a9"},
		{"three bytes", "消", "e6b688"},
		{"beyond the basic plane is a pair of surrogates", "😀", "eda0bdedb880"},
		{"lone high surrogate", "\xed\xa0\xbd", "eda0bd"},
		{"lone low surrogate", "x\xed\xb8\x80y", "78edb88079"},
		{"high surrogate before a letter", "\xed\xa0\xbdé", "eda0bdc3a9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			encoded := AppendTextBytes(nil, c.text)
			if got := hex.EncodeToString(encoded); got != c.hex {
				t.Errorf("encoded: got %s, want %s", got, c.hex)
			}
			if got, err := DecodeText(encoded); err != nil || got != c.text {
				t.Errorf("decoded: got %q, %v, want %q", got, err, c.text)
			}
		})
	}
}

func TestStrayBytesAreReplaced(t *testing.T) {
	if got := AppendTextBytes(nil, "a\xffb"); !bytes.Equal(got, []byte("a\xef\xbf\xbdb")) {
		t.Errorf("got % x", got)
	}
}

func TestBadTextIsRefused(t *testing.T) {
	for _, bad := range []string{"\x80", "a\xc3", "\xe6\xb6", "\xf0\x9f\x98\x80", "\xc3\x28"} {
		if got, err := DecodeText([]byte(bad)); err != ErrText {
			t.Errorf("% x: got %q, %v, want ErrText", bad, got, err)
		}
	}
}

func TestTextComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		b := AppendText(nil, s)
		if len(b) != 2+TextLen(s) {
			t.Fatalf("%d bytes, TextLen says %d", len(b)-2, TextLen(s))
		}
		r := NewReader(b)
		if got := r.Text(); got != s || r.Err() != nil || r.Len() != 0 {
			t.Fatalf("got %q, %v, %d bytes left", got, r.Err(), r.Len())
		}
	})
}

func FuzzDecodeText(f *testing.F) {
	for _, s := range []string{"", "plain", "a\xc0\x80b", "\xed\xa0\xbd\xed\xb8\x80", "\xed\xa0\xbd", "\x80"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeText(b)
		if err != nil {
			return
		}
		again := AppendTextBytes(nil, s)
		if len(again) != TextLen(s) {
			t.Fatalf("%q: %d bytes, TextLen says %d", s, len(again), TextLen(s))
		}
		if second, err := DecodeText(again); err != nil || second != s {
			t.Fatalf("%q came back as %q, %v", s, second, err)
		}
	})
}

func TestReaderNeverReadsPastTheEnd(t *testing.T) {
	reads := map[string]func(*Reader){
		"byte":     func(r *Reader) { r.Byte() },
		"short":    func(r *Reader) { r.Short() },
		"int":      func(r *Reader) { r.Int() },
		"long":     func(r *Reader) { r.Long() },
		"text":     func(r *Reader) { r.Text() },
		"big text": func(r *Reader) { r.BigText() },
		"negative": func(r *Reader) { r.Take(-1) },
	}
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			for _, input := range []string{"", "\xff", "\xff\xff\xff", strings.Repeat("\xff", 7)} {
				r := NewReader([]byte(input))
				for range 8 {
					read(&r)
				}
				if r.Err() == nil {
					t.Errorf("%x: no error", input)
				}
			}
		})
	}
}

func TestGoldenStrings(t *testing.T) {
	lines, err := os.ReadFile("testdata/strings.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(lines)) {
		units, encoded, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		var text []byte // UTF-8 but for lone surrogates, as Go strings have them here
		fields := strings.Fields(units)
		for i := 0; i < len(fields); i++ {
			unit, err := strconv.ParseUint(fields[i], 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			if isHighSurrogate(rune(unit)) && i+1 < len(fields) {
				low, err := strconv.ParseUint(fields[i+1], 16, 16)
				if err == nil && isLowSurrogate(rune(low)) {
					text = utf8.AppendRune(text, combine(rune(unit), rune(low)))
					i++
					continue
				}
			}
			text = appendUnit(text, rune(unit))
		}
		if got := hex.EncodeToString(AppendTextBytes(nil, string(text))); got != encoded {
			t.Errorf("%s: encoded %s, want %s", units, got, encoded)
		}
		b, _ := hex.DecodeString(encoded)
		if got, err := DecodeText(b); err != nil || got != string(text) {
			t.Errorf("%s: decoded %q, %v, want %q", units, got, err, text)
		}
	}
}
