package openwire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// The broker offers 30 s without a sign of life, after 10 s in which none is expected.
const silence = 30 * time.Second

func TestKeepAlivesAreEchoed(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		stranger := w.offering(clientOffer())
		stranger.take()
		stranger.ask(&openwire.KeepAliveInfo{})
		stranger.want("KeepAliveInfo")

		c := w.join("a")
		c.ask(&openwire.KeepAliveInfo{})
		echo := c.takeOne().(*openwire.KeepAliveInfo)
		if echo.ResponseRequired {
			t.Error("an echo asks for an echo")
		}
		c.tell(&openwire.KeepAliveInfo{})
		c.want("")
	})
}

// The broker is never silent for more than a third of the time agreed on, and says nothing when it speaks anyway.
func TestTheBrokerShowsThatItLives(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		for range 5 {
			w.elapse(silence/3 - time.Second)
			c.ok(&openwire.FlushCommand{})
		}
		c.want("")
		w.elapse(silence/3 + time.Millisecond)
		c.want("KeepAliveInfo")
		for range 2 {
			c.tell(&openwire.KeepAliveInfo{})
			w.elapse(silence / 3)
			c.want("KeepAliveInfo")
		}
	})
}

// The time agreed on is doubled.
func TestASilentClientIsCutOff(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		w.elapse(2 * silence)
		if c.isOver() {
			t.Error("cut off in the initial delay")
		}
		c.tell(&openwire.KeepAliveInfo{})
		w.elapse(2*silence - time.Millisecond)
		if c.isOver() {
			t.Error("cut off too early")
		}
		w.elapse(2 * time.Millisecond)
		if !c.isOver() {
			t.Error("not cut off")
		}
		w.wantLogged("ended a connection")
		w.wantLogged("reading: nothing was heard from the client for 1m0s")
	})
}

// A message that arrives slowly is a sign of life all the time.
func TestASlowLineIsNotSilence(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		m := c.message(1, queue("q"), strings.Repeat("x", 100<<10))
		m.CommandID, m.ResponseRequired = 99, true
		frame, err := c.encoder.AppendFrame(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		for len(frame) > 0 {
			n := min(len(frame), 10<<10)
			c.raw(frame[:n])
			frame = frame[n:]
			w.elapse(silence - time.Second)
		}
		if !isDone(c.answer(99)) {
			t.Error("a slow message was not taken")
		}
	})
}

func TestNoInactivityMeansForEver(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		offer := clientOffer()
		offer.MaxInactivity = 0
		c := w.offering(offer)
		c.take()
		c.introduce("a")
		w.elapse(100 * time.Hour)
		c.want("")
		c.ok(&openwire.FlushCommand{})
	})
}

// A client that does not read is given up after a while, with what the broker wanted to send it.
func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.deafen()
		c.ask(&openwire.FlushCommand{})
		for range 7 {
			c.tell(&openwire.KeepAliveInfo{})
			w.elapse(9 * time.Second)
		}
		c.hear()
		if !c.isOver() {
			t.Error("not cut off")
		}
		w.wantLogged("the client has not read what was sent to it for 1m0s")
	})
}

// Answers that a client does not read are bounded: nothing more is read from it.
func TestUnreadAnswersAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Offer.MaxInactivity = 0
		c := w.join("a")
		c.deafen()
		const sent = 10_000
		for range sent {
			c.ask(&openwire.FlushCommand{})
		}
		w.elapse(time.Second)
		if unread := len(c.writes); unread < sent-5000 {
			t.Errorf("%d of %d commands were read", sent-unread, sent)
		}
		c.hear()
		if got := c.take(); len(got) != sent+1 {
			t.Errorf("got %d answers, want %d", len(got), sent+1)
		}
	})
}
