package core_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
)

// Of all who end the same branch at the same time, while its connection goes, one succeeds, and what he wanted is so.
func TestManyEndTheSameBranch(t *testing.T) {
	b := newBroker(t, 0)
	for n := range int32(60) {
		x := message.XID{Format: n, Global: "g"}
		c, other := b.connect(fmt.Sprint("ID:c", n)), b.connect("ID:o")
		c.send(bills, "consumed")
		consumer := c.consume(bills, 1)
		tx := c.join(x)
		tx.send(orders, "sent")
		consumer.consumed(consumer.expect("consumed")[0], tx)
		ways := []struct {
			commits bool
			end     func() error
		}{
			{true, func() error { return c.CommitBranch(x, n%2 == 0, nil) }},
			{true, func() error { return other.CommitBranch(x, n%2 == 0, nil) }},
			{false, func() error { return other.RollbackBranch(x, nil) }},
			{false, func() error { return b.DecideBranch(x, false, "admin", nil) }},
		}
		if n%2 == 1 {
			b.must(c.Prepare(x, func(bool) {})) // which may be on its way yet
		}
		errs := make([]error, len(ways))
		var all sync.WaitGroup
		for i, way := range ways {
			all.Go(func() { errs[i] = way.end() })
		}
		all.Go(func() { c.Close(core.AllUnknown) })
		all.Wait()
		b.settle()
		succeeded, committed := 0, false
		for i, err := range errs {
			if err == nil {
				succeeded++
				committed = committed || ways[i].commits
			}
		}
		if closed := n%2 == 0 && succeeded == 0; succeeded != 1 && !closed {
			t.Fatalf("%d ended the branch: %v", succeeded, errs)
		}
		other.Close(core.NoneDelivered)
		want := map[bool]string{true: "sent|", false: "|consumed"}[committed]
		if got := b.rest(orders) + "|" + b.rest(bills); got != want {
			t.Fatalf("%q is left after %v, want %q", got, errs, want)
		}
		if b.ForgetBranch(x, nil) == nil {
			b.settle()
		}
		if left := b.Branches(); len(left) > 0 {
			t.Fatalf("still there: %v", left)
		}
	}
}
