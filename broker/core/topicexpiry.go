package core

import (
	"context"
	"time"
)

// expireTopics ends the stored messages of topics that have expired, of those topics where it is time for that, and what has expired
// in the memory of durable subscriptions. It returns how long to wait before the next look.
func (b *Broker) expireTopics(ctx context.Context) time.Duration {
	next := expireEvery
	for _, d := range b.allDurables() {
		now := b.millis()
		due, wait := d.queue.due(now)
		if due {
			d.expire(now)
		}
		next = min(next, wait)
	}
	for _, t := range b.allTopics() {
		now := b.millis()
		due, wait := t.due(now)
		for more := due; more && b.store.Room(ctx) == nil; {
			more = t.expire(now)
		}
		next = min(next, wait)
	}
	return next
}

// expire ends what has expired in the subscription's window.
func (d *durable) expire(now int64) {
	d.queue.expire(now)
	d.queue.mu.Lock()
	defer d.queue.mu.Unlock()
	if !d.queue.attended.Load() {
		d.weigh()
	}
}

func (t *topic) due(now int64) (bool, time.Duration) {
	if t.durables.empty() {
		return false, expireEvery
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.swept.due(now, t.policy.Load().ExpireMessagesPeriod)
}

// expire ends some of what has expired in the store, for all subscriptions that need it, and tells whether there may be more.
func (t *topic) expire(now int64) bool {
	sequences := t.broker.store.Expired(t.name, 0, now, expireAtOnce)
	if len(sequences) == 0 {
		return false
	}
	subscribers := map[uint64]*durable{}
	for d := range t.durables.all() {
		subscribers[d.id] = d
	}
	for _, sequence := range sequences {
		if err := t.lapse(sequence, subscribers); err != nil {
			t.broker.logger.Error("cannot end an expired message", "topic", t.name.String(), "error", err)
			return false
		}
	}
	return len(sequences) == expireAtOnce
}

// lapse ends an expired message, with a dead letter for each subscription that has the policy's for itself, or one for all.
func (t *topic) lapse(sequence uint64, subscribers map[uint64]*durable) error {
	b := t.broker
	found, err := b.store.Page(t.name, sequence-1, 1, 1)
	if err != nil || len(found) == 0 || found[0].BrokerSequence() != sequence {
		return err
	}
	letters := b.transaction()
	for _, id := range b.store.Needing(t.name, sequence) {
		if d := subscribers[id]; d != nil {
			if err := letters.succeed(found[0], t.policy.Load(), t.name, d.key().text(), death{expired: true}); err != nil {
				letters.undo()
				return err
			}
		}
	}
	if err := letters.storeTx().Remove(t.name, []uint64{sequence}); err != nil {
		return err
	}
	return letters.commit(nil)
}
