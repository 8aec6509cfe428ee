package openwire

import (
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// advisor makes advisory messages, which carry commands.
type advisor struct {
	brokerID   string
	properties []byte
	sequence   atomic.Int64
}

// NewAdvisor returns what makes a broker's advisories.
func NewAdvisor(brokerID, brokerName string) core.Advisor {
	return &advisor{brokerID: brokerID, properties: wire.AppendMap(nil, []wire.Entry{
		{Key: "originBrokerId", Value: wire.TextValue(brokerID)},
		{Key: "originBrokerName", Value: wire.TextValue(brokerName)},
	})}
}

// TemporaryDestination implements core.Advisor.
func (a *advisor) TemporaryDestination(d destination.Destination, connection string, created bool) *message.Message {
	info := &openwire.DestinationInfo{ConnectionID: &openwire.ConnectionID{Value: openwire.S(connection)}, OperationType: openwire.DestinationRemove}
	if created {
		info.OperationType = openwire.DestinationAdd
	}
	topic := "ActiveMQ.Advisory.TempTopic"
	info.Destination = &openwire.TempTopic{PhysicalName: openwire.S(d.Name)}
	if d.IsQueue() {
		topic = "ActiveMQ.Advisory.TempQueue"
		info.Destination = &openwire.TempQueue{PhysicalName: openwire.S(d.Name)}
	}
	command, _ := openwire.AppendLoose(nil, info, openwire.NewestVersion) // its names are those of a destination that was read
	return message.New(message.Plain,
		message.SetDestination(destination.Destination{Kind: destination.Topic, Name: topic}),
		message.SetProducer(a.brokerID, 0, 1), message.SetID(a.brokerID, 0, 1, a.sequence.Add(1)),
		message.SetType("Advisory"), message.SetProperties(a.properties), message.SetDataStructure(command))
}
