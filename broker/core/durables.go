package core

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// maxSubscription is the length in bytes of the longest client id, name and selector of a durable subscription together.
const maxSubscription = 256 << 10

// DurableOptions are how a broker treats durable subscriptions, by ActiveMQ's names.
type DurableOptions struct {
	// RejectDurableConsumers refuses all that are subscribed from now on.
	RejectDurableConsumers bool
	// DropNonPersistent drops messages that are not persistent for who is offline, as ActiveMQ does with keepDurableSubsActive=false.
	DropNonPersistent bool
}

// durables are the broker's durable subscriptions. Their maps are under the broker's lock.
type durables struct {
	byName   map[subscriber]*durable
	exact    map[destination.Destination]map[*durable]struct{} // by the topic that they are for
	patterns map[*durable]struct{}                             // those for a pattern or a composite
	reject   bool
	keep     bool // what is not persistent, for who is offline

	limit int64 // of kept
	kept  atomic.Int64
	full  sync.Once
}

// subscriber is whose a durable subscription is.
type subscriber struct{ client, name string }

// text is the key as ActiveMQ writes it.
func (s subscriber) text() string { return s.client + ":" + s.name }

func (s *durables) init(o DurableOptions, limit int64) {
	s.byName = map[subscriber]*durable{}
	s.exact = map[destination.Destination]map[*durable]struct{}{}
	s.patterns = map[*durable]struct{}{}
	s.reject, s.keep, s.limit = o.RejectDurableConsumers, !o.DropNonPersistent, max(1, limit/4)
}

// recoverDurables makes the subscriptions that the store has; b is not shared yet.
func (b *Broker) recoverDurables() {
	for _, r := range b.store.Subscriptions() {
		d, err := newDurable(b, r.Subscription, r.ID)
		if err != nil {
			b.logger.Error("a durable subscription gets nothing until it is subscribed to again", "client", r.Client, "subscription", r.Name, "error", err)
			continue
		}
		d.queue.suspect, d.queue.horizon = r.Horizon, r.Horizon
		d.queue.requested.Store(r.Horizon)
		for _, member := range r.Destination.Members() {
			if !member.IsPattern() && b.topics[member] == nil {
				b.addTopic(member, nil)
			}
		}
		b.enterDurable(d)
	}
}

// durable finds a subscription by its id, nil if it is no more.
func (b *Broker) durable(id uint64) *durable {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, d := range b.durables.byName {
		if d.id == id {
			return d
		}
	}
	return nil
}

// enterDurable adds a subscription, to the topics that there are of its destination, too; b.mu is held or b is not shared yet.
func (b *Broker) enterDurable(d *durable) {
	d.queue.policy.Store(b.policies.Find(d.Destination))
	b.durables.byName[d.key()] = d
	if d.Destination.IsPattern() || d.Destination.IsComposite() {
		b.durables.patterns[d] = struct{}{}
		for _, t := range b.topics {
			if d.covers(t) {
				d.link(t)
			}
		}
		return
	}
	same := b.durables.exact[d.Destination]
	if same == nil {
		same = map[*durable]struct{}{}
		b.durables.exact[d.Destination] = same
	}
	same[d] = struct{}{}
	if t := b.topics[d.Destination]; t != nil {
		d.link(t)
	}
}

// linkDurables adds a topic that is new to the subscriptions that are for it; b.mu is held or b is not shared yet.
func (b *Broker) linkDurables(t *topic) {
	for d := range b.durables.exact[t.name] {
		d.link(t)
	}
	for d := range b.durables.patterns {
		if d.covers(t) {
			d.link(t)
		}
	}
}

// covers tells whether the subscription is for a topic. Advisories are for nobody who is not there.
func (d *durable) covers(t *topic) bool {
	return !t.name.IsTemp() && !t.name.IsAdvisory() && d.Destination.Covers(t.name)
}

func (d *durable) link(t *topic) {
	l := links{all: t.durables.add(d)}
	if d.online {
		l.online = t.online.add(d)
	}
	d.topics[t] = l
}

func (d *durable) unlink(t *topic) {
	l := d.topics[t]
	t.durables.remove(l.all)
	if l.online != nil {
		t.online.remove(l.online)
	}
	delete(d.topics, t)
}

// setOnline says whether stored messages come to the subscription as they arrive.
func (d *durable) setOnline(online bool) {
	d.broker.mu.Lock()
	defer d.broker.mu.Unlock()
	d.online = online
	for t, l := range d.topics {
		switch {
		case online && l.online == nil:
			l.online = t.online.add(d)
		case !online && l.online != nil:
			t.online.remove(l.online)
			l.online = nil
		}
		d.topics[t] = l
	}
}

// leaveDurable takes a subscription off everything; b.mu is held.
func (b *Broker) leaveDurable(d *durable) {
	delete(b.durables.byName, d.key())
	delete(b.durables.patterns, d)
	if same := b.durables.exact[d.Destination]; same != nil {
		if delete(same, d); len(same) == 0 {
			delete(b.durables.exact, d.Destination)
		}
	}
	for t := range d.topics {
		d.unlink(t)
	}
}

// subscribeDurably connects a consumer with its durable subscription, which begins with it if there is none, or another one of that name
// (JMS 1.1 §6.11.1). It is durable as soon as the store is.
func (b *Broker) subscribeDurably(c *Consumer) error {
	s := Subscription{Client: c.connection.spec.ClientID, Name: c.spec.Subscription, Destination: c.spec.Destination,
		Selector: c.spec.Selector, NoLocal: c.spec.NoLocal}
	if err := b.subscribable(s); err != nil {
		return err
	}
	for _, member := range s.Destination.Members() {
		if !member.IsPattern() {
			if _, err := b.topic(member); err != nil {
				return err
			}
		}
	}
	d, old, err := b.occupy(s, c)
	if err != nil {
		return err
	}
	if old != nil {
		old.end()
	}
	d.welcome(c.connection.spec.ID)
	d.setOnline(true)
	a := &attendance{}
	c.durable, c.source, c.selector = d, a, nil
	a.only = a.take(c, d.queue)
	d.queue.attach(a.only)
	if d.begins {
		d.begins = false
		d.recover(c.spec.Retroactive)
	}
	return nil
}

// subscribable refuses what is nothing to subscribe to durably.
func (b *Broker) subscribable(s Subscription) error {
	switch {
	case b.durables.reject:
		return errorf(General, "Durable Consumers are not allowed")
	case s.Client == "":
		return errorf(General, "a durable subscription needs a client id: set one on the connection")
	case len(s.Client)+len(s.Name)+len(s.Selector) > maxSubscription:
		return errorf(General, "the client id, name and selector of a durable subscription have more than %d bytes together", maxSubscription)
	}
	for _, member := range s.Destination.Members() {
		switch {
		case member.IsAdvisory():
			return errorf(General, "Cannot create a durable subscription for an advisory Topic")
		case member.Kind != destination.Topic:
			return errorf(InvalidDestination, "cannot subscribe durably to %s: only to topics that outlive their connection", member)
		}
	}
	return nil
}

// occupy gives a consumer its subscription. One whose place is taken, because it was another, is returned as old.
func (b *Broker) occupy(s Subscription, c *Consumer) (d, old *durable, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := subscriber{s.Client, s.Name}
	d = b.durables.byName[key]
	if d != nil && d.consumer != nil {
		return nil, nil, errorf(General, "Durable consumer is in use for client: %s and subscriptionName: %s", s.Client, s.Name)
	}
	if d == nil || d.Subscription != s {
		old = d
		id, err := b.store.Subscribe(s, nil)
		if err != nil {
			return nil, nil, errorf(ResourceAllocation, "cannot subscribe durably: %v", err)
		}
		if old != nil {
			b.leaveDurable(old)
		}
		if d, err = newDurable(b, s, id); err != nil {
			return nil, nil, err
		}
		d.begins = true
		b.enterDurable(d)
	}
	d.consumer = c
	return d, old, nil
}

// vacate ends what occupy began, when the consumer is closed.
func (d *durable) vacate(c *Consumer) {
	d.farewell(c)
	d.broker.mu.Lock()
	defer d.broker.mu.Unlock()
	d.consumer, d.since = nil, d.broker.millis()
}

// Unsubscribe ends a durable subscription of the connection's client, with what waits for it. done is called when that is durable.
// It is refused while somebody consumes from it (JMS 1.1 §6.11.1).
func (c *Connection) Unsubscribe(name string, done func()) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.mu.Unlock()
	return c.broker.unsubscribe(subscriber{c.spec.ClientID, name}, done)
}

func (b *Broker) unsubscribe(key subscriber, done func()) error {
	d, err := b.dissolve(key, done)
	if err == nil {
		d.end()
	}
	return err
}

func (b *Broker) dissolve(key subscriber, done func()) (*durable, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.durables.byName[key]
	switch {
	case d == nil:
		return nil, errorf(InvalidDestination, "No durable subscription exists for clientID: %s and subscriptionName: %s", key.client, key.name)
	case d.consumer != nil:
		return nil, errorf(General, "Durable consumer is in use")
	}
	if err := b.store.Unsubscribe(d.id, done); err != nil {
		return nil, err
	}
	b.leaveDurable(d)
	return d, nil
}

// RemoveOffline ends the durable subscriptions that have been offline for longer than a time. Its owner calls it now and then.
func (b *Broker) RemoveOffline(longer time.Duration) {
	for _, key := range b.offlineSince(b.millis() - longer.Milliseconds()) {
		if err := b.unsubscribe(key, nil); err != nil {
			b.logger.Debug("kept a durable subscription that was offline for long", "client", key.client, "subscription", key.name, "reason", err)
			continue
		}
		b.logger.Info("removed a durable subscription that was offline for long", "client", key.client, "subscription", key.name)
	}
}

func (b *Broker) offlineSince(millis int64) (keys []subscriber) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for key, d := range b.durables.byName {
		if d.consumer == nil && d.since <= millis {
			keys = append(keys, key)
		}
	}
	return keys
}

func (b *Broker) allDurables() []*durable {
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := make([]*durable, 0, len(b.durables.byName))
	for _, d := range b.durables.byName {
		all = append(all, d)
	}
	return all
}
