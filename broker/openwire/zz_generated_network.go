// Code generated from structures.txt by internal/gen; DO NOT EDIT.

package openwire

// BrokerSubscriptionInfo tells a bridge's other end of durable subscriptions.
type BrokerSubscriptionInfo struct {
	BaseCommand
	BrokerID          *BrokerID       // from version 12
	BrokerName        Text            // from version 12
	SubscriptionInfos []*ConsumerInfo // from version 12
}

func (*BrokerSubscriptionInfo) TypeByte() byte { return TypeBrokerSubscriptionInfo }

func (s *BrokerSubscriptionInfo) absent() bool { return s == nil }

func (s *BrokerSubscriptionInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.nested(s.BrokerID)
	e.text(s.BrokerName)
	encodeArray(e, s.SubscriptionInfos)
}

func (s *BrokerSubscriptionInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.BrokerID = decodeNested[*BrokerID](d)
	s.BrokerName = d.text()
	s.SubscriptionInfos = decodeArray[*ConsumerInfo](d)
}

// SubscriptionInfo describes a durable subscription.
type SubscriptionInfo struct {
	ClientID              Text
	Destination           Destination
	Selector              Text
	SubscriptionName      Text
	SubscribedDestination Destination // from version 3
	NoLocal               bool        // from version 11
}

func (*SubscriptionInfo) TypeByte() byte { return TypeSubscriptionInfo }

func (s *SubscriptionInfo) absent() bool { return s == nil }

func (s *SubscriptionInfo) encode(e *encoder) {
	e.text(s.ClientID)
	e.cached(s.Destination)
	e.text(s.Selector)
	e.text(s.SubscriptionName)
	if e.version >= 3 {
		e.nested(s.SubscribedDestination)
	}
	if e.version >= 11 {
		e.bool(s.NoLocal)
	}
}

func (s *SubscriptionInfo) decode(d *decoder) {
	s.ClientID = d.text()
	s.Destination = decodeCached[Destination](d)
	s.Selector = d.text()
	s.SubscriptionName = d.text()
	if d.version >= 3 {
		s.SubscribedDestination = decodeNested[Destination](d)
	}
	if d.version >= 11 {
		s.NoLocal = d.bool()
	}
}

// NetworkBridgeFilter travels with a bridge's consumer, so that messages do not go in circles; up to version 9 messageTTL was called networkTTL.
type NetworkBridgeFilter struct {
	MessageTTL      int32
	NetworkBrokerID *BrokerID
	ConsumerTTL     int32 // from version 10
}

func (*NetworkBridgeFilter) TypeByte() byte { return TypeNetworkBridgeFilter }

func (s *NetworkBridgeFilter) absent() bool { return s == nil }

func (s *NetworkBridgeFilter) encode(e *encoder) {
	if e.version <= 9 {
		e.int(s.MessageTTL)
	}
	e.cached(s.NetworkBrokerID)
	if e.version >= 10 {
		e.int(s.MessageTTL)
		e.int(s.ConsumerTTL)
	}
}

func (s *NetworkBridgeFilter) decode(d *decoder) {
	if d.version <= 9 {
		s.MessageTTL = d.int()
	}
	s.NetworkBrokerID = decodeCached[*BrokerID](d)
	if d.version >= 10 {
		s.MessageTTL = d.int()
		s.ConsumerTTL = d.int()
	}
}

// MessageDispatchNotification told a slave broker what its master dispatched.
type MessageDispatchNotification struct {
	BaseCommand
	ConsumerID         *ConsumerID
	Destination        Destination
	DeliverySequenceID int64
	MessageID          *MessageID
}

func (*MessageDispatchNotification) TypeByte() byte { return TypeMessageDispatchNotification }

func (s *MessageDispatchNotification) absent() bool { return s == nil }

func (s *MessageDispatchNotification) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.ConsumerID)
	e.cached(s.Destination)
	e.long(s.DeliverySequenceID)
	e.nested(s.MessageID)
}

func (s *MessageDispatchNotification) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ConsumerID = decodeCached[*ConsumerID](d)
	s.Destination = decodeCached[Destination](d)
	s.DeliverySequenceID = d.long()
	s.MessageID = decodeNested[*MessageID](d)
}

// DiscoveryEvent announces a broker.
type DiscoveryEvent struct {
	ServiceName Text
	BrokerName  Text
}

func (*DiscoveryEvent) TypeByte() byte { return TypeDiscoveryEvent }

func (s *DiscoveryEvent) absent() bool { return s == nil }

func (s *DiscoveryEvent) encode(e *encoder) {
	e.text(s.ServiceName)
	e.text(s.BrokerName)
}

func (s *DiscoveryEvent) decode(d *decoder) {
	s.ServiceName = d.text()
	s.BrokerName = d.text()
}

// PartialCommand is a part of a command sent in datagrams.
type PartialCommand struct {
	CommandID int32
	Data      []byte
}

func (*PartialCommand) TypeByte() byte { return TypePartialCommand }

func (s *PartialCommand) absent() bool { return s == nil }

func (s *PartialCommand) encode(e *encoder) {
	e.int(s.CommandID)
	e.bytes(s.Data)
}

func (s *PartialCommand) decode(d *decoder) {
	s.CommandID = d.int()
	s.Data = d.bytes()
}

// LastPartialCommand is the last part of such a command.
type LastPartialCommand struct {
	CommandID int32
	Data      []byte
}

func (*LastPartialCommand) TypeByte() byte { return TypeLastPartialCommand }

func (s *LastPartialCommand) absent() bool { return s == nil }

func (s *LastPartialCommand) encode(e *encoder) {
	e.int(s.CommandID)
	e.bytes(s.Data)
}

func (s *LastPartialCommand) decode(d *decoder) {
	s.CommandID = d.int()
	s.Data = d.bytes()
}

// ReplayCommand asks that datagrams be sent again.
type ReplayCommand struct {
	BaseCommand
	FirstNakNumber int32
	LastNakNumber  int32
}

func (*ReplayCommand) TypeByte() byte { return TypeReplayCommand }

func (s *ReplayCommand) absent() bool { return s == nil }

func (s *ReplayCommand) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.int(s.FirstNakNumber)
	e.int(s.LastNakNumber)
}

func (s *ReplayCommand) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.FirstNakNumber = d.int()
	s.LastNakNumber = d.int()
}

// JournalTopicAck was a record in the journal of old brokers.
type JournalTopicAck struct {
	Destination       Destination
	MessageID         *MessageID
	MessageSequenceID int64
	SubscriptionName  Text
	ClientID          Text
	TransactionID     TransactionID
}

func (*JournalTopicAck) TypeByte() byte { return TypeJournalTopicAck }

func (s *JournalTopicAck) absent() bool { return s == nil }

func (s *JournalTopicAck) encode(e *encoder) {
	e.nested(s.Destination)
	e.nested(s.MessageID)
	e.long(s.MessageSequenceID)
	e.text(s.SubscriptionName)
	e.text(s.ClientID)
	e.nested(s.TransactionID)
}

func (s *JournalTopicAck) decode(d *decoder) {
	s.Destination = decodeNested[Destination](d)
	s.MessageID = decodeNested[*MessageID](d)
	s.MessageSequenceID = d.long()
	s.SubscriptionName = d.text()
	s.ClientID = d.text()
	s.TransactionID = decodeNested[TransactionID](d)
}

// JournalQueueAck was a record in the journal of old brokers.
type JournalQueueAck struct {
	Destination Destination
	MessageAck  *MessageAck
}

func (*JournalQueueAck) TypeByte() byte { return TypeJournalQueueAck }

func (s *JournalQueueAck) absent() bool { return s == nil }

func (s *JournalQueueAck) encode(e *encoder) {
	e.nested(s.Destination)
	e.nested(s.MessageAck)
}

func (s *JournalQueueAck) decode(d *decoder) {
	s.Destination = decodeNested[Destination](d)
	s.MessageAck = decodeNested[*MessageAck](d)
}

// JournalTrace was a record in the journal of old brokers.
type JournalTrace struct {
	Message Text
}

func (*JournalTrace) TypeByte() byte { return TypeJournalTrace }

func (s *JournalTrace) absent() bool { return s == nil }

func (s *JournalTrace) encode(e *encoder) {
	e.text(s.Message)
}

func (s *JournalTrace) decode(d *decoder) {
	s.Message = d.text()
}

// JournalTransaction was a record in the journal of old brokers.
type JournalTransaction struct {
	TransactionID TransactionID
	Type          int8
	WasPrepared   bool
}

func (*JournalTransaction) TypeByte() byte { return TypeJournalTransaction }

func (s *JournalTransaction) absent() bool { return s == nil }

func (s *JournalTransaction) encode(e *encoder) {
	e.nested(s.TransactionID)
	e.octet(s.Type)
	e.bool(s.WasPrepared)
}

func (s *JournalTransaction) decode(d *decoder) {
	s.TransactionID = decodeNested[TransactionID](d)
	s.Type = d.octet()
	s.WasPrepared = d.bool()
}
