package core

import (
	"context"
	"time"

	"github.com/twinmesh/twinmesh/broker/message"
)

// expireAtOnce is how many messages that are only in the store are ended while a queue's lock is held.
const expireAtOnce = 200

// expireEvery is the longest time between two looks at whether it is time for a queue's sweep.
const expireEvery = time.Second

// Expire ends the messages that have expired, of those queues where it is time for that, and returns how long its owner may wait
// before it calls again. It waits while too much is not yet durable, until ctx ends.
func (b *Broker) Expire(ctx context.Context) time.Duration {
	next := b.expireTopics(ctx)
	for _, q := range b.allQueues() {
		now := b.millis()
		due, wait := q.due(now)
		if due {
			q.expireAll(ctx, now)
		}
		next = min(next, wait)
	}
	return next
}

// lastSweep is when expired messages were looked for last, in milliseconds since 1970; 0 for never.
type lastSweep int64

// due tells whether a period is over, in which case the next one begins, and how long that lasts.
func (s *lastSweep) due(now, period int64) (bool, time.Duration) {
	if period == 0 {
		return false, expireEvery
	}
	due := now >= int64(*s)+period
	if due {
		*s = lastSweep(now)
	}
	return due, time.Duration(int64(*s)+period-now) * time.Millisecond
}

func (q *queue) due(now int64) (bool, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.swept.due(now, q.policy.Load().ExpireMessagesPeriod)
}

// expireAll ends what has expired, in parts between which others get the queue.
func (q *queue) expireAll(ctx context.Context, now int64) {
	q.expire(now)
	for more := true; more; more = q.expireStored(now) {
		if q.broker.store.Room(ctx) != nil {
			return
		}
	}
}

// expire ends what has expired in the window.
func (q *queue) expire(now int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var gone []*node
	for n := q.window.first(); n != nil; n = q.window.after(n.order) {
		if n.message.Expired(now) {
			q.take(n)
			gone = append(gone, n)
		}
	}
	if len(gone) > 0 {
		q.lapse(gone)
		q.dispatch()
	}
}

// expireStored ends some of what has expired and is not in memory, and tells whether there may be more.
func (q *queue) expireStored(now int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.isBehind() || q.deleted {
		return false
	}
	sequences := q.backing.expired(q.lowestCursor(), now, expireAtOnce)
	var gone []*node
	for _, sequence := range sequences {
		m, err := q.load(sequence)
		if err != nil {
			q.broker.logger.Error("cannot read an expired message back", "queue", q.name.String(), "error", err)
			return false
		}
		if m != nil && sequence > q.tiers[q.tierOf(m)].cursor && q.ahead[sequence] == nil {
			gone = append(gone, &node{message: m, stored: true, after: sequence - 1})
		}
	}
	if len(gone) > 0 {
		q.lapse(gone)
	}
	return len(gone) == expireAtOnce
}

// load returns a stored message of the queue, nil if it is gone.
func (q *queue) load(sequence uint64) (*message.Message, error) {
	found, err := q.backing.page(sequence-1, 1, 1)
	if err != nil || len(found) == 0 || found[0].BrokerSequence() != sequence {
		return nil, err
	}
	return found[0], nil
}

// lapse ends what has expired. If the store takes nothing more, the next broker does it.
func (q *queue) lapse(nodes []*node) {
	if err := q.bury(nodes, death{expired: true}, nil); err != nil {
		q.broker.logger.Debug("no dead letters: the store takes nothing more", "queue", q.name.String(), "error", err)
	}
}

// lapse makes a dead letter of a topic's message that has expired before its subscriber could take it.
func (s *subscription) lapse(m *message.Message) {
	b, d := s.consumer.connection.broker, m.Destination()
	if err := b.mourn(m, b.policy(d), d, "", death{expired: true}, nil); err != nil {
		b.logger.Debug("no dead letter: the store takes nothing more", "topic", d.String(), "error", err)
	}
}
