package openwire

import (
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// What a prepare is answered by, as in javax.transaction.xa.XAResource.
const (
	xaOK       = 0
	xaReadOnly = 3
)

// distributed does what a TransactionInfo says of a branch of a distributed transaction.
func (s *session) distributed(c *openwire.TransactionInfo, r reply) {
	if c.Type == openwire.TransactionRecover {
		s.recover(r)
		return
	}
	id, ok := c.TransactionID.(*openwire.XATransactionID)
	if !ok {
		r.fail(&core.Error{Kind: core.IllegalState, Text: "a transaction has to be named"})
		return
	}
	x := toXID(id)
	switch c.Type {
	case openwire.TransactionBegin:
		r.answer(s.join(x))
	case openwire.TransactionEnd: // the client leaves the branch, for good or to join again
		delete(s.branches, x)
		r.done()
	case openwire.TransactionPrepare:
		r.finish(s.connection.Prepare(x, func(readOnly bool) { r.prepared(readOnly) }))
	case openwire.TransactionCommitOnePhase, openwire.TransactionCommitTwoPhase:
		s.commitBranch(x, c.Type == openwire.TransactionCommitOnePhase, r)
	case openwire.TransactionRollback:
		r.finish(s.connection.RollbackBranch(x, r.done))
	case openwire.TransactionForget:
		r.finish(s.connection.ForgetBranch(x, r.done))
	default:
		r.fail(&core.Error{Kind: core.IllegalState, Text: "unknown type of TransactionInfo"})
	}
}

func (r reply) prepared(readOnly bool) {
	if !r.wanted {
		return
	}
	result := int32(xaOK)
	if readOnly {
		result = xaReadOnly
	}
	r.out.command(&openwire.IntegerResponse{CorrelationID: r.id, Result: result})
}

// recover lists what waits for its outcome.
func (s *session) recover(r reply) {
	if !r.wanted {
		return
	}
	data := []openwire.DataStructure{}
	for _, x := range s.connection.RecoverBranches() {
		data = append(data, &openwire.XATransactionID{
			FormatID: x.Format, GlobalTransactionID: []byte(x.Global), BranchQualifier: []byte(x.Branch),
		})
	}
	r.out.command(&openwire.DataArrayResponse{CorrelationID: r.id, Data: data})
}

func (s *session) join(x message.XID) error {
	t, err := s.connection.BeginBranch(x)
	if err == nil {
		s.branches[x] = t
	}
	return err
}

// branch returns a branch that messages and acknowledgements are part of.
func (s *session) branch(x message.XID) (*core.Transaction, error) {
	if t := s.branches[x]; t != nil {
		return t, nil
	}
	return s.connection.Branch(x)
}

// commitBranch makes a branch happen, in turn like a local transaction.
func (s *session) commitBranch(x message.XID, onePhase bool, r reply) {
	commit := func() { r.finish(s.connection.CommitBranch(x, onePhase, s.committed(r, x.String()))) }
	s.commitInTurn(func() *core.Block { return s.connection.BranchBlocked(x) }, commit, func(err error) {
		r.finish(s.connection.RollbackBranch(x, func() { r.fail(err) }))
	})
}

func toXID(id *openwire.XATransactionID) message.XID {
	return message.XID{Format: id.FormatID, Global: string(id.GlobalTransactionID), Branch: string(id.BranchQualifier)}
}
