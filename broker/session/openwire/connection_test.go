package openwire_test

import (
	"io"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

func TestALinkIsStolenWhereThatIsAllowed(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		first := w.join("a")
		first.ok(first.consumer(1, queue("q")))
		w.options.Connector.AllowLinkStealing = true
		second := w.offering(clientOffer())
		second.take()
		second.name = "b"
		second.ok(&openwire.ConnectionInfo{ConnectionID: second.connectionID(), ClientID: openwire.S("client-a")})
		if !first.isOver() {
			t.Error("the first connection goes on")
		}
		second.ok(second.message(1, queue("q"), "a"))
		w.wantLogged("a client takes another's client id")
		if got := w.remaining(queue("q")); got != "a x0" {
			t.Errorf("in the queue: %s", got)
		}
	})
}

// TestNobodyTakesAnotherUsersConnection: its id is no secret.
func TestNobodyTakesAnotherUsersConnection(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.restrict()
		first := w.login("a", "system", "manager")
		thief := w.offering(clientOffer())
		thief.take()
		info := &openwire.ConnectionInfo{ConnectionID: first.connectionID(), UserName: openwire.S("user"), Password: openwire.S("password")}
		thief.refused(info, openwire.InvalidClientIDException, "Connection: ID:a is another user's")
		if first.isOver() {
			t.Error("the first connection is over")
		}
		w.login("a", "system", "manager")
		if !first.isOver() {
			t.Error("the first connection goes on beside its successor")
		}
	})
}

func TestAConnectionHasSoManyConsumersAndProducers(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Connector.MaximumConsumers, w.options.Connector.MaximumProducers = 2, 1
		c := w.join("a")
		c.listenForTemporaries()
		c.ok(c.consumer(1, queue("q")))
		c.refused(c.consumer(2, queue("q")), openwire.IllegalStateException, "Can't add consumer on connection ID:a: at maximum limit: 2")
		c.ok(c.consumer(1, queue("q"))) // said again
		c.ok(c.consumer(3, topic("ActiveMQ.Advisory.Connection")))
		c.ok(&openwire.ProducerInfo{ProducerID: c.producerID(1, 1)})
		c.refused(&openwire.ProducerInfo{ProducerID: c.producerID(1, 2)}, openwire.IllegalStateException, "Can't add producer on connection ID:a: at maximum limit: 1")
		c.ok(&openwire.RemoveInfo{ObjectID: c.producerID(1, 1)})
		c.ok(&openwire.ProducerInfo{ProducerID: c.producerID(1, 2)})
	})
}

func TestAConnectorMindsSilenceAsItIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		option func(*world)
		heard  string // in a minute
		over   bool
	}{
		"by default":                 {func(*world) {}, "KeepAliveInfo", true},
		"useInactivityMonitor=false": {func(w *world) { w.options.Connector.NoInactivityMonitor = true }, "", false},
		"useKeepAlive=false":         {func(w *world) { w.options.Connector.NoKeepAlive = true }, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				c.option(w)
				client := w.join("a")
				w.elapse(15 * time.Second)
				heard := ""
				for _, v := range client.take() {
					heard = openwire.TypeName(v.TypeByte())
				}
				w.elapse(3 * time.Minute)
				if heard != c.heard || client.isOver() != c.over {
					t.Errorf("heard %q, over: %t", heard, client.isOver())
				}
			})
		})
	}
}

func TestAKeepAliveMayWantAnAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Connector.KeepAliveResponseRequired = true
		client := w.join("a")
		w.elapse(12 * time.Second)
		if info, ok := client.takeOne().(*openwire.KeepAliveInfo); !ok || !info.ResponseRequired {
			t.Errorf("got %+v", info)
		}
	})
}

func TestAClientSpeaksSoonAndNoOldVersion(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Connector.ConnectAttemptTimeout, w.options.Connector.MinimumVersion = time.Second, 10
		silent := w.dial()
		w.serving.Go(func() { _, _ = io.Copy(io.Discard, silent.conn) })
		w.elapse(1001 * time.Millisecond)
		w.wantLogged("nothing was heard from the client for 1s")
		offer := clientOffer()
		offer.Version = 9
		if old := w.offering(offer); !old.isOver() {
			t.Error("version 9 is spoken")
		}
		w.wantLogged("the client speaks version 9 of OpenWire, and this connector version 10 and newer")
	})
}
