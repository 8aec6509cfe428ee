package openwire

import (
	"fmt"
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// subject is a connection, a consumer or a producer, as advisories tell of it.
type subject struct {
	id   openwire.DataStructure
	info []byte // the command by which the client made it, in loose encoding, without secrets
}

// newSubject keeps a command that was read, and so can be written.
func newSubject(id openwire.DataStructure, info openwire.Command) *subject {
	b, _ := openwire.AppendLoose(nil, info, openwire.NewestVersion)
	return &subject{id, b}
}

// connectionSubject is of a client, whose password is nobody's business.
func connectionSubject(c *openwire.ConnectionInfo) *subject {
	told := *c
	told.Password = openwire.S("")
	return newSubject(c.ConnectionID, &told)
}

// subjectOf returns what a session gave the core as a Subject, an empty one if there was none.
func subjectOf(v any) subject {
	if s, ok := v.(*subject); ok && s != nil {
		return *s
	}
	return subject{}
}

// String is the id as ActiveMQ writes it.
func (s subject) String() string {
	switch id := s.id.(type) {
	case *openwire.ConsumerID:
		return fmt.Sprintf("%s:%d:%d", id.ConnectionID, id.SessionID, id.Value)
	case *openwire.ProducerID:
		return fmt.Sprintf("%s:%d:%d", id.ConnectionID, id.SessionID, id.Value)
	}
	return ""
}

// advisor makes advisory messages, which carry commands.
type advisor struct {
	brokerID string
	origin   []wire.Entry // the properties of all
	sequence atomic.Int64
}

// NewAdvisor returns what makes a broker's advisories. url is where clients reach it.
func NewAdvisor(brokerID, brokerName, url string) core.Advisor {
	return &advisor{brokerID: brokerID, origin: []wire.Entry{
		{Key: "originBrokerId", Value: wire.TextValue(brokerID)},
		{Key: "originBrokerName", Value: wire.TextValue(brokerName)},
		{Key: "originBrokerURL", Value: wire.TextValue(url)},
	}}
}

// Advisory implements core.Advisor.
func (a *advisor) Advisory(v core.Advice) *message.Message {
	if v.Family == core.NoConsumerAdvisory { // which is the message itself, gone astray
		topic := destination.Destination{Kind: destination.Topic, Name: v.Topic}
		return v.Message.With(message.SetDestination(topic), message.NoTransaction())
	}
	sets := []message.Set{
		message.SetDestination(destination.Destination{Kind: destination.Topic, Name: v.Topic}),
		message.SetProducer(a.brokerID, 0, 1), message.SetID(a.brokerID, 0, 1, a.sequence.Add(1)),
		message.SetType("Advisory"), message.SetProperties(wire.AppendMap(nil, a.properties(v))),
	}
	if b := a.structure(v); b != nil {
		sets = append(sets, message.SetDataStructure(b))
	}
	if target := subjectOf(v.Target).id; target != nil {
		b, _ := openwire.AppendLoose(nil, target, openwire.NewestVersion)
		sets = append(sets, message.SetTargetConsumer(b))
	}
	return message.New(message.Plain, sets...)
}

func (a *advisor) properties(v core.Advice) []wire.Entry {
	p := a.origin[:len(a.origin):len(a.origin)]
	switch v.Family {
	case core.ConsumerAdvisory:
		p = append(p, wire.Entry{Key: "consumerCount", Value: wire.IntValue(int32(v.Count))})
	case core.ProducerAdvisory:
		p = append(p, wire.Entry{Key: "producerCount", Value: wire.IntValue(int32(v.Count))})
	case core.FullAdvisory:
		p = append(p, wire.Entry{Key: "usageName", Value: wire.TextValue("memory")}, wire.Entry{Key: "usageCount", Value: wire.LongValue(int64(v.Count))})
	case core.FastProducerAdvisory:
		p = append(p, wire.Entry{Key: "producerId", Value: wire.TextValue(subjectOf(v.Subject).String())})
	case core.SlowConsumerAdvisory, core.DispatchedAdvisory, core.DiscardedAdvisory:
		p = append(p, wire.Entry{Key: "consumerId", Value: wire.TextValue(subjectOf(v.Subject).String())})
	}
	if v.Family == core.DiscardedAdvisory {
		p = append(p, wire.Entry{Key: "discardedCount", Value: wire.IntValue(int32(v.Count))})
	}
	if v.Message != nil && v.Family != core.DeadLetterAdvisory {
		p = append(p, wire.Entry{Key: "orignalMessageId", Value: wire.TextValue(v.Message.ID())}) // the name that clients know
	}
	if v.Message != nil && v.Family != core.DeadLetterAdvisory && v.Family != core.ExpiredAdvisory {
		p = append(p, wire.Entry{Key: "orignalDestination", Value: wire.TextValue(v.Destination.String())})
	}
	return p
}

// structure returns the command that an advisory carries, in loose encoding; nil for none.
func (a *advisor) structure(v core.Advice) []byte {
	var command openwire.DataStructure
	switch about := subjectOf(v.Subject); v.Family {
	case core.ConnectionAdvisory, core.ConsumerAdvisory, core.ProducerAdvisory:
		if !v.Gone {
			return about.info
		}
		command = &openwire.RemoveInfo{ObjectID: about.id}
	case core.QueueAdvisory, core.TopicAdvisory, core.TempQueueAdvisory, core.TempTopicAdvisory:
		command = a.destinationInfo(v, about)
	case core.SlowConsumerAdvisory, core.FastProducerAdvisory:
		return about.info
	default:
		return payload(v)
	}
	b, _ := openwire.AppendLoose(nil, command, openwire.NewestVersion) // its names are those of something that was read
	return b
}

// payload is the message that something happened to, as bytes; nil for none.
func payload(v core.Advice) []byte {
	switch {
	case v.Message == nil:
		return nil
	case v.Body || v.Message.HasDataStructure():
		return v.Message.Bytes()
	}
	return v.Message.With(message.SetContent(nil)).Bytes()
}

// destinationInfo names the broker as the owner of what is not temporary.
func (a *advisor) destinationInfo(v core.Advice, owner subject) *openwire.DestinationInfo {
	info := &openwire.DestinationInfo{
		ConnectionID: &openwire.ConnectionID{Value: openwire.S(a.brokerID)},
		Destination:  fromDestination(v.Destination), OperationType: openwire.DestinationAdd,
	}
	if v.Gone {
		info.OperationType = openwire.DestinationRemove
	}
	if id, temporary := owner.id.(*openwire.ConnectionID); temporary {
		info.ConnectionID = id
	}
	return info
}

func fromDestination(d destination.Destination) openwire.Destination {
	name := openwire.S(d.Name)
	switch d.Kind {
	case destination.Topic:
		return &openwire.Topic{PhysicalName: name}
	case destination.TempQueue:
		return &openwire.TempQueue{PhysicalName: name}
	case destination.TempTopic:
		return &openwire.TempTopic{PhysicalName: name}
	}
	return &openwire.Queue{PhysicalName: name}
}
