package openwire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// commandHead is how many bytes tell the number of a command in loose encoding, and whether it wants an answer: its type, the number, a
// boolean.
const commandHead = 1 + 4 + 1

// maxSkipped is the size in bytes of the largest frame that is read and not kept. What is larger is no message.
const maxSkipped = 1 << 30

// refuseFrame answers a frame that is too large and goes on behind it, as far as that is possible: not before the client is known, and
// not where what is skipped could have filled the marshal cache, or has its head elsewhere. Clients keep to the size that was agreed on by
// themselves; for one that does not, and sends the same again after each failover, the end of the connection would be
// an endless loop.
func (s *session) refuseFrame(err error) error {
	var size *openwire.FrameSizeError
	if !errors.As(err, &size) || s.connection == nil || s.format.Tight || s.format.Cache || size.Size > maxSkipped {
		return err
	}
	head, skipErr := s.frames.SkipFrame(commandHead)
	if skipErr != nil {
		return skipErr
	}
	if len(head) < commandHead {
		return err
	}
	text := fmt.Sprintf("Frame size of %d bytes is larger than max allowed %d bytes", size.Size, size.Limit)
	failed := &core.Error{Kind: core.General, Text: text}
	for _, t := range s.transactions { // it may be of any of them
		t.Fail(failed)
	}
	for _, t := range s.branches {
		t.Fail(failed)
	}
	s.reply(int32(binary.BigEndian.Uint32(head[1:])), head[5] != 0).throw(openwire.MaxFrameSizeExceededException, failed)
	return nil
}
