package message

import (
	"fmt"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// field counts a message's fields in the order of their bytes.
type field uint8

const (
	commandID field = iota
	responseRequired
	producerID
	destinationField
	transactionID
	originalDestination
	messageID
	originalTransactionID
	groupID
	groupSequence
	correlationID
	persistent
	expiration
	priority
	replyTo
	timestamp
	jmsType
	content
	properties
	dataStructure
	targetConsumer
	compressed
	redeliveryCounter
	brokerPath
	arrival
	userID
	receivedByDFBridge
	droppable
	cluster
	brokerInTime
	brokerOutTime
	groupFirstForConsumer // a Blob's own fields count as part of it
	fieldCount
)

// form is how a value's bytes say where it ends; a positive one is a fixed length. All others begin with a byte that
// tells whether the value is there.
type form int8

const (
	text         form = -iota - 1 // uint16 length
	blob                          // int32 length
	brokers                       // int16 count of broker ids
	aDestination                  // this and the following: a type byte, then the structure's fields
	aTransaction
	aMessageID
	aProducerID
	aConsumerID
	aConnectionID
	aBrokerID
)

var layout = [fieldCount]form{
	commandID: 4, responseRequired: 1, producerID: aProducerID, destinationField: aDestination, transactionID: aTransaction,
	originalDestination: aDestination, messageID: aMessageID, originalTransactionID: aTransaction, groupID: text,
	groupSequence: 4, correlationID: text, persistent: 1, expiration: 8, priority: 1, replyTo: aDestination, timestamp: 8,
	jmsType: text, content: blob, properties: blob, dataStructure: 1, targetConsumer: aConsumerID, compressed: 1,
	redeliveryCounter: 4, brokerPath: brokers, arrival: 8, userID: text, receivedByDFBridge: 1, droppable: 1, cluster: brokers,
	brokerInTime: 8, brokerOutTime: 8, groupFirstForConsumer: 1,
}

// The type bytes of what is nested in a message, but for destinations, whose kinds are theirs.
const (
	typeMessageID    = 110
	typeLocalTx      = 111
	typeXATx         = 112
	typeConnectionID = 120
	typeConsumerID   = 122
	typeProducerID   = 123
	typeBrokerID     = 124
)

// structures has what may be nested: by type byte, which form it is of, and its fields. None of them leads back to itself, so
// nothing that a client sends nests deeper than a transaction id with its connection id.
var structures = [256]struct {
	form   form
	fields []form
}{
	byte(destination.Queue):     {aDestination, []form{text}},
	byte(destination.Topic):     {aDestination, []form{text}},
	byte(destination.TempQueue): {aDestination, []form{text}},
	byte(destination.TempTopic): {aDestination, []form{text}},
	typeMessageID:               {aMessageID, []form{text, aProducerID, 8, 8}},
	typeLocalTx:                 {aTransaction, []form{8, aConnectionID}},
	typeXATx:                    {aTransaction, []form{4, blob, blob}},
	typeConnectionID:            {aConnectionID, []form{text}},
	typeConsumerID:              {aConsumerID, []form{text, 8, 8}},
	typeProducerID:              {aProducerID, []form{text, 8, 8}},
	typeBrokerID:                {aBrokerID, []form{text}},
}

// skip goes over a value, checking that it is whole.
func skip(r *wire.Reader, f form) {
	switch {
	case f > 0:
		r.Take(int(f))
	case !r.Bool():
	case f == text:
		if !wire.ValidText(r.Take(int(r.Uint16()))) {
			r.Fail(wire.ErrText)
		}
	case f == blob:
		r.Take(int(r.Int()))
	case f == brokers:
		skipBrokers(r)
	default:
		skipStructure(r, f)
	}
}

func skipBrokers(r *wire.Reader) {
	count := int(r.Short())
	if count < 0 || count > r.Len() { // each takes a byte at least
		r.Fail(wire.ErrLength)
		return
	}
	for range count {
		skip(r, aBrokerID)
	}
}

func skipStructure(r *wire.Reader, f form) {
	kind := r.Byte()
	if s := &structures[kind]; s.form == f {
		for _, f := range s.fields {
			skip(r, f)
		}
		return
	}
	r.Fail(fmt.Errorf("a structure of type %d where a message cannot have one", kind))
}

// skipBlob goes over what a Blob has after the fields of every message: URL, MIME type, deletedByBroker.
func skipBlob(r *wire.Reader, kind byte) {
	if r.Len() > 0 && kind == Blob {
		skip(r, text)
		skip(r, text)
		skip(r, 1)
	}
}

func nullableText(r *wire.Reader) string {
	if !r.Bool() {
		return ""
	}
	return r.Text()
}

func decodeText(raw []byte) string {
	r := wire.NewReader(raw)
	return nullableText(&r)
}

func decodeBytes(raw []byte) []byte {
	if len(raw) < 5 {
		return nil
	}
	return raw[5:]
}

func decodeDestination(raw []byte) destination.Destination {
	if len(raw) < 2 {
		return destination.Destination{}
	}
	return destination.Destination{Kind: destination.Kind(raw[1]), Name: decodeText(raw[2:])}
}

// producerText renders a nested producer id as JMS message ids begin.
func producerText(r *wire.Reader) string {
	if !r.Bool() || r.Byte() != typeProducerID {
		return ""
	}
	connection := nullableText(r)
	value, session := r.Long(), r.Long()
	return fmt.Sprintf("%s:%d:%d", connection, session, value)
}
