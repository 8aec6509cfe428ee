package node

import (
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/store"
)

// Acknowledge implements core.StoreTx.
func (t joinedTx) Acknowledge(subscription uint64, through []core.Span) error {
	return t.Tx.Acknowledge(subscription, spans(through))
}

// Acknowledge implements core.Store.
func (j joined) Acknowledge(subscription uint64, through []core.Span, done func()) error {
	return j.Store.Acknowledge(subscription, spans(through), done)
}

func spans(through []core.Span) []store.Span {
	s := make([]store.Span, len(through))
	for i, span := range through {
		s[i] = store.Span(span)
	}
	return s
}

// Subscribe implements core.Store.
func (j joined) Subscribe(s core.Subscription, done func()) (id uint64, err error) {
	return j.Store.Subscribe(store.Subscription(s), done)
}

// Subscriptions implements core.Store.
func (j joined) Subscriptions() []core.RecoveredSubscription {
	var all []core.RecoveredSubscription
	for _, r := range j.Store.Subscriptions() {
		all = append(all, core.RecoveredSubscription{Subscription: core.Subscription(r.Subscription), ID: r.ID, Horizon: r.Horizon})
	}
	return all
}
