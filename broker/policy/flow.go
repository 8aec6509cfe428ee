package policy

import "errors"

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
	SendFailIfNoSpaceAfterTimeout *int64             `yaml:"sendFailIfNoSpaceAfterTimeout,omitempty"`
	PendingQueuePolicy            PendingQueuePolicy `yaml:"pendingQueuePolicy,omitempty"`
	// CursorMemoryHighWaterMark does the same from 100 on: there ActiveMQ keeps stored messages in memory until the limit is reached.
	CursorMemoryHighWaterMark int `yaml:"cursorMemoryHighWaterMark"`
}

// PendingQueuePolicy says where a queue's messages are taken to be. One of its fields is set at most.
type PendingQueuePolicy struct {
	StoreCursor *Cursor `yaml:"storeCursor,omitempty"`
	// VMQueueCursor counts a queue's stored messages as in memory, as those of such a queue are in ActiveMQ.
	VMQueueCursor *Cursor `yaml:"vmQueueCursor,omitempty"`
}

// Cursor has no options.
type Cursor struct{}

// CountsStored tells whether a queue's stored messages take part in its limit.
func (f *Flow) CountsStored() bool {
	return f.PendingQueuePolicy.VMQueueCursor != nil || f.CursorMemoryHighWaterMark >= 100
}

func (f *Flow) validate() error {
	after := int64(0)
	if f.SendFailIfNoSpaceAfterTimeout != nil {
		after = *f.SendFailIfNoSpaceAfterTimeout
	}
	if p := f.PendingQueuePolicy; p.StoreCursor != nil && p.VMQueueCursor != nil {
		return errors.New("pendingQueuePolicy: write one of storeCursor and vmQueueCursor")
	}
	return check([]bound{
		{"memoryLimit", int64(f.MemoryLimit), 0, 1 << 50},
		{"sendFailIfNoSpaceAfterTimeout", after, 0, longest},
		{"cursorMemoryHighWaterMark", int64(f.CursorMemoryHighWaterMark), 0, 1000},
	})
}
