package core

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// Options is what a broker is made of. Store, Now and Logger are required.
type Options struct {
	Store   Store
	Name    string  // of the broker, as clients know it
	ID      string  // that no other broker has, nor this one in another term; for the ids of messages that it makes
	Advisor Advisor // nil tells nobody of anything
	Now     func() time.Time
	Logger  *slog.Logger
	// AnonymousProducerAdvisories has advisories also tell of producers that name a destination with each message.
	AnonymousProducerAdvisories bool
	// MemoryLimit is the size in bytes of the messages that are kept in memory alone, above which senders wait;
	// 0 is 256 MiB. A quarter of it is what messages sent in open transactions may take beside that, after which more are
	// refused; and another what stored messages in flight may take, after which each consumer has one at a time.
	MemoryLimit int64
	// MaxUncommittedCount is how many messages and acknowledgements a transaction may have before it is rolled back, 0 for any number.
	MaxUncommittedCount int
	// URL and Data are where clients reach the broker, and where it keeps things: statistics tell it.
	URL, Data string
	NoSpace   NoSpace
	// Spool takes what waits for slow topic consumers and does not fit into memory, of which they have another quarter of the limit;
	// nil has none, and what does not fit is discarded.
	Spool Spool
	// Policies has the options of destinations; nil is ActiveMQ's defaults for all.
	Policies *policy.Map
	Durable  DurableOptions
}

// Broker holds the destinations and the connections. It is made when the store's right is won, and has no end of its own: the
// connections are closed, then it is forgotten.
type Broker struct {
	store       Store
	now         func() time.Time
	logger      *slog.Logger
	memory      *gauge
	open        *gauge       // of messages sent in open transactions
	flying      *allowance   // of stored messages in flight
	cached      atomic.Int64 // bytes of stored messages that queues hold in memory
	fanout      budget       // of what is on the way to topic consumers, or waits for them
	spool       Spool
	own         *Connection // the broker's, for what it sends itself
	audits      audits
	removals    atomic.Uint64
	stopping    atomic.Bool
	stamping    atomic.Pointer[policy.TimeStamping]
	redelivery  atomic.Pointer[policy.Redelivery]
	mu          sync.RWMutex
	policies    *policy.Map
	durables    durables
	queues      map[destination.Destination]*queue
	topics      map[destination.Destination]*topic
	followers   map[*Consumer]*follower
	connections map[string]*Connection // by connection id
	clients     map[string]*Connection // by client id

	name, id            string
	schedule            *schedule
	senders             senders
	branches            branches
	maxUncommitted      int
	watch               watch
	advisories          *advisories
	anonymousAdvisories bool
	routes              atomic.Pointer[routing]
	past                statistics // of destinations that are no more
	populations         populations
	audience            audience
	answered            atomic.Int64 // questions for statistics
	url, data           string
	noSpace             NoSpace
}

// New returns a broker with what the store recovered.
func New(o Options) *Broker {
	if o.MemoryLimit == 0 {
		o.MemoryLimit = 256 << 20
	}
	if o.Policies == nil {
		o.Policies = policy.NewMap()
	}
	b := &Broker{
		name: o.Name, id: o.ID, store: o.Store, now: o.Now, logger: o.Logger, anonymousAdvisories: o.AnonymousProducerAdvisories,
		maxUncommitted: o.MaxUncommittedCount,
		memory:         newGauge(o.MemoryLimit),
		open:           newGauge(max(1, o.MemoryLimit/4)),
		queues:         map[destination.Destination]*queue{},
		topics:         map[destination.Destination]*topic{},
		followers:      map[*Consumer]*follower{},
		connections:    map[string]*Connection{},
		clients:        map[string]*Connection{},
	}
	b.noSpace, b.url, b.data = o.NoSpace, o.URL, o.Data
	b.own = &Connection{broker: b}
	b.use(o.Policies)
	b.flying = &allowance{limit: max(1, o.MemoryLimit/4), short: map[*queue]struct{}{}, refilled: b.feed, logger: o.Logger}
	b.fanout.limit = max(1, o.MemoryLimit/4)
	if b.spool = o.Spool; b.spool == nil {
		b.spool = noSpool{}
	}
	b.watch.slow, b.watch.checked = map[*Consumer]*slowness{}, map[*policy.AbortSlowConsumer]int64{}
	b.advisories = newAdvisories(b, o.Advisor)
	b.schedule = newSchedule(b)
	b.durables.init(o.Durable, o.MemoryLimit)
	b.recoverDurables()
	for _, r := range o.Store.Recovered() {
		if r.Destination == jobs {
			continue
		}
		q := b.addQueue(r.Destination, nil)
		if r.Messages > 0 {
			q.fallBehind()
		}
		q.suspect, q.horizon = r.Horizon, r.Horizon
		q.requested.Store(r.Horizon)
	}
	b.recoverBranches()
	return b
}

// queue returns the queue, which comes into being when it is first used. A temporary one does not.
func (b *Broker) queue(d destination.Destination) (*queue, error) {
	b.mu.RLock()
	q := b.queues[d]
	b.mu.RUnlock()
	if q != nil {
		return q, nil
	}
	if d.IsTemp() {
		return nil, noSuchTemporary(d)
	}
	defer b.advisories.later()
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[d]; q != nil {
		return q, nil
	}
	if err := b.admits(d); err != nil {
		return nil, err
	}
	if err := b.store.Create(d, nil); err != nil {
		b.logger.Debug("a queue is not kept: the store takes nothing more", "queue", d.String(), "error", err)
	}
	return b.addQueue(d, nil), nil
}

// addQueue makes a queue; b.mu is held or b is not shared yet.
func (b *Broker) addQueue(d destination.Destination, owner *Connection) *queue {
	q := &queue{broker: b, name: d, owner: owner}
	q.backing = queueBacking{b.store, q}
	q.policy.Store(b.policies.Find(d))
	q.groups.Groups = q.policy.Load().Groups()
	q.tiers = make([]tier, 1)
	if q.policy.Load().PrioritizedMessages {
		q.tiers = make([]tier, priorities)
	}
	b.queues[d] = q
	b.populations.count(d, q.policy.Load(), +1)
	q.place = b.advisories.enter(q)
	b.routes.Load().enter(q)
	b.followQueue(q)
	return q
}

// topic returns the topic, which comes into being when it is first used. A temporary one does not.
func (b *Broker) topic(d destination.Destination) (*topic, error) {
	if t := b.existingTopic(d); t != nil {
		return t, nil
	}
	if d.IsTemp() {
		return nil, noSuchTemporary(d)
	}
	defer b.advisories.later()
	b.mu.Lock()
	defer b.mu.Unlock()
	if t := b.topics[d]; t != nil {
		return t, nil
	}
	if err := b.admits(d); err != nil {
		return nil, err
	}
	return b.addTopic(d, nil), nil
}

// addTopic makes a topic; b.mu is held.
func (b *Broker) addTopic(d destination.Destination, owner *Connection) *topic {
	t := &topic{broker: b, name: d, owner: owner}
	t.policy.Store(b.policies.Find(d))
	b.populations.count(d, t.policy.Load(), +1)
	t.recovery.limit = int(b.memory.limit / 16)
	b.topics[d] = t
	b.linkDurables(t)
	if !d.IsAdvisory() {
		t.place = b.advisories.enter(t)
	}
	b.followTopic(t)
	return t
}

// existingTopic returns the topic if it is there.
func (b *Broker) existingTopic(d destination.Destination) *topic {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.topics[d]
}

// Exists tells whether there is a queue or topic of this name.
func (b *Broker) Exists(d destination.Destination) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.queues[d] != nil || b.topics[d] != nil
}

// Removals is how many queues and topics have been removed. While it stays what it was, what existed exists.
func (b *Broker) Removals() uint64 { return b.removals.Load() }

func noSuchTemporary(d destination.Destination) error {
	return errorf(InvalidDestination, "the temporary destination %s does not exist; it ends with the connection that made it", d)
}

// StopDispatch keeps in the queues what is there and what comes back. It is called before a broker that stops ends its connections:
// what one of them had must not go to the next one that ends, and so through all of them.
func (b *Broker) StopDispatch() { b.stopping.Store(true) }

// Settle records for each queue how far it has been dispatched, so that a broker that takes over marks only what was
// delivered. It is called once no connection is left.
func (b *Broker) Settle() {
	for _, q := range b.allQueues() {
		q.settle()
	}
	for _, d := range b.allDurables() {
		d.settle()
	}
}

// feed dispatches queues whose consumers could not get more. It is called under a queue's lock, and waits for none.
func (b *Broker) feed(queues map[*queue]struct{}) {
	err := b.store.Barrier(func() {
		for q := range queues {
			q.mu.Lock()
			q.release()
			q.dispatch()
			q.mu.Unlock()
		}
	})
	if err != nil {
		b.logger.Debug("no dispatch: the store takes nothing more", "error", err)
	}
}

func (b *Broker) allQueues() []*queue {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.AppendSeq(make([]*queue, 0, len(b.queues)), maps.Values(b.queues))
}

func (b *Broker) allTopics() []*topic {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.AppendSeq(make([]*topic, 0, len(b.topics)), maps.Values(b.topics))
}

func (b *Broker) millis() int64 { return b.now().UnixMilli() }
