package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/message"
)

// A prepared transaction outlives its connection, its broker and its term. Until its outcome its messages do not exist, and
// those that it removes are hidden: nothing pages them in. It does not keep its segment: Clean writes all of it again and
// prepares that in its place.

var errNotPrepared = errors.New("no such transaction is prepared")

// prepared is a prepared transaction.
type prepared struct {
	*openTx
	since      int64
	connection string
	bytes      int64 // of its messages
	ending     bool  // its outcome is on its way
}

// named is what is known of transactions by their names.
type named struct {
	prepared   map[message.XID]*prepared
	hidden     map[uint64]int // by sequence, how many prepared transactions remove a message
	acked      map[uint64]int // by subscription, how many acknowledgements they have
	waiting    int64          // bytes of their messages
	heuristics map[message.XID]*heuristic
	commits    *commits
}

func newNamed() named {
	return named{prepared: map[message.XID]*prepared{}, hidden: map[uint64]int{}, acked: map[uint64]int{},
		heuristics: map[message.XID]*heuristic{}, commits: newCommits()}
}

// hide takes what a prepared transaction removes and acknowledges out of sight.
func (n *named) hide(p *prepared) {
	for _, removal := range p.removals {
		for _, sequence := range removal.sequences {
			n.hidden[sequence]++
		}
	}
	for _, a := range p.acks {
		n.acked[a.subscription]++
	}
}

// reveal ends what hide began.
func (n *named) reveal(p *prepared) {
	for _, removal := range p.removals {
		for _, sequence := range removal.sequences {
			fewer(n.hidden, sequence)
		}
	}
	for _, a := range p.acks {
		fewer(n.acked, a.subscription)
	}
}

func fewer(counts map[uint64]int, key uint64) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}

// heuristic is an outcome that an administrator decided and that is not forgotten yet.
type heuristic struct {
	flags      byte
	time       int64
	recorded   uint64
	forgetting bool // the record that forgets it is on its way
}

// Preparation says of a transaction what is to be known while it is prepared.
type Preparation struct {
	XID        message.XID
	Connection string // the client's
	Time       int64  // in milliseconds since 1970
}

// Prepare makes all of the transaction durable without its happening; done is called once it is. From then on Decide ends it. No
// other transaction of that name may be prepared.
func (t *Tx) Prepare(p Preparation, done func()) error {
	if t.ended {
		return errEnded
	}
	t.ended = true
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	t.spareHidden()
	if err := t.writePrepare(p, done); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	return nil
}

// writePrepare appends what the preparation consists of. Called with the store's mutex held.
func (t *Tx) writePrepare(p Preparation, done func()) error {
	if err := t.store.writeChanges(t.number, t.removals, t.acks); err != nil {
		return err
	}
	r := record{kind: kindPrepare, tx: t.number}
	r.setXID(p.XID)
	r.time, r.connection = p.Time, []byte(p.Connection)
	at, err := t.store.write(done, r, nil)
	if err == nil {
		t.mark(at)
	}
	return err
}

// Prepared is a prepared transaction.
type Prepared struct {
	Preparation
	Sent         []Recovered // how many messages of which size for each destination; Horizon is 0
	Consumed     []Consumed
	Acknowledged []Acknowledged
}

// Acknowledged is what a transaction ends of a durable subscription's backlog.
type Acknowledged struct {
	Subscription uint64
	Sequences    []uint64
}

// Consumed is what a transaction removes from a queue.
type Consumed struct {
	Queue     destination.Destination
	Sequences []uint64
}

// Prepared lists the prepared transactions, the oldest first. It is meant for when Lead has returned.
func (s *Store) Prepared() []Prepared {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Prepared
	for x, p := range s.state.prepared {
		all = append(all, Prepared{Preparation{x, p.connection, p.since}, p.sent(), p.consumed(), s.state.acknowledged(p)})
	}
	slices.SortFunc(all, func(a, b Prepared) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.XID.String(), b.XID.String()))
	})
	return all
}

func (p *prepared) sent() []Recovered {
	sums := map[string]Recovered{}
	for _, a := range p.messages {
		sum := sums[string(a.destination)]
		sum.Destination, _ = decodeDestination(a.destination) // it was decoded when the record was applied
		sum.Messages++
		sum.Bytes += int64(a.item.size())
		sums[string(a.destination)] = sum
	}
	return slices.SortedFunc(maps.Values(sums), func(a, b Recovered) int { return cmp.Compare(a.Destination.Name, b.Destination.Name) })
}

func (p *prepared) consumed() []Consumed {
	var all []Consumed
	for _, r := range p.removals {
		if queue, err := decodeDestination(r.destination); err == nil {
			all = append(all, Consumed{queue, slices.Clone(r.sequences)})
		}
	}
	return all
}

// acknowledged lists the messages that there are of what it acknowledges.
func (st *state) acknowledged(p *prepared) []Acknowledged {
	var all []Acknowledged
	for _, a := range p.acks {
		sub := st.subs.byID[a.subscription]
		if sub == nil {
			continue
		}
		found := Acknowledged{Subscription: a.subscription}
		for q := range sub.topics {
			found.Sequences = append(found.Sequences, sub.among(q, a.done)...)
		}
		slices.Sort(found.Sequences)
		all = append(all, found)
	}
	return all
}

// among lists a topic's messages in some spans that the subscription is not through with.
func (sub *subscription) among(q *queue, within []Span) (sequences []uint64) {
	for _, span := range within {
		for it := range q.above(max(span.From, 1) - 1) {
			if it.sequence > span.To {
				break
			}
			if it.sequence > sub.id && !sub.done.has(it.sequence) {
				sequences = append(sequences, it.sequence)
			}
		}
	}
	return sequences
}

// txRemovals is what it removes, as a Tx has it.
func (p *prepared) txRemovals() []txRemoval {
	var all []txRemoval
	for _, c := range p.consumed() {
		all = append(all, txRemoval{c.Queue, c.Sequences})
	}
	return all
}

// Decision is the outcome of a prepared transaction.
type Decision struct {
	XID        message.XID
	Committed  bool
	Heuristic  bool   // an administrator decided: it is known until Forget
	Connection string // whose client is to be told of a commit; Commits has it
	Time       int64  // in milliseconds since 1970
}

// Decide ends a prepared transaction; done is called once that is durable. If it is committed, its messages have the broker
// sequences from first on, in the order in which they were added.
func (s *Store) Decide(d Decision, done func(first uint64)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.state.prepared[d.XID]
	if p == nil || p.ending {
		return errNotPrepared
	}
	r := record{kind: kindDecide}
	r.setXID(d.XID)
	r.flags, r.time, r.connection = d.flags(), d.Time, []byte(d.Connection)
	if d.Committed {
		if err := s.writeOutcome(p, &r); err != nil {
			return fmt.Errorf("commit what is prepared: %w", err)
		}
	}
	first := r.sequence
	at, err := s.write(func() { done(first) }, r, nil)
	if err != nil {
		return fmt.Errorf("end what is prepared: %w", err)
	}
	for _, a := range p.messages {
		s.comes(a.destination, at)
	}
	p.ending = true
	return nil
}

// writeOutcome appends what a commit needs beside its own record, which it completes. Called with mu held.
func (s *Store) writeOutcome(p *prepared, r *record) (err error) {
	if r.sequence, err = s.take(len(p.messages)); err != nil {
		return err
	}
	s.txs++
	r.tx = s.txs
	removals := p.txRemovals()
	if err := s.writeChanges(r.tx, removals, p.acks); err != nil {
		return err
	}
	for _, removal := range removals {
		s.leave(removal.queue, removal.sequences)
	}
	for _, a := range p.acks {
		s.through(a)
	}
	return nil
}

func (d Decision) flags() (flags byte) {
	if d.Committed {
		flags |= flagCommitted
	}
	if d.Heuristic {
		flags |= flagHeuristic
	}
	return flags
}

// Heuristics lists the outcomes that an administrator decided and that are not forgotten, the oldest first.
func (s *Store) Heuristics() []Decision {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Decision
	for x, h := range s.state.heuristics {
		if !h.forgetting {
			all = append(all, Decision{XID: x, Committed: h.flags&flagCommitted != 0, Heuristic: true, Time: h.time})
		}
	}
	slices.SortFunc(all, func(a, b Decision) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.XID.String(), b.XID.String()))
	})
	return all
}

// Forget ends the record of an administrator's decision.
func (s *Store) Forget(x message.XID, done func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := record{kind: kindForget}
	r.setXID(x)
	if _, err := s.write(done, r, nil); err != nil {
		return fmt.Errorf("forget an outcome: %w", err)
	}
	if h := s.state.heuristics[x]; h != nil {
		h.forgetting = true
	}
	return nil
}

// applyOutcome does what a record of named transactions says.
func (st *state) applyOutcome(r *record, at log.Position) error {
	switch r.kind {
	case kindPrepare:
		st.prepare(r, at)
	case kindDecide:
		return st.decide(r, at)
	case kindHeuristic:
		st.heuristics[r.xid()] = &heuristic{flags: r.flags, time: r.time, recorded: at.Entry}
	case kindForget:
		delete(st.heuristics, r.xid())
	case kindCommitAs:
		st.commits.note(r.connection, r.name, r.time, at)
		return st.commit(r.tx, r.sequence, at)
	case kindCommits:
		st.commits.restate(r.connection, r.commits, at.Entry)
	}
	return nil
}

// prepare makes an open transaction one that waits for its outcome.
func (st *state) prepare(r *record, at log.Position) {
	p := &prepared{openTx: st.transaction(r.tx, at.Entry), since: r.time, connection: string(r.connection)}
	delete(st.open, r.tx)
	x := r.xid()
	if old := st.prepared[x]; old != nil {
		p.ending = old.ending
		st.end(x, old)
	}
	slices.SortFunc(p.messages, func(a, b arrival) int { return cmp.Compare(a.place, b.place) })
	for _, a := range p.messages {
		st.producers.apply(a.producer, a.producerSequence, a.recorded, at)
		p.bytes += int64(a.item.size())
	}
	st.prepared[x] = p
	st.waiting += p.bytes
	st.hide(p)
}

// end forgets a prepared transaction.
func (st *state) end(x message.XID, p *prepared) {
	st.reveal(p)
	st.waiting -= p.bytes
	delete(st.prepared, x)
}

// decide ends a prepared transaction. If the log was dropped up to its middle, its messages were moved or removed since.
func (st *state) decide(r *record, at log.Position) error {
	x := r.xid()
	whole := openTx{}
	if p := st.prepared[x]; p != nil {
		st.end(x, p)
		whole.messages = p.messages
	}
	if again := st.open[r.tx]; again != nil && r.flags&flagCommitted != 0 {
		whole.removals, whole.acks = again.removals, again.acks
		delete(st.open, r.tx)
	}
	if r.flags&flagHeuristic != 0 {
		st.heuristics[x] = &heuristic{flags: r.flags, time: r.time, recorded: at.Entry}
	}
	if r.flags&flagCommitted == 0 {
		return nil
	}
	st.commits.note(r.connection, []byte(x.String()), r.time, at)
	return st.perform(&whole, r.sequence)
}

// hiddenFrom returns what prepared transactions have acknowledged of a subscription. It is neither paged in, nor does an
// acknowledgement around it count for it. Called with mu held.
func (s *Store) hiddenFrom(subscription uint64) (hidden spans) {
	if s.state.acked[subscription] == 0 {
		return nil
	}
	for _, p := range s.state.prepared {
		for _, a := range p.acks {
			if a.subscription != subscription {
				continue
			}
			for _, span := range a.done {
				hidden.add(span)
			}
		}
	}
	return hidden
}

// spare returns acknowledged spans without what is hidden from the subscription. Called with mu held.
func (s *Store) spare(subscription uint64, through []Span) []Span {
	hidden := s.hiddenFrom(subscription)
	if len(hidden) == 0 {
		return through
	}
	var spared []Span
	for _, span := range through {
		for gap := range hidden.gaps(span.From - 1) {
			if gap.From > span.To {
				break
			}
			spared = append(spared, Span{gap.From, min(gap.To, span.To)})
		}
	}
	return spared
}

// spareHidden takes out of the acknowledgements what others have prepared. Called with the store's mutex held.
func (t *Tx) spareHidden() {
	for i, a := range t.acks {
		t.acks[i].done = t.store.spare(a.subscription, a.done)
	}
}

// rewritePrepared appends again the prepared transactions that lie in a segment, and tells whether that was possible: the
// outcome of one may be on its way, and makes pending what lies here. It comes before messages are moved: what is decided after it
// lies elsewhere already.
func (s *Store) rewritePrepared(ctx context.Context, g log.Segment) (bool, error) {
	for _, x := range s.preparedBelow(g.Next) {
		if whole, err := s.rewrite(ctx, x); !whole || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (s *Store) preparedBelow(next uint64) []message.XID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var below []message.XID
	for x, p := range s.state.prepared {
		if p.first < next {
			below = append(below, x)
		}
	}
	return below
}

// rewrite appends a prepared transaction again.
func (s *Store) rewrite(ctx context.Context, x message.XID) (bool, error) {
	p := s.preparedNow(x)
	if p == nil {
		return false, nil
	}
	t := s.Begin()
	for _, a := range p.messages {
		if err := s.log.Room(ctx); err != nil {
			return false, errors.Join(err, t.Rollback())
		}
		m, err := s.read(place{at: a.item.position(), size: a.item.size(), parts: a.parts})
		if err == nil {
			err = t.Leave(m)
		}
		if err != nil {
			return false, errors.Join(err, t.Rollback())
		}
	}
	t.removals, t.acks = p.txRemovals(), p.acks
	return t.replace(x, p)
}

func (s *Store) preparedNow(x message.XID) *prepared {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.state.prepared[x]; p != nil && !p.ending {
		return p
	}
	return nil
}

// replace prepares the transaction in the place of p, unless the outcome came first.
func (t *Tx) replace(x message.XID, p *prepared) (bool, error) {
	s := t.store
	s.mu.Lock()
	if s.state.prepared[x] != p || p.ending {
		s.mu.Unlock()
		return false, t.Rollback()
	}
	defer s.mu.Unlock()
	t.ended = true
	return true, t.writePrepare(Preparation{x, p.connection, p.since}, nil)
}

// restateOutcomes appends again the outcomes on record that only a segment's records say. Called with mu held.
func (s *Store) restateOutcomes(g log.Segment) error {
	for x, h := range s.state.heuristics {
		if h.forgetting || !in(g, h.recorded) {
			continue
		}
		r := record{kind: kindHeuristic}
		r.setXID(x)
		r.flags, r.time = h.flags, h.time
		if _, err := s.write(nil, r, nil); err != nil {
			return err
		}
	}
	for c := range s.state.commits.oldestFirst() {
		if !c.within(g) {
			continue
		}
		if _, err := s.write(nil, c.record(), nil); err != nil {
			return err
		}
	}
	return nil
}
