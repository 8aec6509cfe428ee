package core

import (
	"cmp"
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/selector"
)

const (
	// passAtOnce is how many messages that a subscription does not want are passed over before the store is told.
	passAtOnce = 128
	// localsKept is how many connections a subscription remembers whose own messages it does not want.
	localsKept = 8
)

// durable is a durable subscription (JMS 1.1 §6.3). It has a queue for its one consumer, which the store backs with all that the
// subscription is not through with: so it has a window, redelivery and dead letters like any queue. While nobody
// consumes, that queue has nothing stored in memory, and nothing is done for a stored message that comes.
type durable struct {
	Subscription
	broker   *Broker
	id       uint64
	queue    *queue
	selector *selector.Selector
	begins   bool // it has had no consumer yet; only that looks at it

	// Under the broker's lock.
	consumer *Consumer        // nil while it is offline
	online   bool             // stored messages come to the queue as they arrive
	since    int64            // when it went offline, in milliseconds since 1970
	topics   map[*topic]links // those that there are of its destination

	// Under the queue's lock.
	redeliveries map[uint64]int      // of messages that are back in the store
	claimed      map[uint64]struct{} // consumed in transactions that outlive their consumer
	hidden       []uint64            // consumed in prepared branches, in order
	passed       []Span              // not wanted, which the store is to be told
	skipped      int                 // their number
	locals       []string            // the connections whose messages are its own, if it wants none of these
	kept         int                 // bytes kept in memory alone while offline
}

// links are a subscription's entries with a topic.
type links struct {
	all    *entry
	online *entry // nil while it is offline
}

func newDurable(b *Broker, s Subscription, id uint64) (*durable, error) {
	chosen, err := compile(s.Selector)
	if err != nil {
		return nil, err
	}
	d := &durable{
		Subscription: s, broker: b, id: id, selector: chosen, since: b.millis(),
		topics: map[*topic]links{}, redeliveries: map[uint64]int{}, claimed: map[uint64]struct{}{},
	}
	d.queue = &queue{broker: b, name: s.Destination, backing: d, tiers: []tier{{cursor: id, behind: true}}}
	return d, nil
}

// page implements backing.
func (d *durable) page(after uint64, maxMessages, maxBytes int) ([]*message.Message, error) {
	return d.broker.store.PageSubscription(d.id, after, maxMessages, maxBytes)
}

// pagePriority implements backing. A subscription has one tier.
func (d *durable) pagePriority(_ byte, after uint64, maxMessages, maxBytes int) ([]*message.Message, error) {
	return d.page(after, maxMessages, maxBytes)
}

// admit implements backing: the selector is tried when a message is next.
func (d *durable) admit(n *node) bool {
	sequence := n.message.BrokerSequence()
	if n.stored {
		n.after = max(n.after, d.hiddenBelow(sequence))
		if _, claimed := d.claimed[sequence]; claimed {
			return false
		}
		n.redeliveries = max(n.redeliveries, d.redeliveries[sequence])
		delete(d.redeliveries, sequence)
	}
	if d.wants(n.message) {
		return true
	}
	if n.stored {
		d.pass(Span{n.after + 1, sequence})
	}
	return false
}

// hide implements backing. What comes after something hidden does not stand for it when it is acknowledged, since it may come back.
func (d *durable) hide(sequences []uint64) {
	d.hidden = append(d.hidden, sequences...)
	slices.Sort(d.hidden)
}

// reveal implements backing.
func (d *durable) reveal(sequences []uint64) {
	sequences = slices.Sorted(slices.Values(sequences))
	d.hidden = slices.DeleteFunc(d.hidden, func(hidden uint64) bool {
		_, revealed := slices.BinarySearch(sequences, hidden)
		return revealed
	})
}

// hiddenBelow returns the last of what is hidden below a sequence, 0 if there is none.
func (d *durable) hiddenBelow(sequence uint64) uint64 {
	if i, _ := slices.BinarySearch(d.hidden, sequence); i > 0 {
		return d.hidden[i-1]
	}
	return 0
}

func (d *durable) wanted(m *message.Message) bool {
	d.queue.mu.Lock()
	defer d.queue.mu.Unlock()
	return d.wants(m)
}

func (d *durable) wants(m *message.Message) bool {
	if d.NoLocal && slices.Contains(d.locals, m.Sender()) {
		return false
	}
	return d.selector == nil || d.selector.Matches(properties{m, false})
}

// pass notes what the subscription is through with because it does not want it.
func (d *durable) pass(s Span) {
	d.passed = merge(append(d.passed, s))
	if d.skipped++; d.skipped >= passAtOnce {
		d.tell()
	}
}

// tell tells the store what was passed over.
func (d *durable) tell() {
	if len(d.passed) == 0 {
		return
	}
	if err := d.broker.store.Acknowledge(d.id, d.passed, nil); err != nil {
		d.broker.logger.Debug("not told what a selector refuses: the store takes nothing more", "subscription", d.key().text(), "error", err)
	}
	d.passed, d.skipped = nil, 0
}

// remove implements backing.
func (d *durable) remove(stored []*node, tx StoreTx, done func()) error {
	through := make([]Span, len(stored))
	for i, n := range stored {
		through[i] = Span{n.after + 1, n.message.BrokerSequence()}
	}
	if tx != nil {
		return tx.Acknowledge(d.id, merge(through))
	}
	through = merge(append(through, d.passed...))
	d.passed, d.skipped = nil, 0
	return d.broker.store.Acknowledge(d.id, through, done)
}

// merge puts spans in order and joins those that touch.
func merge(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	merged := spans[:0]
	for _, s := range spans {
		if last := len(merged) - 1; last >= 0 && s.From <= merged[last].To+1 {
			merged[last].To = max(merged[last].To, s.To)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// expired implements backing: what is only stored expires for all subscriptions of a topic at once.
func (d *durable) expired(uint64, int64, int) []uint64 { return nil }

// horizon implements backing.
func (d *durable) horizon(sequence uint64, done func()) error {
	return d.broker.store.SubscriptionHorizon(d.id, sequence, done)
}

// origin implements backing.
func (d *durable) origin(m *message.Message) (*policy.Policy, destination.Destination, string) {
	at := m.Destination()
	return d.broker.policy(at), at, d.key().text()
}

// returned implements backing: what comes back when nobody consumes any more goes back to the store, which loses no more than
// the memory that it takes.
func (d *durable) returned() {
	q := d.queue
	if q.attended.Load() {
		return
	}
	for n := q.window.first(); n != nil; n = q.window.after(n.order) {
		if n.stored {
			d.putBack(n)
		} else if !d.broker.durables.keep {
			q.take(n)
			q.free([]*node{n})
		}
	}
	q.tiers[0].behind = true
}

func (d *durable) putBack(n *node) {
	sequence := n.message.BrokerSequence()
	delete(d.claimed, sequence)
	if n.redeliveries > 0 {
		d.redeliveries[sequence] = n.redeliveries
	}
	d.queue.tiers[0].cursor = min(d.queue.tiers[0].cursor, n.after)
	d.queue.take(n)
}

// readmit makes messages part of the backlog again that were not because of a prepared transaction.
func (d *durable) readmit(sequences []uint64) {
	d.queue.mu.Lock()
	defer d.queue.mu.Unlock()
	if d.queue.attended.Load() {
		d.queue.restore(sequences)
		return
	}
	for _, sequence := range sequences {
		d.queue.tiers[0].cursor = min(d.queue.tiers[0].cursor, sequence-1)
	}
	d.queue.tiers[0].behind = true
}

// claim notes what a consumer that ended has in open transactions, so that nobody gets it before these end.
func (d *durable) claim(c *Consumer) {
	for sequence := range d.claimed {
		if d.broker.store.Through(d.id, sequence) {
			delete(d.claimed, sequence)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := c.flight.first; n != nil; n = n.next {
		if n.stored && n.state == consumed {
			d.claimed[n.message.BrokerSequence()] = struct{}{}
		}
	}
}

// welcome prepares for a consumer of a connection.
func (d *durable) welcome(connection string) {
	d.queue.mu.Lock()
	defer d.queue.mu.Unlock()
	d.broker.durables.kept.Add(int64(-d.kept))
	d.kept = 0
	if i := slices.Index(d.locals, connection); i >= 0 {
		d.locals = slices.Delete(d.locals, i, i+1)
	}
	d.locals = append(d.locals, connection)
	if len(d.locals) > localsKept {
		d.locals = d.locals[1:]
	}
}

// farewell is what is left to do when a consumer has ended.
func (d *durable) farewell(c *Consumer) {
	d.queue.mu.Lock()
	defer d.queue.mu.Unlock()
	d.claim(c)
	d.returned()
	d.tell()
	d.weigh()
}

// weigh counts what is kept in memory alone while it is offline.
func (d *durable) weigh() {
	kept := 0
	for n := d.queue.window.first(); n != nil; n = d.queue.window.after(n.order) {
		kept += n.message.Size()
	}
	d.broker.durables.kept.Add(int64(kept - d.kept))
	d.kept = kept
}

// offer gives the subscription a message that is not stored. While it is offline, that is kept as long as all of those do not take
// too much memory: nobody may ever come for it.
func (d *durable) offer(m *message.Message) {
	if d.queue.attended.Load() {
		d.queue.arrive(m, false)
		return
	}
	all := &d.broker.durables
	if !all.keep || !d.wanted(m) {
		return
	}
	if all.kept.Add(int64(m.Size())) > all.limit {
		all.kept.Add(int64(-m.Size()))
		all.full.Do(func() {
			d.broker.logger.Warn("dropped a message that is not persistent: offline durable subscriptions have all the memory that there is for them",
				"client", d.Client, "subscription", d.Name, "bytes", all.limit)
		})
		return
	}
	d.queue.mu.Lock()
	d.kept += m.Size()
	d.queue.mu.Unlock()
	d.queue.arrive(m, false)
}

// settle records how far the subscription is.
func (d *durable) settle() {
	d.queue.settle()
	d.queue.mu.Lock()
	defer d.queue.mu.Unlock()
	d.tell()
}

// end gives up what the subscription has in memory.
func (d *durable) end() {
	d.queue.remove()
	d.queue.mu.Lock()
	defer d.queue.mu.Unlock()
	d.weigh()
}

func (d *durable) key() subscriber { return subscriber{d.Client, d.Name} }
