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
		t.recovery.prune(t.policy.Load().SubscriptionRecoveryPolicy, now)
		due, wait := t.due(now)
		for after, more := uint64(0), due; more && b.store.Room(ctx) == nil; {
			after, more = t.expire(after, now)
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

// expire ends some of what has expired in the store above a sequence, for all subscriptions that need it and do not have it in memory. It
// returns the last sequence that it has looked at, and tells whether there may be more.
func (t *topic) expire(after uint64, now int64) (last uint64, more bool) {
	sequences := t.broker.store.Expired(t.name, after, now, expireAtOnce)
	if len(sequences) == 0 {
		return after, false
	}
	subscribers := map[uint64]*durable{}
	for d := range t.durables.all() {
		subscribers[d.id] = d
	}
	for _, sequence := range sequences {
		if err := t.lapse(sequence, subscribers); err != nil {
			t.broker.logger.Error("cannot end an expired message", "topic", t.name.String(), "error", err)
			return after, false
		}
	}
	return sequences[len(sequences)-1], len(sequences) == expireAtOnce
}

// lapse ends an expired message for those who need it.
func (t *topic) lapse(sequence uint64, subscribers map[uint64]*durable) error {
	for _, id := range t.broker.store.Needing(t.name, sequence) {
		d := subscribers[id]
		if d == nil { // what it asks for cannot be read
			if err := t.broker.store.Acknowledge(id, []Span{{sequence, sequence}}, nil); err != nil {
				return err
			}
			continue
		}
		if err := d.lapse(t, sequence); err != nil {
			return err
		}
	}
	return nil
}

// lapse ends an expired message of a topic that is only in the store.
func (d *durable) lapse(t *topic, sequence uint64) error {
	d.queue.mu.Lock()
	defer d.queue.mu.Unlock()
	if !d.leavesToStore(sequence) {
		return nil
	}
	m, err := d.queue.load(sequence)
	if m == nil || err != nil {
		return err
	}
	letter := d.broker.transaction()
	if err := letter.succeed(m, t.policy.Load(), t.name, d.key().text(), death{expired: true}); err != nil {
		letter.undo()
		return err
	}
	if err := letter.storeTx().Acknowledge(d.id, []Span{{sequence, sequence}}); err != nil {
		return err
	}
	return letter.commit(nil)
}

// leavesToStore tells whether a message of the subscription is in no window, in flight nowhere, and part of no transaction.
func (d *durable) leavesToStore(sequence uint64) bool {
	_, claimed := d.claimed[sequence]
	return !d.queue.deleted && !claimed && (!d.queue.attended.Load() || sequence > d.queue.tiers[0].cursor)
}
