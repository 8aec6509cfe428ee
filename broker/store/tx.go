package store

import (
	"errors"
	"fmt"
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/message"
)

// errEnded is what a transaction says that was committed or rolled back.
var errEnded = errors.New("the transaction has ended")

// Tx gathers what comes to be as a whole or not at all. It is used by one goroutine at a time, and ended by Commit or
// Rollback. With the process that began it, it is rolled back.
//
// Messages go to the log as they come and lie there without being; removals wait in memory for the commit.
type Tx struct {
	store    *Store
	number   uint64
	messages []*message.Message  // nil for one that is left to the log
	last     map[string]int64    // by producer, the highest sequence of its messages
	to       map[string]struct{} // the encoded destinations of its messages
	removals []txRemoval
	acks     []acknowledged
	ended    bool
}

type txRemoval struct {
	queue     destination.Destination
	sequences []uint64
}

// Begin starts a transaction. It costs nothing until something is added.
func (s *Store) Begin() *Tx {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.txs++
	return &Tx{store: s, number: s.txs}
}

// Add stores a message with the transaction. Its broker sequence is set by Commit.
func (t *Tx) Add(m *message.Message) error { return t.add(m, m) }

// Leave is Add for a message of which nothing is to stay in memory: after the commit Page brings it.
func (t *Tx) Leave(m *message.Message) error { return t.add(m, nil) }

func (t *Tx) add(m, kept *message.Message) error {
	if t.ended {
		return errEnded
	}
	s := t.store
	parts, err := s.writeParts(m)
	if err != nil {
		return fmt.Errorf("store a message in a transaction: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := record{kind: kindTxMessage, tx: t.number, place: uint64(len(t.messages))}
	if _, err := s.writeMessage(nil, r, m, parts); err != nil {
		return fmt.Errorf("store a message in a transaction: %w", err)
	}
	t.messages = append(t.messages, kept)
	t.note(m)
	return nil
}

// note notes who sent a message, and where to.
func (t *Tx) note(m *message.Message) {
	id, to := m.RawProducer(), m.RawDestination()
	if t.last == nil {
		t.last, t.to = map[string]int64{}, map[string]struct{}{}
	}
	if _, known := t.to[string(to)]; !known {
		t.to[string(to)] = struct{}{}
	}
	if last, known := t.last[string(id)]; !known || m.ProducerSequence() > last {
		t.last[string(id)] = m.ProducerSequence()
	}
}

// mark notes that the record at a position will store what the producers sent. Called with the store's mutex held.
func (t *Tx) mark(at log.Position) {
	for id, sequence := range t.last {
		t.store.state.producers.append([]byte(id), sequence, at)
	}
}

// Remove forgets messages of a queue with the transaction. The same holds for them as with Store.Remove.
func (t *Tx) Remove(queue destination.Destination, sequences []uint64) error {
	if t.ended {
		return errEnded
	}
	if n := len(t.removals); n > 0 && t.removals[n-1].queue == queue {
		t.removals[n-1].sequences = append(t.removals[n-1].sequences, sequences...)
		return nil
	}
	t.removals = append(t.removals, txRemoval{queue, append([]uint64(nil), sequences...)})
	return nil
}

// Acknowledge says with the transaction what a durable subscription is through with, as Store.Acknowledge does.
func (t *Tx) Acknowledge(subscription uint64, done []Span) error {
	if t.ended {
		return errEnded
	}
	t.acks = append(t.acks, acknowledged{subscription, slices.Clone(done)})
	return nil
}

// Commit gives the messages their broker sequences, in the order in which they were added, and makes all of the
// transaction durable; done is called once it is. So the order of a queue is that of commits.
func (t *Tx) Commit(done func()) error { return t.CommitAs(Committed{}, done) }

// CommitAs is Commit with a name, under which the commit is on record; see Commits. Without a connection it is not.
func (t *Tx) CommitAs(c Committed, done func()) error {
	if t.ended {
		return errEnded
	}
	t.ended = true
	if len(t.messages) == 0 && len(t.removals) == 0 && len(t.acks) == 0 {
		return t.store.Barrier(done)
	}
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	if err := t.write(c, done); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// write appends what the commit consists of. Called with the store's mutex held, so that nothing else comes in between.
func (t *Tx) write(c Committed, done func()) error {
	s := t.store
	t.spareHidden()
	base, err := s.take(len(t.messages))
	if err != nil {
		return err
	}
	if err := s.writeChanges(t.number, t.removals, t.acks); err != nil {
		return err
	}
	for i, m := range t.messages {
		if m != nil {
			m.SetBrokerSequence(base + uint64(i))
		}
	}
	at, err := s.write(done, t.commitRecord(c, base), nil)
	if err != nil {
		return err
	}
	t.mark(at)
	for to := range t.to {
		s.comes([]byte(to), at)
	}
	for _, r := range t.removals {
		s.leave(r.queue, r.sequences)
	}
	for _, a := range t.acks {
		s.through(a)
	}
	return nil
}

func (t *Tx) commitRecord(c Committed, base uint64) record {
	r := record{kind: kindCommit, tx: t.number, sequence: base}
	if c.Connection != "" {
		r.kind = kindCommitAs
		r.connection, r.name, r.time = []byte(c.Connection), []byte(c.Name), c.Time
	}
	return r
}

// writeChanges appends what a transaction removes and acknowledges. Called with mu held.
func (s *Store) writeChanges(tx uint64, removals []txRemoval, acks []acknowledged) error {
	for _, r := range removals {
		if err := s.writeRemoval(nil, record{kind: kindTxRemove, tx: tx}, r.queue, r.sequences); err != nil {
			return err
		}
	}
	for _, a := range acks {
		if err := s.writeAcknowledgement(nil, record{kind: kindTxAcknowledge, tx: tx, subscription: a.subscription}, a.done); err != nil {
			return err
		}
	}
	return nil
}

// Rollback gives the transaction up.
func (t *Tx) Rollback() error {
	if t.ended {
		return errEnded
	}
	t.ended = true
	if len(t.messages) == 0 {
		return nil
	}
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	if _, err := t.store.write(nil, record{kind: kindRollback, tx: t.number}, nil); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}
