package core_test

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
)

func (m *model) beginBranch(t *rapid.T, c *modelClient) {
	m.branches++
	x := message.XID{Format: m.branches, Global: "g"}
	tx, err := c.BeginBranch(x)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	c.tx = &modelTx{Transaction: tx, branch: x}
}

// prepare prepares a client's branch, or a new one in which a client has consumed and sent something.
func (m *model) prepare(t *rapid.T) {
	c := m.drawClient(t)
	if c.tx == nil {
		var consumer *modelConsumer
		var letters []*letter
		if c, consumer, letters = m.drawFlight(t); c.tx == nil {
			m.beginBranch(t, c)
			m.finishIn(t, c.tx, consumer, letters, ackOf(t, core.Standard, letters))
		}
	}
	if c.tx.branch.Global == "" {
		t.Skip("its transaction is local")
	}
	tx, readOnly := c.tx, false
	c.tx = nil
	if err := c.Prepare(tx.branch, func(r bool) { readOnly = r }); err != nil {
		t.Fatalf("prepare: %v", err)
	}
	m.absorb(t, true)
	if readOnly != (len(tx.sends)+len(tx.acks) == 0) {
		t.Fatalf("with %d messages and %d acknowledgements, read-only is %v", len(tx.sends), len(tx.acks), readOnly)
	}
	if !readOnly {
		tx.prepared = true
		m.prepared = append(m.prepared, tx)
	}
}

// decide ends what is prepared, over any connection, or as an administrator.
func (m *model) decide(t *rapid.T) {
	if len(m.prepared) == 0 {
		t.Skip("nothing is prepared")
	}
	tx := rapid.SampledFrom(m.prepared).Draw(t, "prepared")
	m.prepared = slices.DeleteFunc(m.prepared, func(o *modelTx) bool { return o == tx })
	c, commit := m.drawClient(t), rapid.Bool().Draw(t, "commit")
	err := error(nil)
	switch {
	case rapid.Bool().Draw(t, "administrator"):
		err = m.broker.DecideBranch(tx.branch, commit, "admin", nil)
	case commit:
		err = c.CommitBranch(tx.branch, false, nil)
	default:
		err = c.RollbackBranch(tx.branch, nil)
	}
	if err != nil {
		t.Fatalf("decide: %v", err)
	}
	if commit {
		m.happen(tx)
	} else {
		tx.undo()
	}
	m.absorb(t, commit)
}
