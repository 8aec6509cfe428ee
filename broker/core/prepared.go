package core

import (
	"cmp"
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

// prepare makes the work durable without its happening. t.mu is held.
func (t *work) prepare(p Preparation, done func()) error {
	if err := t.keepLate(); err != nil {
		return err
	}
	tx := t.storeTx()
	for _, a := range t.acks {
		if err := a.lock(tx); err != nil {
			return err
		}
	}
	t.phase, t.preparation = preparing, p
	t.broker.branches.disown(t)
	t.broker.branches.count(t.consumedOf(), +1)
	return tx.Prepare(p, func() {
		t.isPrepared()
		done()
	})
}

// lock makes what was consumed something that a transaction has prepared.
func (a consumption) lock(tx StoreTx) error {
	for _, nodes := range bySeat(a.nodes) {
		if err := nodes[0].seat.queue.lock(nodes, tx); err != nil {
			return err
		}
	}
	return nil
}

func (q *queue) lock(nodes []*node, tx StoreTx) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	stored := storedOf(nodes)
	if len(stored) == 0 {
		return nil
	}
	q.backing.hide(sequencesOf(stored))
	return q.backing.remove(stored, tx, nil)
}

// reveals returns what ends that what the branch has consumed is hidden.
func (t *work) reveals() (all []func()) {
	reveal := func(q *queue, sequences []uint64) {
		all = append(all, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.backing.reveal(sequences)
		})
	}
	for _, a := range t.acks {
		for _, nodes := range bySeat(a.nodes) {
			reveal(nodes[0].seat.queue, sequencesOf(storedOf(nodes)))
		}
	}
	if t.recovered != nil {
		for _, a := range t.recovered.Acknowledged {
			if d := t.broker.durable(a.Subscription); d != nil {
				reveal(d.queue, a.Sequences)
			}
		}
	}
	return all
}

// isPrepared goes on with what was asked for meanwhile.
func (t *work) isPrepared() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phase = prepared
	if t.next != nil {
		t.next()
	}
}

// decide ends what is prepared, or is about to be, and calls done when that is durable. t.mu is held.
func (t *work) decide(d Decision, done func()) error {
	if t.phase == preparing {
		if t.next != nil {
			return xaErrorf(xaProtocol, "Transaction '%v' has its outcome already.", d.XID)
		}
		t.next = func() {
			if err := t.decide(d, done); err != nil {
				t.broker.logger.Warn("no outcome: the store takes nothing more", "transaction", d.XID.String(), "error", err)
			}
		}
		return nil
	}
	err := t.broker.store.Decide(d, func(first uint64) {
		t.settle(d, first)
		call(done)
	})
	if err != nil {
		return err
	}
	if d.Heuristic {
		t.broker.branches.decided(d)
	}
	t.end()
	if d.Committed {
		for _, a := range t.acks {
			a.end()
		}
	}
	return nil
}

// end ends what was consumed, whose removal is part of the outcome.
func (a consumption) end() {
	_ = a.land(func(q *queue, nodes []*node) error {
		q.free(nodes)
		return nil
	})
}

// settle does what an outcome that is durable brings.
func (t *work) settle(d Decision, first uint64) {
	t.broker.branches.count(t.consumedOf(), -1)
	for _, reveal := range t.reveals() { // not before what comes back is there
		defer reveal()
	}
	if d.Committed {
		for _, s := range t.sends {
			if s.place >= 0 && !s.left {
				s.message.SetBrokerSequence(first + uint64(s.place))
			}
		}
		t.publish()
	} else {
		t.letGo()
		for _, a := range t.acks {
			a.giveBack()
		}
	}
	if t.recovered != nil {
		t.broker.settleRecovered(t.recovered, d.Committed)
	}
}

// settleRecovered does that for what a broker before this one prepared.
func (b *Broker) settleRecovered(p *Prepared, committed bool) {
	if committed {
		for _, s := range p.Sent {
			b.wake(s.Destination)
		}
		return
	}
	for _, c := range p.Consumed {
		if q, err := b.queue(c.Queue); err == nil {
			q.readmit(c.Sequences)
		}
	}
	for _, a := range p.Acknowledged {
		if d := b.durable(a.Subscription); d != nil {
			d.readmit(a.Sequences)
		}
	}
}

// wake makes known what came to a destination without passing through memory.
func (b *Broker) wake(d destination.Destination) {
	switch {
	case d == jobs:
		b.schedule.reload()
	case d.IsQueue():
		if q, err := b.queue(d); err == nil {
			q.awake()
		}
	default:
		if t, err := b.topic(d); err == nil {
			for d := range t.online.all() {
				d.queue.awake()
			}
		}
	}
}

// awake looks for messages in the store that came there without passing through the queue.
func (q *queue) awake() {
	q.mu.Lock()
	q.fallBehind()
	retired := q.deleted && q.owner == nil
	if !retired {
		q.dispatch()
	}
	q.mu.Unlock()
	if !retired || q.name.IsTopic() {
		return
	}
	if next, err := q.broker.successor(q); err == nil {
		next.awake()
	}
}

// readmit puts stored messages back where they were, which were not in the queue because of a prepared transaction.
func (q *queue) readmit(sequences []uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.restore(sequences)
}

// restore is readmit with the queue's lock held. What is still behind the cursor comes by itself, and what a page brought as soon as the
// store had the outcome is there.
func (q *queue) restore(sequences []uint64) {
	q.fallBehind()
	q.returns++               // who has read on in the store looks again
	known := map[int]orders{} // by tier
	slices.Sort(sequences)
	var back []*node
	for _, sequence := range sequences {
		if q.deleted {
			continue
		}
		m, err := q.load(sequence)
		if err != nil {
			q.broker.logger.Error("cannot read a message back", "queue", q.name.String(), "error", err)
		}
		at := q.tierOf(m)
		if m == nil || sequence > q.tiers[at].cursor {
			continue
		}
		if known[at] == nil {
			known[at] = q.orders(at)
		}
		if !known[at].has(sequence) {
			back = append(back, &node{message: m, stored: true, suspect: true, after: sequence - 1, order: known[at].before(sequence)})
		}
	}
	q.giveBack(back)
	q.dispatch()
}

// orders are the orders of stored messages of one tier of a queue by their sequences, in the window and in flight.
type orders []ordered

type ordered struct{ sequence, order uint64 }

func (q *queue) orders(at int) (all orders) {
	note := func(n *node) {
		if n.stored && n.placed() && n.tier() == at {
			all = append(all, ordered{n.message.BrokerSequence(), n.order})
		}
	}
	for n := q.window.first(); n != nil; n = q.window.after(n.order) {
		note(n)
	}
	for _, s := range q.seats {
		s.eachInFlight(note)
	}
	slices.SortFunc(all, func(a, b ordered) int { return cmp.Compare(a.sequence, b.sequence) })
	return append(all, ordered{1<<64 - 1, uint64(at)<<tierShift | q.arrivals + orderStep})
}

func (o orders) find(sequence uint64) (i int, found bool) {
	return slices.BinarySearchFunc(o, sequence, func(e ordered, s uint64) int { return cmp.Compare(e.sequence, s) })
}

func (o orders) has(sequence uint64) bool {
	_, found := o.find(sequence)
	return found
}

// before is an order in front of what was stored after a sequence.
func (o orders) before(sequence uint64) uint64 {
	i, _ := o.find(sequence)
	return o[i].order - orderStep/2
}

// eachInFlight goes over the seat's messages in flight.
func (s *seat) eachInFlight(note func(*node)) {
	s.consumer.mu.Lock()
	defer s.consumer.mu.Unlock()
	for n := s.consumer.flight.first; n != nil; n = n.next {
		if n.seat == s {
			note(n)
		}
	}
}

// Branch describes a branch of a distributed transaction to an administrator.
type Branch struct {
	XID        message.XID
	State      string // active, prepared, heuristically committed, heuristically rolled back
	Connection string // whose client began it, or prepared it
	Since      int64  // when it was prepared or decided, in milliseconds since 1970; 0 for an active one
	Sent       int    // messages
	Consumed   int
}

// Branches lists the branches of distributed transactions.
func (b *Broker) Branches() []Branch {
	works, decisions := b.branches.all()
	var all []Branch
	for _, w := range works {
		all = append(all, w.describe())
	}
	for _, d := range decisions {
		state := "heuristically rolled back"
		if d.Committed {
			state = "heuristically committed"
		}
		all = append(all, Branch{XID: d.XID, State: state, Since: d.Time})
	}
	return all
}

func (t *work) describe() Branch {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := Branch{XID: t.branch, State: "prepared", Connection: t.preparation.Connection, Since: t.preparation.Time, Sent: t.sent}
	if t.phase == active {
		d.State, d.Connection = "active", t.owner.spec.ID
	}
	for _, a := range t.acks {
		d.Consumed += len(a.nodes)
	}
	if t.recovered != nil {
		for _, s := range t.recovered.Sent {
			d.Sent += s.Messages
		}
		for _, c := range t.recovered.Consumed {
			d.Consumed += len(c.Sequences)
		}
		for _, a := range t.recovered.Acknowledged {
			d.Consumed += len(a.Sequences)
		}
	}
	return d
}

// DecideBranch ends a prepared branch in place of its transaction manager, which is told so until it forgets it; done is called
// when that is durable. It is for an administrator who knows the outcome of the whole transaction; by is his name for the log.
func (b *Broker) DecideBranch(x message.XID, commit bool, by string, done func()) error {
	w, err := b.branches.find(x)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.phase {
	case active:
		return xaErrorf(xaProtocol, "Transaction '%v' is not prepared: its client has yet to end it, or to go.", x)
	case ended:
		return xaErrorf(xaUnknownTransaction, "Transaction '%v' has not been started.", x)
	}
	err = w.decide(Decision{XID: x, Committed: commit, Heuristic: true, Time: b.millis()}, done)
	if err == nil {
		b.logger.Warn("an administrator ends what a transaction manager had prepared", "transaction", x.String(), "committed", commit, "user", by)
	}
	return err
}

// ForgetBranch ends the record of a decision in place of the transaction manager.
func (b *Broker) ForgetBranch(x message.XID, done func()) error {
	if !b.branches.forgotten(x) {
		return xaErrorf(xaUnknownTransaction, "Transaction '%v' was decided by nobody.", x)
	}
	return b.store.Forget(x, done)
}

// Commits lists the commits on record, the newest last: of each connection the last few.
func (b *Broker) Commits() []Committed { return b.store.Commits() }
