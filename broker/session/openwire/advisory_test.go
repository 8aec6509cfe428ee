package openwire_test

import (
	"fmt"
	"testing"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// listenForTemporaries subscribes to what is told of temporary destinations, as ActiveMQ's client does, before anything else.
func (c *client) listenForTemporaries() {
	c.t.Helper()
	c.ok(&openwire.ConsumerInfo{
		ConsumerID: c.consumerID(-1, 1), PrefetchSize: 1000, NoLocal: true, DispatchAsync: true,
		Destination: topic("ActiveMQ.Advisory.TempQueue,ActiveMQ.Advisory.TempTopic"),
	})
}

// advisories describes what came: + for a destination that was created, - for one that is gone.
func (c *client) advisories() string {
	c.t.Helper()
	text := ""
	for _, v := range c.take() {
		m := dispatch(c.t, v).Message.Fields()
		info, ok := m.DataStructure.(*openwire.DestinationInfo)
		if !ok || m.Type.String() != "Advisory" || m.Destination == nil || m.ProducerID == nil {
			c.t.Errorf("not an advisory of a destination: %+v", m)
			continue
		}
		sign := map[int8]string{openwire.DestinationAdd: "+", openwire.DestinationRemove: "-"}[info.OperationType]
		text += fmt.Sprintf("%s%s of %s on %s;", sign, info.Destination.Name(), info.ConnectionID.Value, m.Destination.Name())
	}
	return text
}

func TestTemporaryDestinationsAreMadeKnown(t *testing.T) {
	for version := 1; version <= openwire.NewestVersion; version++ {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				owner := w.join("owner")
				create := func(d openwire.Destination, operation int8) {
					owner.ok(&openwire.DestinationInfo{ConnectionID: owner.connectionID(), Destination: d, OperationType: operation})
				}
				first := &openwire.TempQueue{PhysicalName: openwire.S("ID:owner:1")}
				second := &openwire.TempTopic{PhysicalName: openwire.S("ID:owner:2")}
				create(first, openwire.DestinationAdd)

				offer := clientOffer()
				offer.Version = version
				c := w.offering(offer)
				c.take()
				c.introduce("listener")
				c.listenForTemporaries()
				for _, step := range []struct {
					do   func()
					want string
				}{
					{func() {}, "+ID:owner:1 of ID:owner on ActiveMQ.Advisory.TempQueue;"},
					{func() { create(second, openwire.DestinationAdd) }, "+ID:owner:2 of ID:owner on ActiveMQ.Advisory.TempTopic;"},
					{func() { create(first, openwire.DestinationRemove) }, "-ID:owner:1 of ID:owner on ActiveMQ.Advisory.TempQueue;"},
					{owner.cut, "-ID:owner:2 of ID:owner on ActiveMQ.Advisory.TempTopic;"},
				} {
					step.do()
					if got := c.advisories(); got != step.want {
						t.Errorf("got %s, want %s", got, step.want)
					}
				}
			})
		})
	}
}

// Only who made a temporary destination consumes from it and removes it; anybody may send to it (JMS 1.1 §4.4.3).
func TestTemporaryDestinationsHaveAnOwner(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		owner, other := w.join("owner"), w.join("other")
		d := &openwire.TempQueue{PhysicalName: openwire.S("ID:owner:1")}
		owner.ok(&openwire.DestinationInfo{Destination: d})
		other.refused(other.consumer(1, d), openwire.InvalidDestinationException, "only the connection that created it can")
		other.refused(&openwire.DestinationInfo{Destination: d}, openwire.InvalidDestinationException, "another connection has it")
		remove := &openwire.DestinationInfo{Destination: d, OperationType: openwire.DestinationRemove}
		other.refused(remove, openwire.InvalidDestinationException, "this connection has no such temporary destination")

		owner.ok(owner.consumer(1, d))
		other.ok(other.fleeting(1, d, "reply"))
		owner.want("reply x0")
		owner.refused(remove, openwire.JMSException, "it still has consumers")
		owner.ok(&openwire.RemoveInfo{ObjectID: owner.consumerID(1, 1)})
		owner.ok(remove)
		other.refused(other.fleeting(2, d, "late"), openwire.InvalidDestinationException, "does not exist")
	})
}
