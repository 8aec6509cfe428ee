package openwire_test

import (
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// TestAMessageThatIsTooLargeIsRefused: its connection goes on, and what was sent with it in a transaction does not happen.
func TestAMessageThatIsTooLargeIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Offer.MaxFrameSize = 1000
		c := w.join("a")
		c.encoder = openwire.NewEncoder(openwire.Format{Version: openwire.NewestVersion}) // which minds no size
		large := strings.Repeat("x", 200_000)
		c.refused(c.message(1, queue("q"), large), openwire.MaxFrameSizeExceededException, "is larger than max allowed 1000 bytes")
		c.ok(c.message(2, queue("q"), "goes on"))

		c.ok(c.transact(openwire.TransactionBegin, 1))
		for n, body := range []string{"with it", large} {
			m := c.message(int64(3+n), queue("q"), body)
			m.TransactionID = c.transactionID(1)
			c.tell(m)
		}
		wantException(t, c.takeOne(), openwire.MaxFrameSizeExceededException, "Frame size of 200")
		c.refused(c.transact(openwire.TransactionCommitOnePhase, 1), openwire.TransactionRolledBackException, "Frame size of 200")
		if got := w.remaining(queue("q")); got != "goes on x0" {
			t.Errorf("in the queue: %s", got)
		}
		w.wantLogged("Frame size of 200")
	})
}

// TestAFrameThatIsTooLargeEndsWhatCannotGoOn: skipping it would leave the two marshal caches different.
func TestAFrameThatIsTooLargeEndsWhatCannotGoOn(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Offer.MaxFrameSize, w.options.Offer.Cache = 1000, true
		c := w.join("a")
		c.raw(append([]byte{0, 0, 4, 0, 24}, make([]byte, 1023)...))
		if !c.isOver() {
			t.Error("the connection goes on")
		}
		w.wantLogged("frame size not allowed: 1024 bytes, 1 to 1000 are allowed")
	})
}
