package core_test

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/message"
)

// TestBrokerIsItsModel does anything in any order, with brokers that take over from each other, and holds all deliveries against
// what JMS promises: nothing is lost that was kept, nothing is delivered that is gone or in somebody's hands, what was
// delivered before is marked and what was not is not, what was sent first comes first, and nobody waits for what is there.
func TestBrokerIsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{clients: map[string]*modelClient{}, numbers: map[string]int64{}, letters: map[destination.Destination][]*letter{},
			reached: map[destination.Destination]int{}}
		m.enter(lead(t, mem.New(1<<20), 0))
		defer func() { _ = m.broker.store.Close() }()
		steps := map[string]func(*rapid.T){
			"":            func(t *rapid.T) { m.checkNobodyWaits(t) },
			"send":        m.send,
			"send again":  m.sendAgain,
			"consume":     m.consume,
			"pull":        m.pull,
			"consumed":    m.consumed,
			"individual":  m.individual,
			"delivered":   m.delivered,
			"redelivered": m.redelivered,
			"poison":      m.poison,
			"begin":       m.begin,
			"commit":      m.commit,
			"rollback":    m.rollback,
			"prepare":     m.prepare,
			"decide":      m.decide,
			"close":       m.closeConsumer,
			"disconnect":  m.disconnect,
			"replace":     m.replace,
			"crash":       m.crash,
			"hand over":   m.handOver,
		}
		for range 5 { // a run of rapid's is short
			t.Repeat(steps)
		}
		m.checkWhatIsLeft(t)
	})
}

// model is what clients may expect of the broker.
type model struct {
	broker  *broker
	clients map[string]*modelClient
	numbers map[string]int64 // the clients' own, over all their connections
	letters map[destination.Destination][]*letter
	reached map[destination.Destination]int // order up to which letters were delivered, or may have been
	sent    int

	branches int32
	prepared []*modelTx

	mu      sync.Mutex
	journal []event // deliveries that the model has not looked at
}

// letter is a message on a queue, from its sending to its end.
type letter struct {
	message *message.Message
	order   int
	holder  *modelConsumer // has it in flight
	tx      *modelTx       // that consumed it
	counted bool           // is counted against the holder's prefetch

	seen    bool // was delivered
	marked  bool // has to be marked as delivered before
	suspect bool // may be marked: it was there when the broker took over
	unsure  bool // nobody was told whether it was sent, or consumed
	again   bool // was sent again then
}

func (l *letter) waits() bool { return l.holder == nil && l.tx == nil }

// comesBefore tells whether a later message must not be delivered before l. There is no such order between
// messages that are persistent and that are not (JMS 1.1 §4.4.10.2), nor between what two clients sent again.
func (l *letter) comesBefore(later *letter) bool {
	sameClient := bytes.Equal(l.message.RawProducer(), later.message.RawProducer())
	return !l.unsure && l.message.Persistent() == later.message.Persistent() && (sameClient || !l.again || !later.again)
}

func (l *letter) String() string { return string(l.message.Content()) }

type modelClient struct {
	*client
	consumers []*modelConsumer
	tx        *modelTx
	unsure    []*letter // sent, and not answered when the broker ended
}

type modelConsumer struct {
	*core.Consumer
	model    *model
	queue    destination.Destination
	prefetch int
	pulls    int
	flight   []*letter
	closed   bool
}

type modelTx struct {
	*core.Transaction
	branch   message.XID // of a distributed transaction
	prepared bool
	sends    []*letter
	acks     []*letter
}

type event struct {
	consumer *modelConsumer
	delivery core.Delivery
}

// Deliver implements core.Receiver.
func (c *modelConsumer) Deliver(d core.Delivery) {
	c.model.mu.Lock()
	defer c.model.mu.Unlock()
	c.model.journal = append(c.model.journal, event{c, d})
}

func (c *modelConsumer) credit() int {
	if c.prefetch == 0 {
		return c.pulls
	}
	counted := 0
	for _, l := range c.flight {
		if l.counted {
			counted++
		}
	}
	return max(0, c.prefetch-counted)
}

// enter makes b the broker, which has no clients yet.
func (m *model) enter(b *broker) {
	m.broker = b
	for _, name := range []string{"ID:a", "ID:b"} {
		m.connect(name)
	}
}

func (m *model) connect(name string) {
	m.clients[name] = &modelClient{client: m.broker.connect(name)}
	m.clients[name].sent = m.numbers[name]
}

// absorb waits until the broker is done and takes what it delivered. In order means that each delivery was the first that
// could be.
func (m *model) absorb(t *rapid.T, inOrder bool) {
	t.Helper()
	m.broker.t = t
	m.broker.settle()
	m.takeJournal(t, inOrder)
}

func (m *model) takeJournal(t *rapid.T, inOrder bool) {
	t.Helper()
	m.mu.Lock()
	events := m.journal
	m.journal = nil
	m.mu.Unlock()
	for _, e := range events {
		if e.delivery.Pull != 0 {
			e.consumer.pulls--
		}
		if e.delivery.Message != nil {
			m.deliver(t, e, inOrder)
		}
	}
}

func (m *model) deliver(t *rapid.T, e event, inOrder bool) {
	t.Helper()
	all := m.letters[e.consumer.queue]
	at := slices.IndexFunc(all, func(l *letter) bool { return l.String() == string(e.delivery.Message.Content()) })
	if at < 0 {
		t.Fatalf("%s is delivered, and is gone or never was", e.delivery.Message.Content())
	}
	l, count := all[at], e.delivery.Redelivered
	switch {
	case !l.waits():
		t.Fatalf("%v is delivered, and is in flight already", l)
	case l.marked && count == 0:
		t.Fatalf("%v was delivered before, and is not marked", l)
	case !l.seen && !l.suspect && count > 0:
		t.Fatalf("%v was never delivered before, and is marked", l)
	}
	if inOrder {
		for _, other := range all[:at] {
			if other.waits() && other.comesBefore(l) {
				t.Fatalf("%v is delivered before %v", l, other)
			}
		}
	}
	l.holder, l.seen, l.unsure, l.counted = e.consumer, true, false, true
	m.reached[e.consumer.queue] = max(m.reached[e.consumer.queue], l.order)
	e.consumer.flight = append(e.consumer.flight, l)
	l.message.SetBrokerSequence(e.delivery.Message.BrokerSequence())
}

// arrive puts a letter at the end of its queue.
func (m *model) arrive(l *letter) {
	m.sent++
	l.order = m.sent
	m.letters[l.message.Destination()] = append(m.letters[l.message.Destination()], l)
}

// end takes a letter out of its queue.
func (m *model) end(l *letter) {
	q := l.message.Destination()
	m.letters[q] = slices.DeleteFunc(m.letters[q], func(o *letter) bool { return o == l })
	if l.holder != nil {
		l.holder.drop(l)
	}
}

func (c *modelConsumer) drop(l *letter) {
	c.flight = slices.DeleteFunc(c.flight, func(o *letter) bool { return o == l })
}

// giveBack returns a letter to its queue.
func (l *letter) giveBack(marked bool) {
	if l.holder != nil {
		l.holder.drop(l)
	}
	l.holder, l.tx, l.counted = nil, nil, false
	l.marked = l.marked || marked
}

// checkNobodyWaits finds messages that wait though a consumer could have them.
func (m *model) checkNobodyWaits(t *rapid.T) {
	for _, c := range m.clients {
		for _, consumer := range c.consumers {
			for _, l := range m.letters[consumer.queue] {
				if consumer.credit() > 0 && l.waits() && !l.unsure {
					t.Fatalf("%v waits, and so does a consumer that may have %d more", l, consumer.credit())
				}
			}
		}
	}
}

// checkWhatIsLeft ends all clients and consumes what is left, which has to be all that nobody consumed, and leaves no memory
// taken.
func (m *model) checkWhatIsLeft(t *rapid.T) {
	for len(m.prepared) > 0 {
		m.decide(t)
	}
	for name := range m.clients {
		m.endClient(t, name, core.AllUnknown)
	}
	c := &modelClient{client: m.broker.connect("ID:rest")}
	for _, q := range []destination.Destination{orders, bills, core.DeadLetters} {
		m.subscribe(t, c, q, 1000)
		for _, l := range m.letters[q] {
			if l.waits() && !l.unsure {
				t.Fatalf("%v is lost", l)
			}
		}
	}
	for _, consumer := range c.consumers {
		for _, l := range consumer.free() {
			m.acknowledge(t, consumer, core.Ack{Kind: core.Standard, Last: l.message.BrokerSequence()}, nil)
		}
	}
	if windows, flight := m.broker.InMemory(); windows != 0 || flight != 0 {
		t.Fatalf("%d and %d bytes are left in memory of nothing", windows, flight)
	}
}

// endClient ends a client's connection: its transaction rolls back, what it has goes back. Which of its consumers ends first is the
// broker's choice, so nothing is said of the order in which others get it.
func (m *model) endClient(t *rapid.T, name string, last core.LastDelivered) {
	c := m.clients[name]
	c.Close(last)
	m.gone(c, last == core.AllUnknown)
	m.absorb(t, false)
}

// gone is what a connection's end does.
func (m *model) gone(c *modelClient, marked bool) {
	if c.tx != nil {
		c.tx.undo()
	}
	for _, consumer := range c.consumers {
		consumer.closed = true
		for _, l := range slices.Clone(consumer.flight) {
			if l.tx == nil { // else it is prepared
				l.giveBack(marked)
			}
		}
	}
	c.consumers, c.tx = nil, nil
}

// undo rolls back what was consumed: whoever is still there has it, else it was delivered in vain.
func (tx *modelTx) undo() {
	for _, l := range tx.acks {
		l.tx = nil
		if l.holder == nil || l.holder.closed {
			l.giveBack(true)
			continue
		}
		l.counted = true
	}
}
