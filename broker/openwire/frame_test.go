package openwire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func frameOf(t testing.TB, v DataStructure) []byte {
	t.Helper()
	frame, err := NewEncoder(Format{Version: NewestVersion}).AppendFrame(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

func textMessage(content int) *TextMessage {
	producer := &ProducerID{ConnectionID: S("ID:client-1-1:1"), SessionID: 1, Value: 1}
	return &TextMessage{MessageFields{
		BaseCommand: BaseCommand{CommandID: 7, ResponseRequired: true},
		ProducerID:  producer,
		Destination: &Queue{S("ORDERS")},
		MessageID:   &MessageID{ProducerID: producer, ProducerSequenceID: 1},
		Persistent:  true,
		Priority:    4,
		Timestamp:   1795468720379,
		Content:     append(binary.BigEndian.AppendUint32(nil, uint32(content)), strings.Repeat("x", content)...),
	}}
}

func TestFramesOneAfterAnother(t *testing.T) {
	large := textMessage(3 * firstPiece)
	sent := []DataStructure{
		&KeepAliveInfo{}, textMessage(10), large,
		&RemoveInfo{ObjectID: &ConnectionID{S(strings.Repeat("x", readBuffer))}}, nil, &ShutdownInfo{},
	}
	var stream []byte
	for _, v := range sent {
		stream = append(stream, frameOf(t, v)...)
	}
	for name, in := range map[string]io.Reader{
		"at once":          bytes.NewReader(stream),
		"byte by byte":     iotest.OneByteReader(bytes.NewReader(stream)),
		"with end at once": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		t.Run(name, func(t *testing.T) {
			r := NewFrameReader(in, HandshakeLimit)
			r.SetLimit(0)
			var kept []byte
			for _, v := range sent {
				frame, err := r.ReadFrame()
				if err != nil {
					t.Fatal(err)
				}
				if want := frameOf(t, v)[sizePrefix:]; !bytes.Equal(frame, want) {
					t.Fatalf("got %.80x…, want %.80x…", frame, want)
				}
				if v == DataStructure(large) {
					kept = frame
				}
			}
			if _, err := r.ReadFrame(); err != io.EOF {
				t.Errorf("at the end: got %v, want io.EOF", err)
			}
			if !bytes.Equal(kept, frameOf(t, large)[sizePrefix:]) {
				t.Error("a message's frame changed while others were read")
			}
		})
	}
}

func TestFramesCutOff(t *testing.T) {
	for name, v := range map[string]DataStructure{"command": &KeepAliveInfo{}, "message": textMessage(10)} {
		whole := frameOf(t, v)
		for n := 1; n < len(whole); n++ {
			_, err := NewFrameReader(bytes.NewReader(whole[:n]), HandshakeLimit).ReadFrame()
			if err != io.ErrUnexpectedEOF {
				t.Errorf("%s, %d bytes of %d: got %v", name, n, len(whole), err)
			}
		}
	}
}

func TestFrameLimit(t *testing.T) {
	frame := frameOf(t, textMessage(1000))
	size := len(frame) - sizePrefix
	r := NewFrameReader(bytes.NewReader(frame), size-1)
	if _, err := r.ReadFrame(); !errors.Is(err, ErrFrameSize) {
		t.Errorf("over the limit: got %v", err)
	}
	r = NewFrameReader(bytes.NewReader(frame), 1)
	r.SetLimit(size)
	if _, err := r.ReadFrame(); err != nil {
		t.Errorf("at the raised limit: %v", err)
	}
	for name, head := range map[string]string{"zero": "\x00\x00\x00\x00\x0a", "negative": "\xff\xff\xff\xff\x0a", "HTTP": "GET / HTTP/1.1\r\n"} {
		if _, err := NewFrameReader(strings.NewReader(head), HandshakeLimit).ReadFrame(); !errors.Is(err, ErrFrameSize) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A peer that announces a large frame and sends nothing of it costs no more than the first piece.
func TestLargeFrameIsNotAllocatedAhead(t *testing.T) {
	r := NewFrameReader(bytes.NewReader([]byte{0x7f, 0xff, 0xff, 0xff, TypeTextMessage}), 0)
	r.SetLimit(0)
	n := allocated(func() {
		if _, err := r.ReadFrame(); err != io.ErrUnexpectedEOF {
			t.Errorf("got %v", err)
		}
	})
	if n > 2*firstPiece {
		t.Errorf("%d bytes were allocated", n)
	}
}

// allocated is the number of bytes that f allocates, if nothing else runs.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAFrameOverTheLimitIsSkipped(t *testing.T) {
	stream := "\x00\x00\x00\x05abcde\x00\x00\x00\x01x\x00\x00\x00\x05ab"
	r := NewFrameReader(strings.NewReader(stream), 4)
	_, err := r.ReadFrame()
	var size *FrameSizeError
	if !errors.As(err, &size) || *size != (FrameSizeError{5, 4}) || !errors.Is(err, ErrFrameSize) {
		t.Fatalf("got %v", err)
	}
	if head, err := r.SkipFrame(3); string(head) != "abc" || err != nil {
		t.Errorf("got %q, %v", head, err)
	}
	if frame, err := r.ReadFrame(); string(frame) != "x" || err != nil {
		t.Errorf("got %q, %v", frame, err)
	}
	if _, err := r.ReadFrame(); !errors.As(err, &size) {
		t.Fatalf("got %v", err)
	}
	if _, err := r.SkipFrame(10); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("of a frame that is cut off: got %v", err)
	}
}
