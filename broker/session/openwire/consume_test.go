package openwire_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// Three messages are in flight, and the consumer says something of the first two.
func TestAcknowledgements(t *testing.T) {
	deadLetters := queue("ActiveMQ.DLQ")
	for name, a := range map[string]struct {
		kind   int8
		left   string // in the queue, once the consumer is closed
		letter string // in the dead letter queue
	}{
		"delivered":   {openwire.AckDelivered, "a x1, b x1, c x1", ""},
		"standard":    {openwire.AckStandard, "c x1", ""},
		"individual":  {openwire.AckIndividual, "a x1, c x1", ""},
		"expired":     {openwire.AckExpired, "c x1", "a x0, b x0"},
		"poison":      {openwire.AckPoison, "c x1", "a x0, b x0"},
		"redelivered": {openwire.AckRedelivered, "a x2, b x2, c x1", ""},
		"unmatched":   {openwire.AckUnmatched, "c x1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				c := w.join("a")
				c.fill(queue("q"), "a", "b", "c")
				c.ok(c.consumer(1, queue("q")))
				got := c.dispatches(3)
				ack := c.ack(a.kind, got[:2]...)
				if a.kind == openwire.AckIndividual {
					ack.FirstMessageID = nil
				}
				if a.kind == openwire.AckPoison {
					ack.PoisonCause = openwire.NewThrowable("java.lang.Throwable", "no sense")
				}
				c.ok(ack)
				c.ok(&openwire.RemoveInfo{ObjectID: c.consumerID(1, 1), LastDeliveredSequenceID: -2})
				if left := w.remaining(queue("q")); left != a.left {
					t.Errorf("left: %s, want %s", left, a.left)
				}
				if letters := w.remaining(deadLetters); letters != a.letter {
					t.Errorf("dead: %s, want %s", letters, a.letter)
				}
			})
		})
	}
}

func TestAnUnknownAcknowledgementIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.fill(queue("q"), "a")
		c.ok(c.consumer(1, queue("q")))
		ack := c.ack(17, c.dispatches(1)...)
		c.refused(ack, openwire.JMSException, "unknown kind of acknowledgement 17")
	})
}

// How much a closed consumer's program saw decides what counts as delivered.
func TestLastDelivered(t *testing.T) {
	for name, last := range map[string]func(second int64) (int64, string){
		"unknown":        func(int64) (int64, string) { return -2, "a x1, b x1, c x1" },
		"nothing":        func(int64) (int64, string) { return -1, "a x0, b x0, c x0" },
		"up to a second": func(second int64) (int64, string) { return second, "a x1, b x1, c x0" },
	} {
		t.Run(name, func(t *testing.T) {
			for what, object := range map[string]func(*client) openwire.DataStructure{
				"consumer":   func(c *client) openwire.DataStructure { return c.consumerID(1, 1) },
				"session":    func(c *client) openwire.DataStructure { return c.sessionID(1) },
				"connection": func(c *client) openwire.DataStructure { return c.connectionID() },
			} {
				t.Run(what, func(t *testing.T) {
					bubble(t, func(t *testing.T, w *world) {
						c := w.join("a")
						c.fill(queue("q"), "a", "b", "c")
						c.ok(c.consumer(1, queue("q")))
						got := c.dispatches(3)
						sequence, want := last(dispatch(t, got[1]).Message.Fields().MessageID.BrokerSequenceID)
						c.ok(&openwire.RemoveInfo{ObjectID: object(c), LastDeliveredSequenceID: sequence})
						if left := w.remaining(queue("q")); left != want {
							t.Errorf("got %s, want %s", left, want)
						}
					})
				})
			}
		})
	}
}

// Before version 5 a client cannot say how much its program saw, so it may have been all.
func TestLastDeliveredOfOldClients(t *testing.T) {
	for version, want := range map[int]string{4: "a x1, b x1", 5: "a x0, b x0"} {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				offer := clientOffer()
				offer.Version = version
				c := w.offering(offer)
				c.introduce("a")
				c.take()
				c.fill(queue("q"), "a", "b")
				c.ok(c.consumer(1, queue("q")))
				c.dispatches(2)
				c.ok(&openwire.RemoveInfo{ObjectID: c.consumerID(1, 1), LastDeliveredSequenceID: -1})
				if left := w.remaining(queue("q")); left != want {
					t.Errorf("got %s, want %s", left, want)
				}
			})
		})
	}
}

// What a program gave back is counted when the client says so, and not once more when it closes. A client says nothing of what
// it delivers again by itself, but for acknowledgements.
func TestRolledBackDeliveriesCountOnce(t *testing.T) {
	deliver := func(c *client, transaction int64, got []openwire.DataStructure) {
		ack := c.ack(openwire.AckStandard, got...)
		ack.TransactionID = c.transactionID(transaction)
		c.ok(c.transact(openwire.TransactionBegin, transaction))
		c.ok(ack)
		c.ok(c.transact(openwire.TransactionRollback, transaction))
	}
	for name, steps := range map[string]struct {
		do   func(c *client, got []openwire.DataStructure)
		want string
	}{
		"once": {func(c *client, got []openwire.DataStructure) {
			deliver(c, 1, got[:1])
			c.ok(c.ack(openwire.AckRedelivered, got[:1]...))
		}, "a x1, b x0"},
		"twice": {func(c *client, got []openwire.DataStructure) {
			deliver(c, 1, got[:1])
			c.ok(c.ack(openwire.AckRedelivered, got[:1]...))
			deliver(c, 2, got[:1])
			c.ok(c.ack(openwire.AckRedelivered, got[:1]...))
		}, "a x2, b x0"},
		"and again unsaid": {func(c *client, got []openwire.DataStructure) {
			deliver(c, 1, got[:1])
			c.ok(c.ack(openwire.AckRedelivered, got[:1]...))
			deliver(c, 2, got[:1])
		}, "a x2, b x0"},
		"and got again": {func(c *client, got []openwire.DataStructure) {
			c.ok(c.ack(openwire.AckRedelivered, got[:1]...))
			c.ok(c.ack(openwire.AckDelivered, got[:1]...))
		}, "a x2, b x0"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				c := w.join("a")
				c.fill(queue("q"), "a", "b")
				c.ok(c.consumer(1, queue("q")))
				got := c.dispatches(2)
				steps.do(c, got)
				last := dispatch(t, got[0]).Message.Fields().MessageID.BrokerSequenceID
				c.ok(&openwire.RemoveInfo{ObjectID: c.sessionID(1), LastDeliveredSequenceID: last})
				if left := w.remaining(queue("q")); left != steps.want {
					t.Errorf("got %s, want %s", left, steps.want)
				}
			})
		})
	}
}

// A client that dies may have seen all that was on the way to it.
func TestABrokenConnectionGivesBackWhatItHad(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.fill(queue("q"), "a", "b")
		c.ok(c.consumer(1, queue("q")))
		c.dispatches(2)
		c.cut()
		if left := w.remaining(queue("q")); left != "a x1, b x1" {
			t.Errorf("got %s", left)
		}
	})
}

func TestPrefetch(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.fill(queue("q"), "a", "b", "c", "d", "e")
		info := c.consumer(1, queue("q"))
		info.PrefetchSize = 2
		c.ok(info)
		got := c.dispatches(2)
		c.tell(c.ack(openwire.AckDelivered, got[:1]...))
		c.want("c x0")
		c.tell(&openwire.ConsumerControl{ConsumerID: c.consumerID(1, 1), Prefetch: 3})
		c.want("d x0")
		c.tell(c.ack(openwire.AckStandard, got...))
		c.want("e x0")
		c.tell(&openwire.ConsumerControl{ConsumerID: c.consumerID(1, 1), Close: true})
		if left := w.remaining(queue("q")); left != "c x0, d x0, e x0" {
			t.Errorf("left: %s", left)
		}
	})
}

// puller is a client whose consumer gets a message for each pull.
func puller(w *world) *client {
	c := w.join("puller")
	info := c.consumer(1, queue("q"))
	info.PrefetchSize = 0
	c.ok(info)
	return c
}

func (c *client) pull(timeout time.Duration) {
	milliseconds := timeout.Milliseconds()
	if timeout < 0 {
		milliseconds = -1
	}
	c.tell(&openwire.MessagePull{ConsumerID: c.consumerID(1, 1), Destination: queue("q"), Timeout: milliseconds})
}

func TestPulls(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		producer, c := w.join("producer"), puller(w)
		c.pull(-1)
		c.want("empty dispatch")

		producer.fill(queue("q"), "a", "b")
		c.want("")
		c.pull(-1) // a queue that nothing was dispatched from yet answers once it may
		c.want("a x0")
		c.pull(0)
		c.want("b x0")

		c.pull(time.Second)
		w.elapse(999 * time.Millisecond)
		c.want("")
		w.elapse(2 * time.Millisecond)
		c.want("empty dispatch")

		c.pull(0)
		w.elapse(100 * time.Hour)
		for _, v := range c.take() {
			if _, ok := v.(*openwire.KeepAliveInfo); !ok {
				t.Fatalf("a pull without end got %s", describe(v))
			}
		}
	})
}

// The time-out of a pull that was answered says nothing about the next.
func TestALateTimeoutEndsNoOtherPull(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		producer, c := w.join("producer"), puller(w)
		c.pull(time.Second)
		producer.ok(producer.message(1, queue("q"), "a"))
		c.want("a x0")
		c.pull(0)
		w.elapse(2 * time.Second)
		c.want("")
		producer.ok(producer.message(2, queue("q"), "b"))
		c.want("b x0")
	})
}

func TestPullsEndWithTheirConsumer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := puller(w)
		c.pull(time.Second)
		c.ok(&openwire.RemoveInfo{ObjectID: c.consumerID(1, 1)})
		w.elapse(2 * time.Second)
		c.want("")
	})
}

// A producer with a window is told of each message as the client counted it, also of one that is refused.
func TestProducerWindows(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.ok(&openwire.ProducerInfo{ProducerID: c.producerID(1, 1), WindowSize: 4096})
		c.tell(c.message(1, queue("q"), "12345"))
		if ack := c.takeOne().(*openwire.ProducerAck); ack.Size != 1024+5 || *ack.ProducerID != *c.producerID(1, 1) {
			t.Errorf("got %+v", ack)
		}
		c.tell(c.message(2, queue("*"), "12345"))
		c.want("ProducerAck, connection error javax.jms.InvalidDestinationException: cannot send to queue://*: a wildcard is for consumers")
		c.ok(c.transact(openwire.TransactionBegin, 1))
		m := c.message(3, queue("q"), "12345")
		m.TransactionID = c.transactionID(1)
		c.tell(m)
		c.want("ProducerAck")
		c.tell(&openwire.RemoveInfo{ObjectID: c.sessionID(1)})
		c.tell(c.message(4, queue("q"), "12345"))
		c.want("")
	})
}

func TestTransactions(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.fill(queue("in"), "a")
		c.ok(c.consumer(1, queue("in")))
		got := c.dispatches(1)
		inTransaction := func(id, sequence int64) {
			c.tell(c.transact(openwire.TransactionBegin, id))
			m := c.message(sequence, queue("out"), "b")
			m.TransactionID = c.transactionID(id)
			c.tell(m)
			ack := c.ack(openwire.AckStandard, got...)
			ack.TransactionID = c.transactionID(id)
			c.tell(ack)
		}
		inTransaction(1, 2)
		c.ok(c.transact(openwire.TransactionRollback, 1))
		if out := w.remaining(queue("out")); out != "" {
			t.Errorf("after the rollback: %s", out)
		}
		inTransaction(2, 3)
		c.ok(c.transact(openwire.TransactionCommitOnePhase, 2))
		if out := w.remaining(queue("out")); out != "b x0" {
			t.Errorf("after the commit: %s", out)
		}
		c.cut()
		if in := w.remaining(queue("in")); in != "" {
			t.Errorf("consumed, and still there: %s", in)
		}
	})
}
