package openwire

import (
	"strconv"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// transaction does what a TransactionInfo says.
func (s *session) transaction(c *openwire.TransactionInfo, r reply) {
	id, local := c.TransactionID.(*openwire.LocalTransactionID)
	if !local {
		s.distributed(c, r)
		return
	}
	switch c.Type {
	case openwire.TransactionBegin:
		r.answer(s.begin(id.Value))
	case openwire.TransactionCommitOnePhase:
		s.commit(id.Value, r)
	case openwire.TransactionRollback:
		if t := s.transactions[id.Value]; t != nil {
			delete(s.transactions, id.Value)
			t.Rollback()
		}
		r.done()
	default:
		r.fail(&core.Error{Kind: core.IllegalState, Text: "a local transaction only begins, commits and rolls back"})
	}
}

// begin opens a transaction. After a failover, clients say it again with all that belongs to it.
func (s *session) begin(id int64) error {
	if s.transactions[id] != nil {
		return nil
	}
	t, err := s.connection.Begin(id)
	if err == nil {
		s.transactions[id] = t
	}
	return err
}

// begun returns a transaction that was begun on this connection. The second half of one whose first half went down with
// another connection must not become a transaction of its own.
func (s *session) begun(id int64) (*core.Transaction, error) {
	if t := s.transactions[id]; t != nil {
		return t, nil
	}
	return nil, core.NotStarted(core.LocalName(s.id.Value.String(), id))
}

// commit makes the transaction happen, in turn with what waits for memory if it needs some itself. Clients wait for the
// answer to a commit, so nothing of the same JMS session can be before it in that line.
func (s *session) commit(id int64, r reply) {
	t, err := s.begun(id)
	if err != nil {
		r.fail(err)
		return
	}
	delete(s.transactions, id)
	commit := func() { r.finish(t.Commit(s.committed(r, strconv.FormatInt(id, 10)))) }
	s.commitInTurn(t.Blocked, commit, func(err error) {
		t.Rollback()
		r.fail(err)
	})
}

// commitInTurn commits when there is room for what is sent, behind what was sent to the same destination before.
func (s *session) commitInTurn(blocked func() *core.Block, commit func(), fail func(error)) {
	block := blocked()
	if block == nil {
		commit()
		return
	}
	s.parking.pass(parked{
		lane: lane(block.Kept, message.RawDestination(block.Destination)), blocked: blocked, do: commit, fail: fail,
	})
}

// committed answers a commit. If the client has gone, it may tell its program that the transaction was rolled back.
func (s *session) committed(r reply, transaction string) func() {
	return func() {
		if s.ctx.Err() != nil {
			s.logger.Info("a transaction was committed when its client was gone already", "transaction", transaction)
		}
		r.done()
	}
}
