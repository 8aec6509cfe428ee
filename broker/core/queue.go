package core

import (
	"sync"
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

const (
	// pageMessages and pageBytes bound what is loaded from the store at once.
	pageMessages = 200
	pageBytes    = 1 << 20
	// windowBytes is what a queue may always hold of stored messages; beyond, all queues share cacheBytes.
	windowBytes = 64 << 10
	cacheBytes  = 32 << 20
	// orderStep is how far the orders of two arrivals are apart, so that something fits in between.
	orderStep = 1024
	// horizonStep is how far ahead of dispatch the horizon is put; half of it is when the next step is asked for.
	horizonStep = 8192
)

// queue is a queue: the window of messages in memory that wait for a consumer, in order, and the consumers with what each has
// in flight. Stored messages that do not fit into the window stay in the store, behind the cursor's back, and are paged
// in when the window runs low.
type queue struct {
	broker  *Broker
	name    destination.Destination
	owner   *Connection                   // of a temporary queue
	place   place                         // among what advisories tell of
	policy  atomic.Pointer[policy.Policy] // replaced under the lock
	backing backing

	producers atomic.Int64 // how many there are
	usage     usage
	statistics
	idle idle

	mu       sync.Mutex
	window   line
	waiting  int // bytes of stored messages in the window
	arrivals uint64
	tiers    []tier // one, or one for each priority: the highest first
	deleted  bool
	through  uint64 // of one that is deleted: the highest sequence that is gone with it
	swept    lastSweep

	seats     []*seat
	coming    uint64      // seats so far
	attended  atomic.Bool // there are seats
	audience  audience
	gathering int64 // until when the queue waits for consumers, in milliseconds since 1970; 0 if it does not
	exclusive *seat // who has the queue for himself, nil for nobody
	groups    groups
	ready     ranks            // who is offered messages
	roused    []*seat          // who is ready again and has not looked at what was offered meanwhile
	held      []*seat          // who waits until less is in flight everywhere
	ahead     map[uint64]*node // what somebody took before the window came to it, by sequence
	returns   uint64           // what was given back ahead of its turn makes a new one, in which all of the store is looked at again
	offered   uint64           // all in the window up to this order was offered to those ready and not roused
	epoch     uint64           // what was refused in an earlier one is to be looked at again
	furthest  uint64           // nobody refused anything above this order

	horizon   uint64        // stored messages below it may be dispatched
	requested atomic.Uint64 // the horizon that the store was asked for
	suspect   uint64        // stored messages below it may have been dispatched by another holder of the store
	reached   uint64        // highest sequence of a stored message dispatched here
}

// store keeps a persistent message and, when that is durable, puts it into the queue and calls done.
func (q *queue) store(m *message.Message, done func()) error {
	err := q.broker.store.Add(m, func() {
		q.arrive(m, true)
		call(done)
	})
	if err == nil && q.attended.Load() {
		q.advance(m.BrokerSequence()) // becomes durable together with the message
	}
	return err
}

// arrive puts a message in at the end. A stored one may be left to the store instead.
func (q *queue) arrive(m *message.Message, stored bool) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		q.missed(m, stored)
		return
	}
	defer q.mu.Unlock()
	switch {
	case !stored:
		q.push(m, false)
	case m.BrokerSequence() <= q.tiers[q.tierOf(m)].cursor: // the pager was quicker
	case q.tiers[q.tierOf(m)].behind || !q.fits():
		q.tiers[q.tierOf(m)].behind = true
	default:
		q.push(m, true)
	}
	q.enqueue(m.Size())
	if q.name.IsQueue() {
		q.broker.delivered(m, q.name, q.attended.Load())
	}
	q.dispatch()
}

func (q *queue) fits() bool {
	return q.waiting < windowBytes || q.broker.cached.Load() < cacheBytes
}

// push puts a message in at the end of its tier of the window, and tells whether it belongs there.
func (q *queue) push(m *message.Message, stored bool) bool {
	q.arrivals += orderStep
	at := q.tierOf(m)
	order := uint64(at)<<tierShift | q.arrivals
	n := q.catchUpWith(m)
	if n == nil {
		n = &node{message: m, stored: stored, redeliveries: m.Redeliveries(), group: q.groups.nameOf(m)}
	}
	n.order = order
	if stored {
		n.after, q.tiers[at].cursor = q.tiers[at].cursor, m.BrokerSequence()
		n.suspect = m.BrokerSequence() < q.suspect
	}
	if n.seat != nil {
		return true // somebody has it, and may give it back
	}
	if !q.backing.admit(n) {
		return false
	}
	q.hold(n, +1)
	if !stored {
		q.occupy(m.Size())
	}
	q.window.insert(n)
	q.lookAgainFrom(n.order)
	return true
}

// hold counts a stored message as in the window, or with sign -1 as not.
func (q *queue) hold(n *node, sign int) {
	if n.stored {
		q.waiting += sign * n.message.Size()
		q.broker.cached.Add(int64(sign * n.message.Size()))
	}
}

// take removes a message from the window.
func (q *queue) take(n *node) {
	q.window.remove(n)
	q.hold(n, -1)
}

// giveBack puts messages back where they were, before all that came after them. If the queue is no more, they vanish with it.
func (q *queue) giveBack(nodes []*node) {
	if q.deleted {
		q.free(nodes)
		return
	}
	for _, n := range nodes {
		n.seat = nil
		if !n.placed() {
			q.returns++
			continue
		}
		q.hold(n, +1)
		q.window.insert(n)
		q.lookAgainFrom(n.order)
	}
	q.backing.returned()
}

// occupy counts bytes of messages that are not stored, or with a negative number gives them back.
func (q *queue) occupy(bytes int) {
	q.usage.add(bytes)
	q.broker.memory.add(bytes)
}

// free gives back the memory of messages that are not stored.
func (q *queue) free(nodes []*node) {
	for _, n := range nodes {
		if !n.placed() {
			delete(q.ahead, n.message.BrokerSequence())
		}
		if !n.stored {
			n.gone.Store(true)
			q.occupy(-n.message.Size())
		}
	}
}

// drop ends messages that are consumed, expired or discarded; stored ones are removed from the store, as part of tx if
// there is one.
func (q *queue) drop(nodes []*node, tx StoreTx, done func()) error {
	q.free(nodes)
	q.dequeued.Add(int64(len(nodes)))
	stored := storedOf(nodes)
	if len(stored) == 0 {
		call(done)
		return nil
	}
	return q.backing.remove(stored, tx, done)
}

// advance asks for the horizon ahead of sequence, unless it is far enough.
func (q *queue) advance(sequence uint64) {
	for {
		now := q.requested.Load()
		if sequence+horizonStep/2 < now {
			return
		}
		next := sequence + horizonStep
		if q.requested.CompareAndSwap(now, next) {
			q.ask(next)
			return
		}
	}
}

func (q *queue) ask(horizon uint64) {
	err := q.backing.horizon(horizon, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.horizon = max(q.horizon, horizon)
		q.dispatch()
	})
	if err != nil {
		q.broker.logger.Debug("no horizon: the store takes nothing more", "queue", q.name.String(), "error", err)
	}
}

// settle records how far the queue was really dispatched.
func (q *queue) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted || q.requested.Load() == 0 {
		return
	}
	q.horizon = 0
	if err := q.backing.horizon(max(q.suspect, q.reached+1), nil); err != nil {
		q.broker.logger.Debug("no horizon: the store takes nothing more", "queue", q.name.String(), "error", err)
	}
}

// remove ends the queue and all that is in it.
func (q *queue) remove() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.end()
}

// end forgets what is in memory. q.mu is held.
func (q *queue) end() {
	q.deleted = true
	defer q.usage.wake()
	for n := q.window.first(); n != nil; n = q.window.after(n.order) {
		q.hold(n, -1)
		if !n.stored {
			q.occupy(-n.message.Size())
		}
	}
	q.window = line{}
	for len(q.seats) > 0 {
		s := q.seats[len(q.seats)-1]
		q.leave(s)
		s.consumer.source.(*attendance).forget(s.consumer, s)
	}
}

func call(f func()) {
	if f != nil {
		f()
	}
}
