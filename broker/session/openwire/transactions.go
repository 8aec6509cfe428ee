package openwire

import (
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// transaction does what a TransactionInfo says, and calls done when that is so.
func (s *session) transaction(c *openwire.TransactionInfo, done func()) error {
	id, local := c.TransactionID.(*openwire.LocalTransactionID)
	if !local {
		return notYet("XA transactions")
	}
	switch c.Type {
	case openwire.TransactionBegin:
		_, err := s.open(id.Value)
		if err == nil {
			done()
		}
		return err
	case openwire.TransactionCommitOnePhase:
		return s.commit(id.Value, done)
	case openwire.TransactionRollback:
		if t := s.transactions[id.Value]; t != nil {
			delete(s.transactions, id.Value)
			t.Rollback()
		}
	}
	done()
	return nil
}

// open returns the transaction, which begins with the first word of it.
func (s *session) open(id int64) (*core.Transaction, error) {
	if t := s.transactions[id]; t != nil {
		return t, nil
	}
	t, err := s.connection.Begin()
	if err == nil {
		s.transactions[id] = t
	}
	return t, err
}

func (s *session) commit(id int64, done func()) error {
	t := s.transactions[id]
	if t == nil {
		return &core.Error{Kind: core.TransactionRolledBack, Text: "the transaction is not known here: it ended with an earlier connection"}
	}
	delete(s.transactions, id)
	return t.Commit(done)
}
