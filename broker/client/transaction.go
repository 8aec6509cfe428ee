package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// replayable is how many bytes of messages are kept so that a transaction can outlive its link.
const replayable = 16 << 20

// transaction is a session's open transaction. What the links' goroutine looks at is guarded by the transport's lock.
type transaction struct {
	id    *openwire.LocalTransactionID
	entry *entry

	size     int   // of what was sent in it
	received bool  // something was acknowledged in it
	exact    bool  // the broker would not do it twice
	failed   error // why it can only be rolled back
}

// begin opens a transaction unless one is open. It fails if that can only be rolled back.
func (s *Session) begin(ctx context.Context) error {
	if s.current != nil {
		s.transport().mu.Lock()
		defer s.transport().mu.Unlock()
		return s.current.failed
	}
	s.finished++
	t := &transaction{exact: true, id: &openwire.LocalTransactionID{
		ConnectionID: &openwire.ConnectionID{Value: s.id.ConnectionID}, Value: s.id.Value<<32 | s.finished,
	}}
	t.entry = &entry{lost: t.lost, commands: []openwire.Command{s.transactionInfo(t, openwire.TransactionBegin)}}
	err := s.transport().tell(ctx, t.entry.commands[0], func() { s.transport().track(t.entry) })
	if err == nil {
		s.current = t
	}
	return err
}

func (s *Session) transactionInfo(t *transaction, kind int8) *openwire.TransactionInfo {
	return &openwire.TransactionInfo{ConnectionID: t.id.ConnectionID, TransactionID: t.id, Type: kind}
}

// lost decides what becomes of it on the next link.
func (t *transaction) lost() {
	if t.received {
		t.failed = rolledBack()
	}
	if t.size > replayable {
		t.failed = &Error{Class: openwire.TransactionRolledBackException,
			Message: fmt.Sprintf("the connection was lost in a transaction of over %d bytes: it was rolled back; do all of it again", replayable)}
	}
	if t.failed != nil {
		t.entry.commands = nil
	}
}

// sendTransacted sends a message in the session's transaction.
func (s *Session) sendTransacted(ctx context.Context, m openwire.Message, size int) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	t := s.current
	f := m.Fields()
	f.TransactionID = t.id
	exact := f.Persistent && fromWire(f.Destination).Kind == destination.Queue
	return s.transport().tell(ctx, m, func() {
		t.exact = t.exact && exact
		if t.size += size; t.size <= replayable {
			t.entry.commands = append(t.entry.commands, m)
		} else {
			t.entry.commands = nil
		}
	})
}

// Commit makes all that was sent and received since the last Commit or Rollback happen. Its errors: a
// TransactionRolledBackException says that none of it happened, ErrInDoubt or that of ctx that it may have. In any case the
// next message begins a new transaction.
func (s *Session) Commit(ctx context.Context) error {
	t := s.current
	if t == nil {
		return nil
	}
	err := s.commit(ctx, t)
	s.end(t)
	if err == nil {
		for _, c := range s.consumers {
			c.committed()
		}
		return nil
	}
	for _, c := range s.consumers {
		c.rolledBack(ctx)
	}
	return fmt.Errorf("committing: %w", err)
}

func (s *Session) commit(ctx context.Context, t *transaction) error {
	r := &request{command: s.transactionInfo(t, openwire.TransactionCommitOnePhase), ends: t.entry}
	var failed error
	r.withLocked = func() {
		failed = t.failed
		if failed != nil {
			r.command = s.transactionInfo(t, openwire.TransactionRollback)
		}
		if t.received || !t.exact || t.size > replayable {
			r.onceOnly = ErrInDoubt
		}
	}
	_, err := s.transport().ask(ctx, r)
	if failed != nil {
		return failed
	}
	return err
}

// Rollback undoes all that was sent and received since the last Commit or Rollback. What was received comes again.
func (s *Session) Rollback(ctx context.Context) error {
	t := s.current
	if t == nil {
		return nil
	}
	_, err := s.transport().ask(ctx, &request{
		command: s.transactionInfo(t, openwire.TransactionRollback), ends: t.entry, onceOnly: errGone,
	})
	s.end(t)
	for _, c := range s.consumers {
		c.rolledBack(ctx)
	}
	if err != nil && !errors.Is(err, errGone) {
		return fmt.Errorf("rolling back: %w", err)
	}
	return nil
}

// errGone is for a rollback whose link is lost, and with it the transaction.
var errGone = errors.New("the transaction is gone with the connection")

// end forgets a transaction. One that could not be ended before is rolled back.
func (s *Session) end(t *transaction) {
	s.current = nil
	s.transport().forget(t.entry, s.transactionInfo(t, openwire.TransactionRollback))
}
