// Code generated from structures.txt by internal/gen; DO NOT EDIT.

package openwire

// BaseCommand is what every command begins with.
type BaseCommand struct {
	CommandID        int32
	ResponseRequired bool
}

func (s *BaseCommand) encode(e *encoder) {
	e.int(s.CommandID)
	e.bool(s.ResponseRequired)
}

func (s *BaseCommand) decode(d *decoder) {
	s.CommandID = d.int()
	s.ResponseRequired = d.bool()
}

// WireFormatInfo is the first frame of each end: what it can do and would like.
type WireFormatInfo struct {
	Magic                [8]byte
	Version              int32
	MarshalledProperties []byte
}

func (*WireFormatInfo) TypeByte() byte { return TypeWireFormatInfo }

func (s *WireFormatInfo) absent() bool { return s == nil }

func (s *WireFormatInfo) encode(e *encoder) {
	e.fixed(s.Magic[:])
	e.int(s.Version)
	e.bytes(s.MarshalledProperties)
}

func (s *WireFormatInfo) decode(d *decoder) {
	d.fixed(s.Magic[:])
	s.Version = d.int()
	s.MarshalledProperties = d.bytes()
}

// BrokerInfo introduces a broker, to a client as to another broker.
type BrokerInfo struct {
	BaseCommand
	BrokerID                   *BrokerID
	BrokerURL                  Text
	PeerBrokerInfos            []*BrokerInfo
	BrokerName                 Text
	SlaveBroker                bool
	MasterBroker               bool
	FaultTolerantConfiguration bool
	DuplexConnection           bool  // from version 2
	NetworkConnection          bool  // from version 2
	ConnectionID               int64 // from version 2
	BrokerUploadURL            Text  // from version 3
	NetworkProperties          Text  // from version 3
}

func (*BrokerInfo) TypeByte() byte { return TypeBrokerInfo }

func (s *BrokerInfo) absent() bool { return s == nil }

func (s *BrokerInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.BrokerID)
	e.text(s.BrokerURL)
	encodeArray(e, s.PeerBrokerInfos)
	e.text(s.BrokerName)
	e.bool(s.SlaveBroker)
	e.bool(s.MasterBroker)
	e.bool(s.FaultTolerantConfiguration)
	if e.version >= 2 {
		e.bool(s.DuplexConnection)
		e.bool(s.NetworkConnection)
		e.long(s.ConnectionID)
	}
	if e.version >= 3 {
		e.text(s.BrokerUploadURL)
		e.text(s.NetworkProperties)
	}
}

func (s *BrokerInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.BrokerID = decodeCached[*BrokerID](d)
	s.BrokerURL = d.text()
	s.PeerBrokerInfos = decodeArray[*BrokerInfo](d)
	s.BrokerName = d.text()
	s.SlaveBroker = d.bool()
	s.MasterBroker = d.bool()
	s.FaultTolerantConfiguration = d.bool()
	if d.version >= 2 {
		s.DuplexConnection = d.bool()
		s.NetworkConnection = d.bool()
		s.ConnectionID = d.long()
	}
	if d.version >= 3 {
		s.BrokerUploadURL = d.text()
		s.NetworkProperties = d.text()
	}
}

// ConnectionInfo opens a connection.
type ConnectionInfo struct {
	BaseCommand
	ConnectionID          *ConnectionID
	ClientID              Text
	Password              Text
	UserName              Text
	BrokerPath            []*BrokerID
	BrokerMasterConnector bool
	Manageable            bool
	ClientMaster          bool // from version 2
	FaultTolerant         bool // from version 6
	FailoverReconnect     bool // from version 6
	ClientIP              Text // from version 8
}

func (*ConnectionInfo) TypeByte() byte { return TypeConnectionInfo }

func (s *ConnectionInfo) absent() bool { return s == nil }

func (s *ConnectionInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.ConnectionID)
	e.text(s.ClientID)
	e.text(s.Password)
	e.text(s.UserName)
	encodeArray(e, s.BrokerPath)
	e.bool(s.BrokerMasterConnector)
	e.bool(s.Manageable)
	if e.version >= 2 {
		e.bool(s.ClientMaster)
	}
	if e.version >= 6 {
		e.bool(s.FaultTolerant)
		e.bool(s.FailoverReconnect)
	}
	if e.version >= 8 {
		e.text(s.ClientIP)
	}
}

func (s *ConnectionInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ConnectionID = decodeCached[*ConnectionID](d)
	s.ClientID = d.text()
	s.Password = d.text()
	s.UserName = d.text()
	s.BrokerPath = decodeArray[*BrokerID](d)
	s.BrokerMasterConnector = d.bool()
	s.Manageable = d.bool()
	if d.version >= 2 {
		s.ClientMaster = d.bool()
	}
	if d.version >= 6 {
		s.FaultTolerant = d.bool()
		s.FailoverReconnect = d.bool()
	}
	if d.version >= 8 {
		s.ClientIP = d.text()
	}
}

// SessionInfo opens a session.
type SessionInfo struct {
	BaseCommand
	SessionID *SessionID
}

func (*SessionInfo) TypeByte() byte { return TypeSessionInfo }

func (s *SessionInfo) absent() bool { return s == nil }

func (s *SessionInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.SessionID)
}

func (s *SessionInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.SessionID = decodeCached[*SessionID](d)
}

// ConsumerInfo adds a consumer.
type ConsumerInfo struct {
	BaseCommand
	ConsumerID                 *ConsumerID
	Browser                    bool
	Destination                Destination
	PrefetchSize               int32
	MaximumPendingMessageLimit int32
	DispatchAsync              bool
	Selector                   Text
	ClientID                   Text // from version 10
	SubscriptionName           Text
	NoLocal                    bool
	Exclusive                  bool
	Retroactive                bool
	Priority                   int8
	BrokerPath                 []*BrokerID
	AdditionalPredicate        *NetworkBridgeFilter
	NetworkSubscription        bool
	OptimizedAcknowledge       bool
	NoRangeAcks                bool
	NetworkConsumerPath        []*ConsumerID // from version 4
}

func (*ConsumerInfo) TypeByte() byte { return TypeConsumerInfo }

func (s *ConsumerInfo) absent() bool { return s == nil }

func (s *ConsumerInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.ConsumerID)
	e.bool(s.Browser)
	e.cached(s.Destination)
	e.int(s.PrefetchSize)
	e.int(s.MaximumPendingMessageLimit)
	e.bool(s.DispatchAsync)
	e.text(s.Selector)
	if e.version >= 10 {
		e.text(s.ClientID)
	}
	e.text(s.SubscriptionName)
	e.bool(s.NoLocal)
	e.bool(s.Exclusive)
	e.bool(s.Retroactive)
	e.octet(s.Priority)
	encodeArray(e, s.BrokerPath)
	e.nested(s.AdditionalPredicate)
	e.bool(s.NetworkSubscription)
	e.bool(s.OptimizedAcknowledge)
	e.bool(s.NoRangeAcks)
	if e.version >= 4 {
		encodeArray(e, s.NetworkConsumerPath)
	}
}

func (s *ConsumerInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ConsumerID = decodeCached[*ConsumerID](d)
	s.Browser = d.bool()
	s.Destination = decodeCached[Destination](d)
	s.PrefetchSize = d.int()
	s.MaximumPendingMessageLimit = d.int()
	s.DispatchAsync = d.bool()
	s.Selector = d.text()
	if d.version >= 10 {
		s.ClientID = d.text()
	}
	s.SubscriptionName = d.text()
	s.NoLocal = d.bool()
	s.Exclusive = d.bool()
	s.Retroactive = d.bool()
	s.Priority = d.octet()
	s.BrokerPath = decodeArray[*BrokerID](d)
	s.AdditionalPredicate = decodeNested[*NetworkBridgeFilter](d)
	s.NetworkSubscription = d.bool()
	s.OptimizedAcknowledge = d.bool()
	s.NoRangeAcks = d.bool()
	if d.version >= 4 {
		s.NetworkConsumerPath = decodeArray[*ConsumerID](d)
	}
}

// ProducerInfo adds a producer.
type ProducerInfo struct {
	BaseCommand
	ProducerID    *ProducerID
	Destination   Destination
	BrokerPath    []*BrokerID
	DispatchAsync bool  // from version 2
	WindowSize    int32 // from version 3
}

func (*ProducerInfo) TypeByte() byte { return TypeProducerInfo }

func (s *ProducerInfo) absent() bool { return s == nil }

func (s *ProducerInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.ProducerID)
	e.cached(s.Destination)
	encodeArray(e, s.BrokerPath)
	if e.version >= 2 {
		e.bool(s.DispatchAsync)
	}
	if e.version >= 3 {
		e.int(s.WindowSize)
	}
}

func (s *ProducerInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ProducerID = decodeCached[*ProducerID](d)
	s.Destination = decodeCached[Destination](d)
	s.BrokerPath = decodeArray[*BrokerID](d)
	if d.version >= 2 {
		s.DispatchAsync = d.bool()
	}
	if d.version >= 3 {
		s.WindowSize = d.int()
	}
}

// DestinationInfo adds or removes a destination, as its operation type says (see DestinationAdd).
type DestinationInfo struct {
	BaseCommand
	ConnectionID  *ConnectionID
	Destination   Destination
	OperationType int8
	Timeout       int64
	BrokerPath    []*BrokerID
}

func (*DestinationInfo) TypeByte() byte { return TypeDestinationInfo }

func (s *DestinationInfo) absent() bool { return s == nil }

func (s *DestinationInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.ConnectionID)
	e.cached(s.Destination)
	e.octet(s.OperationType)
	e.long(s.Timeout)
	encodeArray(e, s.BrokerPath)
}

func (s *DestinationInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ConnectionID = decodeCached[*ConnectionID](d)
	s.Destination = decodeCached[Destination](d)
	s.OperationType = d.octet()
	s.Timeout = d.long()
	s.BrokerPath = decodeArray[*BrokerID](d)
}

// RemoveInfo ends a connection, session, consumer or producer.
type RemoveInfo struct {
	BaseCommand
	ObjectID                DataStructure
	LastDeliveredSequenceID int64 // from version 5
}

func (*RemoveInfo) TypeByte() byte { return TypeRemoveInfo }

func (s *RemoveInfo) absent() bool { return s == nil }

func (s *RemoveInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.ObjectID)
	if e.version >= 5 {
		e.long(s.LastDeliveredSequenceID)
	}
}

func (s *RemoveInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ObjectID = decodeCached[DataStructure](d)
	if d.version >= 5 {
		s.LastDeliveredSequenceID = d.long()
	}
}

// RemoveSubscriptionInfo deletes a durable subscription.
type RemoveSubscriptionInfo struct {
	BaseCommand
	ConnectionID     *ConnectionID
	SubscriptionName Text
	ClientID         Text
}

func (*RemoveSubscriptionInfo) TypeByte() byte { return TypeRemoveSubscriptionInfo }

func (s *RemoveSubscriptionInfo) absent() bool { return s == nil }

func (s *RemoveSubscriptionInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.cached(s.ConnectionID)
	e.text(s.SubscriptionName)
	e.text(s.ClientID)
}

func (s *RemoveSubscriptionInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.ConnectionID = decodeCached[*ConnectionID](d)
	s.SubscriptionName = d.text()
	s.ClientID = d.text()
}

// KeepAliveInfo says that this end is alive.
type KeepAliveInfo struct {
	BaseCommand
}

func (*KeepAliveInfo) TypeByte() byte { return TypeKeepAliveInfo }

func (s *KeepAliveInfo) absent() bool { return s == nil }

func (s *KeepAliveInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
}

func (s *KeepAliveInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
}

// ShutdownInfo says that this end is about to close the connection.
type ShutdownInfo struct {
	BaseCommand
}

func (*ShutdownInfo) TypeByte() byte { return TypeShutdownInfo }

func (s *ShutdownInfo) absent() bool { return s == nil }

func (s *ShutdownInfo) encode(e *encoder) {
	s.BaseCommand.encode(e)
}

func (s *ShutdownInfo) decode(d *decoder) {
	s.BaseCommand.decode(d)
}

// ControlCommand was for controlling a broker remotely; to be ignored.
type ControlCommand struct {
	BaseCommand
	Command Text
}

func (*ControlCommand) TypeByte() byte { return TypeControlCommand }

func (s *ControlCommand) absent() bool { return s == nil }

func (s *ControlCommand) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.text(s.Command)
}

func (s *ControlCommand) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.Command = d.text()
}

// FlushCommand asks that what is buffered be written; clients do not send it.
type FlushCommand struct {
	BaseCommand
}

func (*FlushCommand) TypeByte() byte { return TypeFlushCommand }

func (s *FlushCommand) absent() bool { return s == nil }

func (s *FlushCommand) encode(e *encoder) {
	s.BaseCommand.encode(e)
}

func (s *FlushCommand) decode(d *decoder) {
	s.BaseCommand.decode(d)
}

// ConnectionControl moves, stops or resumes a whole connection.
type ConnectionControl struct {
	BaseCommand
	Close               bool
	Exit                bool
	FaultTolerant       bool
	Resume              bool
	Suspend             bool
	ConnectedBrokers    Text   // from version 6
	ReconnectTo         Text   // from version 6
	RebalanceConnection bool   // from version 6
	Token               []byte // from version 8
}

func (*ConnectionControl) TypeByte() byte { return TypeConnectionControl }

func (s *ConnectionControl) absent() bool { return s == nil }

func (s *ConnectionControl) encode(e *encoder) {
	s.BaseCommand.encode(e)
	e.bool(s.Close)
	e.bool(s.Exit)
	e.bool(s.FaultTolerant)
	e.bool(s.Resume)
	e.bool(s.Suspend)
	if e.version >= 6 {
		e.text(s.ConnectedBrokers)
		e.text(s.ReconnectTo)
		e.bool(s.RebalanceConnection)
	}
	if e.version >= 8 {
		e.bytes(s.Token)
	}
}

func (s *ConnectionControl) decode(d *decoder) {
	s.BaseCommand.decode(d)
	s.Close = d.bool()
	s.Exit = d.bool()
	s.FaultTolerant = d.bool()
	s.Resume = d.bool()
	s.Suspend = d.bool()
	if d.version >= 6 {
		s.ConnectedBrokers = d.text()
		s.ReconnectTo = d.text()
		s.RebalanceConnection = d.bool()
	}
	if d.version >= 8 {
		s.Token = d.bytes()
	}
}

// ConsumerControl changes a consumer's prefetch, or stops, starts, flushes or closes it.
type ConsumerControl struct {
	BaseCommand
	Destination Destination // from version 6
	Close       bool
	ConsumerID  *ConsumerID
	Prefetch    int32
	Flush       bool // from version 2
	Start       bool // from version 2
	Stop        bool // from version 2
}

func (*ConsumerControl) TypeByte() byte { return TypeConsumerControl }

func (s *ConsumerControl) absent() bool { return s == nil }

func (s *ConsumerControl) encode(e *encoder) {
	s.BaseCommand.encode(e)
	if e.version >= 6 {
		e.nested(s.Destination)
	}
	e.bool(s.Close)
	e.nested(s.ConsumerID)
	e.int(s.Prefetch)
	if e.version >= 2 {
		e.bool(s.Flush)
		e.bool(s.Start)
		e.bool(s.Stop)
	}
}

func (s *ConsumerControl) decode(d *decoder) {
	s.BaseCommand.decode(d)
	if d.version >= 6 {
		s.Destination = decodeNested[Destination](d)
	}
	s.Close = d.bool()
	s.ConsumerID = decodeNested[*ConsumerID](d)
	s.Prefetch = d.int()
	if d.version >= 2 {
		s.Flush = d.bool()
		s.Start = d.bool()
		s.Stop = d.bool()
	}
}
