package core

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// topic hands each message to the subscriptions that there are. Who is not there does not get it (JMS 1.1 §6.2), unless the
// subscription is durable: so a persistent message to it is stored if there is one of these, once for all of them.
type topic struct {
	broker *Broker
	name   destination.Destination
	owner  *Connection // of a temporary topic
	place  place       // among what advisories tell of
	policy atomic.Pointer[policy.Policy]

	producers atomic.Int64 // how many there are
	statistics
	idle     idle
	recovery recovery

	forgotten atomic.Bool // another one may have its name by now
	users     atomic.Int64

	mu            sync.RWMutex
	subscriptions []*subscription       // as many as users
	places        map[*subscription]int // where each stands, once there are many
	swept         lastSweep

	durables roster
	online   roster // of the durables
}

// keeps tells whether a message to the topic is stored.
func (t *topic) keeps(m *message.Message) bool { return m.Persistent() && !t.durables.empty() }

// store keeps a persistent message and, when that is durable, gives it to all subscriptions and calls done.
func (t *topic) store(m *message.Message, from *Connection, done func()) error {
	err := t.broker.store.Add(m, func() {
		t.arrive(m, from)
		call(done)
	})
	if err == nil {
		t.advance(m.BrokerSequence()) // becomes durable together with the message
	}
	return err
}

// advance puts the horizons of who is online ahead of a message.
func (t *topic) advance(sequence uint64) {
	for d := range t.online.all() {
		d.queue.advance(sequence)
	}
}

// arrive gives a stored message to all that are there; the durable subscriptions that are offline find it in the store.
func (t *topic) arrive(m *message.Message, from *Connection) {
	t.hand(m, from)
	for d := range t.online.all() {
		d.queue.arrive(m, true)
	}
}

// publish gives a message that is not stored to all subscriptions; from is nil for what the broker sends.
func (t *topic) publish(m *message.Message, from *Connection) {
	t.hand(m, from)
	for d := range t.durables.all() {
		d.offer(m)
	}
}

// hand gives the message to the subscriptions that are not durable.
func (t *topic) hand(m *message.Message, from *Connection) {
	p := t.policy.Load()
	t.mu.RLock()
	defer t.mu.RUnlock()
	m = t.recovery.add(m, p.SubscriptionRecoveryPolicy, t.broker.millis())
	t.enqueue(m.Size())
	attended := !t.online.empty()
	may := t.recipients(m, p.DispatchPolicy.ClientIDFilter)
	for _, s := range t.subscriptions {
		attended = (may == nil || may(s)) && s.offer(m, from) || attended
	}
	t.broker.delivered(m, t.name, attended)
}

// manySubscriptions is how many a topic has before it keeps in mind where each stands.
const manySubscriptions = 64

// number keeps in mind where a subscription stands. t.mu is held.
func (t *topic) number(i int) {
	switch {
	case t.places != nil:
		t.places[t.subscriptions[i]] = i
	case len(t.subscriptions) > manySubscriptions:
		t.places = make(map[*subscription]int, len(t.subscriptions))
		for i, s := range t.subscriptions {
			t.places[s] = i
		}
	}
}

// recipients tells which subscriptions a message may go to; nil is to all.
func (t *topic) recipients(m *message.Message, f *policy.ClientIDFilterDispatch) func(*subscription) bool {
	if f == nil {
		return nil
	}
	id, named := wire.Lookup(m.Properties(), f.PtpClientID)
	if !named {
		return nil
	}
	return func(s *subscription) bool {
		return strings.HasSuffix(t.name.Name, f.PtpSuffix) && s.consumer.connection.spec.ClientID == id.Text()
	}
}

// add adds a subscription, which gets first what is kept for it if it is retroactive.
func (t *topic) add(s *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.users.Add(1)
	t.subscriptions = append(t.subscriptions, s)
	t.number(len(t.subscriptions) - 1)
	if s.consumer.spec.Retroactive || t.policy.Load().AlwaysRetroactive {
		t.recovery.recover(s)
	}
}

func (t *topic) remove(s *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, found := t.places[s]
	if t.places == nil {
		i = slices.Index(t.subscriptions, s)
		found = i >= 0
	}
	if !found {
		return
	}
	last := len(t.subscriptions) - 1
	t.subscriptions[i], t.subscriptions[last] = t.subscriptions[last], nil
	t.subscriptions = t.subscriptions[:last]
	delete(t.places, s)
	if i < last {
		t.number(i)
	}
	t.users.Store(int64(len(t.subscriptions)))
}

func (t *topic) used() bool { return t.users.Load() > 0 }

// present is the topic that has the name now, which is another one if this one was removed.
func (t *topic) present() *topic {
	if !t.forgotten.Load() || t.owner != nil {
		return t
	}
	next, err := t.broker.topic(t.name)
	if err != nil {
		return t
	}
	return next
}

// needed tells whether somebody consumes from the topic by its own name, and not only by a pattern.
func (t *topic) needed() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.ContainsFunc(t.subscriptions, func(s *subscription) bool { return s.consumer.names(t.name) })
}
