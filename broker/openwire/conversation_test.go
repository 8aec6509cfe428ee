package openwire

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// end is one end of a recorded connection: what it said of itself, and the codec of what it sent since.
type end struct {
	offer   Offer
	greeted bool
	encoder *Encoder
	decoder *Decoder
}

// Each recorded conversation is negotiated, decoded and encoded again, both ways, to its end.
func TestGoldenConversations(t *testing.T) {
	dump := newDumper(t)
	files, err := filepath.Glob("testdata/golden/conversations/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			connections := map[string]*[2]end{}
			for i, line := range goldenLines(t, "conversations/"+filepath.Base(file)) {
				column := strings.Fields(line)
				if column[len(column)-1] == "closed" {
					continue
				}
				ends := connections[column[0]]
				if ends == nil {
					ends = new([2]end)
					connections[column[0]] = ends
				}
				from := strings.Index("><", column[1])
				frame := unhex(t, column[3])
				if !ends[from].greeted {
					greet(t, ends, from, frame)
					continue
				}
				followFrame(t, i+1, &ends[from], dump, column[2], frame)
			}
		})
	}
}

// greet takes a WireFormatInfo; with the second one, the codecs of both directions are made.
func greet(t *testing.T, ends *[2]end, from int, frame []byte) {
	t.Helper()
	v, err := NewDecoder(Handshake()).Decode(frame[sizePrefix:])
	if err != nil {
		t.Fatal(err)
	}
	offer, err := v.(*WireFormatInfo).Offer()
	if err != nil {
		t.Fatal(err)
	}
	ends[from].offer, ends[from].greeted = offer, true
	if !ends[1-from].greeted {
		return
	}
	format, err := Negotiate(ends[0].offer, ends[1].offer)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ends {
		ends[i].encoder, ends[i].decoder = NewEncoder(format), NewDecoder(format)
	}
}

func followFrame(t *testing.T, line int, e *end, dump *dumper, command string, frame []byte) {
	t.Helper()
	v, err := e.decoder.Decode(frame[sizePrefix:])
	if err != nil {
		t.Fatalf("line %d, %s: %v", line, command, err)
	}
	if got := dump.name(v); got != command {
		t.Errorf("line %d: decoded as %s, want %s", line, got, command)
	}
	again, err := e.encoder.AppendFrame(nil, v)
	if err != nil {
		t.Fatalf("line %d, %s: %v", line, command, err)
	}
	if !bytes.Equal(again, frame) {
		t.Fatalf("line %d, %s: encoded\ngot  %x\nwant %x", line, command, again, frame)
	}
}
