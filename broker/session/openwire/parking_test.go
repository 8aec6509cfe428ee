package openwire_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// memoryLimit is the broker's in these tests. One message of it, give or take some, reaches it.
const memoryLimit = 64 << 10

// fullBroker runs a test with a broker whose memory is full of one message on the queue "full".
func fullBroker(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memoryLimit)
		c := w.join("filler")
		c.ok(c.fleeting(1, queue("full"), strings.Repeat("x", memoryLimit)))
		test(t, w)
	})
}

// empty consumes what fills the memory.
func (w *world) empty() {
	w.t.Helper()
	c := w.join("emptier")
	c.ok(c.consumer(1, queue("full")))
	c.ok(c.ack(openwire.AckStandard, c.dispatches(1)...))
	c.ok(&openwire.RemoveInfo{ObjectID: c.connectionID()})
}

// A program that produces and consumes over one connection goes on: the acknowledgement behind the send makes the room.
func TestAcknowledgementsPassASendThatWaits(t *testing.T) {
	fullBroker(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.ok(c.consumer(1, queue("full")))
		filling := c.dispatches(1)
		sent := c.ask(c.fleeting(1, queue("q"), "held"))
		if c.answer(sent) != nil {
			t.Fatal("the send did not wait")
		}
		w.wantLogged("a sender waits for room")
		w.elapse(20 * time.Second)
		c.want("KeepAliveInfo, KeepAliveInfo")
		c.ok(c.ack(openwire.AckStandard, filling...))
		if !isDone(c.answer(sent)) {
			t.Error("the send still waits")
		}
		w.wantLogged(`the sender goes on" remote=pipe client=client-a connection=ID:a destination=queue://q waited=20s`)
	})
}

// The same in transactions, each of which consumes one and sends one.
func TestATransactionThatMakesRoomDoesNotWait(t *testing.T) {
	fullBroker(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.ok(c.consumer(1, queue("full")))
		ack := c.ack(openwire.AckStandard, c.dispatches(1)...)
		c.tell(c.transact(openwire.TransactionBegin, 1))
		m := c.fleeting(1, queue("q"), "result")
		m.TransactionID, ack.TransactionID = c.transactionID(1), c.transactionID(1)
		c.ok(m)
		c.ok(ack)
		c.ok(c.transact(openwire.TransactionCommitOnePhase, 1))
		if got := w.remaining(queue("q")); got != "result x0" {
			t.Errorf("got %s", got)
		}
	})
}

// What waits stays in order, and whole: sends, the commit of a transaction that only sends, the connection's end.
func TestWhatWaitsStaysInOrder(t *testing.T) {
	fullBroker(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.tell(c.transact(openwire.TransactionBegin, 1))
		m := c.fleeting(1, queue("q"), "2")
		m.TransactionID = c.transactionID(1)
		c.tell(m)
		waiting := []int32{
			c.ask(c.fleeting(2, queue("q"), "1")),
			c.ask(c.transact(openwire.TransactionCommitOnePhase, 1)),
			c.ask(c.fleeting(3, queue("q"), "3")),
			c.ask(&openwire.RemoveInfo{ObjectID: c.connectionID()}),
		}
		for i, id := range waiting {
			if answer := c.answer(id); answer != nil {
				t.Errorf("%d did not wait: %s", i, describe(answer))
			}
		}
		w.empty()
		for i, id := range waiting {
			if answer := c.answer(id); !isDone(answer) {
				t.Errorf("%d: %s", i, describe(answer))
			}
		}
		if got := w.remaining(queue("q")); got != "1 x0, 2 x0, 3 x0" {
			t.Errorf("got %s", got)
		}
	})
}

func TestPersistentMessagesNeedNoMemory(t *testing.T) {
	fullBroker(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.tell(c.fleeting(1, queue("q"), "held"))
		c.ok(c.message(2, queue("q"), "kept"))
		c.ok(&openwire.FlushCommand{})
		c.cut()
		if got := w.remaining(queue("q")); got != "kept x0" {
			t.Errorf("got %s", got)
		}
	})
}

// A connection that waits is alive both ways, for as long as it takes.
func TestAHeldConnectionIsKeptAlive(t *testing.T) {
	fullBroker(t, func(t *testing.T, w *world) {
		c := w.join("a")
		sent := c.ask(c.fleeting(1, queue("q"), "held"))
		for range 100 {
			c.ask(&openwire.KeepAliveInfo{})
			w.elapse(silence / 3)
		}
		if alive := len(c.take()); alive < 100 {
			t.Errorf("%d signs of life", alive)
		}
		w.empty()
		if !isDone(c.answer(sent)) {
			t.Error("the send still waits")
		}
	})
}

// A held connection that falls silent is given up, with what it holds.
func TestAHeldConnectionThatDiesIsGivenUp(t *testing.T) {
	fullBroker(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.fill(queue("q"), "a")
		c.ok(c.consumer(1, queue("q")))
		c.dispatches(1)
		c.tell(c.fleeting(2, queue("other"), "held"))
		w.elapse(3 * silence)
		if !c.isOver() {
			t.Error("not cut off")
		}
		if got := w.remaining(queue("q")); got != "a x1" {
			t.Errorf("got %s", got)
		}
	})
}

const parkable = 100 // messages of 16 KiB are more than may be parked

func (c *client) flood() {
	for i := range parkable {
		c.tell(c.fleeting(int64(i+1), queue("flood"), strings.Repeat("x", 16<<10)))
	}
	synctest.Wait()
}

// Who only produces is held by its socket when no more may be parked, and keeps its connection.
func TestAProducerIsHeldByItsSocket(t *testing.T) {
	fullBroker(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.flood()
		if unread := len(c.writes); unread < 10 || unread > 90 {
			t.Errorf("%d of %d messages are unread", unread, parkable)
		}
		w.elapse(time.Hour)
		for _, v := range c.take() {
			if _, ok := v.(*openwire.KeepAliveInfo); !ok {
				t.Fatalf("got %s", describe(v))
			}
		}
		drain := w.join("drain")
		drain.ok(drain.consumer(1, queue("flood")))
		w.empty()
		n := 0
		for got := drain.take(); len(got) > 0; got = drain.take() {
			n += len(got)
			drain.ok(drain.ack(openwire.AckStandard, got...))
		}
		if n != parkable {
			t.Errorf("got %d messages, want %d", n, parkable)
		}
	})
}

// The acknowledgement may be behind more sends than can be parked. After a while they are refused, and it is heard.
func TestAConnectionDoesNotWaitForItselfForEver(t *testing.T) {
	fullBroker(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.ok(c.consumer(1, queue("full")))
		ack := c.ack(openwire.AckStandard, c.dispatches(1)...)
		c.flood()
		acknowledged := c.ask(ack)
		if c.answer(acknowledged) != nil {
			t.Fatal("all could be parked")
		}
		w.elapse(11 * time.Second)
		if !isDone(c.answer(acknowledged)) {
			t.Fatal("the acknowledgement was not heard")
		}
		refused := 0
		for _, v := range c.take() {
			if _, ok := v.(*openwire.ConnectionError); ok {
				wantException(t, v, openwire.ResourceAllocationException, "consume over another connection")
				refused++
			}
		}
		if refused == 0 || refused == parkable {
			t.Errorf("%d of %d were refused", refused, parkable)
		}
		w.wantLogged("refusing the sends of a connection that also consumes")
	})
}

func TestGoodbyeToAHeldConnection(t *testing.T) {
	fullBroker(t, func(t *testing.T, w *world) {
		producer, both := w.join("producer"), w.join("both")
		both.ok(both.consumer(1, queue("q")))
		producer.flood()
		both.flood()
		w.stop()
		producer.want("ShutdownInfo")
		both.want("ShutdownInfo")
		if !producer.isOver() || !both.isOver() {
			t.Error("a connection goes on")
		}
	})
}

// A subscriber to a topic that does not read is no matter of those who send, and gets what waits for it once it reads.
func TestASubscriberThatReadsNothingHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memoryLimit)
		reader, sender := w.join("reader"), w.join("sender")
		reader.ok(reader.consumer(1, topic("t")))
		reader.deafen()
		for i := range int64(3) {
			sender.ok(sender.fleeting(i, topic("t"), strings.Repeat("x", memoryLimit/5)))
		}
		reader.hear()
		messages := 0
		for _, v := range reader.take() {
			if d, ok := v.(*openwire.MessageDispatch); ok && len(d.Message.Fields().Content) > 0 {
				messages++
			}
		}
		if messages != 3 {
			t.Errorf("%d of 3 messages came", messages)
		}
	})
}
