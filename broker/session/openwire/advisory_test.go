package openwire_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/wire"
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
		other.refused(other.consumer(1, d), openwire.InvalidDestinationException, "created by another connection is not permitted")
		other.refused(&openwire.DestinationInfo{Destination: d}, openwire.InvalidDestinationException, "another connection has it")
		remove := &openwire.DestinationInfo{Destination: d, OperationType: openwire.DestinationRemove}
		other.refused(remove, openwire.InvalidDestinationException, "this connection has no such temporary destination")

		owner.ok(owner.consumer(1, d))
		other.ok(other.fleeting(1, d, "reply"))
		owner.want("reply x0")
		owner.refused(remove, openwire.JMSException, "still has an active subscription")
		owner.ok(&openwire.RemoveInfo{ObjectID: owner.consumerID(1, 1)})
		owner.ok(remove)
		other.refused(other.fleeting(2, d, "late"), openwire.InvalidDestinationException, "does not exist")
	})
}

// An advisory carries the client's own command, or the removal of its object, and says which broker tells it.
func TestWhatAdvisoriesCarry(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		listener := w.join("listener")
		for i, name := range []string{"Connection", "Consumer.Queue.A", "Producer.Queue.A", "Queue", "MasterBroker"} {
			listener.ok(listener.consumer(int64(i+1), topic("ActiveMQ.Advisory."+name)))
		}
		listener.take()
		c := w.offering(clientOffer())
		c.name = "c"
		c.ok(&openwire.ConnectionInfo{ConnectionID: c.connectionID(), ClientID: openwire.S("c"), Password: openwire.S("secret")})
		c.ok(&openwire.ConsumerInfo{ConsumerID: c.consumerID(1, 1), Destination: queue("A"), PrefetchSize: 7, Selector: openwire.S("x = 1")})
		c.ok(&openwire.ProducerInfo{ProducerID: c.producerID(1, 1), Destination: queue("A")})
		c.ok(&openwire.RemoveInfo{ObjectID: c.producerID(1, 1)})
		c.ok(&openwire.RemoveInfo{ObjectID: c.sessionID(1)})
		c.cut()
		var told []string
		for _, v := range listener.take() {
			told = append(told, carried(t, v))
		}
		want := []string{
			"connection c, password ",
			"DestinationInfo 0 A", // of the broker
			"consumer ID:c:1:1 of A, prefetch 7, selector x = 1; consumerCount 1",
			"producer ID:c:1:1 of A; producerCount 1",
			"remove *openwire.ProducerID; producerCount 0",
			"remove *openwire.ConsumerID; consumerCount 0",
			"remove *openwire.ConnectionID",
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// carried describes an advisory's data structure and the property that counts.
func carried(t *testing.T, v openwire.DataStructure) string {
	m := dispatch(t, v).Message.Fields()
	for key, want := range map[string]string{
		"originBrokerId": "ID:broker", "originBrokerName": "orders-0", "originBrokerURL": "tcp://orders-0:61616",
	} {
		if got, _ := wire.Lookup(m.MarshalledProperties, key); got.Text() != want {
			t.Errorf("%s is %q, want %q", key, got.Text(), want)
		}
	}
	text := ""
	switch about := m.DataStructure.(type) {
	case *openwire.ConnectionInfo:
		text = fmt.Sprintf("connection %s, password %s", about.ClientID, about.Password)
	case *openwire.ConsumerInfo:
		text = fmt.Sprintf("consumer %s:%d:%d of %s, prefetch %d, selector %s", about.ConsumerID.ConnectionID, about.ConsumerID.SessionID,
			about.ConsumerID.Value, about.Destination.Name(), about.PrefetchSize, about.Selector)
	case *openwire.ProducerInfo:
		text = fmt.Sprintf("producer %s:%d:%d of %s", about.ProducerID.ConnectionID, about.ProducerID.SessionID, about.ProducerID.Value, about.Destination.Name())
	case *openwire.DestinationInfo:
		text = fmt.Sprintf("DestinationInfo %d %s", about.OperationType, about.Destination.Name())
	case *openwire.RemoveInfo:
		text = fmt.Sprintf("remove %T", about.ObjectID)
	}
	for _, key := range []string{"consumerCount", "producerCount"} {
		if n, found := wire.Lookup(m.MarshalledProperties, key); found {
			count, _ := n.Int()
			text += fmt.Sprintf("; %s %d", key, count)
		}
	}
	return text
}

// What is there already is told to the new listener alone.
func TestAReplayNamesItsConsumer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("c")
		for id := range int64(2) {
			c.ok(c.consumer(id, topic("ActiveMQ.Advisory.Connection")))
		}
		all := c.take()
		if len(all) != 2 {
			t.Fatalf("%d advisories", len(all))
		}
		for _, v := range all {
			d := dispatch(t, v)
			if target := d.Message.Fields().TargetConsumerID; target == nil || *target != *d.ConsumerID {
				t.Errorf("for %+v, and goes to %+v", target, d.ConsumerID)
			}
		}
	})
}

// What happened to a message is told with the message, without its body, and with who and where.
func TestAdvisoriesOfMessages(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		p := policy.Default()
		p.AdvisoryForDispatched = true
		policies := policy.NewMap()
		policies.SetDefault(&p)
		w.options.Broker.SetPolicies(policies)
		c := w.join("c")
		c.ok(c.consumer(1, topic("ActiveMQ.Advisory.MessageDispatched.Queue.q")))
		c.ok(c.consumer(2, queue("q")))
		c.ok(c.fleeting(1, queue("q"), "body"))
		for _, v := range c.take() {
			m := dispatch(t, v).Message.Fields()
			if m.Destination.Name() == "q" {
				continue
			}
			about, ok := m.DataStructure.(*openwire.BytesMessage)
			if !ok || about.Content != nil || about.Destination.Name() != "q" {
				t.Errorf("it carries %+v", m.DataStructure)
			}
			for key, want := range map[string]string{
				"consumerId": "ID:c:1:2", "orignalDestination": "queue://q", "orignalMessageId": "ID:c:1:1:1",
			} {
				if got, _ := wire.Lookup(m.MarshalledProperties, key); got.Text() != want {
					t.Errorf("%s is %q, want %q", key, got.Text(), want)
				}
			}
			return
		}
		t.Error("nothing was told")
	})
}
