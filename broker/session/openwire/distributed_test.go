package openwire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

var branch = &openwire.XATransactionID{FormatID: 86, GlobalTransactionID: []byte("g"), BranchQualifier: []byte("b")}

// about is a command about the branch.
func (c *client) about(kind int8) *openwire.TransactionInfo {
	return &openwire.TransactionInfo{ConnectionID: c.connectionID(), TransactionID: branch, Type: kind}
}

// within is a message that is sent in the branch.
func (c *client) within(sequence int64, d openwire.Destination, body string) *openwire.BytesMessage {
	m := c.message(sequence, d, body)
	m.TransactionID = branch
	return m
}

func (c *client) wantPrepared(t *testing.T, result int32) {
	t.Helper()
	if r, ok := c.call(c.about(openwire.TransactionPrepare)).(*openwire.IntegerResponse); !ok || r.Result != result {
		t.Errorf("prepare is answered by %+v", r)
	}
}

func (c *client) wantRecovered(t *testing.T, want ...*openwire.XATransactionID) {
	t.Helper()
	r, ok := c.call(&openwire.TransactionInfo{ConnectionID: c.connectionID(), Type: openwire.TransactionRecover}).(*openwire.DataArrayResponse)
	if !ok {
		t.Fatalf("recover is answered by %+v", r)
	}
	var got []*openwire.XATransactionID
	for _, id := range r.Data {
		got = append(got, id.(*openwire.XATransactionID))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recovered (-want +got):\n%s", diff)
	}
}

func TestABranchInTwoPhases(t *testing.T) {
	for name, outcome := range map[string]struct {
		kind       int8
		sent, left string
	}{
		"commit":   {openwire.TransactionCommitTwoPhase, "sent x0", ""},
		"rollback": {openwire.TransactionRollback, "", "consumed x1"},
		"forget":   {openwire.TransactionForget, "", "consumed x1"}, // as in ActiveMQ
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				c, manager := w.join("a"), w.join("b")
				c.fill(queue("in"), "consumed")
				c.ok(c.consumer(1, queue("in")))
				got := c.dispatches(1)
				c.tell(c.about(openwire.TransactionBegin))
				c.tell(c.within(7, queue("out"), "sent"))
				ack := c.ack(openwire.AckStandard, got...)
				ack.TransactionID = branch
				c.ok(ack)
				c.ok(c.about(openwire.TransactionEnd))
				c.wantRecovered(t)
				c.wantPrepared(t, 0)
				c.wantPrepared(t, 0) // said again
				c.cut()
				manager.wantRecovered(t, branch)
				if got := w.remaining(queue("in")) + w.remaining(queue("out")); got != "" {
					t.Errorf("before the outcome there is %q", got)
				}
				manager.ok(manager.about(outcome.kind))
				manager.wantRecovered(t)
				if got := w.remaining(queue("out")); got != outcome.sent {
					t.Errorf("sent is %q", got)
				}
				if got := w.remaining(queue("in")); got != outcome.left {
					t.Errorf("left is %q", got)
				}
				manager.refused(manager.about(outcome.kind), openwire.XAException, "xaErrorCode:-4")
			})
		})
	}
}

func TestABranchInOnePhaseAndOneThatDoesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.ok(c.about(openwire.TransactionBegin))
		c.ok(c.within(1, queue("q"), "sent"))
		c.ok(c.about(openwire.TransactionEnd))
		c.refused(c.about(openwire.TransactionCommitTwoPhase), openwire.XAException,
			"Cannot do 2 phase commit if the transaction has not been prepared xaErrorCode:-6")
		c.ok(c.about(openwire.TransactionCommitOnePhase))
		if got := w.remaining(queue("q")); got != "sent x0" {
			t.Errorf("sent is %q", got)
		}
		c.ok(c.about(openwire.TransactionBegin))
		c.ok(c.about(openwire.TransactionEnd))
		c.wantPrepared(t, 3)
		c.refused(c.about(openwire.TransactionCommitTwoPhase), openwire.XAException, "xaErrorCode:-4")
	})
}

// The transaction manager learns from the prepare that a message sent without waiting for its answer was refused.
func TestABranchThatFailedIsNotPrepared(t *testing.T) {
	for name, end := range map[string]int8{"prepare": openwire.TransactionPrepare, "commit": openwire.TransactionCommitOnePhase} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				c := w.join("a")
				c.ok(c.about(openwire.TransactionBegin))
				c.tell(c.within(1, queue("q"), "sent"))
				c.tell(c.within(2, queue("q.>"), "refused"))
				c.refused(c.about(end), openwire.XAException, "marked rollback only: cannot send to queue://q.>: a wildcard is for consumers xaErrorCode:100")
				c.refused(c.about(openwire.TransactionRollback), openwire.XAException, "xaErrorCode:-4")
				if got := w.remaining(queue("q")); got != "" {
					t.Errorf("sent is %q", got)
				}
			})
		})
	}
}

func TestABranchEndsWithItsConnectionUnlessItIsPrepared(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c, other := w.join("a"), w.join("b")
		c.ok(c.about(openwire.TransactionBegin))
		c.ok(c.within(1, queue("q"), "sent"))
		other.ok(other.about(openwire.TransactionBegin)) // joins
		other.ok(other.within(1, queue("q"), "joined"))
		c.cut()
		other.refused(other.within(2, queue("q"), "late"), openwire.XAException, "xaErrorCode:-4")
		other.refused(other.about(openwire.TransactionCommitOnePhase), openwire.XAException, "xaErrorCode:-4")
		if got := w.remaining(queue("q")); got != "" {
			t.Errorf("sent is %q", got)
		}
	})
}

// A failover client that had no answer says all of it again.
func TestABranchOverAReconnection(t *testing.T) {
	for name, answered := range map[string]int8{
		"the answer to the prepare was lost": openwire.TransactionPrepare, "the answer to the commit was lost": openwire.TransactionCommitTwoPhase,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				c := w.join("a")
				begin := func() {
					c.tell(c.about(openwire.TransactionBegin))
					c.tell(c.within(1, queue("q"), "kept"))
					c.tell(c.fleetingWithin(2, queue("q"), "fleeting"))
					c.tell(c.about(openwire.TransactionEnd))
				}
				begin()
				c.wantPrepared(t, 0)
				if answered == openwire.TransactionCommitTwoPhase {
					c.ok(c.about(openwire.TransactionCommitTwoPhase))
				}
				c.cut()
				c = w.offering(clientOffer())
				c.again("a")
				begin()
				c.wantPrepared(t, 0)
				c.ok(c.about(openwire.TransactionCommitTwoPhase))
				c.ok(c.about(openwire.TransactionCommitTwoPhase))
				c.wantRecovered(t)
				if got := w.remaining(queue("q")); got != "kept x0, fleeting x0" {
					t.Errorf("sent is %q", got)
				}
				if answered == openwire.TransactionCommitTwoPhase {
					w.wantLogged(`transactions="[XID:[86,globalId=67,branchId=62]]"`)
				}
			})
		})
	}
}

func (c *client) fleetingWithin(sequence int64, d openwire.Destination, body string) *openwire.BytesMessage {
	m := c.fleeting(sequence, d, body)
	m.TransactionID = branch
	return m
}
