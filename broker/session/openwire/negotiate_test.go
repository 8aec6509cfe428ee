package openwire_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// A message goes in and comes out the same in every version and encoding.
func TestEveryVersionAndEncoding(t *testing.T) {
	for version := 1; version <= openwire.NewestVersion; version++ {
		for _, encoding := range []string{"loose", "tight", "loose cached", "tight cached"} {
			t.Run(fmt.Sprintf("v%d %s", version, encoding), func(t *testing.T) {
				bubble(t, func(t *testing.T, w *world) {
					w.options.Offer.Tight = strings.Contains(encoding, "tight")
					w.options.Offer.Cache = strings.Contains(encoding, "cached")
					offer := clientOffer()
					offer.Version = version
					talk(w.offering(offer))
				})
			})
		}
	}
}

func talk(c *client) {
	c.want("WireFormatInfo, BrokerInfo")
	c.introduce("a")
	c.ok(&openwire.SessionInfo{SessionID: c.sessionID(1)})
	c.ok(&openwire.ProducerInfo{ProducerID: c.producerID(1, 1), Destination: queue("q")})
	c.ok(c.consumer(1, queue("q")))
	c.ok(c.message(1, queue("q"), "kept"))
	c.ok(c.fleeting(2, queue("q"), "fleeting"))
	got := c.dispatches(2)
	if text := describeAll(got); text != "kept x0, fleeting x0" {
		c.t.Errorf("got %s", text)
	}
	c.ok(c.ack(openwire.AckStandard, got...))
	c.ok(&openwire.RemoveInfo{ObjectID: c.connectionID()})
}

func TestTheBrokerSaysWhoItIsFirst(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.offering(clientOffer())
		got := c.take()
		if len(got) != 2 {
			t.Fatalf("got %s", describeAll(got))
		}
		info := got[1].(*openwire.BrokerInfo)
		if info.BrokerName.String() != "orders-0" || info.BrokerID.Value.String() != "ID:broker" || info.BrokerURL.String() == "" {
			t.Errorf("got %+v", info)
		}
	})
}

// Nothing but the offer is sent before the peer's offer has come: the encoding is not known.
func TestSilenceBeforeTheOffer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.dial()
		w.serving.Go(func() { c.listen(openwire.NewDecoder(openwire.Handshake())) })
		c.want("WireFormatInfo")
		w.elapse(14 * time.Second)
		c.want("")
		if c.isOver() {
			t.Error("closed before its time")
		}
		w.elapse(2 * time.Second)
		if !c.isOver() {
			t.Error("a client that offers nothing keeps its connection")
		}
		w.wantLogged("negotiating: nothing was heard from the client for 15s")
	})
}

// What a stranger may say is little, and said to the log when it is wrong.
func TestBadBeginnings(t *testing.T) {
	for name, c := range map[string]struct {
		speak  func(*client)
		reason string
	}{
		"HTTP":           {func(c *client) { c.raw([]byte("GET / HTTP/1.1\r\n\r\n")) }, "frame size not allowed: 1195725856 bytes"},
		"no size":        {func(c *client) { c.raw([]byte{0, 0, 0, 0, 0}) }, "frame size not allowed: 0 bytes"},
		"negative size":  {func(c *client) { c.raw([]byte{255, 255, 255, 255, 1}) }, "frame size not allowed: -1 bytes"},
		"null":           {func(c *client) { c.frame(0) }, "this one with a null frame"},
		"unknown type":   {func(c *client) { c.frame(77) }, "unknown type of structure"},
		"other command":  {func(c *client) { c.frame(openwire.TypeKeepAliveInfo, 0, 0, 0, 1, 0) }, "this one with a KeepAliveInfo"},
		"truncated info": {func(c *client) { c.frame(1, 'A', 'c', 't') }, "WireFormatInfo"},
		"wrong magic": {func(c *client) {
			c.frame(append([]byte{1}, "ActiveXY\x00\x00\x00\x0c\x00"...)...)
		}, "unusable WireFormatInfo"},
		"a large frame": {func(c *client) {
			c.raw([]byte{0, 1, 0, 1, 1})
		}, "frame size not allowed: 65537 bytes, 1 to 65536 are allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				peer := w.dial()
				w.serving.Go(func() { peer.listen(openwire.NewDecoder(openwire.Handshake())) })
				c.speak(peer)
				if !peer.isOver() {
					t.Error("the connection goes on")
				}
				w.wantLogged("ended a connection")
				w.wantLogged(c.reason)
			})
		})
	}
}

func TestFramesOfStrangersAreSmall(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.offering(clientOffer())
		c.raw([]byte{0, 1, 0, 1, openwire.TypeConnectionInfo})
		if !c.isOver() {
			t.Error("a large frame of a stranger is read")
		}
		w.wantLogged("frame size not allowed: 65537 bytes, 1 to 65536 are allowed")

		known := w.join("a")
		known.ok(known.message(1, queue("q"), strings.Repeat("x", 200<<10)))
	})
}

// ActiveMQ's client says who it is when the program first uses the connection, which may be hours later.
func TestAStrangerMayTakeItsTime(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.offering(clientOffer())
		for range 1000 {
			w.elapse(10 * time.Second)
			c.push(&openwire.KeepAliveInfo{})
		}
		c.introduce("late")
	})
}

func TestAClientOfTheFutureGetsTheNewestVersion(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		offer := clientOffer()
		offer.Version = openwire.NewestVersion + 1
		talk(w.offering(offer))
	})
}
