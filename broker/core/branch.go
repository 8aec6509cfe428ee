package core

import (
	"fmt"
	"slices"

	"github.com/twinmesh/twinmesh/broker/message"
)

// BeginBranch opens a branch of a distributed transaction, or joins it (javax.transaction.xa.XAResource.start). It is rolled back
// with the connection that opened it unless it is prepared by then.
func (c *Connection) BeginBranch(x message.XID) (*Transaction, error) {
	if err := x.Validate(); err != nil {
		return nil, xaErrorf(xaInvalid, "%v", err)
	}
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	if c.committedBefore(x) {
		return &Transaction{c, &work{broker: c.broker, branch: x, phase: ended}}, nil
	}
	w, err := c.broker.branches.join(x, c)
	if err != nil {
		return nil, err
	}
	return &Transaction{c, w}, nil
}

// Branch returns a branch that was begun, on whatever connection.
func (c *Connection) Branch(x message.XID) (*Transaction, error) {
	w, err := c.broker.branches.find(x)
	if err != nil {
		return nil, err
	}
	return &Transaction{c, w}, nil
}

// committedBefore tells whether a client that came back says again what it has committed. c.mu is held.
func (c *Connection) committedBefore(x message.XID) bool {
	if !c.spec.Again {
		return false
	}
	name := x.String()
	return slices.ContainsFunc(c.broker.store.CommitsOf(c.spec.ID), func(k Committed) bool { return k.Name == name })
}

// late is what becomes of a message, or with nil of an acknowledgement, when the transaction takes no more. A client that
// came back says again what it sent, which is there already. t.mu is held.
func (t *Transaction) late(m *message.Message) error {
	if t.connection.spec.Again && (m == nil || !t.broker.stores(m) || !t.broker.store.Fresh(m)) {
		return nil
	}
	switch {
	case t.branch == message.XID{}:
		return NotStarted(t.name)
	case t.phase == ended:
		return xaErrorf(xaUnknownTransaction, "Transaction '%v' has not been started.", t.branch)
	}
	return xaErrorf(xaProtocol, "Transaction '%v' is prepared: it takes no more.", t.branch)
}

// Prepare makes a branch durable without its happening, and then calls done. A branch in which nothing happened is gone instead,
// and done is told that it was read-only. One that failed is rolled back, and the error says so.
func (c *Connection) Prepare(x message.XID, done func(readOnly bool)) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.mu.Unlock()
	w, err := c.broker.branches.find(x)
	if err != nil {
		if c.committedBefore(x) {
			return c.broker.store.Barrier(func() { done(false) })
		}
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.phase == ended:
		return xaErrorf(xaUnknownTransaction, "Transaction '%v' has not been started.", x)
	case w.phase != active && w.preparation.Connection == c.spec.ID: // said again
		return c.broker.store.Barrier(func() { done(false) })
	case w.phase != active:
		return xaErrorf(xaProtocol, "Cannot call prepare now.")
	case w.failed != nil:
		return w.fail()
	case len(w.sends)+len(w.acks) == 0:
		w.end()
		return c.broker.store.Barrier(func() { done(true) })
	}
	return w.prepare(Preparation{XID: x, Connection: c.spec.ID, Time: c.broker.millis()}, func() { done(false) })
}

// fail rolls a branch back that can only be, and tells why. w.mu is held.
func (t *work) fail() error {
	t.end()
	t.undo()
	return xaErrorf(xaRolledBack, "COMMIT FAILED: Transaction marked rollback only: %v", t.failed)
}

// end takes the branch out of those that are known. t.mu is held.
func (t *work) end() {
	t.phase = ended
	t.broker.branches.remove(t)
}

// abort rolls back what its connection leaves behind, which may be prepared by now.
func (t *work) abort() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase == active {
		t.end()
		t.undo()
	}
}

// CommitBranch makes all of a branch happen and calls done when that is durable. In one phase it need not be prepared, in two it must.
func (c *Connection) CommitBranch(x message.XID, onePhase bool, done func()) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.mu.Unlock()
	w, err := c.broker.branches.find(x)
	if err != nil {
		if c.committedBefore(x) {
			return c.broker.store.Barrier(done)
		}
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.phase == ended:
		return xaErrorf(xaUnknownTransaction, "Transaction '%v' has not been started.", x)
	case w.phase != active:
		return w.decide(Decision{XID: x, Committed: true, Connection: c.recorded(), Time: c.broker.millis()}, done)
	case !onePhase:
		return xaErrorf(xaProtocol, "Cannot do 2 phase commit if the transaction has not been prepared")
	case w.failed != nil:
		return w.fail()
	}
	w.end()
	return w.commitAs(Committed{Connection: c.recorded(), Name: w.name, Time: c.broker.millis()}, done)
}

// BranchBlocked is Transaction.Blocked for a branch.
func (c *Connection) BranchBlocked(x message.XID) *Block {
	w, err := c.broker.branches.find(x)
	if err != nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.blocked()
}

// RollbackBranch makes none of a branch happen, prepared or not, and calls done when that is durable.
func (c *Connection) RollbackBranch(x message.XID, done func()) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.mu.Unlock()
	w, err := c.broker.branches.find(x)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.phase {
	case ended:
		return xaErrorf(xaUnknownTransaction, "Transaction '%v' has not been started.", x)
	case active:
		w.end()
		w.undo()
		return c.broker.store.Barrier(done)
	}
	return w.decide(Decision{XID: x, Time: c.broker.millis()}, done)
}

// ForgetBranch ends the record of an administrator's decision. A branch without one is rolled back, as ActiveMQ does.
func (c *Connection) ForgetBranch(x message.XID, done func()) error {
	if c.broker.branches.forgotten(x) {
		return c.broker.store.Forget(x, done)
	}
	return c.RollbackBranch(x, done)
}

// RecoverBranches lists the branches that wait for their outcome, or for being forgotten.
func (c *Connection) RecoverBranches() []message.XID {
	works, decisions := c.broker.branches.all()
	var all []message.XID
	for _, w := range works {
		if w.waits() {
			all = append(all, w.branch)
		}
	}
	for _, d := range decisions {
		all = append(all, d.XID)
	}
	return all
}

func (t *work) waits() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase == preparing || t.phase == prepared
}

// recorded is the connection's id if its commits are on record.
func (c *Connection) recorded() string {
	if len(c.spec.ID) > maxRecorded {
		return ""
	}
	return c.spec.ID
}

// record is what the commit of a local transaction leaves behind.
func (t *Transaction) record() Committed {
	return Committed{Connection: t.connection.recorded(), Name: t.name, Time: t.broker.millis()}
}

// NotStarted is what becomes of what belongs to a local transaction that is none of its connection's.
func NotStarted(name string) error {
	return errorf(TransactionRolledBack, "Transaction '%s' has not been started. It was not begun on this connection, or has ended: it was rolled back; "+
		"do all of it again", name)
}

// LocalName is the name of a local transaction as ActiveMQ writes it.
func LocalName(connection string, number int64) string {
	return fmt.Sprintf("TX:%s:%d", connection, number)
}
