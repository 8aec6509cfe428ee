package core

import (
	"slices"
	"sync"

	"github.com/twinmesh/twinmesh/broker/message"
)

// maxLocal is how many local transactions a connection may have open. A client has one for each of its sessions.
const maxLocal = 10_000

// Transaction is a connection's part in a transaction: what is sent and consumed in it happens at the commit, as a whole, or
// not at all (JMS 1.1 §4.4.7). Persistent messages go to the store as they come and do not exist before the commit does. Of a
// local transaction there is one part; of a branch of a distributed one each connection that works in it has one.
type Transaction struct {
	connection *Connection
	*work
}

// work is what a transaction is about.
type work struct {
	broker *Broker
	name   string // under which its commit is on record; "" for none
	branch message.XID
	owner  *Connection // whose end rolls it back

	mu     sync.Mutex
	phase  phase
	store  StoreTx // nil until something is stored
	stored int     // messages that it has
	sends  []send
	acks   []consumption
	sent   int             // messages
	held   int             // what they count in memory
	cached int             // bytes of stored ones that are kept there
	failed error           // why it can only be rolled back
	topics map[*topic]bool // those that it sends to, and whether their persistent messages are stored

	preparation Preparation
	recovered   *Prepared // what a broker before this one prepared
	next        func()    // what to do once it is prepared
}

// phase is how far a transaction is.
type phase uint8

const (
	active    phase = iota
	preparing       // its preparation is on its way
	prepared
	ended
)

// send is a message with the queue or topic that it goes to; neither for one that is a job.
type send struct {
	message *message.Message
	from    *Connection
	queue   *queue
	topic   *topic
	place   int  // among the transaction's stored messages; -1 for one that is not stored
	left    bool // to the store: message is nil, and it stands for several
}

func (s send) isJob() bool { return s.queue == nil && s.topic == nil }

// consumption is what a consumer acknowledged.
type consumption struct {
	consumer *Consumer
	nodes    []*node
}

// Begin opens a local transaction, which ends with Commit, Rollback, or its connection. The number is the client's, and what
// its commit is known by.
func (c *Connection) Begin(number int64) (*Transaction, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	if len(c.transactions) >= maxLocal {
		return nil, errorf(ResourceAllocation, "the connection has %d transactions open, which is the most: commit or close what has opened them", maxLocal)
	}
	t := c.work()
	t.name = LocalName(c.spec.ID, number)
	c.transactions[t] = struct{}{}
	return t, nil
}

// work returns a new transaction.
func (c *Connection) work() *Transaction {
	return &Transaction{c, &work{broker: c.broker, owner: c}}
}

// enter locks the transaction, and its connection, unless that is closed.
func (t *Transaction) enter() error {
	if err := t.connection.enter(); err != nil {
		return err
	}
	t.mu.Lock()
	return nil
}

func (t *Transaction) leave() {
	t.mu.Unlock()
	t.connection.mu.Unlock()
}

// Send adds a message. An error makes the transaction one that can only be rolled back, since a client does not wait for the
// answers to what it sends in a transaction.
func (t *Transaction) Send(m *message.Message) error {
	if err := t.enter(); err != nil {
		return err
	}
	defer t.leave()
	if t.phase != active {
		return t.late(m)
	}
	return t.note(t.send(m))
}

func (t *Transaction) send(m *message.Message) error {
	if isQuestion(m) {
		return t.broker.answer(m, nil)
	}
	if err := sendable(m); err != nil {
		return err
	}
	b := t.broker
	m = b.stamp(m)
	m.SetBrokerIn(b.millis())
	p, err := planOf(m)
	if err != nil {
		return err
	}
	copies, err := b.route(m)
	switch {
	case err != nil:
		return err
	case (p != nil || slices.ContainsFunc(copies, b.keeps)) && !b.store.Fresh(m):
		return nil
	case isManagement(m.Destination()):
		return b.schedule.manage(m, nil)
	}
	if err := t.room(); err != nil {
		return err
	}
	if err := t.another(); err != nil {
		return err
	}
	if p == nil {
		return t.addEach(copies)
	}
	job, err := b.schedule.job(m, p)
	if err != nil {
		return err
	}
	return t.addJob(job)
}

// addJob adds a message that is to be delivered later.
func (t *Transaction) addJob(job *message.Message) error {
	if err := t.storeTx().Add(job); err != nil {
		return err
	}
	t.append(send{message: job, place: t.stored})
	return nil
}

// note makes the transaction one that can only be rolled back if there is an error, which it returns.
func (t *work) note(err error) error {
	if t.failed == nil && t.phase == active {
		t.failed = err
	}
	return err
}

// Fail makes the transaction one that can only be rolled back.
func (t *Transaction) Fail(err error) {
	if t.enter() == nil {
		defer t.leave()
		_ = t.note(err)
	}
}

// addAll adds what a message is routed to.
func (t *Transaction) addAll(m *message.Message) error {
	copies, err := t.broker.route(m)
	if err != nil {
		return err
	}
	return t.addEach(copies)
}

func (t *Transaction) addEach(copies []*message.Message) error {
	for _, m := range copies {
		if err := t.add(m); err != nil {
			return err
		}
	}
	return nil
}

// add adds a message to one destination.
func (t *Transaction) add(m *message.Message) (err error) {
	if b, d := t.broker, m.Destination(); m.Expired(b.millis()) {
		if m = b.letter(m, b.policy(d), d, "", death{expired: true}); m == nil {
			return nil
		}
	}
	s := send{message: m, from: t.connection, place: -1}
	if m.Destination().IsTopic() {
		s.topic, err = t.broker.topic(m.Destination())
	} else {
		s.queue, err = t.broker.queue(m.Destination())
	}
	if err != nil {
		return err
	}
	if t.stores(s) {
		if err := t.put(&s); err != nil {
			return err
		}
	}
	t.append(s)
	return nil
}

func (t *work) storeTx() StoreTx {
	if t.store == nil {
		t.store = t.broker.store.Begin()
	}
	return t.store
}

// covers fails the transaction if not all that an acknowledgement names is in flight: another consumer may have it by now, so a
// commit would do a second time what the program made of it. The consumer's lock is held.
func (t *work) covers(c *Consumer, a Ack) error {
	first, last := c.ends(a)
	found := 0
	for n := first; n != nil; n = n.next {
		if found++; n == last && found >= a.Count {
			return nil
		}
	}
	return t.note(NotInFlight())
}

// NotInFlight is what becomes of a transaction with an acknowledgement of what its consumer does not have.
func NotInFlight() error {
	return errorf(TransactionRolledBack, "it acknowledges messages that its consumer does not have: another broker sent them, "+
		"or they are dead letters; do all of it again")
}

// acknowledge makes an acknowledgement part of the transaction; the consumer's lock is held.
func (t *Transaction) acknowledge(c *Consumer, a Ack, nodes []*node) error {
	if t.phase != active {
		return t.late(nil)
	}
	if err := t.covers(c, a); err != nil {
		return err
	}
	t.consume(c, nodes)
	return nil
}

// consume adds what a consumer of queues acknowledged; its lock is held.
func (t *work) consume(c *Consumer, nodes []*node) {
	for _, n := range nodes {
		c.mark(n, consumed)
	}
	c.hollow(nodes)
	t.acks = append(t.acks, consumption{c, nodes})
}

// Blocked tells why the commit has to wait, nil if it need not: there is no room for what it brings, and it makes none itself,
// which acknowledgements do.
func (t *Transaction) Blocked() *Block {
	if t.enter() != nil {
		return nil
	}
	defer t.leave()
	return t.blocked()
}

func (t *work) blocked() *Block {
	if len(t.acks) > 0 || t.failed != nil {
		return nil
	}
	for _, s := range t.sends {
		if s.left || s.isJob() {
			continue
		}
		if block := t.broker.blockedAt(s.message, s.message.Destination()); block != nil {
			block.Fails = false // that was asked when the message was sent
			return block
		}
	}
	return nil
}

// Commit makes all of a local transaction happen and calls done when that is durable. One that failed is rolled back instead,
// and the error says so.
func (t *Transaction) Commit(done func()) error {
	if err := t.enter(); err != nil {
		return err
	}
	defer t.leave()
	if t.phase == ended {
		return NotStarted(t.name)
	}
	delete(t.connection.transactions, t)
	t.phase = ended
	if t.failed != nil {
		t.undo()
		return errorf(TransactionRolledBack, "the transaction was rolled back: %v", t.failed)
	}
	return t.commitAs(t.record(), done)
}

// commit makes a transaction of the broker's own happen.
func (t *work) commit(done func()) error { return t.commitAs(Committed{}, done) }

func (t *work) commitAs(record Committed, done func()) error {
	if err := t.keepLate(); err != nil {
		return err
	}
	for _, a := range t.acks {
		if err := a.take(t); err != nil {
			return err
		}
	}
	if t.store == nil {
		t.publish()
		call(done)
		return nil
	}
	err := t.store.CommitAs(record, func() {
		t.publish()
		call(done)
	})
	if err == nil {
		t.advance()
	}
	return err
}

// advance puts the horizons of the queues ahead of what the commit brings them.
func (t *work) advance() {
	for _, s := range t.sends {
		switch {
		case s.place < 0 || s.left || s.isJob():
		case s.topic != nil:
			s.topic.advance(s.message.BrokerSequence())
		case s.queue.attended.Load():
			s.queue.advance(s.message.BrokerSequence())
		}
	}
}

// take ends what was consumed.
func (a consumption) take(t *work) error {
	return a.land(func(q *queue, nodes []*node) error {
		q.consumed(nodes)
		var tx StoreTx
		if len(storedOf(nodes)) > 0 {
			tx = t.storeTx()
		}
		return q.drop(nodes, tx, nil)
	})
}

// land takes what was consumed out of flight, and ends it in each queue.
func (a consumption) land(end func(*queue, []*node) error) error {
	c := a.consumer
	c.mu.Lock()
	c.land(a.nodes)
	c.mu.Unlock()
	return c.source.(*attendance).finish(c, a.nodes, nil, func(q *queue, nodes []*node, _ func()) error { return end(q, nodes) })
}

// publish gives the messages to their destinations, in the order of their sending.
func (t *work) publish() {
	defer t.letGo()
	for _, s := range t.sends {
		if s.left {
			s.queue.awake()
			continue
		}
		if s.isJob() {
			t.broker.schedule.add(s.message)
			continue
		}
		kept := s.place >= 0
		if !kept {
			s.message.SetBrokerSequence(t.broker.store.NextSequence())
		}
		switch {
		case s.queue != nil:
			s.queue.arrive(s.message, kept)
		case kept:
			s.topic.present().arrive(s.message, s.from)
		default:
			s.topic.present().publish(s.message, s.from)
		}
	}
}

// Rollback makes none of a local transaction happen. What was consumed is in flight again: the client delivers it to its
// program once more.
func (t *Transaction) Rollback() {
	if t.enter() != nil {
		return
	}
	defer t.leave()
	delete(t.connection.transactions, t)
	t.undo()
}

// undo rolls back what is not prepared.
func (t *work) undo() {
	t.phase = ended
	t.letGo()
	if t.store != nil {
		if err := t.store.Rollback(); err != nil {
			t.broker.logger.Debug("no rollback: the store takes nothing more", "error", err)
		}
	}
	for _, a := range t.acks {
		a.giveBack()
	}
}

// giveBack returns what was acknowledged to its consumer, or if that was closed meanwhile to the queues.
func (a consumption) giveBack() {
	for _, nodes := range bySeat(a.consumer.regain(a.nodes)) {
		nodes[0].seat.queue.takeBack(nodes)
	}
}
