// Package policy says what may differ from one destination to another: the options of ActiveMQ's policyEntry, by its names and
// with its defaults, and which of them hold for a destination. It is plain data: what an option does is the core's.
package policy

import (
	"errors"
	"fmt"
	"math"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// Policy is the options of a destination. One that is in use is never changed, only replaced.
type Policy struct {
	// UseConsumerPriority gives a queue's messages to consumers of higher priority first. Without it all are equal.
	UseConsumerPriority bool `yaml:"useConsumerPriority"`
	// StrictOrderDispatch gives a queue's messages to the same consumer as long as it has room, and not to each in turn.
	StrictOrderDispatch bool `yaml:"strictOrderDispatch"`
	// AllConsumersExclusiveByDefault makes each consumer of a queue want it for itself, as with consumer.exclusive.
	AllConsumersExclusiveByDefault bool `yaml:"allConsumersExclusiveByDefault"`
	// PrioritizedMessages gives messages of higher priority to consumers first, also those that are only stored. It holds for queues
	// that come into being after it was set, and for what waits for topic consumers.
	PrioritizedMessages bool `yaml:"prioritizedMessages"`
	// ConsumersBeforeDispatchStarts is how many consumers a queue waits for when the first one comes, TimeBeforeDispatchStarts for
	// how long, in milliseconds; 0 is a second if there are consumers to wait for, else not at all.
	ConsumersBeforeDispatchStarts int   `yaml:"consumersBeforeDispatchStarts"`
	TimeBeforeDispatchStarts      int64 `yaml:"timeBeforeDispatchStarts"`
	// UsePrefetchExtension lets a consumer have more in flight than its prefetch once it says that some of it reached its program, or
	// acknowledged it in a transaction.
	UsePrefetchExtension bool `yaml:"usePrefetchExtension"`
	// MessageGroupMapFactoryType says how the owners of message groups are kept: see Groups.
	MessageGroupMapFactoryType string `yaml:"messageGroupMapFactoryType"`
	// QueuePrefetch is the prefetch of queue consumers that ask for their client's default, ClientQueuePrefetch.
	QueuePrefetch int `yaml:"queuePrefetch"`
	// QueueBrowserPrefetch is the prefetch of browsers that ask for their client's default, ClientBrowserPrefetch.
	QueueBrowserPrefetch int `yaml:"queueBrowserPrefetch"`
	// MaxBrowsePageSize is how many messages a browser sees at most; 0 is all.
	MaxBrowsePageSize int `yaml:"maxBrowsePageSize"`
	// TopicPrefetch is the prefetch of topic consumers that ask for their client's default, ClientTopicPrefetch.
	TopicPrefetch int `yaml:"topicPrefetch"`
	// DurableTopicPrefetch is the prefetch of durable subscribers that ask for their client's default, ClientDurableTopicPrefetch or
	// ClientOptimizedDurableTopicPrefetch.
	DurableTopicPrefetch int `yaml:"durableTopicPrefetch"`
	// ExpireMessagesPeriod is how often expired messages are looked for, in milliseconds; 0 is never. Those that a consumer would
	// get are found anyway.
	ExpireMessagesPeriod int64 `yaml:"expireMessagesPeriod"`
	Flow                 `yaml:",inline"`
	Destinations         `yaml:",inline"`
	// Of these, advisories are sent, to those who listen: that a message was consumed, reached the destination, is on its way to a
	// consumer, was discarded; that a consumer of a topic is slow, that a producer is held, that the memory is full; and that nobody
	// was there for a message that is not persistent.
	AdvisoryForConsumed           bool `yaml:"advisoryForConsumed"`
	AdvisoryForDelivery           bool `yaml:"advisoryForDelivery"`
	AdvisoryForDispatched         bool `yaml:"advisoryForDispatched"`
	AdvisoryForDiscardingMessages bool `yaml:"advisoryForDiscardingMessages"`
	AdvisoryForSlowConsumers      bool `yaml:"advisoryForSlowConsumers"`
	AdvisoryForFastProducers      bool `yaml:"advisoryForFastProducers"`
	AdvisoryWhenFull              bool `yaml:"advisoryWhenFull"`
	SendAdvisoryIfNoConsumers     bool `yaml:"sendAdvisoryIfNoConsumers"`
	// IncludeBodyForAdvisory has them carry the whole message.
	IncludeBodyForAdvisory bool `yaml:"includeBodyForAdvisory"`
	// PendingMessageLimitStrategy says how many messages may wait for a topic consumer.
	PendingMessageLimitStrategy PendingMessageLimitStrategy `yaml:"pendingMessageLimitStrategy,omitempty"`
	// DispatchPolicy says which consumers of a topic get a message.
	DispatchPolicy DispatchPolicy `yaml:"dispatchPolicy,omitempty"`
	// MessageEvictionStrategy says which are discarded beyond that.
	MessageEvictionStrategy MessageEvictionStrategy `yaml:"messageEvictionStrategy,omitempty"`
	// SlowConsumerStrategy says what is done about slow consumers.
	SlowConsumerStrategy SlowConsumerStrategy `yaml:"slowConsumerStrategy,omitempty"`
	// SubscriptionRecoveryPolicy says what a topic keeps for retroactive consumers.
	SubscriptionRecoveryPolicy SubscriptionRecoveryPolicy `yaml:"subscriptionRecoveryPolicy,omitempty"`
	// AlwaysRetroactive makes all consumers of a topic retroactive.
	AlwaysRetroactive bool `yaml:"alwaysRetroactive"`
	// DeadLetterStrategy says what becomes of messages that could not be consumed.
	DeadLetterStrategy DeadLetterStrategy `yaml:"deadLetterStrategy,omitempty"`
}

// The prefetch that clients ask for when their program says nothing.
const (
	ClientQueuePrefetch                 = 1000
	ClientTopicPrefetch                 = 32767
	ClientDurableTopicPrefetch          = 100
	ClientOptimizedDurableTopicPrefetch = 1000 // with optimizeAcknowledge
	ClientBrowserPrefetch               = 500
)

// Default returns the options of a destination that no policy is for.
func Default() Policy {
	return Policy{
		UseConsumerPriority:  true,
		UsePrefetchExtension: true,
		QueuePrefetch:        ClientQueuePrefetch,
		TopicPrefetch:        ClientTopicPrefetch,
		DurableTopicPrefetch: ClientDurableTopicPrefetch,
		QueueBrowserPrefetch: ClientBrowserPrefetch,
		ExpireMessagesPeriod: 30_000,
		Flow:                 Flow{ProducerFlowControl: true, CursorMemoryHighWaterMark: 70},
		Destinations:         Destinations{InactiveTimeoutBeforeGC: 60_000, MaxDestinations: -1},
	}
}

// Validate tells which value is out of its range, nil if none is.
func (p *Policy) Validate() error {
	if _, err := parseGroups(p.MessageGroupMapFactoryType); err != nil {
		return err
	}
	err := check([]bound{
		{"consumersBeforeDispatchStarts", int64(p.ConsumersBeforeDispatchStarts), 0, math.MaxInt32},
		{"timeBeforeDispatchStarts", p.TimeBeforeDispatchStarts, 0, math.MaxInt32},
		{"queuePrefetch", int64(p.QueuePrefetch), 0, ClientTopicPrefetch},
		{"queueBrowserPrefetch", int64(p.QueueBrowserPrefetch), 0, ClientTopicPrefetch},
		{"maxBrowsePageSize", int64(p.MaxBrowsePageSize), 0, math.MaxInt32},
		{"topicPrefetch", int64(p.TopicPrefetch), 0, ClientTopicPrefetch},
		{"durableTopicPrefetch", int64(p.DurableTopicPrefetch), 0, ClientTopicPrefetch},
		{"expireMessagesPeriod", p.ExpireMessagesPeriod, 0, longest},
	})
	if err != nil {
		return err
	}
	return errors.Join(p.Flow.validate(), p.Destinations.validate(), p.DeadLetterStrategy.validate(), p.PendingMessageLimitStrategy.validate(),
		p.MessageEvictionStrategy.validate(), p.SubscriptionRecoveryPolicy.validate(), p.SlowConsumerStrategy.validate())
}

// longest is the longest time in an option, in milliseconds: a hundred years or so.
const longest = 100 * 366 * 24 * 3600 * 1000

// bound is what an option may be.
type bound struct {
	option      string
	value       int64
	least, most int64
}

func check(bounds []bound) error {
	for _, b := range bounds {
		if b.value < b.least || b.value > b.most {
			return fmt.Errorf("%s is %d: write a number from %d to %d", b.option, b.value, b.least, b.most)
		}
	}
	return nil
}

// Map has the policies of all destinations, and what the broker does with all messages. It is filled, and then read by any number of goroutines.
type Map struct {
	entries destination.Map[*Policy]
	others  *Policy
	// Redelivery is nil where clients alone deliver again.
	Redelivery *Redelivery
	// TimeStamping is nil where clients' clocks are right.
	TimeStamping *TimeStamping
	// Virtual says where messages go beside or in place of where they are sent.
	Virtual Virtual
}

// NewMap returns the policies of a broker where no destination has one of its own.
func NewMap() *Map {
	others := Default()
	return &Map{others: &others, Virtual: Virtual{Destinations: DefaultVirtualDestinations()}}
}

// Add sets the policy of what the pattern covers, unless a more specific one does.
func (m *Map) Add(pattern destination.Destination, p *Policy) { m.entries.Add(pattern, p) }

// SetDefault sets the policy of what no pattern covers.
func (m *Map) SetDefault(p *Policy) { m.others = p }

// Find returns the policy of a destination, or of a pattern that someone consumes from.
func (m *Map) Find(d destination.Destination) *Policy {
	if p, found := m.entries.Find(d); found {
		return p
	}
	return m.others
}
