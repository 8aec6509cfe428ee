// Code generated from structures.txt by internal/gen; DO NOT EDIT.

package openwire

// MessageFields is what all kinds of message share.
type MessageFields struct {
	BaseCommand
	ProducerID                *ProducerID
	Destination               Destination
	TransactionID             TransactionID
	OriginalDestination       Destination
	MessageID                 *MessageID
	OriginalTransactionID     TransactionID
	GroupID                   Text
	GroupSequence             int32
	CorrelationID             Text
	Persistent                bool
	Expiration                int64
	Priority                  int8
	ReplyTo                   Destination
	Timestamp                 int64
	Type                      Text
	Content                   []byte
	MarshalledProperties      []byte
	DataStructure             DataStructure
	TargetConsumerID          *ConsumerID
	Compressed                bool
	RedeliveryCounter         int32
	BrokerPath                []*BrokerID
	Arrival                   int64
	UserID                    Text
	ReceivedByDFBridge        bool
	Droppable                 bool        // from version 2
	Cluster                   []*BrokerID // from version 3
	BrokerInTime              int64       // from version 3
	BrokerOutTime             int64       // from version 3
	JMSXGroupFirstForConsumer bool        // from version 10
}

func (s *MessageFields) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.ProducerID)
	e.cached(s.Destination)
	e.cached(s.TransactionID)
	e.cached(s.OriginalDestination)
	e.nested(s.MessageID)
	e.cached(s.OriginalTransactionID)
	e.text(s.GroupID)
	e.int(s.GroupSequence)
	e.text(s.CorrelationID)
	e.bool(s.Persistent)
	e.long(s.Expiration)
	e.octet(s.Priority)
	e.nested(s.ReplyTo)
	e.long(s.Timestamp)
	e.text(s.Type)
	e.bytes(s.Content)
	e.bytes(s.MarshalledProperties)
	e.nested(s.DataStructure)
	e.cached(s.TargetConsumerID)
	e.bool(s.Compressed)
	e.int(s.RedeliveryCounter)
	encodeArray(e, s.BrokerPath)
	e.long(s.Arrival)
	e.text(s.UserID)
	e.bool(s.ReceivedByDFBridge)
	if e.version >= 2 {
		e.bool(s.Droppable)
	}
	if e.version >= 3 {
		encodeArray(e, s.Cluster)
		e.long(s.BrokerInTime)
		e.long(s.BrokerOutTime)
	}
	if e.version >= 10 {
		e.bool(s.JMSXGroupFirstForConsumer)
	}
}

func (s *MessageFields) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ProducerID = decodeCached[*ProducerID](d)
	s.Destination = decodeCached[Destination](d)
	s.TransactionID = decodeCached[TransactionID](d)
	s.OriginalDestination = decodeCached[Destination](d)
	s.MessageID = decodeNested[*MessageID](d)
	s.OriginalTransactionID = decodeCached[TransactionID](d)
	s.GroupID = d.text()
	s.GroupSequence = d.int()
	s.CorrelationID = d.text()
	s.Persistent = d.bool()
	s.Expiration = d.long()
	s.Priority = d.octet()
	s.ReplyTo = decodeNested[Destination](d)
	s.Timestamp = d.long()
	s.Type = d.text()
	s.Content = d.bytes()
	s.MarshalledProperties = d.bytes()
	s.DataStructure = decodeNested[DataStructure](d)
	s.TargetConsumerID = decodeCached[*ConsumerID](d)
	s.Compressed = d.bool()
	s.RedeliveryCounter = d.int()
	s.BrokerPath = decodeArray[*BrokerID](d)
	s.Arrival = d.long()
	s.UserID = d.text()
	s.ReceivedByDFBridge = d.bool()
	if d.version >= 2 {
		s.Droppable = d.bool()
	}
	if d.version >= 3 {
		s.Cluster = decodeArray[*BrokerID](d)
		s.BrokerInTime = d.long()
		s.BrokerOutTime = d.long()
	}
	if d.version >= 10 {
		s.JMSXGroupFirstForConsumer = d.bool()
	}
}

// PlainMessage is a message without a body.
type PlainMessage struct {
	MessageFields
}

func (*PlainMessage) TypeByte() byte { return TypePlainMessage }

func (s *PlainMessage) absent() bool { return s == nil }

func (s *PlainMessage) encode(e *encoder) {
	s.MessageFields.encode(e)
}

func (s *PlainMessage) decode(d *decoder) {
	s.MessageFields.decode(d)
}

// BytesMessage is a message of raw bytes.
type BytesMessage struct {
	MessageFields
}

func (*BytesMessage) TypeByte() byte { return TypeBytesMessage }

func (s *BytesMessage) absent() bool { return s == nil }

func (s *BytesMessage) encode(e *encoder) {
	s.MessageFields.encode(e)
}

func (s *BytesMessage) decode(d *decoder) {
	s.MessageFields.decode(d)
}

// MapMessage is a message of named values.
type MapMessage struct {
	MessageFields
}

func (*MapMessage) TypeByte() byte { return TypeMapMessage }

func (s *MapMessage) absent() bool { return s == nil }

func (s *MapMessage) encode(e *encoder) {
	s.MessageFields.encode(e)
}

func (s *MapMessage) decode(d *decoder) {
	s.MessageFields.decode(d)
}

// ObjectMessage is a message of a serialized Java object.
type ObjectMessage struct {
	MessageFields
}

func (*ObjectMessage) TypeByte() byte { return TypeObjectMessage }

func (s *ObjectMessage) absent() bool { return s == nil }

func (s *ObjectMessage) encode(e *encoder) {
	s.MessageFields.encode(e)
}

func (s *ObjectMessage) decode(d *decoder) {
	s.MessageFields.decode(d)
}

// StreamMessage is a message of values in order.
type StreamMessage struct {
	MessageFields
}

func (*StreamMessage) TypeByte() byte { return TypeStreamMessage }

func (s *StreamMessage) absent() bool { return s == nil }

func (s *StreamMessage) encode(e *encoder) {
	s.MessageFields.encode(e)
}

func (s *StreamMessage) decode(d *decoder) {
	s.MessageFields.decode(d)
}

// TextMessage is a message of text.
type TextMessage struct {
	MessageFields
}

func (*TextMessage) TypeByte() byte { return TypeTextMessage }

func (s *TextMessage) absent() bool { return s == nil }

func (s *TextMessage) encode(e *encoder) {
	s.MessageFields.encode(e)
}

func (s *TextMessage) decode(d *decoder) {
	s.MessageFields.decode(d)
}

// BlobMessage is a message whose body is elsewhere, under a URL.
type BlobMessage struct {
	MessageFields
	RemoteBlobURL   Text // from version 3
	MimeType        Text // from version 3
	DeletedByBroker bool // from version 3
}

func (*BlobMessage) TypeByte() byte { return TypeBlobMessage }

func (s *BlobMessage) absent() bool { return s == nil }

func (s *BlobMessage) encode(e *encoder) {
	s.MessageFields.encode(e)
	e.text(s.RemoteBlobURL)
	e.text(s.MimeType)
	e.bool(s.DeletedByBroker)
}

func (s *BlobMessage) decode(d *decoder) {
	s.MessageFields.decode(d)
	s.RemoteBlobURL = d.text()
	s.MimeType = d.text()
	s.DeletedByBroker = d.bool()
}

// MessageDispatch delivers a message to a consumer; without one it ends a browse or answers a pull.
type MessageDispatch struct {
	BaseCommand
	ConsumerID        *ConsumerID
	Destination       Destination
	Message           Message
	RedeliveryCounter int32
}

func (*MessageDispatch) TypeByte() byte { return TypeMessageDispatch }

func (s *MessageDispatch) absent() bool { return s == nil }

func (s *MessageDispatch) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.ConsumerID)
	e.cached(s.Destination)
	e.nested(s.Message)
	e.int(s.RedeliveryCounter)
}

func (s *MessageDispatch) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ConsumerID = decodeCached[*ConsumerID](d)
	s.Destination = decodeCached[Destination](d)
	s.Message = decodeNested[Message](d)
	s.RedeliveryCounter = d.int()
}

// MessageAck acknowledges messages, as its ack type says (see AckStandard).
type MessageAck struct {
	BaseCommand
	Destination    Destination
	TransactionID  TransactionID
	ConsumerID     *ConsumerID
	AckType        int8
	FirstMessageID *MessageID
	LastMessageID  *MessageID
	MessageCount   int32
	PoisonCause    *Throwable // from version 7
}

func (*MessageAck) TypeByte() byte { return TypeMessageAck }

func (s *MessageAck) absent() bool { return s == nil }

func (s *MessageAck) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.Destination)
	e.cached(s.TransactionID)
	e.cached(s.ConsumerID)
	e.octet(s.AckType)
	e.nested(s.FirstMessageID)
	e.nested(s.LastMessageID)
	e.int(s.MessageCount)
	if e.version >= 7 {
		e.throwable(s.PoisonCause)
	}
}

func (s *MessageAck) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.Destination = decodeCached[Destination](d)
	s.TransactionID = decodeCached[TransactionID](d)
	s.ConsumerID = decodeCached[*ConsumerID](d)
	s.AckType = d.octet()
	s.FirstMessageID = decodeNested[*MessageID](d)
	s.LastMessageID = decodeNested[*MessageID](d)
	s.MessageCount = d.int()
	if d.version >= 7 {
		s.PoisonCause = d.throwable()
	}
}

// MessagePull asks for a message on behalf of a consumer without prefetch.
type MessagePull struct {
	BaseCommand
	ConsumerID    *ConsumerID // from version 2
	Destination   Destination // from version 2
	Timeout       int64       // from version 2
	CorrelationID Text        // from version 3
	MessageID     *MessageID  // from version 3
}

func (*MessagePull) TypeByte() byte { return TypeMessagePull }

func (s *MessagePull) absent() bool { return s == nil }

func (s *MessagePull) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.ConsumerID)
	e.cached(s.Destination)
	e.long(s.Timeout)
	if e.version >= 3 {
		e.text(s.CorrelationID)
		e.nested(s.MessageID)
	}
}

func (s *MessagePull) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ConsumerID = decodeCached[*ConsumerID](d)
	s.Destination = decodeCached[Destination](d)
	s.Timeout = d.long()
	if d.version >= 3 {
		s.CorrelationID = d.text()
		s.MessageID = decodeNested[*MessageID](d)
	}
}

// ProducerAck opens a producer's window again.
type ProducerAck struct {
	BaseCommand
	ProducerID *ProducerID // from version 3
	Size       int32       // from version 3
}

func (*ProducerAck) TypeByte() byte { return TypeProducerAck }

func (s *ProducerAck) absent() bool { return s == nil }

func (s *ProducerAck) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.nested(s.ProducerID)
	e.int(s.Size)
}

func (s *ProducerAck) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ProducerID = decodeNested[*ProducerID](d)
	s.Size = d.int()
}

// TransactionInfo begins or ends a transaction, as its type says (see TransactionBegin).
type TransactionInfo struct {
	BaseCommand
	ConnectionID  *ConnectionID
	TransactionID TransactionID
	Type          int8
}

func (*TransactionInfo) TypeByte() byte { return TypeTransactionInfo }

func (s *TransactionInfo) absent() bool { return s == nil }

func (s *TransactionInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.ConnectionID)
	e.cached(s.TransactionID)
	e.octet(s.Type)
}

func (s *TransactionInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ConnectionID = decodeCached[*ConnectionID](d)
	s.TransactionID = decodeCached[TransactionID](d)
	s.Type = d.octet()
}
