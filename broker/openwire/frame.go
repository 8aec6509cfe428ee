package openwire

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

const (
	// HandshakeLimit is the size of frames up to which a broker reads before it knows who the client is.
	HandshakeLimit = 64 << 10

	readBuffer = 16 << 10
	// firstPiece is how much of a large frame is allocated before any of it has arrived.
	firstPiece = 1 << 20
)

// FrameReader takes frames off a connection. It must not be used by two goroutines at a time.
type FrameReader struct {
	in    *bufio.Reader
	limit int
	lent  int // bytes of the buffer that the last frame returned lies in
	over  int // size of the frame that was over the limit, 0 if that is behind
}

// NewFrameReader returns a reader of frames of up to limit bytes, their size not counted.
func NewFrameReader(r io.Reader, limit int) *FrameReader {
	return &FrameReader{in: bufio.NewReaderSize(r, readBuffer), limit: limit}
}

// SetLimit changes the limit from the next frame on; 0 or less means no other than what a frame can have.
func (r *FrameReader) SetLimit(limit int) {
	if limit <= 0 {
		limit = math.MaxInt32
	}
	r.limit = limit
}

// ReadFrame returns the next frame, type byte first, without its size. A frame that IsMessage is the caller's own; any other
// is good until the next call. At the end between two frames the error is io.EOF, within one io.ErrUnexpectedEOF; for
// a frame over the limit it is a FrameSizeError, and nothing was allocated for it: SkipFrame goes on behind it. After any other error
// there are no more frames.
func (r *FrameReader) ReadFrame() ([]byte, error) {
	if _, err := r.in.Discard(r.lent); err != nil {
		return nil, err
	}
	r.lent = 0
	head, err := r.in.Peek(sizePrefix + 1)
	if err != nil {
		return nil, unexpected(err, len(head))
	}
	size := int(int32(binary.BigEndian.Uint32(head)))
	switch {
	case size < 1:
		return nil, fmt.Errorf("%w: %d bytes", ErrFrameSize, size)
	case size > r.limit:
		r.over = size
		return nil, &FrameSizeError{size, r.limit}
	}
	if !IsMessage(head[sizePrefix:]) && sizePrefix+size <= readBuffer {
		return r.lend(sizePrefix + size)
	}
	if _, err := r.in.Discard(sizePrefix); err != nil {
		return nil, err
	}
	return r.own(size)
}

// SkipFrame takes a frame that was over the limit off the connection, whose first bytes it returns: n, or all if it has fewer.
func (r *FrameReader) SkipFrame(n int) ([]byte, error) {
	head := make([]byte, min(n, r.over))
	if _, err := r.in.Discard(sizePrefix); err != nil {
		return nil, unexpected(err, 1)
	}
	if _, err := io.ReadFull(r.in, head); err != nil {
		return nil, unexpected(err, 1)
	}
	_, err := io.CopyN(io.Discard, r.in, int64(r.over-len(head)))
	r.over = 0
	return head, unexpected(err, 1)
}

// lend returns a frame of n bytes, its size included, where it lies in the buffer.
func (r *FrameReader) lend(n int) ([]byte, error) {
	frame, err := r.in.Peek(n)
	if err != nil {
		return nil, unexpected(err, len(frame))
	}
	r.lent = n
	return frame[sizePrefix:], nil
}

// own reads a frame into memory of its own. Of a large one no more is allocated than twice what has arrived.
func (r *FrameReader) own(size int) ([]byte, error) {
	var frame []byte
	for len(frame) < size {
		have := len(frame)
		piece := min(size-have, max(have, firstPiece))
		grown := make([]byte, have+piece)
		copy(grown, frame)
		frame = grown
		if _, err := io.ReadFull(r.in, frame[have:]); err != nil {
			return nil, unexpected(err, 1)
		}
	}
	return frame, nil
}

// unexpected makes an end of the connection amid a frame, of which some bytes were read, what it is.
func unexpected(err error, read int) error {
	if err == io.EOF && read > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
