package openwire_test

import (
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// TestBadInputIsItsSendersProblemAlone: each gets an exception that its program knows, and both its connection and another's go on. The
// log says who did it.
func TestBadInputIsItsSendersProblemAlone(t *testing.T) {
	for name, c := range map[string]struct {
		say   func(*client) openwire.Command
		class openwire.ExceptionClass
		text  string
	}{
		"a broken selector": {func(c *client) openwire.Command {
			consumer := c.consumer(7, queue("q"))
			consumer.Selector = openwire.S("a = = b")
			return consumer
		}, openwire.InvalidSelectorException, "a = = b"},
		"a consumer of nothing": {func(c *client) openwire.Command { return c.consumer(7, queue("")) }, openwire.InvalidDestinationException, "the name is empty"},
		"a consumer without a destination": {func(c *client) openwire.Command { return c.consumer(7, nil) },
			openwire.InvalidDestinationException, "a consumer needs an id and a destination"},
		"a producer without an id": {func(*client) openwire.Command { return &openwire.ProducerInfo{} }, openwire.JMSException, "a producer needs an id"},
		"a message to a wildcard":  {func(c *client) openwire.Command { return c.message(7, queue("a.>"), "x") }, openwire.InvalidDestinationException, "a wildcard is for consumers"},
		"a message to no queue":    {func(c *client) openwire.Command { return c.message(7, queue("a,,b"), "x") }, openwire.InvalidDestinationException, "has no name"},
		"a temporary queue that is gone": {func(c *client) openwire.Command {
			return c.message(7, &openwire.TempQueue{PhysicalName: openwire.S("ID:gone:1")}, "x")
		}, openwire.InvalidDestinationException, "does not exist"},
		"an unknown transaction's message": {func(c *client) openwire.Command {
			m := c.message(7, queue("q"), "x")
			m.TransactionID = c.transactionID(99)
			return m
		}, openwire.TransactionRolledBackException, "was not begun on this connection"},
		"an unknown transaction's commit": {func(c *client) openwire.Command { return c.transact(openwire.TransactionCommitOnePhase, 99) },
			openwire.TransactionRolledBackException, "was not begun on this connection"},
		"an acknowledgement of what was never sent": {func(c *client) openwire.Command {
			id := &openwire.MessageID{ProducerID: c.producerID(1, 1), ProducerSequenceID: 99, BrokerSequenceID: 99}
			return &openwire.MessageAck{ConsumerID: c.consumerID(1, 1), Destination: queue("q"), AckType: openwire.AckStandard, MessageCount: 1, FirstMessageID: id, LastMessageID: id}
		}, openwire.JMSException, "Unmatched acknowledge: could not find"},
		"another connection": {func(*client) openwire.Command {
			return &openwire.ConnectionInfo{ConnectionID: &openwire.ConnectionID{Value: openwire.S("ID:other")}}
		}, openwire.IllegalStateException, "carries another connection"},
		"the removal of another's temporary queue": {func(c *client) openwire.Command {
			return &openwire.DestinationInfo{ConnectionID: c.connectionID(), OperationType: openwire.DestinationRemove,
				Destination: &openwire.TempQueue{PhysicalName: openwire.S("ID:bystander:1")}}
		}, openwire.InvalidDestinationException, "this connection has no such temporary destination"},
		"a destination of nothing": {func(c *client) openwire.Command { return &openwire.DestinationInfo{ConnectionID: c.connectionID()} },
			openwire.InvalidDestinationException, "no destination was given"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				bystander := w.join("bystander")
				bystander.ok(&openwire.DestinationInfo{ConnectionID: bystander.connectionID(), Destination: &openwire.TempQueue{PhysicalName: openwire.S("ID:bystander:1")}})
				sender := w.join("sender")
				sender.ok(sender.consumer(1, queue("q")))
				for range 2 {
					sender.refused(c.say(sender), c.class, c.text)
				}
				sender.ok(sender.message(1, queue("q"), "goes on"))
				sender.want("goes on x0")
				bystander.ok(bystander.message(1, queue("q"), "as before"))
				if got := strings.Count(w.logged.String(), `level=INFO msg="refused what a client asked for" remote=pipe client=client-sender connection=ID:sender exception=`+string(c.class)); got != 2 {
					t.Errorf("%d lines in the log:\n%s", got, w.logged)
				}
			})
		})
	}
}

// TestWhatIsUnknownIsAlreadyGone: clients remove things twice, and after a failover things that the broker never knew.
func TestWhatIsUnknownIsAlreadyGone(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		for _, v := range []openwire.Command{
			&openwire.RemoveInfo{ObjectID: c.consumerID(7, 7)}, &openwire.RemoveInfo{ObjectID: c.producerID(7, 7)}, &openwire.RemoveInfo{ObjectID: c.sessionID(7)},
			&openwire.MessagePull{ConsumerID: c.consumerID(7, 7), Destination: queue("q")}, &openwire.ConsumerControl{ConsumerID: c.consumerID(7, 7)},
			c.transact(openwire.TransactionRollback, 99),
			&openwire.ProducerAck{}, &openwire.ConnectionControl{}, &openwire.ControlCommand{}, &openwire.FlushCommand{},
			&openwire.ConnectionError{Exception: openwire.NewThrowable(openwire.JMSException, "of the client")},
		} {
			c.ok(v)
		}
		c.ok(c.message(1, queue("q"), "goes on"))
	})
}

// TestALateAcknowledgementAlarmsNobody: over a failover a client cannot know better, and what nobody waits for is for the log.
func TestALateAcknowledgementAlarmsNobody(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		late := func(c *client) *openwire.MessageAck {
			id := &openwire.MessageID{ProducerID: c.producerID(1, 1), ProducerSequenceID: 1, BrokerSequenceID: 1}
			return &openwire.MessageAck{ConsumerID: c.consumerID(1, 1), Destination: queue("q"), AckType: openwire.AckStandard, MessageCount: 1, FirstMessageID: id, LastMessageID: id}
		}
		c := w.join("a")
		c.ok(c.consumer(1, queue("q")))
		c.tell(late(c))
		c.want("")
		w.wantLogged("Unmatched acknowledge")
		again := w.offering(clientOffer())
		again.take()
		again.name = "a"
		again.ok(&openwire.ConnectionInfo{ConnectionID: again.connectionID(), ClientID: openwire.S("client-a"), FailoverReconnect: true})
		again.ok(again.consumer(1, queue("q")))
		again.ok(late(again))
	})
}
