package policy

import "errors"

// SlowConsumerStrategy says what is done about slow consumers. One of its fields is set at most; none does nothing.
type SlowConsumerStrategy struct {
	Abort    *AbortSlowConsumer    `yaml:"abortSlowConsumerStrategy,omitempty"`
	AbortAck *AbortSlowAckConsumer `yaml:"abortSlowAckConsumerStrategy,omitempty"`
}

// AbortSlowConsumer closes consumers that have their prefetch while more waits for them. Times are in milliseconds.
type AbortSlowConsumer struct {
	// MaxSlowCount is how often a consumer may become slow, and MaxSlowDuration for how long it may be; -1 is as it likes.
	MaxSlowCount    int   `yaml:"maxSlowCount"`
	MaxSlowDuration int64 `yaml:"maxSlowDuration"`
	// CheckPeriod is how often consumers are looked at.
	CheckPeriod int64 `yaml:"checkPeriod"`
	// AbortConnection closes the consumer's connection, and not only the consumer.
	AbortConnection bool `yaml:"abortConnection"`
}

// AbortSlowAckConsumer closes consumers that do not acknowledge what they have.
type AbortSlowAckConsumer struct {
	AbortSlowConsumer `yaml:",inline"`
	// MaxTimeSinceLastAck is how long a consumer may acknowledge nothing before it is slow; -1 is for ever.
	MaxTimeSinceLastAck int64 `yaml:"maxTimeSinceLastAck"`
	// IgnoreIdleConsumers excepts those that have nothing to acknowledge.
	IgnoreIdleConsumers bool `yaml:"ignoreIdleConsumers"`
}

func defaultAbort() AbortSlowConsumer {
	return AbortSlowConsumer{MaxSlowCount: -1, MaxSlowDuration: 30_000, CheckPeriod: 30_000}
}

// UnmarshalYAML reads it over its defaults.
func (s *AbortSlowConsumer) UnmarshalYAML(read func(any) error) error {
	type plain AbortSlowConsumer
	p := plain(defaultAbort())
	err := read(&p)
	*s = AbortSlowConsumer(p)
	return err
}

// UnmarshalYAML reads it over its defaults.
func (s *AbortSlowAckConsumer) UnmarshalYAML(read func(any) error) error {
	type plain struct {
		MaxSlowCount        int   `yaml:"maxSlowCount"`
		MaxSlowDuration     int64 `yaml:"maxSlowDuration"`
		CheckPeriod         int64 `yaml:"checkPeriod"`
		AbortConnection     bool  `yaml:"abortConnection"`
		MaxTimeSinceLastAck int64 `yaml:"maxTimeSinceLastAck"`
		IgnoreIdleConsumers bool  `yaml:"ignoreIdleConsumers"`
	}
	d := defaultAbort()
	p := plain{d.MaxSlowCount, d.MaxSlowDuration, d.CheckPeriod, d.AbortConnection, 30_000, true}
	err := read(&p)
	*s = AbortSlowAckConsumer{
		AbortSlowConsumer{p.MaxSlowCount, p.MaxSlowDuration, p.CheckPeriod, p.AbortConnection}, p.MaxTimeSinceLastAck, p.IgnoreIdleConsumers,
	}
	return err
}

// Limits are what both strategies have, nil if there is none. They stay at their place as long as the policy is in use.
func (s *SlowConsumerStrategy) Limits() *AbortSlowConsumer {
	switch {
	case s.Abort != nil:
		return s.Abort
	case s.AbortAck != nil:
		return &s.AbortAck.AbortSlowConsumer
	}
	return nil
}

func (s *SlowConsumerStrategy) validate() error {
	l := s.Limits()
	switch {
	case l == nil:
		return nil
	case s.Abort != nil && s.AbortAck != nil:
		return errors.New("slowConsumerStrategy has two strategies: write one")
	}
	bounds := []bound{
		{"maxSlowCount", int64(l.MaxSlowCount), -1, maxCount}, {"maxSlowDuration", l.MaxSlowDuration, -1, longest},
		{"checkPeriod", l.CheckPeriod, 1, longest},
	}
	if s.AbortAck != nil {
		bounds = append(bounds, bound{"maxTimeSinceLastAck", s.AbortAck.MaxTimeSinceLastAck, -1, longest})
	}
	return check(bounds)
}
