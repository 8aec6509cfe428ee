package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/message"
)

// TestStoreIsItsModel does anything in any order, on a log whose appends may be in flight when the right is lost, and
// compares with maps.
func TestStoreIsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{shared: mem.New(segmentBytes), facts: newFacts()}
		m.open(t)
		defer func() { m.log.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"":          m.check,
			"add":       m.add,
			"remove":    m.remove,
			"horizon":   m.moveHorizon,
			"begin":     m.begin,
			"tx add":    m.txAdd,
			"tx remove": m.txRemove,
			"create":    m.create,
			"delete":    m.delete,
			"commit":    m.commit,
			"rollback":  m.rollback,
			"prepare":   m.prepare,
			"decide":    m.decide,
			"forget":    m.forget,
			"clean":     m.clean,

			"publish":              m.publish,
			"subscribe":            m.subscribe,
			"unsubscribe":          m.unsubscribe,
			"acknowledge":          m.acknowledge,
			"tx acknowledge":       m.txAcknowledge,
			"subscription horizon": m.moveSubscriptionHorizon,

			"hold":    m.hold,
			"release": m.release,
			"lose":    m.lose,
			"restart": m.restart,
		})
	})
}

// facts are what the store has to know.
type facts struct {
	pending  map[destination.Destination]map[uint64]string // contents by sequence
	horizons map[destination.Destination]uint64
	created  map[destination.Destination]bool
	last     map[string]int64
	topics   map[destination.Destination]map[uint64]string
	subs     map[uint64]*subscriptionFacts

	prepared   map[message.XID]*modelTx
	heuristics map[message.XID]bool // whether it was committed
	commits    map[string][]string  // names by connection
}

func newFacts() facts {
	return facts{pending: map[destination.Destination]map[uint64]string{orders: {}, bills: {}},
		horizons: map[destination.Destination]uint64{}, created: map[destination.Destination]bool{}, last: map[string]int64{},
		topics: map[destination.Destination]map[uint64]string{gold: {}, silver: {}}, subs: map[uint64]*subscriptionFacts{},
		prepared: map[message.XID]*modelTx{}, heuristics: map[message.XID]bool{}, commits: map[string][]string{}}
}

// hidesFrom tells whether a prepared transaction acknowledges a subscription's message.
func (f facts) hidesFrom(subscription, sequence uint64) bool {
	for _, tx := range f.prepared {
		for _, a := range tx.acks {
			if a.subscription == subscription && slices.Contains(a.sequences, sequence) {
				return true
			}
		}
	}
	return false
}

// hides tells whether a prepared transaction removes a message.
func (f facts) hides(queue destination.Destination, sequence uint64) bool {
	for _, tx := range f.prepared {
		if slices.Contains(tx.removals[queue], sequence) {
			return true
		}
	}
	return false
}

type model struct {
	shared *mem.Shared
	log    *mem.Log
	store  *Store
	held   bool

	facts    facts
	effects  []effect // of what is in flight
	leaving  map[uint64]bool
	through  map[uint64]map[uint64]bool // by subscription
	appended map[string]int64
	txs      []*modelTx
	named    int // transactions that have a name
	ending   map[message.XID]bool
	sent     int
	numbers  map[string]int64 // the producers' own
}

// effect is what becomes a fact when so many records of those in flight have reached the log.
type effect struct {
	records int
	happen  func(facts)
}

type modelTx struct {
	tx       *Tx
	messages []*message.Message
	removals map[destination.Destination][]uint64
	acks     []modelAck
}

type modelAck struct {
	subscription uint64
	sequences    []uint64
}

func (m *model) open(t *rapid.T) {
	m.log = m.shared.Open()
	m.store = lead(t, m.log)
	m.store.whole = 300
	m.held, m.txs, m.leaving, m.through = false, nil, map[uint64]bool{}, map[uint64]map[uint64]bool{}
	m.ending = map[message.XID]bool{}
	m.appended = maps.Clone(m.facts.last)
	if m.numbers == nil {
		m.numbers = map[string]int64{}
	}
}

// expect notes an effect of what was just asked for, and waits for it if it is not in flight.
func (m *model) expect(t *rapid.T, happen func(facts)) {
	m.effects = append(m.effects, effect{m.log.InFlight(), happen})
	if !m.held {
		flush(t, m.store)
		m.settle(m.log.InFlight())
	}
}

// settle makes facts of the effects of so many records.
func (m *model) settle(records int) {
	for _, e := range m.effects {
		if e.records <= records {
			e.happen(m.facts)
		}
	}
	m.effects = nil
}

func (m *model) drawMessage(t *rapid.T) *message.Message {
	return m.drawMessageTo(t, rapid.SampledFrom([]destination.Destination{orders, bills, gold}).Draw(t, "destination"))
}

func (m *model) drawMessageTo(t *rapid.T, d destination.Destination) *message.Message {
	m.sent++
	producer := rapid.SampledFrom([]string{"p", "q", "r"}).Draw(t, "producer")
	m.numbers[producer]++
	number := max(1, m.numbers[producer]-rapid.SampledFrom([]int64{0, 0, 0, 5}).Draw(t, "back"))
	content := fmt.Sprintf("%d%s", m.sent, strings.Repeat(".", rapid.SampledFrom([]int{0, 10, 150, 1000}).Draw(t, "size")))
	msg := newMessage(d, producer, number, content)
	last, known := m.appended[string(msg.RawProducer())]
	if fresh := !known || number > last; m.store.Fresh(msg) != fresh {
		t.Fatalf("%v after %d: fresh is %v", msg, last, !fresh)
	}
	return msg
}

func (m *model) drawQueue(t *rapid.T) destination.Destination {
	return rapid.SampledFrom([]destination.Destination{orders, bills}).Draw(t, "queue")
}

func (m *model) drawPending(t *rapid.T) (destination.Destination, []uint64) {
	queue := m.drawQueue(t)
	have := slices.Sorted(maps.Keys(m.facts.pending[queue]))
	if len(have) == 0 {
		t.Skip("nothing is pending")
	}
	return queue, rapid.SliceOfN(rapid.SampledFrom(append(have, 12345)), 1, 8).Draw(t, "sequences")
}

// become returns what adding messages makes a fact.
func (m *model) become(messages ...*message.Message) func(facts) {
	for _, msg := range messages {
		producer := string(msg.RawProducer())
		m.appended[producer] = max(m.appended[producer], msg.ProducerSequence())
	}
	return func(f facts) {
		for _, msg := range messages {
			producer := string(msg.RawProducer())
			if d := msg.Destination(); d.IsTopic() {
				f.topics[d][msg.BrokerSequence()] = string(msg.Content())
			} else {
				f.pending[d][msg.BrokerSequence()] = string(msg.Content())
			}
			f.last[producer] = max(f.last[producer], msg.ProducerSequence())
		}
	}
}

func (m *model) vanish(queue destination.Destination, sequences []uint64) func(facts) {
	for _, s := range sequences {
		m.leaving[s] = true
	}
	return func(f facts) {
		for _, s := range sequences {
			delete(f.pending[queue], s)
		}
	}
}

func (m *model) add(t *rapid.T) {
	msg := m.drawMessage(t)
	add(t, m.store, msg)
	m.expect(t, m.become(msg))
}

func (m *model) remove(t *rapid.T) {
	queue, sequences := m.drawPending(t)
	remove(t, m.store, queue, sequences...)
	m.expect(t, m.vanish(queue, sequences))
}

func (m *model) moveHorizon(t *rapid.T) {
	queue, to := m.drawQueue(t), rapid.Uint64Range(0, 1000).Draw(t, "horizon")
	if err := m.store.Horizon(queue, to, nil); err != nil {
		t.Fatalf("horizon: %v", err)
	}
	m.expect(t, func(f facts) { f.horizons[queue] = to })
}

func (m *model) create(t *rapid.T) {
	queue := m.drawQueue(t)
	if err := m.store.Create(queue, nil); err != nil {
		t.Fatalf("create: %v", err)
	}
	m.expect(t, func(f facts) { f.created[queue] = true })
}

func (m *model) delete(t *rapid.T) {
	queue := m.drawQueue(t)
	through, err := m.store.Delete(queue, nil)
	if err != nil {
		t.Fatalf("delete: %v", err)
	}
	for sequence := range m.facts.pending[queue] {
		m.leaving[sequence] = true
	}
	m.expect(t, func(f facts) {
		for sequence := range f.pending[queue] {
			if sequence > through {
				t.Fatalf("%x is gone with what went up to %x", sequence, through)
			}
		}
		f.pending[queue], f.created[queue], f.horizons[queue] = map[uint64]string{}, false, 0
	})
}

func (m *model) begin(t *rapid.T) {
	m.txs = append(m.txs, &modelTx{tx: m.store.Begin(), removals: map[destination.Destination][]uint64{}})
}

func (m *model) drawTx(t *rapid.T) *modelTx {
	if len(m.txs) == 0 {
		t.Skip("no transaction")
	}
	return rapid.SampledFrom(m.txs).Draw(t, "tx")
}

func (m *model) endTx(t *rapid.T) *modelTx {
	tx := m.drawTx(t)
	m.txs = slices.DeleteFunc(m.txs, func(other *modelTx) bool { return other == tx })
	return tx
}

func (m *model) txAdd(t *rapid.T) {
	tx, msg := m.drawTx(t), m.drawMessage(t)
	if err := tx.tx.Add(msg); err != nil {
		t.Fatalf("add in a transaction: %v", err)
	}
	tx.messages = append(tx.messages, msg)
}

func (m *model) txRemove(t *rapid.T) {
	tx := m.drawTx(t)
	queue, sequences := m.drawPending(t)
	if err := tx.tx.Remove(queue, sequences); err != nil {
		t.Fatalf("remove in a transaction: %v", err)
	}
	tx.removals[queue] = append(tx.removals[queue], sequences...)
}

func (m *model) commit(t *rapid.T) {
	tx := m.endTx(t)
	on := m.drawRecord(t)
	if err := tx.tx.CommitAs(on, nil); err != nil {
		t.Fatalf("commit: %v", err)
	}
	effects := []func(facts){m.become(tx.messages...)}
	if len(tx.messages)+len(tx.removals)+len(tx.acks) > 0 {
		effects = append(effects, func(f facts) { f.record(on.Connection, on.Name) })
	}
	for queue, sequences := range tx.removals {
		effects = append(effects, m.vanish(queue, sequences))
	}
	for _, a := range tx.acks {
		effects = append(effects, m.pass(a.subscription, m.spare(a)))
	}
	m.expect(t, func(f facts) {
		for _, happen := range effects {
			happen(f)
		}
	})
}

func (m *model) rollback(t *rapid.T) {
	if err := m.endTx(t).tx.Rollback(); err != nil {
		t.Fatalf("rollback: %v", err)
	}
}

func (m *model) clean(t *rapid.T) {
	if !m.held {
		flush(t, m.store)
	}
	clean(t, m.store)
}

func (m *model) hold(t *rapid.T) {
	if m.held {
		t.Skip("held")
	}
	flush(t, m.store)
	m.log.Hold()
	m.held = true
}

func (m *model) release(t *rapid.T) {
	if !m.held {
		t.Skip("not held")
	}
	m.settle(m.log.InFlight())
	m.log.Release()
	flush(t, m.store)
	m.held = false
}

func (m *model) lose(t *rapid.T) {
	if !m.held {
		m.hold(t)
	}
	reached := rapid.IntRange(0, m.log.InFlight()).Draw(t, "reached")
	m.log.Lose(log.ErrRightLost, reached)
	m.settle(reached)
	m.log.Close()
	m.open(t)
}

// restart closes the store, which makes everything durable, and reads what was kept of the log. That has to come to the
// same state as having seen all of it.
func (m *model) restart(t *rapid.T) {
	m.settle(m.log.InFlight())
	closeStore(t, m.store)
	before := m.store
	m.open(t)
	wantSameState(t, before, m.store)
}

func (m *model) check(t *rapid.T) {
	want := map[destination.Destination]Recovered{}
	for queue, pending := range m.facts.pending {
		var texts []string
		bytes := int64(0)
		for _, sequence := range slices.Sorted(maps.Keys(pending)) {
			bytes += int64(newMessage(queue, "p", 1, pending[sequence]).Size())
			if !m.leaving[sequence] && !m.facts.hides(queue, sequence) {
				texts = append(texts, pending[sequence])
			}
		}
		wantContents(t, m.store, queue, texts...)
		if horizon := m.facts.horizons[queue]; len(pending) > 0 || horizon > 0 || m.facts.created[queue] {
			want[queue] = Recovered{queue, len(pending), bytes, horizon}
		}
	}
	got := map[destination.Destination]Recovered{}
	for _, r := range m.store.Recovered() {
		got[r.Destination] = r
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("recovered (-want +got):\n%s", diff)
	}
	m.checkSubscriptions(t)
	m.checkOutcomes(t)
}
