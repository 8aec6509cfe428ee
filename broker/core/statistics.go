package core

import (
	"math"
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// statistics counts what happens at a destination, as ActiveMQ's DestinationStatistics do. It begins with the broker, and with each
// destination; what is there now is not counted here but looked up.
type statistics struct {
	enqueued, dequeued, dispatched, expired atomic.Int64
	inFlight                                atomic.Int64
	bytes                                   atomic.Int64 // of all that was enqueued
	process                                 times
}

// times is how long messages were held before they were dispatched, in milliseconds.
type times struct {
	count, total, longest atomic.Int64
	shortest              atomic.Int64 // and one, so that 0 is none yet
}

func (t *times) add(millis int64) {
	millis = max(0, millis)
	t.count.Add(1)
	t.total.Add(millis)
	for old := t.longest.Load(); millis > old && !t.longest.CompareAndSwap(old, millis); old = t.longest.Load() {
		continue
	}
	for old := t.shortest.Load(); (old == 0 || millis+1 < old) && !t.shortest.CompareAndSwap(old, millis+1); old = t.shortest.Load() {
		continue
	}
}

func (s *statistics) enqueue(size int) {
	s.enqueued.Add(1)
	s.bytes.Add(int64(size))
}

// figures are statistics at a moment, of one destination or of several together.
type figures struct {
	enqueued, dequeued, dispatched, expired, inFlight, bytes int64
	held, heldTotal, heldLongest, heldShortest               int64 // heldShortest is one more, 0 is none yet

	messages, cached, consumers, producers int64 // those that there are
	memory, memoryLimit                    int64 // bytes
}

func (s *statistics) figures() figures {
	return figures{
		enqueued: s.enqueued.Load(), dequeued: s.dequeued.Load(), dispatched: s.dispatched.Load(), expired: s.expired.Load(),
		inFlight: s.inFlight.Load(), bytes: s.bytes.Load(),
		held: s.process.count.Load(), heldTotal: s.process.total.Load(), heldLongest: s.process.longest.Load(), heldShortest: s.process.shortest.Load(),
	}
}

// reset begins anew, but for what is in flight.
func (s *statistics) reset() {
	for _, n := range []*atomic.Int64{
		&s.enqueued, &s.dequeued, &s.dispatched, &s.expired, &s.bytes, &s.process.count, &s.process.total, &s.process.longest, &s.process.shortest,
	} {
		n.Store(0)
	}
}

// add makes f the figures of both.
func (f *figures) add(g figures) {
	if f.heldShortest == 0 || g.heldShortest > 0 && g.heldShortest < f.heldShortest {
		f.heldShortest = g.heldShortest
	}
	f.heldLongest = max(f.heldLongest, g.heldLongest)
	for _, pair := range [][2]*int64{
		{&f.enqueued, &g.enqueued}, {&f.dequeued, &g.dequeued}, {&f.dispatched, &g.dispatched}, {&f.expired, &g.expired},
		{&f.inFlight, &g.inFlight}, {&f.bytes, &g.bytes}, {&f.held, &g.held}, {&f.heldTotal, &g.heldTotal},
		{&f.messages, &g.messages}, {&f.cached, &g.cached}, {&f.consumers, &g.consumers}, {&f.producers, &g.producers},
		{&f.memory, &g.memory},
	} {
		*pair[0] += *pair[1]
	}
}

func (f figures) averageSize() int64 { return f.bytes / max(1, f.enqueued) }

func (f figures) averageHeld() float64 { return float64(f.heldTotal) / float64(max(1, f.held)) }

func (f figures) shortestHeld() float64 { return float64(max(0, f.heldShortest-1)) }

// percent is how much of a limit is used.
func percent(used, limit int64) int32 {
	if limit <= 0 {
		return 0
	}
	return int32(min(math.MaxInt32, used*100/limit))
}

func (q *queue) figures() figures {
	f := q.statistics.figures()
	stored, _ := q.broker.store.Pending(q.name)
	fleeting, bytes := q.usage.now()
	q.mu.Lock()
	f.cached, f.consumers = int64(q.window.length), int64(len(q.seats))
	q.mu.Unlock()
	f.messages, f.producers, f.memory = int64(stored)+fleeting, q.producers.Load(), bytes
	f.memoryLimit = q.broker.limitOf(int64(q.policy.Load().MemoryLimit))
	return f
}

func (t *topic) figures() figures {
	f := t.statistics.figures()
	stored, _ := t.broker.store.Pending(t.name)
	t.mu.RLock()
	f.consumers = int64(len(t.subscriptions))
	t.mu.RUnlock()
	f.messages, f.producers = int64(stored), t.producers.Load()
	f.memoryLimit = t.broker.limitOf(int64(t.policy.Load().MemoryLimit))
	return f
}

// limitOf is what a destination may take, which has a limit of its own or none.
func (b *Broker) limitOf(own int64) int64 {
	if own > 0 {
		return own
	}
	return b.memory.limit
}

// destinationFigures are the figures of the destinations that there are and that d names or covers.
func (b *Broker) destinationFigures(d destination.Destination) map[destination.Destination]figures {
	found := map[destination.Destination]figures{}
	for _, member := range d.Members() {
		if !member.IsPattern() {
			b.each(member, func(q *queue) { found[q.name] = q.figures() }, func(t *topic) { found[t.name] = t.figures() })
			continue
		}
		for _, q := range b.allQueues() {
			if member.Covers(q.name) {
				found[q.name] = q.figures()
			}
		}
		for _, t := range b.allTopics() {
			if member.Covers(t.name) {
				found[t.name] = t.figures()
			}
		}
	}
	return found
}

// brokerFigures are those of all destinations together, also of those that are no more.
func (b *Broker) brokerFigures() figures {
	f := b.past.figures()
	for _, q := range b.allQueues() {
		f.add(q.figures())
	}
	for _, t := range b.allTopics() {
		f.add(t.figures())
	}
	f.memoryLimit = b.memory.limit
	return f
}

// resetStatistics begins anew, with all destinations.
func (b *Broker) resetStatistics() {
	b.past.reset()
	for _, q := range b.allQueues() {
		q.statistics.reset()
	}
	for _, t := range b.allTopics() {
		t.statistics.reset()
	}
}

// outlive keeps the counts of a destination that is no more.
func (s *statistics) outlive(of *statistics) {
	s.enqueued.Add(of.enqueued.Load())
	s.dequeued.Add(of.dequeued.Load())
	s.dispatched.Add(of.dispatched.Load())
	s.expired.Add(of.expired.Load())
	s.bytes.Add(of.bytes.Load())
}
