// Package message is the one in-memory form of a message.
//
// A message is kept as the bytes that OpenWire's version 12 has for it in loose, uncached encoding: the type byte, then
// the body. Those bytes depend on nothing of a connection, so what arrives from an ordinary client is stored, held
// and dispatched as it came: a dispatch is a small fresh head, the shared bytes up to Tail, and a small fresh tail. A
// codec of another encoding or protocol converts at its own edge. Parse finds where each field lies and checks all
// lengths and texts, once; fields are decoded when they are asked for.
//
// A Message does not change but for its broker sequence, which is set once, before anybody else sees it; With makes an altered
// copy. So it may be shared by any number of consumers and read by many goroutines. What belongs to one delivery,
// like the redelivery count, is not part of it.
package message

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// The kinds of message, by OpenWire's type bytes.
const (
	Plain  byte = 23 // no body
	Bytes  byte = 24
	Map    byte = 25
	Object byte = 26
	Stream byte = 27
	Text   byte = 28
	Blob   byte = 29 // its body is elsewhere, under a URL
)

var (
	// ErrKind means that the bytes are those of something else.
	ErrKind = errors.New("not a message")
	// ErrIncomplete means that a message lacks its destination or its id, without which nothing can be done with it.
	ErrIncomplete = errors.New("a message without destination or message id")
	// ErrTrailing means that bytes follow the message.
	ErrTrailing = errors.New("bytes after the end of the message")
)

// Message is a view of a message's bytes.
type Message struct {
	buf  []byte
	ends [fieldCount]uint32 // where each field ends
}

// Parse takes ownership of b, a whole message, and returns it as a view.
func Parse(b []byte) (*Message, error) {
	m := &Message{buf: b}
	r := wire.NewReader(b)
	if kind := r.Byte(); kind < Plain || kind > Blob {
		return nil, fmt.Errorf("%w: type %d", ErrKind, kind)
	}
	for f := commandID; f < fieldCount; f++ {
		if f == dataStructure && m.opaque(&r) {
			break
		}
		skip(&r, layout[f])
		m.ends[f] = uint32(r.Offset())
	}
	skipBlob(&r, m.Kind())
	m.ends[fieldCount-1] = uint32(r.Offset())
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("reading a message: %w", err)
	}
	if r.Len() > 0 {
		return nil, ErrTrailing
	}
	if len(m.field(destinationField)) == 1 || len(m.field(messageID)) == 1 {
		return nil, ErrIncomplete
	}
	return m, nil
}

// opaque deals with a message that carries a data structure, as advisories do. Only a codec knows how long that is, so
// all from there on is taken as one; the codec has checked it.
func (m *Message) opaque(r *wire.Reader) bool {
	if r.Err() != nil || r.Len() == 0 || m.buf[r.Offset()] == 0 {
		return false
	}
	r.Take(r.Len())
	for f := dataStructure; f < fieldCount; f++ {
		m.ends[f] = uint32(r.Offset())
	}
	return true
}

// Bytes are the message's bytes. They must not be changed.
func (m *Message) Bytes() []byte { return m.buf }

// Size is the length of Bytes, which is what a message counts for in limits and windows.
func (m *Message) Size() int { return len(m.buf) }

// Tail is where in Bytes the fields begin that a broker may replace in a dispatch: from the target consumer on. It is
// Size for a message with a data structure.
func (m *Message) Tail() int { return int(m.ends[dataStructure]) }

// HasDataStructure tells whether the message carries a command, as advisories do.
func (m *Message) HasDataStructure() bool { return len(m.field(dataStructure)) > 1 }

// Kind is one of the constants from Plain to Blob.
func (m *Message) Kind() byte { return m.buf[0] }

// Destination is where the message was sent to.
func (m *Message) Destination() destination.Destination {
	return decodeDestination(m.field(destinationField))
}

// RawDestination is Destination as bytes, good as a key of a map; part of Bytes.
func (m *Message) RawDestination() []byte { return m.field(destinationField) }

// OriginalDestination is where a message was before it was moved, for example to a dead letter queue.
func (m *Message) OriginalDestination() (destination.Destination, bool) {
	raw := m.field(originalDestination)
	return decodeDestination(raw), len(raw) > 1
}

// ReplyTo is JMSReplyTo.
func (m *Message) ReplyTo() (destination.Destination, bool) {
	raw := m.field(replyTo)
	return decodeDestination(raw), len(raw) > 1
}

// RawProducer is the id of the producer that made the message id, as bytes; part of Bytes, empty if there is none.
func (m *Message) RawProducer() []byte {
	r := wire.NewReader(m.field(messageID)[2:])
	skip(&r, text)
	start := r.Offset()
	skip(&r, aProducerID)
	if raw := m.field(messageID)[2+start : 2+r.Offset()]; len(raw) > 1 {
		return raw
	}
	return nil
}

// ProducerSequence numbers the messages of one producer, growing.
func (m *Message) ProducerSequence() int64 {
	return int64(binary.BigEndian.Uint64(m.buf[m.ends[messageID]-16:]))
}

// BrokerSequence numbers the messages of a broker; 0 before it was set.
func (m *Message) BrokerSequence() uint64 {
	return binary.BigEndian.Uint64(m.buf[m.ends[messageID]-8:])
}

// SetBrokerSequence writes the sequence into the message id. Only who made the message may call it, before sharing it.
func (m *Message) SetBrokerSequence(sequence uint64) {
	binary.BigEndian.PutUint64(m.buf[m.ends[messageID]-8:], sequence)
}

// BrokerIn is when the broker got it, in milliseconds since 1970; 0 if it was not told.
func (m *Message) BrokerIn() int64 {
	if m.HasDataStructure() {
		return 0
	}
	return m.long(brokerInTime)
}

// SetBrokerIn writes that into the message. The same holds as for SetBrokerSequence.
func (m *Message) SetBrokerIn(at int64) {
	if !m.HasDataStructure() {
		binary.BigEndian.PutUint64(m.field(brokerInTime), uint64(at))
	}
}

// RawSender is the id of the producer that sent it here, as bytes; part of Bytes.
func (m *Message) RawSender() []byte { return m.field(producerID) }

// Sender is the id of the connection that sent it here; "" if it does not tell.
func (m *Message) Sender() string {
	r := wire.NewReader(m.field(producerID))
	if !r.Bool() || r.Byte() != typeProducerID {
		return ""
	}
	return nullableText(&r)
}

// Transacted tells whether the producer sent it in a transaction.
func (m *Message) Transacted() bool { return len(m.field(transactionID)) > 1 }

// LocalTransaction is the number of the local transaction that it was sent in, on its connection; false for none, or XA.
func (m *Message) LocalTransaction() (int64, bool) {
	raw := m.field(transactionID)
	if len(raw) < 10 || raw[1] != typeLocalTx {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(raw[2:])), true
}

// Travelled tells whether it came from another broker.
func (m *Message) Travelled() bool { return len(m.field(brokerPath)) > 1 }

// Command is the number of the command by which it was sent, and whether that wants a response.
func (m *Message) Command() (id int32, wantsResponse bool) {
	return int32(binary.BigEndian.Uint32(m.field(commandID))), m.field(responseRequired)[0] != 0
}

// Persistent is whether JMSDeliveryMode is PERSISTENT.
func (m *Message) Persistent() bool { return m.field(persistent)[0] != 0 }

// Expiration is JMSExpiration in milliseconds since 1970; 0 is never.
func (m *Message) Expiration() int64 { return m.long(expiration) }

// Expired tells whether the message has expired at now, in milliseconds since 1970.
func (m *Message) Expired(now int64) bool { return m.Expiration() > 0 && m.Expiration() <= now }

// Arrival is when a broker got it, in milliseconds since 1970; 0 if none says.
func (m *Message) Arrival() int64 { return m.long(arrival) }

// Timestamp is JMSTimestamp in milliseconds since 1970.
func (m *Message) Timestamp() int64 { return m.long(timestamp) }

// FromNetwork tells whether it came over another broker.
func (m *Message) FromNetwork() bool {
	path := m.field(brokerPath)
	return len(path) > 1 && binary.BigEndian.Uint16(path[1:]) > 0
}

// Priority is JMSPriority. A client may send any byte; JMS knows 0 to 9.
func (m *Message) Priority() byte { return min(m.field(priority)[0], 9) }

// Redeliveries is how often the message was delivered before, when it was sent or a broker kept it to deliver it again.
func (m *Message) Redeliveries() int {
	return max(0, int(int32(binary.BigEndian.Uint32(m.field(redeliveryCounter)))))
}

// CorrelationID is JMSCorrelationID; "" also where there is none.
func (m *Message) CorrelationID() string { return decodeText(m.field(correlationID)) }

// Type is JMSType.
func (m *Message) Type() string { return decodeText(m.field(jmsType)) }

// GroupID is JMSXGroupID.
func (m *Message) GroupID() string { return decodeText(m.field(groupID)) }

// GroupSequence is JMSXGroupSeq.
func (m *Message) GroupSequence() int32 {
	return int32(binary.BigEndian.Uint32(m.field(groupSequence)))
}

// IsFirstForConsumer is JMSXGroupFirstForConsumer: the consumer that it is dispatched to had none of its group before.
func (m *Message) IsFirstForConsumer() bool {
	first := m.field(groupFirstForConsumer)
	return len(first) > 0 && first[0] != 0
}

// UserID is JMSXUserID.
func (m *Message) UserID() string { return decodeText(m.field(userID)) }

// Content is the body as the kind of message has it, nil if there is none. It is compressed if the client chose so.
func (m *Message) Content() []byte { return decodeBytes(m.field(content)) }

// Properties is the marshalled map of the message's properties, nil if there are none.
func (m *Message) Properties() []byte { return decodeBytes(m.field(properties)) }

// ID is JMSMessageID.
func (m *Message) ID() string {
	r := wire.NewReader(m.field(messageID)[2:])
	if view := nullableText(&r); view != "" {
		return view
	}
	return fmt.Sprintf("%s:%d", producerText(&r), m.ProducerSequence())
}

// Producer is the id of the producer that made the message id, as ActiveMQ writes it.
func (m *Message) Producer() string {
	r := wire.NewReader(m.field(messageID)[2:])
	nullableText(&r)
	return producerText(&r)
}

func (m *Message) String() string { return fmt.Sprintf("%s on %s", m.ID(), m.Destination()) }

// field returns the bytes of a field, with whatever says that it is present.
func (m *Message) field(f field) []byte {
	start := uint32(1)
	if f > 0 {
		start = m.ends[f-1]
	}
	return m.buf[start:m.ends[f]:m.ends[f]]
}

func (m *Message) long(f field) int64 { return int64(binary.BigEndian.Uint64(m.field(f))) }
