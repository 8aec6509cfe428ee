package store

import (
	"maps"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/twinmesh/twinmesh/broker/destination"
)

var (
	gold   = destination.Destination{Kind: destination.Topic, Name: "PRICES.GOLD"}
	silver = destination.Destination{Kind: destination.Topic, Name: "PRICES.SILVER"}
)

// subscriptionFacts is what the store has to know of one subscription.
type subscriptionFacts struct {
	Subscription
	done    map[uint64]bool
	horizon uint64
}

func (f facts) needs(id uint64, sub *subscriptionFacts, topic destination.Destination, sequence uint64) bool {
	return sequence > id && sub.Destination.Covers(topic) && !sub.done[sequence]
}

// wanted are the messages of a topic that a subscription is not through with.
func (f facts) wanted(id uint64, topic destination.Destination) map[uint64]string {
	wanted := map[uint64]string{}
	for sequence, text := range f.topics[topic] {
		if f.needs(id, f.subs[id], topic, sequence) {
			wanted[sequence] = text
		}
	}
	return wanted
}

func (m *model) publish(t *rapid.T) {
	msg := m.drawMessageTo(t, rapid.SampledFrom([]destination.Destination{gold, silver}).Draw(t, "topic"))
	add(t, m.store, msg)
	m.expect(t, m.become(msg))
}

func (m *model) subscribe(t *rapid.T) {
	sub := Subscription{Client: "c", Name: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"),
		Selector: rapid.SampledFrom([]string{"", "x = 1"}).Draw(t, "selector"), NoLocal: rapid.Bool().Draw(t, "noLocal"),
		Destination: destination.Destination{Kind: destination.Topic,
			Name: rapid.SampledFrom([]string{gold.Name, silver.Name, "PRICES.*", "PRICES.GOLD,PRICES.SILVER"}).Draw(t, "topic")}}
	id, err := m.store.Subscribe(sub, nil)
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	m.expect(t, func(f facts) {
		for other, facts := range f.subs {
			if facts.Name == sub.Name {
				delete(f.subs, other)
			}
		}
		f.subs[id] = &subscriptionFacts{Subscription: sub, done: map[uint64]bool{}}
	})
}

func (m *model) drawSubscription(t *rapid.T) uint64 {
	if len(m.facts.subs) == 0 {
		t.Skip("no subscription")
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(m.facts.subs))).Draw(t, "subscription")
}

func (m *model) unsubscribe(t *rapid.T) {
	id := m.drawSubscription(t)
	if err := m.store.Unsubscribe(id, nil); err != nil {
		t.Fatalf("unsubscribe: %v", err)
	}
	m.expect(t, func(f facts) { delete(f.subs, id) })
}

// drawAck returns some of what a subscription is not through with, as spans that begin behind the message before.
func (m *model) drawAck(t *rapid.T, id uint64) (through []Span, sequences []uint64) {
	before := rapid.SampledFrom([]uint64{0, id}).Draw(t, "from")
	for _, sequence := range m.unread(id) {
		if rapid.Bool().Draw(t, "acknowledged") {
			through = append(through, Span{before + 1, sequence})
			sequences = append(sequences, sequence)
		}
		before = sequence
	}
	return through, sequences
}

// unread are the sequences of what a subscription has neither acknowledged nor is about to.
func (m *model) unread(id uint64) []uint64 {
	var all []uint64
	for topic := range m.facts.topics {
		for sequence := range m.facts.wanted(id, topic) {
			if !m.through[id][sequence] && !m.facts.hidesFrom(id, sequence) {
				all = append(all, sequence)
			}
		}
	}
	slices.Sort(all)
	return all
}

// pass returns what acknowledging makes a fact.
func (m *model) pass(id uint64, sequences []uint64) func(facts) {
	if m.through[id] == nil {
		m.through[id] = map[uint64]bool{}
	}
	for _, sequence := range sequences {
		m.through[id][sequence] = true
	}
	return func(f facts) {
		for _, sequence := range sequences {
			if sub := f.subs[id]; sub != nil {
				sub.done[sequence] = true
			}
		}
	}
}

func (m *model) acknowledge(t *rapid.T) {
	id := m.drawSubscription(t)
	through, sequences := m.drawAck(t, id)
	if err := m.store.Acknowledge(id, through, nil); err != nil {
		t.Fatalf("acknowledge: %v", err)
	}
	m.expect(t, m.pass(id, sequences))
}

func (m *model) txAcknowledge(t *rapid.T) {
	tx, id := m.drawTx(t), m.drawSubscription(t)
	through, sequences := m.drawAck(t, id)
	if err := tx.tx.Acknowledge(id, through); err != nil {
		t.Fatalf("acknowledge in a transaction: %v", err)
	}
	tx.acks = append(tx.acks, modelAck{id, sequences})
}

func (m *model) moveSubscriptionHorizon(t *rapid.T) {
	id, to := m.drawSubscription(t), rapid.Uint64Range(0, 1000).Draw(t, "horizon")
	if err := m.store.SubscriptionHorizon(id, to, nil); err != nil {
		t.Fatalf("horizon: %v", err)
	}
	m.expect(t, func(f facts) {
		if sub := f.subs[id]; sub != nil {
			sub.horizon = to
		}
	})
}

func (m *model) checkSubscriptions(t *rapid.T) {
	var known []uint64
	for _, sub := range m.store.Subscriptions() {
		known = append(known, sub.ID)
		want := m.facts.subs[sub.ID]
		if want == nil || want.Subscription != sub.Subscription || !m.held && want.horizon != sub.Horizon {
			t.Fatalf("got %+v, want %+v", sub, want)
		}
	}
	if diff := gocmp.Diff(slices.Sorted(maps.Keys(m.facts.subs)), known); diff != "" {
		t.Fatalf("subscriptions (-want +got):\n%s", diff)
	}
	for _, id := range known {
		if diff := gocmp.Diff(m.unread(id), backlog(t, m.store, id)); diff != "" {
			t.Fatalf("backlog of %x (-want +got):\n%s", id, diff)
		}
	}
	if !m.held {
		m.checkNeeded(t)
	}
}

// checkNeeded wants each topic to keep exactly what someone needs.
func (m *model) checkNeeded(t *rapid.T) {
	if err := m.store.Dispose(); err != nil {
		t.Fatalf("dispose: %v", err)
	}
	flush(t, m.store)
	for topic := range m.facts.topics {
		needed := map[uint64]string{}
		for id := range m.facts.subs {
			maps.Copy(needed, m.facts.wanted(id, topic))
		}
		m.facts.topics[topic] = needed
		if got, _ := m.store.Pending(topic); got != len(needed) {
			t.Fatalf("%v has %d messages, %d are needed", topic, got, len(needed))
		}
	}
}

// backlog is what a subscription gets, in pages of a few.
func backlog(t fatal, s *Store, id uint64) []uint64 {
	t.Helper()
	var all []uint64
	for after := uint64(0); ; {
		page, err := s.PageSubscription(id, after, 3, 1<<20)
		if err != nil {
			t.Fatalf("page: %v", err)
		}
		if len(page) == 0 {
			return all
		}
		for _, m := range page {
			if m.BrokerSequence() <= after {
				t.Fatalf("%x after %x", m.BrokerSequence(), after)
			}
			after = m.BrokerSequence()
			all = append(all, after)
		}
	}
}
