package policy

import "fmt"

// Flow says what becomes of senders for whom a destination has no room.
type Flow struct {
	// MemoryLimit is the size in bytes of a queue's messages from which on there is none; 0 is the broker's limit alone. What is in
	// the store does not count but where CountsStored says so.
	MemoryLimit Bytes `yaml:"memoryLimit"`
	// ProducerFlowControl has senders wait for MemoryLimit. Without it only the broker's limits hold.
	ProducerFlowControl bool `yaml:"producerFlowControl"`
	// SendFailIfNoSpace fails what would wait, where it is not nil and says so; nil is as the broker has it.
	SendFailIfNoSpace *bool `yaml:"sendFailIfNoSpace,omitempty"`
	// SendFailIfNoSpaceAfterTimeout fails what has waited for so many milliseconds; 0 is never, nil as the broker has it.
	SendFailIfNoSpaceAfterTimeout *int64 `yaml:"sendFailIfNoSpaceAfterTimeout,omitempty"`
	// PendingQueuePolicy is vmQueueCursor where a queue's stored messages count as in memory, as those of such a queue are in ActiveMQ.
	PendingQueuePolicy string `yaml:"pendingQueuePolicy,omitempty"`
	// CursorMemoryHighWaterMark does the same from 100 on: there ActiveMQ keeps stored messages in memory until the limit is reached.
	CursorMemoryHighWaterMark int `yaml:"cursorMemoryHighWaterMark"`
}

// The values of PendingQueuePolicy.
const (
	StoreCursor   = "storeCursor"
	VMQueueCursor = "vmQueueCursor"
)

// CountsStored tells whether a queue's stored messages take part in its limit.
func (f *Flow) CountsStored() bool {
	return f.PendingQueuePolicy == VMQueueCursor || f.CursorMemoryHighWaterMark >= 100
}

func (f *Flow) validate() error {
	after := int64(0)
	if f.SendFailIfNoSpaceAfterTimeout != nil {
		after = *f.SendFailIfNoSpaceAfterTimeout
	}
	if p := f.PendingQueuePolicy; p != "" && p != StoreCursor && p != VMQueueCursor {
		return fmt.Errorf("pendingQueuePolicy is %q: write %s or %s", p, StoreCursor, VMQueueCursor)
	}
	return check([]bound{
		{"memoryLimit", int64(f.MemoryLimit), 0, 1 << 50},
		{"sendFailIfNoSpaceAfterTimeout", after, 0, longest},
		{"cursorMemoryHighWaterMark", int64(f.CursorMemoryHighWaterMark), 0, 1000},
	})
}
