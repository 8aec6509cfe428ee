// Code generated from structures.txt by internal/gen; DO NOT EDIT.

package openwire

// The type bytes of the data structures.
const (
	TypeWireFormatInfo              byte = 1
	TypeBrokerInfo                  byte = 2
	TypeConnectionInfo              byte = 3
	TypeSessionInfo                 byte = 4
	TypeConsumerInfo                byte = 5
	TypeProducerInfo                byte = 6
	TypeTransactionInfo             byte = 7
	TypeDestinationInfo             byte = 8
	TypeRemoveSubscriptionInfo      byte = 9
	TypeKeepAliveInfo               byte = 10
	TypeShutdownInfo                byte = 11
	TypeRemoveInfo                  byte = 12
	TypeControlCommand              byte = 14
	TypeFlushCommand                byte = 15
	TypeConnectionError             byte = 16
	TypeConsumerControl             byte = 17
	TypeConnectionControl           byte = 18
	TypeProducerAck                 byte = 19
	TypeMessagePull                 byte = 20
	TypeMessageDispatch             byte = 21
	TypeMessageAck                  byte = 22
	TypePlainMessage                byte = 23
	TypeBytesMessage                byte = 24
	TypeMapMessage                  byte = 25
	TypeObjectMessage               byte = 26
	TypeStreamMessage               byte = 27
	TypeTextMessage                 byte = 28
	TypeBlobMessage                 byte = 29
	TypeResponse                    byte = 30
	TypeExceptionResponse           byte = 31
	TypeDataResponse                byte = 32
	TypeDataArrayResponse           byte = 33
	TypeIntegerResponse             byte = 34
	TypeDiscoveryEvent              byte = 40
	TypeJournalTopicAck             byte = 50
	TypeJournalQueueAck             byte = 52
	TypeJournalTrace                byte = 53
	TypeJournalTransaction          byte = 54
	TypeSubscriptionInfo            byte = 55
	TypePartialCommand              byte = 60
	TypeLastPartialCommand          byte = 61
	TypeReplayCommand               byte = 65
	TypeMessageDispatchNotification byte = 90
	TypeNetworkBridgeFilter         byte = 91
	TypeBrokerSubscriptionInfo      byte = 92
	TypeQueue                       byte = 100
	TypeTopic                       byte = 101
	TypeTempQueue                   byte = 102
	TypeTempTopic                   byte = 103
	TypeMessageID                   byte = 110
	TypeLocalTransactionID          byte = 111
	TypeXATransactionID             byte = 112
	TypeConnectionID                byte = 120
	TypeSessionID                   byte = 121
	TypeConsumerID                  byte = 122
	TypeProducerID                  byte = 123
	TypeBrokerID                    byte = 124
)

// newStructure returns an empty structure, nil if there is none of that type.
func newStructure(kind byte) DataStructure {
	switch kind {
	case TypeWireFormatInfo:
		return new(WireFormatInfo)
	case TypeBrokerInfo:
		return new(BrokerInfo)
	case TypeConnectionInfo:
		return new(ConnectionInfo)
	case TypeSessionInfo:
		return new(SessionInfo)
	case TypeConsumerInfo:
		return new(ConsumerInfo)
	case TypeProducerInfo:
		return new(ProducerInfo)
	case TypeTransactionInfo:
		return new(TransactionInfo)
	case TypeDestinationInfo:
		return new(DestinationInfo)
	case TypeRemoveSubscriptionInfo:
		return new(RemoveSubscriptionInfo)
	case TypeKeepAliveInfo:
		return new(KeepAliveInfo)
	case TypeShutdownInfo:
		return new(ShutdownInfo)
	case TypeRemoveInfo:
		return new(RemoveInfo)
	case TypeControlCommand:
		return new(ControlCommand)
	case TypeFlushCommand:
		return new(FlushCommand)
	case TypeConnectionError:
		return new(ConnectionError)
	case TypeConsumerControl:
		return new(ConsumerControl)
	case TypeConnectionControl:
		return new(ConnectionControl)
	case TypeProducerAck:
		return new(ProducerAck)
	case TypeMessagePull:
		return new(MessagePull)
	case TypeMessageDispatch:
		return new(MessageDispatch)
	case TypeMessageAck:
		return new(MessageAck)
	case TypePlainMessage:
		return new(PlainMessage)
	case TypeBytesMessage:
		return new(BytesMessage)
	case TypeMapMessage:
		return new(MapMessage)
	case TypeObjectMessage:
		return new(ObjectMessage)
	case TypeStreamMessage:
		return new(StreamMessage)
	case TypeTextMessage:
		return new(TextMessage)
	case TypeBlobMessage:
		return new(BlobMessage)
	case TypeResponse:
		return new(Response)
	case TypeExceptionResponse:
		return new(ExceptionResponse)
	case TypeDataResponse:
		return new(DataResponse)
	case TypeDataArrayResponse:
		return new(DataArrayResponse)
	case TypeIntegerResponse:
		return new(IntegerResponse)
	case TypeDiscoveryEvent:
		return new(DiscoveryEvent)
	case TypeJournalTopicAck:
		return new(JournalTopicAck)
	case TypeJournalQueueAck:
		return new(JournalQueueAck)
	case TypeJournalTrace:
		return new(JournalTrace)
	case TypeJournalTransaction:
		return new(JournalTransaction)
	case TypeSubscriptionInfo:
		return new(SubscriptionInfo)
	case TypePartialCommand:
		return new(PartialCommand)
	case TypeLastPartialCommand:
		return new(LastPartialCommand)
	case TypeReplayCommand:
		return new(ReplayCommand)
	case TypeMessageDispatchNotification:
		return new(MessageDispatchNotification)
	case TypeNetworkBridgeFilter:
		return new(NetworkBridgeFilter)
	case TypeBrokerSubscriptionInfo:
		return new(BrokerSubscriptionInfo)
	case TypeQueue:
		return new(Queue)
	case TypeTopic:
		return new(Topic)
	case TypeTempQueue:
		return new(TempQueue)
	case TypeTempTopic:
		return new(TempTopic)
	case TypeMessageID:
		return new(MessageID)
	case TypeLocalTransactionID:
		return new(LocalTransactionID)
	case TypeXATransactionID:
		return new(XATransactionID)
	case TypeConnectionID:
		return new(ConnectionID)
	case TypeSessionID:
		return new(SessionID)
	case TypeConsumerID:
		return new(ConsumerID)
	case TypeProducerID:
		return new(ProducerID)
	case TypeBrokerID:
		return new(BrokerID)
	}
	return nil
}

// firstVersion is the first version that has a structure.
func firstVersion(kind byte) int {
	switch kind {
	case TypeProducerAck:
		return 3
	case TypeMessagePull:
		return 2
	case TypeBlobMessage:
		return 3
	case TypeBrokerSubscriptionInfo:
		return 12
	}
	return 1
}

// marshalAware tells whether a structure spends one more bit when nested in tight encoding.
func marshalAware(kind byte) bool {
	switch kind {
	case TypeWireFormatInfo, TypePlainMessage, TypeBytesMessage, TypeMapMessage, TypeObjectMessage, TypeStreamMessage, TypeTextMessage, TypeBlobMessage:
		return true
	}
	return false
}
