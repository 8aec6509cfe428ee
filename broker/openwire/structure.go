package openwire

import (
	"fmt"
	"strings"
)

// NewestVersion is the newest version of OpenWire, which all clients since ActiveMQ 5.14 speak.
const NewestVersion = 12

// DataStructure is anything that has a type byte. All are pointers to structs of this package.
type DataStructure interface {
	// TypeByte is one of the Type constants.
	TypeByte() byte

	absent() bool // a nil pointer
	encode(*encoder)
	decode(*decoder)
}

// TypeName is what this package calls the structures of a type, for logs.
func TypeName(kind byte) string {
	if v := newStructure(kind); v != nil {
		return strings.TrimPrefix(fmt.Sprintf("%T", v), "*openwire.")
	}
	return "unknown"
}

// Command is a structure that may be sent by itself, with an id and possibly the wish for a response.
type Command interface {
	DataStructure
	Base() *BaseCommand
}

// Base gives access to what every command begins with.
func (c *BaseCommand) Base() *BaseCommand { return c }

// Message is a message of any kind.
type Message interface {
	Command
	Fields() *MessageFields
}

// Fields gives access to what all kinds of message share.
func (m *MessageFields) Fields() *MessageFields { return m }

// IsMessage tells whether a frame is a message by itself, going by its type byte.
func IsMessage(frame []byte) bool {
	return len(frame) > 0 && frame[0] >= TypePlainMessage && frame[0] <= TypeBlobMessage
}

// Destination is a Queue, Topic, TempQueue or TempTopic.
type Destination interface {
	DataStructure
	// Name is the physical name: of a composite destination, the list of its members; with options, if it has any.
	Name() string
}

// Name is the queue's name.
func (s *Queue) Name() string { return s.PhysicalName.String() }

// Name is the topic's name.
func (s *Topic) Name() string { return s.PhysicalName.String() }

// Name is the temporary queue's name, which begins with the id of the connection that made it.
func (s *TempQueue) Name() string { return s.PhysicalName.String() }

// Name is the temporary topic's name, which begins with the id of the connection that made it.
func (s *TempTopic) Name() string { return s.PhysicalName.String() }

// TransactionID is a LocalTransactionID or an XATransactionID.
type TransactionID interface {
	DataStructure
	isTransactionID()
}

func (*LocalTransactionID) isTransactionID() {}
func (*XATransactionID) isTransactionID()    {}

// The types of a TransactionInfo.
const (
	TransactionBegin          = 0
	TransactionPrepare        = 1 // answered by an IntegerResponse: XAOK or XAReadOnly
	TransactionCommitOnePhase = 2
	TransactionCommitTwoPhase = 3
	TransactionRollback       = 4
	TransactionRecover        = 5 // answered by a DataArrayResponse of XATransactionIDs
	TransactionForget         = 6
	TransactionEnd            = 7
)

// The results of a prepare.
const (
	XAOK       = 0
	XAReadOnly = 3 // nothing was done in it, and nothing is left to commit
)

// The types of a MessageAck.
const (
	AckDelivered   = 0 // moves the prefetch window on, consumes nothing
	AckPoison      = 1 // to the dead letter queue
	AckStandard    = 2 // consumes the range from first to last
	AckRedelivered = 3
	AckIndividual  = 4 // consumes the last message id's message only
	AckUnmatched   = 5 // of a durable subscriber: its selector does not match
	AckExpired     = 6
)

// The operation types of a DestinationInfo.
const (
	DestinationAdd    = 0
	DestinationRemove = 1
)
