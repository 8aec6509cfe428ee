package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

// record puts a commit on record.
func (f facts) record(connection, name string) {
	if connection == "" {
		return
	}
	all := append(f.commits[connection], name)
	f.commits[connection] = all[max(0, len(all)-maxCommits):]
}

func (m *model) drawConnection(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "ID:c", "ID:d"}).Draw(t, "connection")
}

func (m *model) drawRecord(t *rapid.T) Committed {
	m.named++
	return Committed{Connection: m.drawConnection(t), Name: fmt.Sprint(m.named), Time: int64(m.named)}
}

func (m *model) prepare(t *rapid.T) {
	tx := m.endTx(t)
	for i, a := range tx.acks {
		tx.acks[i].sequences = m.spare(a)
	}
	m.named++
	x := message.XID{Format: int32(m.named), Global: "g"}
	if err := tx.tx.Prepare(Preparation{XID: x, Connection: m.drawConnection(t), Time: int64(m.named)}, nil); err != nil {
		t.Fatalf("prepare: %v", err)
	}
	for _, msg := range tx.messages {
		producer := string(msg.RawProducer())
		m.appended[producer] = max(m.appended[producer], msg.ProducerSequence())
	}
	m.expect(t, func(f facts) {
		f.prepared[x] = tx
		for _, msg := range tx.messages {
			producer := string(msg.RawProducer())
			f.last[producer] = max(f.last[producer], msg.ProducerSequence())
		}
	})
}

// spare returns what of an acknowledgement no other transaction has prepared.
func (m *model) spare(a modelAck) []uint64 {
	return slices.DeleteFunc(slices.Clone(a.sequences), func(s uint64) bool { return m.facts.hidesFrom(a.subscription, s) })
}

func (m *model) decide(t *rapid.T) {
	x := m.drawName(t, slices.Collect(maps.Keys(m.facts.prepared)))
	if m.ending[x] {
		t.Skip("it has its outcome already")
	}
	m.ending[x] = true
	d := Decision{XID: x, Committed: rapid.Bool().Draw(t, "committed"), Heuristic: rapid.Bool().Draw(t, "heuristic"),
		Connection: m.drawConnection(t)}
	first := m.store.term<<counterBits | m.store.counter + 1
	if err := m.store.Decide(d, func(uint64) {}); err != nil {
		t.Fatalf("decide: %v", err)
	}
	tx := m.facts.prepared[x]
	happen := func(facts) {}
	if d.Committed {
		happen = m.happenAs(tx, first)
	}
	m.expect(t, func(f facts) {
		delete(f.prepared, x)
		if d.Heuristic {
			f.heuristics[x] = d.Committed
		}
		if d.Committed {
			f.record(d.Connection, x.String())
			happen(f)
		}
	})
}

// happenAs gives a transaction's messages the sequences that its commit says, and returns what becomes a fact.
func (m *model) happenAs(tx *modelTx, first uint64) func(facts) {
	for i, msg := range tx.messages {
		msg.SetBrokerSequence(first + uint64(i))
	}
	effects := []func(facts){m.become(tx.messages...)}
	for queue, sequences := range tx.removals {
		effects = append(effects, m.vanish(queue, sequences))
	}
	for _, a := range tx.acks {
		effects = append(effects, m.pass(a.subscription, a.sequences))
	}
	return func(f facts) {
		for _, happen := range effects {
			happen(f)
		}
	}
}

func (m *model) forget(t *rapid.T) {
	x := m.drawName(t, slices.Collect(maps.Keys(m.facts.heuristics)))
	if err := m.store.Forget(x, nil); err != nil {
		t.Fatalf("forget: %v", err)
	}
	m.ending[x] = true
	m.expect(t, func(f facts) { delete(f.heuristics, x) })
}

func (m *model) drawName(t *rapid.T, names []message.XID) message.XID {
	if len(names) == 0 {
		t.Skip("none")
	}
	slices.SortFunc(names, func(a, b message.XID) int { return strings.Compare(a.String(), b.String()) })
	return rapid.SampledFrom(names).Draw(t, "name")
}

// checkOutcomes compares what is prepared, and what is on record.
func (m *model) checkOutcomes(t *rapid.T) {
	want, got := map[string]string{}, map[string]string{}
	for x, tx := range m.facts.prepared {
		want[x.String()] = describe(len(tx.messages), tx.removals)
	}
	for _, p := range m.store.Prepared() {
		sent, removals := 0, map[destination.Destination][]uint64{}
		for _, s := range p.Sent {
			sent += s.Messages
		}
		for _, c := range p.Consumed {
			removals[c.Queue] = append(removals[c.Queue], c.Sequences...)
		}
		got[p.XID.String()] = describe(sent, removals)
	}
	for x, committed := range m.facts.heuristics {
		if !m.ending[x] {
			want[x.String()] = fmt.Sprint("heuristic ", committed)
		}
	}
	for _, h := range m.store.Heuristics() {
		if !m.ending[h.XID] {
			got[h.XID.String()] = fmt.Sprint("heuristic ", h.Committed)
		}
	}
	for connection, names := range m.facts.commits {
		want[connection] = fmt.Sprint(names)
		var all []string
		for _, c := range m.store.CommitsOf(connection) {
			all = append(all, c.Name)
		}
		got[connection] = fmt.Sprint(all)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("outcomes (-want +got):\n%s", diff)
	}
}

func describe(sent int, removals map[destination.Destination][]uint64) string {
	return fmt.Sprintf("%d sent, %v and %v removed", sent, removals[orders], removals[bills])
}
