package policy

import (
	"errors"
	"fmt"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// DeadLetterStrategy says what becomes of messages that could not be consumed, or have expired. One of its fields is set at most;
// none is a SharedDeadLetterStrategy that all such destinations have together.
type DeadLetterStrategy struct {
	Shared     *SharedDeadLetterStrategy     `yaml:"sharedDeadLetterStrategy,omitempty"`
	Individual *IndividualDeadLetterStrategy `yaml:"individualDeadLetterStrategy,omitempty"`
	Discarding *DiscardingDeadLetterStrategy `yaml:"discarding,omitempty"`
}

// DeadLetterOptions are what all strategies have.
type DeadLetterOptions struct {
	// ProcessExpired makes dead letters of expired messages, too.
	ProcessExpired bool `yaml:"processExpired"`
	// ProcessNonPersistent makes dead letters of messages that are not persistent, too. As dead letters they are.
	ProcessNonPersistent bool `yaml:"processNonPersistent"`
	// Expiration is how many milliseconds a dead letter lives; 0 is for ever.
	Expiration int64 `yaml:"expiration"`
	// EnableAudit makes one dead letter of a message, though several destinations or subscriptions have it.
	EnableAudit bool `yaml:"enableAudit"`
	// MaxAuditDepth is for how many of a producer's messages that is known.
	MaxAuditDepth int `yaml:"maxAuditDepth"`
	// MaxProducersToAudit is for how many producers that is known.
	MaxProducersToAudit int `yaml:"maxProducersToAudit"`
}

// SharedDeadLetterStrategy has one queue for the dead letters of all destinations of its policy.
type SharedDeadLetterStrategy struct {
	// DeadLetterQueue is its name, or with topic:// that of a topic.
	DeadLetterQueue   string `yaml:"deadLetterQueue"`
	DeadLetterOptions `yaml:",inline"`
}

// IndividualDeadLetterStrategy has a dead letter queue for each destination, called after it.
type IndividualDeadLetterStrategy struct {
	QueuePrefix              string `yaml:"queuePrefix"`
	TopicPrefix              string `yaml:"topicPrefix"`
	QueueSuffix              string `yaml:"queueSuffix"`
	TopicSuffix              string `yaml:"topicSuffix"`
	UseQueueForQueueMessages bool   `yaml:"useQueueForQueueMessages"`
	UseQueueForTopicMessages bool   `yaml:"useQueueForTopicMessages"`
	// DestinationPerDurableSubscriber gives each durable subscription one of its own.
	DestinationPerDurableSubscriber bool `yaml:"destinationPerDurableSubscriber"`
	DeadLetterOptions               `yaml:",inline"`
}

// DiscardingDeadLetterStrategy keeps nothing.
type DiscardingDeadLetterStrategy struct{}

func defaultDeadLetterOptions() DeadLetterOptions {
	return DeadLetterOptions{ProcessExpired: true, EnableAudit: true, MaxAuditDepth: 2048, MaxProducersToAudit: 64}
}

// DefaultShared is the strategy where a policy has none.
func DefaultShared() SharedDeadLetterStrategy {
	return SharedDeadLetterStrategy{DeadLetterQueue: "ActiveMQ.DLQ", DeadLetterOptions: defaultDeadLetterOptions()}
}

// DefaultIndividual is an individual strategy of which nothing is said.
func DefaultIndividual() IndividualDeadLetterStrategy {
	return IndividualDeadLetterStrategy{
		QueuePrefix: "ActiveMQ.DLQ.Queue.", TopicPrefix: "ActiveMQ.DLQ.Topic.",
		UseQueueForQueueMessages: true, UseQueueForTopicMessages: true,
		DeadLetterOptions: defaultDeadLetterOptions(),
	}
}

// UnmarshalYAML reads it over its defaults.
func (s *SharedDeadLetterStrategy) UnmarshalYAML(read func(any) error) error {
	type plain SharedDeadLetterStrategy
	p := plain(DefaultShared())
	err := read(&p)
	*s = SharedDeadLetterStrategy(p)
	return err
}

// UnmarshalYAML reads it over its defaults.
func (s *IndividualDeadLetterStrategy) UnmarshalYAML(read func(any) error) error {
	type plain IndividualDeadLetterStrategy
	p := plain(DefaultIndividual())
	err := read(&p)
	*s = IndividualDeadLetterStrategy(p)
	return err
}

// queue is the name of the shared one.
func (s *SharedDeadLetterStrategy) queue() (destination.Destination, error) {
	return destination.Parse(s.DeadLetterQueue, destination.Queue)
}

// LettersOf returns where the dead letters of a destination go, and with which options; false for nowhere. The subscription is the
// durable one that had the message, as client id and name with a colon between them; "" for none.
func (s *DeadLetterStrategy) LettersOf(d destination.Destination, subscription string) (destination.Destination, DeadLetterOptions, bool) {
	switch {
	case s.Discarding != nil:
		return destination.Destination{}, DeadLetterOptions{}, false
	case s.Individual != nil:
		return s.Individual.queueOf(d, subscription), s.Individual.DeadLetterOptions, true
	}
	shared := s.Shared
	if shared == nil {
		standard := DefaultShared()
		shared = &standard
	}
	queue, err := shared.queue()
	return queue, shared.DeadLetterOptions, err == nil
}

func (s *IndividualDeadLetterStrategy) queueOf(d destination.Destination, subscription string) destination.Destination {
	prefix, suffix, queue := s.TopicPrefix, s.TopicSuffix, s.UseQueueForTopicMessages
	if d.IsQueue() {
		prefix, suffix, queue = s.QueuePrefix, s.QueueSuffix, s.UseQueueForQueueMessages
	}
	letters := destination.Destination{Kind: destination.Topic, Name: prefix + d.Name}
	if s.DestinationPerDurableSubscriber && subscription != "" {
		letters.Name += "." + subscription
	}
	letters.Name += suffix
	if queue {
		letters.Kind = destination.Queue
	}
	return letters
}

func (s *DeadLetterStrategy) validate() error {
	switch {
	case s.Shared != nil && s.Individual != nil, s.Shared != nil && s.Discarding != nil, s.Individual != nil && s.Discarding != nil:
		return errors.New("deadLetterStrategy: write one of sharedDeadLetterStrategy, individualDeadLetterStrategy and discarding")
	case s.Shared != nil:
		return s.Shared.validate()
	case s.Individual != nil:
		return s.Individual.validate()
	}
	return nil
}

func (s *SharedDeadLetterStrategy) validate() error {
	if d, err := s.queue(); err != nil || d.IsPattern() || d.IsComposite() || d.IsTemp() {
		return fmt.Errorf("deadLetterQueue is %q: write the name of a queue, or of a topic with topic:// before it", s.DeadLetterQueue)
	}
	return s.DeadLetterOptions.validate()
}

func (s *IndividualDeadLetterStrategy) validate() error {
	name := s.QueuePrefix + "x" + s.QueueSuffix + "." + s.TopicPrefix + "x" + s.TopicSuffix
	if d := (destination.Destination{Kind: destination.Queue, Name: name}); d.IsPattern() || d.IsComposite() || d.Validate() != nil {
		return errors.New("individualDeadLetterStrategy: its prefixes and suffixes are parts of a name, without wildcard or comma")
	}
	return s.DeadLetterOptions.validate()
}

func (o DeadLetterOptions) validate() error {
	return check([]bound{
		{"expiration", o.Expiration, 0, longest},
		{"maxAuditDepth", int64(o.MaxAuditDepth), 1, 1 << 20},
		{"maxProducersToAudit", int64(o.MaxProducersToAudit), 1, 1 << 12},
	})
}
