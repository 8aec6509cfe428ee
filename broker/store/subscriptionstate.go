package store

import (
	"cmp"
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
)

// Subscription says what a durable subscription is.
type Subscription struct {
	Client, Name string // together they are one subscription's only
	// Destination is a topic, a pattern of topics, or a composite of both.
	Destination destination.Destination
	Selector    string
	NoLocal     bool
}

// subscription is a durable subscription: it is for the messages of its topics with sequences above its id, and is through with
// those in done. That is all that is kept of it, however long its backlog is.
type subscription struct {
	Subscription
	id       uint64
	done     spans
	horizon  uint64
	recorded uint64              // the entry of the record that says who it is, which is older than all that say more
	topics   map[*queue]struct{} // of these, the ones that the state has

	leaving         bool         // the record that ends it is on its way
	horizonAppended log.Position // of the last one, which may be on its way
}

// subscriptions are all durable subscriptions.
//
// A topic's message is gone once a removal says so, like a queue's. That no subscription needs it any more is no record:
// the holder counts, for each message, and removes it then. So the state does not depend on what was dropped of the log
// before a reader came, and a holder begins by counting.
type subscriptions struct {
	byID     map[uint64]*subscription
	byName   map[subscriber]*subscription
	exact    map[destination.Destination]map[*subscription]struct{}
	patterns map[*subscription]struct{} // patterns and composites

	counting bool                // needs are counted here
	spent    map[*queue][]uint64 // nobody needs them, and no removal says so yet
	waste    int                 // their number
}

// subscriber is whose a subscription is.
type subscriber struct{ client, name string }

func newSubscriptions() subscriptions {
	return subscriptions{byID: map[uint64]*subscription{}, byName: map[subscriber]*subscription{},
		exact: map[destination.Destination]map[*subscription]struct{}{}, patterns: map[*subscription]struct{}{},
		spent: map[*queue][]uint64{}}
}

// applySubscription does what a record about a subscription says.
func (st *state) applySubscription(r *record, at log.Position) error {
	switch r.kind {
	case kindSubscription:
		return st.subscribe(r, at)
	case kindTxAcknowledge:
		tx := st.transaction(r.tx, at.Entry)
		tx.acks = append(tx.acks, acknowledged{r.subscription, slices.Clone(r.spans)})
		return nil
	}
	sub := st.subs.byID[r.subscription]
	if sub == nil {
		return nil // it is gone, or a record to come tells all of it
	}
	switch r.kind {
	case kindUnsubscribe:
		st.unsubscribe(sub)
		return nil
	case kindAcknowledge:
		st.acknowledge(sub, r.spans)
	case kindSubscriptionHorizon:
		sub.setHorizon(r.horizon, at)
	}
	return nil
}

// setHorizon takes the horizon of a record, unless a later one is on its way.
func (sub *subscription) setHorizon(horizon uint64, at log.Position) {
	if at.Compare(sub.horizonAppended) >= 0 {
		sub.horizon = horizon
	}
}

// subscribe begins a subscription, or restates it.
func (st *state) subscribe(r *record, at log.Position) error {
	sub := st.subs.byID[r.subscription]
	if sub == nil {
		name, err := decodeDestination(r.destination)
		if err != nil {
			return err
		}
		sub = &subscription{id: r.subscription, topics: map[*queue]struct{}{}, Subscription: Subscription{Client: string(r.client),
			Name: string(r.name), Destination: name, Selector: string(r.selector), NoLocal: r.flags&noLocal != 0}}
		if err := st.enter(sub); err != nil {
			return err
		}
	}
	sub.setHorizon(r.horizon, at)
	sub.recorded = at.Entry
	st.acknowledge(sub, r.spans)
	return nil
}

// enter adds a subscription, which takes the place of one by its name.
func (st *state) enter(sub *subscription) error {
	key := subscriber{sub.Client, sub.Name}
	if old := st.subs.byName[key]; old != nil {
		st.unsubscribe(old)
	}
	st.subs.byID[sub.id], st.subs.byName[key] = sub, sub
	if d := sub.Destination; !d.IsPattern() && !d.IsComposite() {
		if st.subs.exact[d] == nil {
			st.subs.exact[d] = map[*subscription]struct{}{}
		}
		st.subs.exact[d][sub] = struct{}{}
		if q := st.names[d]; q != nil {
			q.link(sub)
		}
		return nil
	}
	st.subs.patterns[sub] = struct{}{}
	for name, q := range st.names {
		if sub.Destination.Covers(name) {
			q.link(sub)
		}
	}
	return nil
}

// link enters the subscriptions of a queue that is new, which for a real one are none.
func (st *state) link(q *queue) {
	if !q.name.IsTopic() {
		return
	}
	for sub := range st.subs.exact[q.name] {
		q.link(sub)
	}
	for sub := range st.subs.patterns {
		if sub.Destination.Covers(q.name) {
			q.link(sub)
		}
	}
}

func (q *queue) link(sub *subscription) {
	if q.subs == nil {
		q.subs = map[*subscription]struct{}{}
	}
	q.subs[sub] = struct{}{}
	sub.topics[q] = struct{}{}
}

// unsubscribe ends a subscription: what only it needed is spent.
func (st *state) unsubscribe(sub *subscription) {
	delete(st.subs.byID, sub.id)
	delete(st.subs.byName, subscriber{sub.Client, sub.Name})
	delete(st.subs.patterns, sub)
	if same := st.subs.exact[sub.Destination]; same != nil {
		if delete(same, sub); len(same) == 0 {
			delete(st.subs.exact, sub.Destination)
		}
	}
	for gap := range sub.done.gaps(sub.id) {
		st.release(sub, gap)
	}
	for q := range sub.topics {
		delete(q.subs, sub)
		st.forgetIdle(q)
	}
}

// acknowledge notes what a subscription is through with. It is the same if it was noted before: the holder does it when it
// appends the record, too.
func (st *state) acknowledge(sub *subscription, done []Span) {
	for _, span := range done {
		for _, fresh := range sub.done.add(span) {
			st.release(sub, fresh)
		}
	}
}

// release counts that a subscription needs the messages of a span no more.
func (st *state) release(sub *subscription, span Span) {
	if !st.subs.counting {
		return
	}
	for q := range sub.topics {
		for it := range q.above(span.From - 1) {
			if it.sequence > span.To {
				break
			}
			if it.sequence <= sub.id {
				continue
			}
			if it.setNeeds(it.needs() - 1); it.needs() == 0 {
				st.spend(q, it)
			}
		}
	}
}

// spend notes that a message is to be removed.
func (st *state) spend(q *queue, it *item) {
	if !it.leaving() {
		it.bits |= leaving
		st.subs.spent[q] = append(st.subs.spent[q], it.sequence)
		st.subs.waste++
	}
}

// need counts who needs a message that is pending now.
func (st *state) need(q *queue, sequence uint64) {
	if !st.subs.counting || !q.name.IsTopic() {
		return
	}
	it := q.get(sequence)
	if it.setNeeds(len(q.subs)); len(q.subs) == 0 {
		st.spend(q, it)
	}
}

// countNeeds begins to count who needs what.
func (st *state) countNeeds() {
	st.subs.counting = true
	for _, q := range st.queues {
		if q.name.IsTopic() {
			st.countQueue(q)
		}
	}
}

// step is where the number of those who need a message changes.
type step struct {
	from uint64
	by   int
}

// countQueue goes once over the messages and once over the spans of the subscriptions, not over the one for each of the other.
func (st *state) countQueue(q *queue) {
	var steps []step
	for sub := range q.subs {
		for gap := range sub.done.gaps(sub.id) {
			steps = append(steps, step{gap.From, +1}, step{gap.To + 1, -1})
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.from, b.from) })
	needs := 0
	for it := range q.above(0) {
		for len(steps) > 0 && steps[0].from <= it.sequence {
			needs += steps[0].by
			steps = steps[1:]
		}
		if it.setNeeds(needs); needs == 0 {
			st.spend(q, it)
		}
	}
}
