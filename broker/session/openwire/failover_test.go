package openwire_test

import (
	"testing"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// comeBack is the same client over another connection, saying its state again as failover clients do.
func (w *world) comeBack(c *client) *client {
	w.t.Helper()
	again := w.offering(clientOffer())
	again.take()
	again.name, again.lastID = c.name, c.lastID
	again.tell(&openwire.ConnectionControl{FaultTolerant: true})
	again.ok(&openwire.ConnectionInfo{
		ConnectionID: c.connectionID(), ClientID: openwire.S("client-" + c.name), FaultTolerant: true, FailoverReconnect: true,
	})
	return again
}

// The last connection wins: the broker may not know yet that the one before is dead.
func TestAConnectionReplacesItsFormerSelf(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		old := w.join("a")
		old.fill(queue("q"), "a")
		old.ok(old.consumer(1, queue("q")))
		old.dispatches(1)

		again := w.comeBack(old)
		if !old.isOver() {
			t.Error("the former connection goes on")
		}
		again.ok(again.consumer(1, queue("q")))
		again.want("a x1")
	})
}

// All that a client had is there again when it has said so again: the consumer with prefetch 0 until the client is ready.
func TestReplayedState(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		temporary := &openwire.TempQueue{PhysicalName: openwire.S("ID:a:1")}
		old := w.join("a")
		old.ok(&openwire.DestinationInfo{ConnectionID: old.connectionID(), Destination: temporary})
		old.cut()

		c := w.comeBack(old)
		c.tell(&openwire.DestinationInfo{ConnectionID: c.connectionID(), Destination: temporary})
		c.tell(&openwire.SessionInfo{SessionID: c.sessionID(1)})
		c.tell(&openwire.ProducerInfo{ProducerID: c.producerID(1, 1), Destination: temporary})
		recovering := c.consumer(1, temporary)
		recovering.PrefetchSize = 0
		c.tell(recovering)
		c.tell(&openwire.MessageAck{ // of what the broker before sent
			Destination: temporary, ConsumerID: c.consumerID(1, 1), AckType: openwire.AckStandard, MessageCount: 1,
			FirstMessageID: &openwire.MessageID{BrokerSequenceID: 1 << 41}, LastMessageID: &openwire.MessageID{BrokerSequenceID: 1 << 41},
		})
		c.ok(c.fleeting(1, temporary, "reply"))
		c.want("")
		c.tell(&openwire.ConsumerControl{Destination: temporary, ConsumerID: c.consumerID(1, 1), Prefetch: 10})
		c.want("reply x0")
	})
}

// Saying anything twice changes nothing and is no error.
func TestRepeatedCommands(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		temporary := &openwire.TempTopic{PhysicalName: openwire.S("ID:a:1")}
		for range 2 {
			c.ok(&openwire.ConnectionInfo{ConnectionID: c.connectionID(), ClientID: openwire.S("client-a")})
			c.ok(&openwire.SessionInfo{SessionID: c.sessionID(1)})
			c.ok(&openwire.ProducerInfo{ProducerID: c.producerID(1, 1)})
			c.ok(&openwire.DestinationInfo{Destination: temporary})
			c.ok(c.consumer(1, queue("q")))
			c.ok(c.transact(openwire.TransactionBegin, 1))
			c.ok(c.message(1, queue("q"), "once"))
		}
		c.want("once x0")
	})
}

// A message that was sent again because the answer was lost is there once.
func TestResentMessagesAreStoredOnce(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		old := w.join("a")
		old.tell(old.message(1, queue("q"), "a"))
		old.tell(old.message(2, queue("q"), "b"))
		old.cut()
		c := w.comeBack(old)
		for i, body := range []string{"a", "b", "c"} {
			c.ok(c.message(int64(i+1), queue("q"), body))
		}
		c.cut()
		if got := w.remaining(queue("q")); got != "a x0, b x0, c x0" {
			t.Errorf("got %s", got)
		}
	})
}

// The second half of a transaction is not one, when the first half went down with another connection.
func TestHalfATransactionIsNotCommitted(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		old := w.join("a")
		old.fill(queue("in"), "a", "b")
		send := func(c *client, sequence int64, body string) {
			m := c.message(sequence, queue("out"), body)
			m.TransactionID = c.transactionID(1)
			c.tell(m)
		}
		old.tell(old.transact(openwire.TransactionBegin, 1))
		send(old, 3, "first")
		old.cut()

		c := w.comeBack(old)
		c.ok(c.consumer(1, queue("in")))
		ack := c.ack(openwire.AckStandard, c.dispatches(2)...)
		ack.TransactionID = c.transactionID(1)
		c.tell(ack)
		send(c, 4, "second")
		c.want("")
		c.refused(c.transact(openwire.TransactionCommitOnePhase, 1), openwire.TransactionRolledBackException, "do all of it again")
		c.cut()
		if out := w.remaining(queue("out")); out != "" {
			t.Errorf("sent: %s", out)
		}
		if in := w.remaining(queue("in")); in != "a x1, b x1" {
			t.Errorf("left: %s", in)
		}
	})
}

// A transaction that the client says again from its beginning is whole.
func TestReplayedTransactions(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		old := w.join("a")
		replay := func(c *client) {
			c.tell(c.transact(openwire.TransactionBegin, 1))
			for i, body := range []string{"first", "second"} {
				m := c.message(int64(i+1), queue("out"), body)
				m.TransactionID = c.transactionID(1)
				c.tell(m)
			}
		}
		replay(old)
		old.cut()
		c := w.comeBack(old)
		replay(c)
		c.ok(c.transact(openwire.TransactionCommitOnePhase, 1))
		c.cut()
		if out := w.remaining(queue("out")); out != "first x0, second x0" {
			t.Errorf("got %s", out)
		}
	})
}

// After a failover ActiveMQ's client may call a message a duplicate that it has in an open transaction, and acknowledge it there
// later: it is no dead letter.
func TestADuplicateSuppressedInATransaction(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c, got := w.suppressed("a", true)
		ack := c.ack(openwire.AckStandard, got...)
		ack.TransactionID = c.transactionID(1)
		c.tell(ack)
		c.ok(c.transact(openwire.TransactionCommitOnePhase, 1))
		c.cut()
		if got := w.remaining(queue("q")) + "|" + w.remaining(queue("ActiveMQ.DLQ")); got != "|" {
			t.Errorf("left: %s", got)
		}
	})
}

// Without a transaction it is one, as with ActiveMQ: nobody would say anything of it any more.
func TestADuplicateSuppressedWithoutATransaction(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c, _ := w.suppressed("a", false)
		c.cut()
		if got := w.remaining(queue("q")) + "|" + w.remaining(queue("ActiveMQ.DLQ")); got != "b x1|a x0" {
			t.Errorf("left: %s", got)
		}
	})
}

// suppressed is a client that has come back, got the messages a and b, and called a a duplicate.
func (w *world) suppressed(name string, transacted bool) (*client, []openwire.DataStructure) {
	w.t.Helper()
	old := w.join(name)
	old.fill(queue("q"), "a", "b")
	old.cut()
	c := w.comeBack(old)
	if transacted {
		c.tell(c.transact(openwire.TransactionBegin, 1))
	}
	c.ok(c.consumer(1, queue("q")))
	got := c.dispatches(2)
	again := c.ack(openwire.AckPoison, got[0])
	again.PoisonCause = openwire.NewThrowable("java.lang.Throwable", "Suppressing duplicate delivery on connection, consumer ID:a:1:1")
	c.ok(again)
	return c, got
}

// What was acknowledged in a transaction through a consumer that is not there is not consumed, so the commit fails.
func TestAcknowledgingInATransactionWithoutItsConsumer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.fill(queue("in"), "a")
		c.ok(c.consumer(1, queue("in")))
		ack := c.ack(openwire.AckStandard, c.dispatches(1)...)
		ack.TransactionID = c.transactionID(1)
		c.ok(&openwire.RemoveInfo{ObjectID: c.consumerID(1, 1)})
		c.tell(c.transact(openwire.TransactionBegin, 1))
		c.tell(ack)
		c.refused(c.transact(openwire.TransactionCommitOnePhase, 1), openwire.TransactionRolledBackException, "do all of it again")
	})
}
