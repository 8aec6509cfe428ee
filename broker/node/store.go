package node

import (
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/store"
)

// Join makes a store what the core needs of one.
func Join(s *store.Store) core.Store { return joined{s} }

type joined struct{ *store.Store }

// Begin implements core.Store.
func (j joined) Begin() core.StoreTx { return joinedTx{j.Store.Begin()} }

// Recovered implements core.Store.
func (j joined) Recovered() []core.Recovered { return recovered(j.Store.Recovered()) }

func recovered(from []store.Recovered) []core.Recovered {
	var all []core.Recovered
	for _, r := range from {
		all = append(all, core.Recovered{Destination: r.Destination, Messages: r.Messages, Horizon: r.Horizon})
	}
	return all
}

// Expirations implements core.Store.
func (j joined) Expirations(queue destination.Destination) []core.Due {
	var all []core.Due
	for _, e := range j.Store.Expirations(queue) {
		all = append(all, core.Due(e))
	}
	return all
}

// Prepared implements core.Store.
func (j joined) Prepared() []core.Prepared {
	var all []core.Prepared
	for _, p := range j.Store.Prepared() {
		c := core.Prepared{Preparation: core.Preparation(p.Preparation), Sent: recovered(p.Sent)}
		for _, consumed := range p.Consumed {
			c.Consumed = append(c.Consumed, core.Consumed(consumed))
		}
		for _, acknowledged := range p.Acknowledged {
			c.Acknowledged = append(c.Acknowledged, core.Acknowledged(acknowledged))
		}
		all = append(all, c)
	}
	return all
}

// Decide implements core.Store.
func (j joined) Decide(d core.Decision, done func(first uint64)) error {
	return j.Store.Decide(store.Decision(d), done)
}

// Heuristics implements core.Store.
func (j joined) Heuristics() []core.Decision {
	var all []core.Decision
	for _, d := range j.Store.Heuristics() {
		all = append(all, core.Decision(d))
	}
	return all
}

// Commits implements core.Store.
func (j joined) Commits() []core.Committed { return committed(j.Store.Commits()) }

// CommitsOf implements core.Store.
func (j joined) CommitsOf(connection string) []core.Committed {
	return committed(j.Store.CommitsOf(connection))
}

func committed(from []store.Committed) []core.Committed {
	var all []core.Committed
	for _, c := range from {
		all = append(all, core.Committed(c))
	}
	return all
}

type joinedTx struct{ *store.Tx }

// CommitAs implements core.StoreTx.
func (j joinedTx) CommitAs(c core.Committed, done func()) error {
	return j.Tx.CommitAs(store.Committed(c), done)
}

// Prepare implements core.StoreTx.
func (j joinedTx) Prepare(p core.Preparation, done func()) error {
	return j.Tx.Prepare(store.Preparation(p), done)
}
