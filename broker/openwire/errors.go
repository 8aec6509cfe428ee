package openwire

import (
	"errors"
	"fmt"
)

// What can be wrong with a frame. A body that ends too early is wire.ErrTruncated, a bad text wire.ErrText, a negative
// length wire.ErrLength. Any of them leaves the connection useless.
var (
	// ErrFrameSize is for a frame over the limit, or of no size at all.
	ErrFrameSize = errors.New("frame size not allowed")
	// ErrUnknownType is for a type byte that the connection's version does not have.
	ErrUnknownType = errors.New("unknown type of structure")
	// ErrUnexpectedType is for a structure where another one belongs.
	ErrUnexpectedType = errors.New("structure in the wrong place")
	// ErrTrailing is for bytes behind the end of a body.
	ErrTrailing = errors.New("bytes after the end of the body")
	// ErrCacheIndex is for an index beyond the marshal cache, or of a slot that nothing was put in.
	ErrCacheIndex = errors.New("bad index into the marshal cache")
	// ErrArrayCount is for an array of a negative count, of more elements than fit into the frame, or of over 32,767.
	ErrArrayCount = errors.New("impossible count of an array")
	// ErrDepth is for structures nested deeper than maxDepth.
	ErrDepth = errors.New("structures nested too deep")
	// ErrCachedForm is for a nested structure in a form that no client has ever written.
	ErrCachedForm = errors.New("nested structure in cached form")
)

// FrameSizeError is an ErrFrameSize of a frame that is larger than the limit.
type FrameSizeError struct{ Size, Limit int }

func (e *FrameSizeError) Error() string {
	return fmt.Sprintf("%v: %d bytes, 1 to %d are allowed", ErrFrameSize, e.Size, e.Limit)
}

func (e *FrameSizeError) Unwrap() error { return ErrFrameSize }

// maxDepth is how deep structures may nest, causes of exceptions included.
const maxDepth = 64

// DecodeError says where in a frame something is wrong.
type DecodeError struct {
	Type   byte // of the frame
	Offset int  // of the first byte that could not be read, counted from the type byte
	Err    error
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("OpenWire frame of type %d (%s), at byte %d: %v", e.Type, TypeName(e.Type), e.Offset, e.Err)
}

func (e *DecodeError) Unwrap() error { return e.Err }

// EncodeError says which structure cannot be encoded.
type EncodeError struct {
	Type byte
	Err  error
}

func (e *EncodeError) Error() string {
	return fmt.Sprintf("encoding OpenWire structure of type %d (%s): %v", e.Type, TypeName(e.Type), e.Err)
}

func (e *EncodeError) Unwrap() error { return e.Err }
