package policy

import "errors"

// SubscriptionRecoveryPolicy says what a topic keeps for retroactive consumers, beside the last message that its sender wanted
// retained. One of its fields is set at most; none keeps nothing more.
type SubscriptionRecoveryPolicy struct {
	LastImage  *LastImageRecovery  `yaml:"lastImageSubscriptionRecoveryPolicy,omitempty"`
	FixedCount *FixedCountRecovery `yaml:"fixedCountSubscriptionRecoveryPolicy,omitempty"`
	FixedSized *FixedSizedRecovery `yaml:"fixedSizedSubscriptionRecoveryPolicy,omitempty"`
	Timed      *TimedRecovery      `yaml:"timedSubscriptionRecoveryPolicy,omitempty"`
	Retained   *RetainedRecovery   `yaml:"retainedMessageSubscriptionRecoveryPolicy,omitempty"`
	None       *NoRecovery         `yaml:"noSubscriptionRecoveryPolicy,omitempty"`
	Query      *QueryRecovery      `yaml:"queryBasedSubscriptionRecoveryPolicy,omitempty"`
}

// LastImageRecovery keeps the last message.
type LastImageRecovery struct{}

// FixedCountRecovery keeps a number of messages.
type FixedCountRecovery struct {
	MaximumSize int `yaml:"maximumSize"`
}

// FixedSizedRecovery keeps messages of so many bytes together.
type FixedSizedRecovery struct {
	MaximumSize int `yaml:"maximumSize"`
}

// TimedRecovery keeps messages for so many milliseconds.
type TimedRecovery struct {
	RecoverDuration int64 `yaml:"recoverDuration"`
}

// RetainedRecovery keeps the last message that its sender wanted retained, as every topic does.
type RetainedRecovery struct{}

// NoRecovery keeps nothing more.
type NoRecovery struct{}

// QueryRecovery asks a Java class for messages, which this broker cannot: validate refuses it by its name.
type QueryRecovery struct {
	Query any `yaml:"query"`
}

// UnmarshalYAML reads it over its defaults.
func (s *FixedCountRecovery) UnmarshalYAML(read func(any) error) error {
	type plain FixedCountRecovery
	p := plain{MaximumSize: 100}
	err := read(&p)
	*s = FixedCountRecovery(p)
	return err
}

// UnmarshalYAML reads it over its defaults.
func (s *FixedSizedRecovery) UnmarshalYAML(read func(any) error) error {
	type plain FixedSizedRecovery
	p := plain{MaximumSize: 64 << 10}
	err := read(&p)
	*s = FixedSizedRecovery(p)
	return err
}

// UnmarshalYAML reads it over its defaults.
func (s *TimedRecovery) UnmarshalYAML(read func(any) error) error {
	type plain TimedRecovery
	p := plain{RecoverDuration: 60_000}
	err := read(&p)
	*s = TimedRecovery(p)
	return err
}

func (s SubscriptionRecoveryPolicy) validate() error {
	switch {
	case s.Query != nil:
		return errors.New("queryBasedSubscriptionRecoveryPolicy runs a Java class inside of the broker, which this one does not have: " +
			"have a program answer new subscribers, or keep messages by another policy")
	case set(s.LastImage != nil, s.FixedCount != nil, s.FixedSized != nil, s.Timed != nil, s.Retained != nil, s.None != nil) > 1:
		return errors.New("subscriptionRecoveryPolicy has two policies: write one")
	case s.FixedCount != nil:
		return check([]bound{{"maximumSize", int64(s.FixedCount.MaximumSize), 1, maxCount}})
	case s.FixedSized != nil:
		return check([]bound{{"maximumSize", int64(s.FixedSized.MaximumSize), 1, maxCount}})
	case s.Timed != nil:
		return check([]bound{{"recoverDuration", s.Timed.RecoverDuration, 1, longest}})
	}
	return nil
}
