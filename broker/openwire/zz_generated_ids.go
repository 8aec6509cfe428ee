// Code generated from structures.txt by internal/gen; DO NOT EDIT.

package openwire

// Queue is the name of a queue.
type Queue struct {
	PhysicalName Text
}

func (*Queue) TypeByte() byte { return TypeQueue }

func (s *Queue) absent() bool { return s == nil }

func (s *Queue) encode(e *encoder) {
	e.text(s.PhysicalName)
}

func (s *Queue) decode(d *decoder) {
	s.PhysicalName = d.text()
}

// Topic is the name of a topic.
type Topic struct {
	PhysicalName Text
}

func (*Topic) TypeByte() byte { return TypeTopic }

func (s *Topic) absent() bool { return s == nil }

func (s *Topic) encode(e *encoder) {
	e.text(s.PhysicalName)
}

func (s *Topic) decode(d *decoder) {
	s.PhysicalName = d.text()
}

// TempQueue is the name of a temporary queue.
type TempQueue struct {
	PhysicalName Text
}

func (*TempQueue) TypeByte() byte { return TypeTempQueue }

func (s *TempQueue) absent() bool { return s == nil }

func (s *TempQueue) encode(e *encoder) {
	e.text(s.PhysicalName)
}

func (s *TempQueue) decode(d *decoder) {
	s.PhysicalName = d.text()
}

// TempTopic is the name of a temporary topic.
type TempTopic struct {
	PhysicalName Text
}

func (*TempTopic) TypeByte() byte { return TypeTempTopic }

func (s *TempTopic) absent() bool { return s == nil }

func (s *TempTopic) encode(e *encoder) {
	e.text(s.PhysicalName)
}

func (s *TempTopic) decode(d *decoder) {
	s.PhysicalName = d.text()
}

// MessageID names a message; a text view stands for ids that other systems made.
type MessageID struct {
	TextView           Text // from version 10
	ProducerID         *ProducerID
	ProducerSequenceID int64
	BrokerSequenceID   int64
}

func (*MessageID) TypeByte() byte { return TypeMessageID }

func (s *MessageID) absent() bool { return s == nil }

func (s *MessageID) encode(e *encoder) {
	if e.version >= 10 {
		e.text(s.TextView)
	}
	e.cached(s.ProducerID)
	e.long(s.ProducerSequenceID)
	e.long(s.BrokerSequenceID)
}

func (s *MessageID) decode(d *decoder) {
	if d.version >= 10 {
		s.TextView = d.text()
	}
	s.ProducerID = decodeCached[*ProducerID](d)
	s.ProducerSequenceID = d.long()
	s.BrokerSequenceID = d.long()
}

// LocalTransactionID names a transaction of one connection.
type LocalTransactionID struct {
	Value        int64
	ConnectionID *ConnectionID
}

func (*LocalTransactionID) TypeByte() byte { return TypeLocalTransactionID }

func (s *LocalTransactionID) absent() bool { return s == nil }

func (s *LocalTransactionID) encode(e *encoder) {
	e.long(s.Value)
	e.cached(s.ConnectionID)
}

func (s *LocalTransactionID) decode(d *decoder) {
	s.Value = d.long()
	s.ConnectionID = decodeCached[*ConnectionID](d)
}

// XATransactionID names a branch of a distributed transaction.
type XATransactionID struct {
	FormatID            int32
	GlobalTransactionID []byte
	BranchQualifier     []byte
}

func (*XATransactionID) TypeByte() byte { return TypeXATransactionID }

func (s *XATransactionID) absent() bool { return s == nil }

func (s *XATransactionID) encode(e *encoder) {
	e.int(s.FormatID)
	e.bytes(s.GlobalTransactionID)
	e.bytes(s.BranchQualifier)
}

func (s *XATransactionID) decode(d *decoder) {
	s.FormatID = d.int()
	s.GlobalTransactionID = d.bytes()
	s.BranchQualifier = d.bytes()
}

// ConnectionID names a connection.
type ConnectionID struct {
	Value Text
}

func (*ConnectionID) TypeByte() byte { return TypeConnectionID }

func (s *ConnectionID) absent() bool { return s == nil }

func (s *ConnectionID) encode(e *encoder) {
	e.text(s.Value)
}

func (s *ConnectionID) decode(d *decoder) {
	s.Value = d.text()
}

// SessionID names a session.
type SessionID struct {
	ConnectionID Text
	Value        int64
}

func (*SessionID) TypeByte() byte { return TypeSessionID }

func (s *SessionID) absent() bool { return s == nil }

func (s *SessionID) encode(e *encoder) {
	e.text(s.ConnectionID)
	e.long(s.Value)
}

func (s *SessionID) decode(d *decoder) {
	s.ConnectionID = d.text()
	s.Value = d.long()
}

// ConsumerID names a consumer.
type ConsumerID struct {
	ConnectionID Text
	SessionID    int64
	Value        int64
}

func (*ConsumerID) TypeByte() byte { return TypeConsumerID }

func (s *ConsumerID) absent() bool { return s == nil }

func (s *ConsumerID) encode(e *encoder) {
	e.text(s.ConnectionID)
	e.long(s.SessionID)
	e.long(s.Value)
}

func (s *ConsumerID) decode(d *decoder) {
	s.ConnectionID = d.text()
	s.SessionID = d.long()
	s.Value = d.long()
}

// ProducerID names a producer.
type ProducerID struct {
	ConnectionID Text
	Value        int64
	SessionID    int64
}

func (*ProducerID) TypeByte() byte { return TypeProducerID }

func (s *ProducerID) absent() bool { return s == nil }

func (s *ProducerID) encode(e *encoder) {
	e.text(s.ConnectionID)
	e.long(s.Value)
	e.long(s.SessionID)
}

func (s *ProducerID) decode(d *decoder) {
	s.ConnectionID = d.text()
	s.Value = d.long()
	s.SessionID = d.long()
}

// BrokerID names a broker.
type BrokerID struct {
	Value Text
}

func (*BrokerID) TypeByte() byte { return TypeBrokerID }

func (s *BrokerID) absent() bool { return s == nil }

func (s *BrokerID) encode(e *encoder) {
	e.text(s.Value)
}

func (s *BrokerID) decode(d *decoder) {
	s.Value = d.text()
}
