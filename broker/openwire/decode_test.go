package openwire

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/wire"
)

func TestBadFramesAreRefused(t *testing.T) {
	const base = "\x00\x00\x00\x07\x00" // command id, no response required
	deep := "\x20" + base + "\x00\x00\x00\x00" + strings.Repeat("\x01\x20"+base+"\x00\x00\x00\x00", maxDepth+1) + "\x00"
	chain := "\x1f" + base + "\x00\x00\x00\x00" + strings.Repeat("\x01\x00\x00\x00\x00", maxDepth+1) + "\x00"
	loose := Format{Version: 12, StackTraces: true}
	tight := Format{Version: 12, Tight: true}
	cached := Format{Version: 12, Cache: true, CacheSize: 100}
	for _, c := range []struct {
		name, frame string
		format      Format
		want        error
	}{
		{"nothing", "", loose, wire.ErrTruncated},
		{"unknown type", "\x0d" + base, loose, ErrUnknownType},
		{"type of a later version", "\x13" + base + "\x00\x00\x00\x00\x00", Format{Version: 2}, ErrUnknownType},
		{"unknown type inside", "\x0c" + base + "\x01\x0d", loose, ErrUnknownType},
		{"null frame with a body", "\x00\x00", loose, ErrTrailing},
		{"cut off", "\x0a\x00\x00", loose, wire.ErrTruncated},
		{"bytes behind", "\x0a" + base + "\x00", loose, ErrTrailing},
		{"text that is none", "\x0e" + base + "\x01\x00\x01\xff", loose, wire.ErrText},
		{"text beyond the end", "\x0e" + base + "\x01\xff\xffabc", loose, wire.ErrTruncated},
		{"byte array of negative length", "\x3c\x00\x00\x00\x01\x01\xff\xff\xff\xff", loose, wire.ErrLength},
		{"byte array beyond the end", "\x3c\x00\x00\x00\x01\x01\x7f\xff\xff\xff", loose, wire.ErrTruncated},
		{"consumer id where a session id belongs", "\x04" + base + "\x01\x7a\x00" + strings.Repeat("\x00", 16), loose, ErrUnexpectedType},
		{"array of negative count", "\x21" + base + "\x00\x00\x00\x00\x01\xff\xff", loose, ErrArrayCount},
		{"array of more than there is", "\x21" + base + "\x00\x00\x00\x00\x01\x00\x03\x00\x00", loose, ErrArrayCount},
		{"stack trace of more than there is", "\x1f" + base + "\x00\x00\x00\x00\x01\x00\x00\x7f\xff", loose, ErrArrayCount},
		{"structures inside each other", deep, loose, ErrDepth},
		{"causes of causes", chain, loose, ErrDepth},
		{"tight without bits", "\x0a\x00\x00\x00\x00\x07", tight, wire.ErrTruncated},
		{"tight with bits beyond the end", "\x0a\x3f\x00", tight, wire.ErrTruncated},
		{"tight with a bad length of bits", "\x0a\x41", tight, wire.ErrLength},
		{"tight with a negative length of bits", "\x0a\x80\xff\xff", tight, wire.ErrLength},
		{"tight ASCII that is not", "\x78\x01\x03\x00\x01\x80", tight, wire.ErrText},
		{"tight text too long", "\x78\x01\x01\x7f\xff" + strings.Repeat("x", 0x7fff), tight, wire.ErrTextLength},
		{"tight message in cached form", "\x15\x01\x78\x00\x00\x00\x07\x17", tight, ErrCachedForm},
		{"slot that is empty", "\x04" + base + "\x00\x00\x05", cached, ErrCacheIndex},
		{"slot of negative index", "\x04" + base + "\x00\xff\xff", cached, ErrCacheIndex},
		{"slot beyond the cache", "\x04" + base + "\x01\x00\x64\x00", cached, ErrCacheIndex},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := NewDecoder(c.format).Decode([]byte(c.frame))
			if wrapped := new(DecodeError); v != nil || !errors.Is(err, c.want) || !errors.As(err, &wrapped) {
				t.Errorf("got %v, %v, want a DecodeError of %v", v, err, c.want)
			}
		})
	}
}

func TestDecodeErrorSaysWhere(t *testing.T) {
	_, err := NewDecoder(Format{Version: 12}).Decode([]byte{TypeKeepAliveInfo, 0, 0})
	want := "OpenWire frame of type 10 (KeepAliveInfo), at byte 1: the bytes end in the middle of a value"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestWhatCannotBeEncoded(t *testing.T) {
	long := func(n int) *ConnectionID { return &ConnectionID{S(strings.Repeat("x", n))} }
	deep := &DataResponse{}
	for range maxDepth + 1 {
		deep = &DataResponse{Data: deep}
	}
	for _, c := range []struct {
		name   string
		format Format
		v      DataStructure
		want   error
	}{
		{"text", Format{Version: 12}, long(wire.MaxText + 1), wire.ErrTextLength},
		{"tight text", Format{Version: 12, Tight: true}, long(maxTightText + 1), wire.ErrTextLength},
		{"array", Format{Version: 12}, &DataArrayResponse{Data: make([]DataStructure, 1<<15)}, ErrArrayCount},
		{"version", Format{Version: 2}, &ProducerAck{}, ErrUnknownType},
		{"version, inside", Format{Version: 2}, &DataResponse{Data: &ProducerAck{}}, ErrUnknownType},
		{"depth", Format{Version: 12}, deep, ErrDepth},
		{"frame", Format{Version: 12, MaxFrameSize: 99}, textMessage(100), ErrFrameSize},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := NewEncoder(c.format).AppendFrame([]byte("before"), c.v)
			if wrapped := new(EncodeError); !errors.Is(err, c.want) || !errors.As(err, &wrapped) {
				t.Errorf("got %v, want an EncodeError of %v", err, c.want)
			}
			if string(got) != "before" {
				t.Errorf("%d bytes were left behind", len(got))
			}
		})
	}
}

// What came tight and cached is kept loose and uncached, in the newest version's form.
func TestLooseIsTheSameForAll(t *testing.T) {
	message := textMessage(100)
	want, err := AppendLoose(nil, message, NewestVersion)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Format{
		{Version: 12}, {Version: 11}, {Version: 10}, {Version: 12, Tight: true},
		{Version: 12, Cache: true}, {Version: 12, Tight: true, Cache: true, StackTraces: true}, {Version: 3},
	} {
		frame, err := NewEncoder(f).AppendFrame(nil, message)
		if err != nil {
			t.Fatal(err)
		}
		v, err := NewDecoder(f).Decode(frame[sizePrefix:])
		if err != nil {
			t.Fatal(err)
		}
		got, err := AppendLoose(nil, v, NewestVersion)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%+v:\ngot  %x\nwant %x", f, got, want)
		}
		if f.SharedMessages() && !bytes.Equal(frame[sizePrefix:], want) {
			t.Errorf("%+v: the frame is not what a broker keeps", f)
		}
	}
	if v, err := DecodeLoose(want, NewestVersion); err != nil || !cmp.Equal(v, DataStructure(message), cmp.AllowUnexported(Text{})) {
		t.Errorf("decoded: %+v, %v", v, err)
	}
}

// Structures that were decoded stay as they are when the frame's memory is used again.
func TestDecodeKeepsNothingOfTheFrame(t *testing.T) {
	frame := frameOf(t, textMessage(100))[sizePrefix:]
	v, err := NewDecoder(Format{Version: 12}).Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	clear(frame)
	if diff := cmp.Diff(DataStructure(textMessage(100)), v, cmp.AllowUnexported(Text{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The cache keeps no more slots than were negotiated, however small, and goes on when a frame has more values than that.
func TestCacheSmallerThanAFrame(t *testing.T) {
	path := make([]DataStructure, 150)
	for i := range path {
		path[i] = &LocalTransactionID{Value: int64(i), ConnectionID: &ConnectionID{S(strings.Repeat("c", i))}}
	}
	for _, f := range []Format{
		{Version: 12, Cache: true, CacheSize: 3}, {Version: 12, Cache: true, CacheSize: 120, Tight: true},
	} {
		encoder, decoder := NewEncoder(f), NewDecoder(f)
		for range 5 {
			frame, err := encoder.AppendFrame(nil, &DataArrayResponse{Data: path})
			if err != nil {
				t.Fatal(err)
			}
			v, err := decoder.Decode(frame[sizePrefix:])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(path, v.(*DataArrayResponse).Data, cmp.AllowUnexported(Text{})); diff != "" {
				t.Fatalf("%+v (-want +got)\n%s", f, diff)
			}
		}
	}
}

// A frame of n bytes allocates at most allocBase + allocFactor*n. The worst is an array of nulls in tight encoding, where an
// element of 16 bytes, which an append may have moved twice, takes one bit. The base is a message and a full cache.
const (
	allocBase   = 128 << 10
	allocFactor = 512
)

// FuzzDecode decodes anything in every encoding. What can be decoded, can be encoded, and is the same from then on.
func FuzzDecode(f *testing.F) {
	for _, g := range readGolden(f, "frames") {
		if v := g.format.Version; v == NewestVersion || v == 3 {
			f.Add(g.frame[sizePrefix:], byte(v-1), encodingBits(g.format))
		}
	}
	for _, g := range readGolden(f, "frames-edges") {
		f.Add(g.frame[sizePrefix:], byte(g.format.Version-1), encodingBits(g.format))
	}
	f.Fuzz(func(t *testing.T, frame []byte, version, encoding byte) {
		format := encodingOf(encoding)
		format.Version = 1 + int(version)%NewestVersion
		var v DataStructure
		var err error
		if n := allocated(func() { v, err = NewDecoder(format).Decode(frame) }); n > allocBase+allocFactor*uint64(len(frame)) {
			t.Fatalf("%d bytes allocated for a frame of %d", n, len(frame))
		}
		if err != nil {
			return
		}
		once := encodeAgain(t, format, v)
		if once == nil {
			return
		}
		second, err := NewDecoder(format).Decode(once[sizePrefix:])
		if err != nil {
			t.Fatalf("%x was encoded as %x: %v", frame, once, err)
		}
		if twice := encodeAgain(t, format, second); !bytes.Equal(once, twice) {
			t.Fatalf("%x was encoded as %x, then as %x", frame, once, twice)
		}
	})
}

// encodeAgain encodes what was decoded. A text may have got too long: a NUL may be read from one byte, but takes two.
func encodeAgain(t *testing.T, f Format, v DataStructure) []byte {
	frame, err := NewEncoder(f).AppendFrame(nil, v)
	if err != nil && !errors.Is(err, wire.ErrTextLength) {
		t.Fatal(err)
	}
	return frame
}

func encodingBits(f Format) (bits byte) {
	for i, on := range []bool{f.Tight, f.Cache, f.StackTraces} {
		if on {
			bits |= 1 << i
		}
	}
	return bits
}

func encodingOf(bits byte) Format {
	return Format{Tight: bits&1 != 0, Cache: bits&2 != 0, StackTraces: bits&4 != 0, CacheSize: 1024}
}
