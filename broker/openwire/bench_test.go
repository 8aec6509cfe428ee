package openwire

import (
	"bytes"
	"io"
	"testing"
)

// A text message of 1 KiB in the encodings that clients choose from. The cache is warm.
var benchFormats = []struct {
	name   string
	format Format
}{
	{"loose", Format{Version: 12}},
	{"tight", Format{Version: 12, Tight: true}},
	{"loose+cache", Format{Version: 12, Cache: true, CacheSize: 1024}},
	{"tight+cache", Format{Version: 12, Tight: true, Cache: true, CacheSize: 1024}},
}

func BenchmarkEncode(b *testing.B) {
	message := textMessage(1024)
	for _, c := range benchFormats {
		b.Run(c.name, func(b *testing.B) {
			encoder := NewEncoder(c.format)
			var frame []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if frame, err = encoder.AppendFrame(frame[:0], message); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(frame)))
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range benchFormats {
		b.Run(c.name, func(b *testing.B) {
			encoder, decoder := NewEncoder(c.format), NewDecoder(c.format)
			var frame []byte
			for range 2 { // the second frame finds all in the cache
				var err error
				if frame, err = encoder.AppendFrame(nil, textMessage(1024)); err != nil {
					b.Fatal(err)
				}
				if _, err := decoder.Decode(frame[sizePrefix:]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decoder.Decode(frame[sizePrefix:]); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(frame)))
		})
	}
}

// BenchmarkReadFrame reads what a broker of the default offer keeps without decoding.
func BenchmarkReadFrame(b *testing.B) {
	frames := bytes.Repeat(frameOf(b, textMessage(1024)), 100)
	in := bytes.NewReader(frames)
	r := NewFrameReader(in, HandshakeLimit)
	b.ReportAllocs()
	for b.Loop() {
		_, err := r.ReadFrame()
		if err == io.EOF {
			in.Reset(frames)
			_, err = r.ReadFrame()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(frames) / 100))
}
