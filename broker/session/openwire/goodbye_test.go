package openwire_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

func TestGoodbye(t *testing.T) {
	for name, dial := range map[string]func(*world) (c *client, want string){
		"before negotiation": func(w *world) (*client, string) {
			c := w.dial()
			w.serving.Go(func() { c.listen(openwire.NewDecoder(openwire.Handshake())) })
			return c, "WireFormatInfo"
		},
		"to a stranger": func(w *world) (*client, string) {
			return w.offering(clientOffer()), "WireFormatInfo, BrokerInfo, ShutdownInfo"
		},
		"to a client": func(w *world) (*client, string) {
			c := w.join("a")
			return c, "ShutdownInfo"
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				c, want := dial(w)
				synctest.Wait()
				began := time.Now()
				w.stop()
				c.want(want)
				if !c.isOver() || time.Since(began) > 0 {
					t.Errorf("still connected after %v", time.Since(began))
				}
			})
		})
	}
}

// A client that does not read cannot hold up a broker that stops.
func TestGoodbyeToAClientThatDoesNotRead(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.deafen()
		c.ask(&openwire.FlushCommand{})
		w.stop()
		w.elapse(3 * time.Second)
		w.wantLogged("a client is gone")
	})
}

// What is not durable when the right to the store is lost has no effect that anybody sees.
func TestNothingLeavesAfterTheRightIsLost(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c, consumer := w.join("a"), w.join("consumer")
		consumer.ok(consumer.consumer(1, queue("q")))
		c.ok(c.message(1, queue("q"), "before"))
		before := consumer.dispatches(1)
		w.log.Hold()
		sent := c.ask(c.message(2, queue("q"), "after"))
		acknowledged := consumer.ask(consumer.ack(openwire.AckStandard, before...))
		c.tell(c.transact(openwire.TransactionBegin, 1))
		m := c.message(3, queue("q"), "in a transaction")
		m.TransactionID = c.transactionID(1)
		c.tell(m)
		committed := c.ask(c.transact(openwire.TransactionCommitOnePhase, 1))
		c.want("")
		w.log.Lose(log.ErrRightLost, 0)
		c.want("")
		consumer.want("")
		for _, answer := range []openwire.DataStructure{c.answer(sent), c.answer(committed), consumer.answer(acknowledged)} {
			if answer != nil {
				t.Errorf("answered: %s", describe(answer))
			}
		}
		c.tell(c.message(4, queue("q"), "too late"))
		if !c.isOver() {
			t.Error("a sender may go on without a store")
		}
	})
}
