package core_test

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

func (m *model) drawClient(t *rapid.T) *modelClient {
	return m.clients[rapid.SampledFrom([]string{"ID:a", "ID:b"}).Draw(t, "client")]
}

func (m *model) drawQueue(t *rapid.T) destination.Destination {
	return rapid.SampledFrom([]destination.Destination{orders, bills}).Draw(t, "queue")
}

// drawConsumer draws one that satisfies a condition, and its client.
func (m *model) drawConsumer(t *rapid.T, has func(*modelConsumer) bool) (*modelClient, *modelConsumer) {
	c := m.drawClient(t)
	those := slices.DeleteFunc(slices.Clone(c.consumers), func(o *modelConsumer) bool { return !has(o) })
	if len(those) == 0 {
		t.Skip("no such consumer")
	}
	return c, rapid.SampledFrom(those).Draw(t, "consumer")
}

// free are the letters in flight at the consumer that no transaction has.
func (c *modelConsumer) free() []*letter {
	return slices.DeleteFunc(slices.Clone(c.flight), func(l *letter) bool { return l.tx != nil })
}

func hasFree(c *modelConsumer) bool { return len(c.free()) > 0 }

func anyConsumer(*modelConsumer) bool { return true }

// drawFlight draws a consumer with letters in flight, and how many of them from the oldest on.
func (m *model) drawFlight(t *rapid.T) (*modelClient, *modelConsumer, []*letter) {
	c, consumer := m.drawConsumer(t, hasFree)
	free := consumer.free()
	return c, consumer, free[:rapid.IntRange(1, len(free)).Draw(t, "count")]
}

// ackOf is a range that begins at the oldest, which half of the acknowledgements name.
func ackOf(t *rapid.T, kind core.AckKind, letters []*letter) core.Ack {
	a := core.Ack{Kind: kind, Last: letters[len(letters)-1].message.BrokerSequence(), Count: len(letters)}
	if rapid.Bool().Draw(t, "first") {
		a.First = letters[0].message.BrokerSequence()
	}
	return a
}

func (m *model) draw(t *rapid.T, c *modelClient) *letter {
	m.numbers[c.id]++
	persistent := rapid.SampledFrom([]bool{true, true, false}).Draw(t, "persistent")
	msg := c.make(m.drawQueue(t), fmt.Sprintf("%s.%d", c.id, m.numbers[c.id]), message.SetPersistent(persistent))
	return &letter{message: msg}
}

// post sends a copy, since a broker keeps what it is sent.
func (c *modelClient) post(t *rapid.T, m *message.Message) {
	if err := c.Send(m.With(), nil); err != nil {
		t.Fatalf("send: %v", err)
	}
}

func (m *model) send(t *rapid.T) {
	for range rapid.IntRange(1, 6).Draw(t, "messages") {
		c := m.drawClient(t)
		switch l := m.draw(t, c); {
		case c.tx == nil:
			c.post(t, l.message)
			m.arrive(l)
		default: // a producer's session is transacted, or is not
			if err := c.tx.Send(l.message.With()); err != nil {
				t.Fatalf("send in a transaction: %v", err)
			}
			c.tx.sends = append(c.tx.sends, l)
		}
		m.absorb(t, true)
	}
}

// sendAgain sends what the broker has, or had, for a client that believes otherwise.
func (m *model) sendAgain(t *rapid.T) {
	c := m.drawClient(t)
	for _, l := range m.letters[m.drawQueue(t)] {
		if l.message.Persistent() && !l.unsure {
			c.post(t, l.message)
		}
	}
	m.absorb(t, true)
}

// comeBack connects a client again. Before anything else it sends what it had no answer to, unless it gave up.
func (m *model) comeBack(t *rapid.T, name string) {
	unsure := m.clients[name].unsure
	m.connect(name)
	if rapid.Bool().Draw(t, "gives up") {
		return
	}
	for _, l := range unsure {
		m.clients[name].post(t, l.message)
		l.unsure, l.again = false, true
	}
}

func (m *model) consume(t *rapid.T) {
	c := m.drawClient(t)
	if len(c.consumers) == 3 {
		t.Skip("enough")
	}
	m.subscribe(t, c, m.drawQueue(t), rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(t, "prefetch"))
}

func (m *model) subscribe(t *rapid.T, c *modelClient, q destination.Destination, prefetch int) {
	consumer := &modelConsumer{model: m, queue: q, prefetch: prefetch}
	subscribed, err := c.Subscribe(core.ConsumerSpec{Destination: q, Prefetch: prefetch}, consumer)
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	consumer.Consumer = subscribed
	c.consumers = append(c.consumers, consumer)
	m.absorb(t, true)
}

func (m *model) pull(t *rapid.T) {
	_, c := m.drawConsumer(t, func(c *modelConsumer) bool { return c.prefetch == 0 && c.pulls == 0 })
	c.pulls++
	wait := rapid.Bool().Draw(t, "wait")
	c.Pull(wait)
	m.absorb(t, true)
	if !wait && c.pulls != 0 {
		t.Fatalf("a pull that does not wait is not answered")
	}
}

func (m *model) acknowledge(t *rapid.T, c *modelConsumer, a core.Ack, tx *modelTx) {
	in := (*core.Transaction)(nil)
	if tx != nil {
		in = tx.Transaction
	}
	if err := c.Acknowledge(a, in, nil); err != nil {
		t.Fatalf("acknowledge: %v", err)
	}
}

func (m *model) consumed(t *rapid.T) {
	c, consumer, letters := m.drawFlight(t)
	m.finish(t, c, consumer, letters, ackOf(t, core.Standard, letters))
}

func (m *model) individual(t *rapid.T) {
	c, consumer := m.drawConsumer(t, hasFree)
	l := rapid.SampledFrom(consumer.free()).Draw(t, "letter")
	m.finish(t, c, consumer, []*letter{l}, core.Ack{Kind: core.Individual, Last: l.message.BrokerSequence(), Count: 1})
}

// finish acknowledges that letters are consumed, in the client's transaction if it has one and likes to.
func (m *model) finish(t *rapid.T, c *modelClient, consumer *modelConsumer, letters []*letter, a core.Ack) {
	if c.tx != nil && rapid.Bool().Draw(t, "transacted") {
		m.finishIn(t, c.tx, consumer, letters, a)
	} else {
		m.acknowledge(t, consumer, a, nil)
		for _, l := range letters {
			m.end(l)
		}
	}
	m.absorb(t, true)
}

func (m *model) finishIn(t *rapid.T, tx *modelTx, consumer *modelConsumer, letters []*letter, a core.Ack) {
	m.acknowledge(t, consumer, a, tx)
	for _, l := range letters {
		l.tx, l.counted = tx, false
	}
	tx.acks = append(tx.acks, letters...)
}

func (m *model) delivered(t *rapid.T) {
	_, consumer, letters := m.drawFlight(t)
	m.acknowledge(t, consumer, ackOf(t, core.Delivered, letters), nil)
	for _, l := range letters {
		l.counted = false
	}
	m.absorb(t, true)
}

func (m *model) redelivered(t *rapid.T) {
	_, consumer, letters := m.drawFlight(t)
	m.acknowledge(t, consumer, ackOf(t, core.Redelivered, letters), nil)
	for _, l := range letters {
		l.marked = true
	}
	m.absorb(t, true)
}

func (m *model) poison(t *rapid.T) {
	_, consumer, letters := m.drawFlight(t)
	m.acknowledge(t, consumer, ackOf(t, core.Poison, letters), nil)
	for _, l := range letters {
		m.end(l)
		if l.message.Persistent() {
			m.arrive(&letter{message: l.message.With(message.SetDestination(core.DeadLetters))})
		}
	}
	m.absorb(t, true)
}

func (m *model) begin(t *rapid.T) {
	c := m.drawClient(t)
	if c.tx != nil {
		t.Skip("it has a transaction")
	}
	if rapid.Bool().Draw(t, "distributed") {
		m.beginBranch(t, c)
		return
	}
	c.tx = &modelTx{Transaction: c.client.begin().Transaction}
}

func (m *model) drawTx(t *rapid.T) (*modelClient, *modelTx) {
	c := m.drawClient(t)
	tx := c.tx
	if tx == nil {
		t.Skip("no transaction")
	}
	c.tx = nil
	return c, tx
}

func (m *model) commit(t *rapid.T) {
	c, tx := m.drawTx(t)
	err := error(nil)
	if tx.branch.Global != "" {
		err = c.CommitBranch(tx.branch, true, nil)
	} else {
		err = tx.Commit(nil)
	}
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	m.happen(tx)
	m.absorb(t, true)
}

// happen is what a commit does.
func (m *model) happen(tx *modelTx) {
	for _, l := range tx.acks {
		m.end(l)
	}
	for _, l := range tx.sends {
		m.arrive(l)
	}
}

func (m *model) rollback(t *rapid.T) {
	c, tx := m.drawTx(t)
	if tx.branch.Global == "" {
		tx.Rollback()
	} else if err := c.RollbackBranch(tx.branch, nil); err != nil {
		t.Fatalf("rollback: %v", err)
	}
	tx.undo()
	m.absorb(t, false) // it gives back to one queue after another
}

func (m *model) closeConsumer(t *rapid.T) {
	c, consumer := m.drawConsumer(t, anyConsumer)
	last := core.NoneDelivered
	if free := consumer.free(); len(free) > 0 {
		seen := int64(rapid.SampledFrom(free).Draw(t, "last").message.BrokerSequence())
		last = rapid.SampledFrom([]core.LastDelivered{core.NoneDelivered, core.AllUnknown, core.LastDelivered(seen)}).Draw(t, "kind")
	}
	consumer.Close(last)
	c.consumers = slices.DeleteFunc(c.consumers, func(o *modelConsumer) bool { return o == consumer })
	consumer.closed = true
	for _, l := range consumer.free() {
		l.giveBack(last == core.AllUnknown || last >= 0 && l.message.BrokerSequence() <= uint64(last))
	}
	m.absorb(t, true)
}

func (m *model) disconnect(t *rapid.T) {
	c := m.drawClient(t)
	m.endClient(t, c.id, rapid.SampledFrom([]core.LastDelivered{core.NoneDelivered, core.AllUnknown}).Draw(t, "last"))
	m.connect(c.id)
}

// replace is what a failover client does whose old connection the broker has not missed yet.
func (m *model) replace(t *rapid.T) {
	c := m.drawClient(t)
	m.connect(c.id)
	m.gone(c, true)
	m.absorb(t, false)
}

// crash ends the broker with some work in flight, of which a part has reached the log.
func (m *model) crash(t *rapid.T) {
	m.broker.log.Hold()
	for range rapid.IntRange(0, 4).Draw(t, "in flight") {
		if rapid.Bool().Draw(t, "send") {
			m.sendUnsure(t)
		} else {
			m.consumeUnsure(t)
		}
	}
	m.takeJournal(t, false)
	next := m.broker.crash(rapid.IntRange(0, m.broker.log.InFlight()).Draw(t, "reached"))
	for _, c := range m.clients {
		m.gone(c, false)
	}
	m.survive(func(l *letter) bool {
		m.reached[l.message.Destination()] = max(m.reached[l.message.Destination()], l.order)
		return true
	})
	m.broker = next
	for _, name := range slices.Sorted(maps.Keys(m.clients)) {
		m.comeBack(t, name)
	}
	m.absorb(t, true)
}

func (m *model) sendUnsure(t *rapid.T) {
	c := m.drawClient(t)
	l := m.draw(t, c)
	if c.tx != nil || !l.message.Persistent() {
		return
	}
	c.post(t, l.message)
	l.unsure = true
	m.arrive(l)
	c.unsure = append(c.unsure, l)
}

func (m *model) consumeUnsure(t *rapid.T) {
	for _, consumer := range m.drawClient(t).consumers {
		if free := consumer.free(); len(free) > 0 {
			m.acknowledge(t, consumer, ackOf(t, core.Standard, free[:1]), nil)
			free[0].giveBack(true)
			free[0].unsure = true
			free[0].tx = &modelTx{} // nobody gets it before the end
			return
		}
	}
}

// survive is what a takeover does: what is not persistent is gone, what was delivered before is marked, and of the rest what
// may have been delivered for all that the new broker knows.
func (m *model) survive(suspect func(*letter) bool) {
	fleeting := func(l *letter) bool { return !l.message.Persistent() }
	for _, tx := range m.prepared {
		tx.sends, tx.acks = slices.DeleteFunc(tx.sends, fleeting), slices.DeleteFunc(tx.acks, fleeting)
	}
	for _, q := range slices.Collect(maps.Keys(m.letters)) {
		m.letters[q] = slices.DeleteFunc(m.letters[q], fleeting)
		for _, l := range m.letters[q] {
			tx := l.tx
			l.giveBack(l.seen)
			if tx != nil && tx.prepared {
				l.tx = tx
			}
			l.suspect = l.suspect || suspect(l)
		}
	}
}

// handOver ends the broker in order. Then what lies behind all that was delivered is not suspect.
func (m *model) handOver(t *rapid.T) {
	for _, name := range slices.Sorted(maps.Keys(m.clients)) {
		m.endClient(t, name, core.NoneDelivered)
	}
	m.survive(func(l *letter) bool { return l.order < m.reached[l.message.Destination()] })
	m.enter(m.broker.handOver())
	m.absorb(t, true)
}
