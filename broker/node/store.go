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
func (j joined) Begin() core.StoreTx { return j.Store.Begin() }

// Recovered implements core.Store.
func (j joined) Recovered() []core.Recovered {
	var all []core.Recovered
	for _, r := range j.Store.Recovered() {
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
