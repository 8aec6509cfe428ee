package message

import (
	"encoding/binary"
	"math"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// Set is one field's new value, for With and New.
type Set struct {
	field field
	bytes []byte
}

// With returns a copy with the given fields replaced. Of a message with a data structure only fields in front of that
// can be replaced.
func (m *Message) With(sets ...Set) *Message {
	size := len(m.buf)
	for _, s := range sets {
		size += len(s.bytes)
	}
	c := &Message{buf: make([]byte, 1, size)}
	c.buf[0] = m.buf[0]
	for f := commandID; f < fieldCount; f++ {
		value := m.field(f)
		for _, s := range sets {
			if s.field == f {
				value = s.bytes
			}
		}
		c.buf = append(c.buf, value...)
		c.ends[f] = uint32(len(c.buf))
	}
	return c
}

// New makes a message of a kind, with everything unset but what sets gives. A destination and an id have to be among them.
func New(kind byte, sets ...Set) *Message {
	empty := Message{buf: []byte{kind}}
	for f := commandID; f < fieldCount; f++ {
		empty.buf = append(empty.buf, make([]byte, max(1, layout[f]))...)
		empty.ends[f] = uint32(len(empty.buf))
	}
	return empty.With(sets...)
}

// SetDestination sets where the message goes.
func SetDestination(d destination.Destination) Set {
	return Set{destinationField, RawDestination(d)}
}

// SetOriginalDestination sets where the message was before.
func SetOriginalDestination(d destination.Destination) Set {
	return Set{originalDestination, RawDestination(d)}
}

// NoOriginalDestination says that the message was nowhere before.
func NoOriginalDestination() Set { return Set{originalDestination, []byte{0}} }

// SetID sets the message id: the producer's connection, session and number, and the message's number with that producer.
func SetID(connection string, session, producer, sequence int64) Set {
	b := []byte{1, typeMessageID, 0}
	b = append(b, rawProducer(connection, session, producer)...)
	b = binary.BigEndian.AppendUint64(b, uint64(sequence))
	return Set{messageID, binary.BigEndian.AppendUint64(b, 0)}
}

// SetProducer sets the id of the producer that sends it, which for a message on its way is not the one in its id.
func SetProducer(connection string, session, producer int64) Set {
	return Set{producerID, rawProducer(connection, session, producer)}
}

// SetExpiration sets JMSExpiration in milliseconds since 1970; 0 is never.
func SetExpiration(at int64) Set { return setLong(expiration, at) }

// SetTimestamp sets JMSTimestamp in milliseconds since 1970.
func SetTimestamp(at int64) Set { return setLong(timestamp, at) }

// SetArrival sets when the broker got it, in milliseconds since 1970.
func SetArrival(at int64) Set { return setLong(arrival, at) }

// SetPersistent sets JMSDeliveryMode.
func SetPersistent(yes bool) Set { return setBool(persistent, yes) }

// SetRedeliveries sets how often the message was delivered before.
func SetRedeliveries(n int) Set {
	return Set{redeliveryCounter, binary.BigEndian.AppendUint32(nil, uint32(int32(min(n, math.MaxInt32))))}
}

// SetPriority sets JMSPriority.
func SetPriority(p byte) Set { return Set{priority, []byte{p}} }

// SetType sets JMSType.
func SetType(name string) Set { return Set{jmsType, rawText(name)} }

// SetUserID sets JMSXUserID.
func SetUserID(name string) Set { return Set{userID, rawText(name)} }

// SetCorrelationID sets JMSCorrelationID; "" is none.
func SetCorrelationID(id string) Set {
	if id == "" {
		return Set{correlationID, []byte{0}}
	}
	return Set{correlationID, rawText(id)}
}

// SetReplyTo sets JMSReplyTo.
func SetReplyTo(d destination.Destination) Set { return Set{replyTo, RawDestination(d)} }

// SetContent sets the body; nil is none.
func SetContent(b []byte) Set { return Set{content, rawBytes(b)} }

// SetProperties sets the marshalled map of properties; nil is none.
func SetProperties(b []byte) Set { return Set{properties, rawBytes(b)} }

// SetDataStructure sets the command that an advisory carries: the loose bytes of a structure, type byte first.
func SetDataStructure(b []byte) Set {
	return Set{dataStructure, append([]byte{1}, b...)}
}

// SetTargetConsumer sets the one consumer that it is for: the loose bytes of its id, type byte first.
func SetTargetConsumer(b []byte) Set {
	return Set{targetConsumer, append([]byte{1}, b...)}
}

// SetBrokerPath sets the ids of the brokers that it came over.
func SetBrokerPath(ids ...string) Set {
	b := binary.BigEndian.AppendUint16([]byte{1}, uint16(len(ids)))
	for _, id := range ids {
		b = append(append(b, 1, typeBrokerID), rawText(id)...)
	}
	return Set{brokerPath, b}
}

// NoTransaction takes the message out of the transaction that it was sent in.
func NoTransaction() Set { return Set{transactionID, []byte{0}} }

// RawDestination returns d as RawDestination of a message sent there does.
func RawDestination(d destination.Destination) []byte {
	return append([]byte{1, byte(d.Kind)}, rawText(d.Name)...)
}

func rawProducer(connection string, session, producer int64) []byte {
	b := append([]byte{1, typeProducerID}, rawText(connection)...)
	b = binary.BigEndian.AppendUint64(b, uint64(producer))
	return binary.BigEndian.AppendUint64(b, uint64(session))
}

func setLong(f field, v int64) Set {
	return Set{f, binary.BigEndian.AppendUint64(nil, uint64(v))}
}

func setBool(f field, v bool) Set {
	if v {
		return Set{f, []byte{1}}
	}
	return Set{f, []byte{0}}
}

func rawText(s string) []byte { return wire.AppendText([]byte{1}, s) }

func rawBytes(b []byte) []byte {
	if b == nil {
		return []byte{0}
	}
	return append(binary.BigEndian.AppendUint32([]byte{1}, uint32(len(b))), b...)
}

// FirstForConsumer returns the message as it is dispatched to a consumer that owns its group from then on.
func (m *Message) FirstForConsumer() *Message {
	if m.HasDataStructure() {
		return m
	}
	return m.With(Set{groupFirstForConsumer, append([]byte{1}, m.field(groupFirstForConsumer)[1:]...)})
}

// SetGroup sets JMSXGroupID and JMSXGroupSeq.
func SetGroup(id string, sequence int32) []Set {
	return []Set{{groupID, rawText(id)}, {groupSequence, binary.BigEndian.AppendUint32(nil, uint32(sequence))}}
}
