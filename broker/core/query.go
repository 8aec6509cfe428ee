package core

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// The names by which programs ask for statistics, as those of ActiveMQ's statisticsBrokerPlugin: a message to such a destination
// with a JMSReplyTo is a question, and is answered there by map messages.
const (
	statisticsPrefix       = "ActiveMQ.Statistics"
	destinationStatistics  = statisticsPrefix + ".Destination"
	brokerStatistics       = statisticsPrefix + ".Broker"
	subscriptionStatistics = statisticsPrefix + ".Subscription"
	// properties of a question
	resetProperty     = brokerStatistics + ".Reset"
	endListProperty   = destinationStatistics + ".List.End.With.Null"
	firstTimeProperty = destinationStatistics + ".Include.First.Message.Timestamp"
)

// isQuestion tells whether a message asks for statistics.
func isQuestion(m *message.Message) bool {
	if !bytes.Contains(m.RawDestination(), []byte(statisticsPrefix)) { // most are told without a look at more
		return false
	}
	name := m.Destination().Name
	_, answerable := m.ReplyTo()
	return answerable && (strings.HasPrefix(name, destinationStatistics) || strings.HasPrefix(name, brokerStatistics) ||
		strings.HasPrefix(name, subscriptionStatistics))
}

// answer answers a question and calls done.
func (b *Broker) answer(m *message.Message, done func()) error {
	a := answers{broker: b, question: m}
	a.to, _ = m.ReplyTo()
	switch name := m.Destination().Name; {
	case strings.HasPrefix(name, destinationStatistics):
		a.destinations(strings.TrimPrefix(strings.TrimPrefix(name, destinationStatistics), "."))
	case strings.HasPrefix(name, brokerStatistics):
		if a.asks(resetProperty) {
			b.resetStatistics()
		}
		a.add(b.describe())
	default:
		a.subscriptions()
	}
	t := b.transaction()
	for _, reply := range a.replies {
		if err := t.addAll(reply); err != nil {
			t.undo()
			return err
		}
	}
	return t.commit(done)
}

// answers are the replies to a question.
type answers struct {
	broker   *Broker
	question *message.Message
	to       destination.Destination
	replies  []*message.Message
}

func (a *answers) asks(property string) bool {
	_, found := wire.Lookup(a.question.Properties(), property)
	return found
}

func (a *answers) add(entries []wire.Entry) {
	b := a.broker
	a.replies = append(a.replies, message.New(message.Map,
		message.SetDestination(a.to), message.SetProducer(b.id, 0, 2), message.SetID(b.id, 0, 2, b.answered.Add(1)),
		message.SetCorrelationID(a.question.CorrelationID()), message.SetType("Advisory"), message.SetPriority(4),
		message.SetTimestamp(b.millis()), message.SetContent(wire.AppendMap(nil, entries))))
}

// origin begins each answer that says something.
func (a *answers) origin() []wire.Entry { return a.broker.identify() }

func (b *Broker) identify() []wire.Entry {
	return []wire.Entry{{Key: "brokerName", Value: wire.TextValue(b.name)}, {Key: "brokerId", Value: wire.TextValue(b.id)}}
}

func (a *answers) destinations(query string) {
	name := strings.ReplaceAll(query, endListProperty, "")
	if d, err := destination.Parse(name, a.question.Destination().Kind); err == nil {
		found := a.broker.destinationFigures(d)
		names := slices.SortedFunc(maps.Keys(found), func(x, y destination.Destination) int { return cmp.Compare(x.Name, y.Name) })
		for _, name := range names {
			a.destination(name, found[name])
		}
	}
	if name != query || a.asks(endListProperty) {
		a.add(nil)
	}
}

func (a *answers) destination(d destination.Destination, f figures) {
	entries := append(a.origin(), wire.Entry{Key: "destinationName", Value: wire.TextValue(d.String())})
	entries = append(entries, f.entries()...)
	if a.asks(firstTimeProperty) {
		if at, some := a.broker.firstArrival(d); some {
			entries = append(entries, wire.Entry{Key: "firstMessageTimestamp", Value: wire.LongValue(at)})
		}
	}
	a.add(entries)
}

// firstArrival is when the first message of a queue came to the broker, in milliseconds since 1970.
func (b *Broker) firstArrival(d destination.Destination) (at int64, some bool) {
	b.each(d, func(q *queue) {
		q.mu.Lock()
		defer q.mu.Unlock()
		if n := q.window.first(); n != nil {
			at, some = n.message.BrokerIn(), true
		} else if page, err := q.backing.page(0, 1, 1); err == nil && len(page) > 0 {
			at, some = page[0].BrokerIn(), true
		}
	}, func(*topic) {})
	return at, some
}

// entries are what all answers with figures have.
func (f figures) entries() []wire.Entry {
	return []wire.Entry{
		{Key: "size", Value: wire.LongValue(f.messages)},
		{Key: "enqueueCount", Value: wire.LongValue(f.enqueued)},
		{Key: "dequeueCount", Value: wire.LongValue(f.dequeued)},
		{Key: "dispatchCount", Value: wire.LongValue(f.dispatched)},
		{Key: "expiredCount", Value: wire.LongValue(f.expired)},
		{Key: "inflightCount", Value: wire.LongValue(f.inFlight)},
		{Key: "messagesCached", Value: wire.LongValue(f.cached)},
		{Key: "averageMessageSize", Value: wire.LongValue(f.averageSize())},
		{Key: "memoryPercentUsage", Value: wire.IntValue(percent(f.memory, f.memoryLimit))},
		{Key: "memoryUsage", Value: wire.LongValue(f.memory)},
		{Key: "memoryLimit", Value: wire.LongValue(f.memoryLimit)},
		{Key: "averageEnqueueTime", Value: wire.DoubleValue(f.averageHeld())},
		{Key: "maxEnqueueTime", Value: wire.DoubleValue(float64(f.heldLongest))},
		{Key: "minEnqueueTime", Value: wire.DoubleValue(f.shortestHeld())},
		{Key: "consumerCount", Value: wire.LongValue(f.consumers)},
		{Key: "producerCount", Value: wire.LongValue(f.producers)},
	}
}

// describe is the answer about the broker.
func (b *Broker) describe() []wire.Entry {
	used, limit := b.store.Usage(), b.store.Limit()
	entries := append(b.identify(), b.brokerFigures().entries()...)
	return append(entries,
		wire.Entry{Key: "storePercentUsage", Value: wire.IntValue(percent(used, limit))},
		wire.Entry{Key: "storeUsage", Value: wire.LongValue(used)},
		wire.Entry{Key: "storeLimit", Value: wire.LongValue(limit)},
		wire.Entry{Key: "tempPercentUsage", Value: wire.IntValue(0)},
		wire.Entry{Key: "tempUsage", Value: wire.LongValue(0)},
		wire.Entry{Key: "tempLimit", Value: wire.LongValue(0)},
		wire.Entry{Key: "openwire", Value: wire.TextValue(b.url)},
		wire.Entry{Key: "stomp", Value: wire.TextValue("")},
		wire.Entry{Key: "ssl", Value: wire.TextValue("")},
		wire.Entry{Key: "stomp+ssl", Value: wire.TextValue("")},
		wire.Entry{Key: "vm", Value: wire.TextValue("vm://" + b.name)},
		wire.Entry{Key: "dataDirectory", Value: wire.TextValue(b.data)},
	)
}

// subscriptions answers about each consumer of queues, then of topics.
func (a *answers) subscriptions() {
	for _, queues := range []bool{true, false} {
		for _, c := range a.broker.audience.all() {
			if c.spec.Destination.Members()[0].IsQueue() == queues {
				a.add(append(a.origin(), c.describe()...))
			}
		}
	}
}

func (c *Consumer) describe() []wire.Entry {
	out := c.dispatched.Load() - c.dequeued.Load()
	return []wire.Entry{
		{Key: "destinationName", Value: wire.TextValue(c.spec.Destination.Name)},
		{Key: "clientId", Value: wire.TextValue(c.connection.spec.ClientID)},
		{Key: "connectionId", Value: wire.TextValue(c.connection.spec.ID)},
		{Key: "sessionId", Value: wire.LongValue(c.spec.Session)},
		{Key: "selector", Value: wire.TextValue(c.spec.Selector)},
		{Key: "enqueueCounter", Value: wire.LongValue(c.dispatched.Load())},
		{Key: "dequeueCounter", Value: wire.LongValue(c.dequeued.Load())},
		{Key: "dispatchedCounter", Value: wire.LongValue(c.dispatched.Load())},
		{Key: "dispatchedQueueSize", Value: wire.LongValue(max(0, out))},
		{Key: "prefetchSize", Value: wire.IntValue(int32(c.spec.Prefetch))},
		{Key: "maximumPendingMessageLimit", Value: wire.IntValue(int32(c.spec.MaximumPending))},
		{Key: "exclusive", Value: wire.BoolValue(c.spec.Exclusive)},
		{Key: "retroactive", Value: wire.BoolValue(c.spec.Retroactive)},
		{Key: "slowConsumer", Value: wire.BoolValue(c.slow.Load())},
	}
}
