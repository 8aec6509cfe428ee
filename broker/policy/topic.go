package policy

import (
	"errors"
	"fmt"
)

// PendingMessageLimitStrategy says how many messages may wait for a topic consumer, beside those on their way to it, before some
// are discarded. One of its fields is set at most; none is no limit.
type PendingMessageLimitStrategy struct {
	Constant     *ConstantPendingMessageLimit     `yaml:"constantPendingMessageLimitStrategy,omitempty"`
	PrefetchRate *PrefetchRatePendingMessageLimit `yaml:"prefetchRatePendingMessageLimitStrategy,omitempty"`
}

// ConstantPendingMessageLimit is the same limit for all consumers.
type ConstantPendingMessageLimit struct {
	// Limit is the number of messages; 0 keeps none, and -1 is no limit.
	Limit int `yaml:"limit"`
}

// PrefetchRatePendingMessageLimit is so many times the consumer's prefetch.
type PrefetchRatePendingMessageLimit struct {
	Multiplier float64 `yaml:"multiplier"`
}

// UnmarshalYAML reads it over its defaults.
func (s *ConstantPendingMessageLimit) UnmarshalYAML(read func(any) error) error {
	type plain ConstantPendingMessageLimit
	p := plain{Limit: -1}
	err := read(&p)
	*s = ConstantPendingMessageLimit(p)
	return err
}

// UnmarshalYAML reads it over its defaults.
func (s *PrefetchRatePendingMessageLimit) UnmarshalYAML(read func(any) error) error {
	type plain PrefetchRatePendingMessageLimit
	p := plain{Multiplier: 0.5}
	err := read(&p)
	*s = PrefetchRatePendingMessageLimit(p)
	return err
}

// Limit is the limit for a consumer of such a prefetch that wishes for one itself, which 0 is not. -1 is none.
func (s PendingMessageLimitStrategy) Limit(prefetch, wish int) int {
	limit := -1
	switch {
	case s.Constant != nil:
		limit = max(-1, s.Constant.Limit)
	case s.PrefetchRate != nil:
		limit = int(float64(prefetch) * s.PrefetchRate.Multiplier)
	}
	if wish > 0 && (limit < 0 || wish < limit) {
		return wish
	}
	return limit
}

func (s PendingMessageLimitStrategy) validate() error {
	switch {
	case s.Constant != nil && s.PrefetchRate != nil:
		return errors.New("pendingMessageLimitStrategy has two strategies: write one")
	case s.Constant != nil:
		return check([]bound{{"limit", int64(s.Constant.Limit), -1, maxCount}})
	case s.PrefetchRate != nil && !(s.PrefetchRate.Multiplier >= 0 && s.PrefetchRate.Multiplier <= 1000):
		return fmt.Errorf("multiplier is %v: write a number from 0 to 1000", s.PrefetchRate.Multiplier)
	}
	return nil
}

// maxCount is the largest number of messages in an option.
const maxCount = 1 << 30

// MessageEvictionStrategy says which of the messages that wait for a topic consumer are discarded when they are too many. One
// of its fields is set at most; none is the oldest.
type MessageEvictionStrategy struct {
	Oldest         *OldestMessageEviction         `yaml:"oldestMessageEvictionStrategy,omitempty"`
	LowestPriority *OldestMessageEviction         `yaml:"oldestMessageWithLowestPriorityEvictionStrategy,omitempty"`
	UniqueProperty *UniquePropertyMessageEviction `yaml:"uniquePropertyMessageEvictionStrategy,omitempty"`
}

// OldestMessageEviction discards the oldest message, of all or of the lowest priority.
type OldestMessageEviction struct {
	// EvictExpiredMessagesHighWatermark is how many messages wait before expired ones go first.
	EvictExpiredMessagesHighWatermark int `yaml:"evictExpiredMessagesHighWatermark"`
}

// UniquePropertyMessageEviction keeps the newest message for each value of a property.
type UniquePropertyMessageEviction struct {
	PropertyName          string `yaml:"propertyName"`
	OldestMessageEviction `yaml:",inline"`
}

// defaultWatermark is ActiveMQ's.
const defaultWatermark = 1000

// UnmarshalYAML reads it over its defaults.
func (s *OldestMessageEviction) UnmarshalYAML(read func(any) error) error {
	type plain OldestMessageEviction
	p := plain{defaultWatermark}
	err := read(&p)
	*s = OldestMessageEviction(p)
	return err
}

// UnmarshalYAML reads it over its defaults.
func (s *UniquePropertyMessageEviction) UnmarshalYAML(read func(any) error) error {
	var p struct {
		PropertyName string `yaml:"propertyName"`
		Watermark    int    `yaml:"evictExpiredMessagesHighWatermark"`
	}
	p.Watermark = defaultWatermark
	err := read(&p)
	*s = UniquePropertyMessageEviction{p.PropertyName, OldestMessageEviction{p.Watermark}}
	return err
}

// Watermark is how many messages wait before expired ones go first.
func (s MessageEvictionStrategy) Watermark() int {
	switch {
	case s.Oldest != nil:
		return s.Oldest.EvictExpiredMessagesHighWatermark
	case s.LowestPriority != nil:
		return s.LowestPriority.EvictExpiredMessagesHighWatermark
	case s.UniqueProperty != nil:
		return s.UniqueProperty.EvictExpiredMessagesHighWatermark
	}
	return defaultWatermark
}

func (s MessageEvictionStrategy) validate() error {
	if set(s.Oldest != nil, s.LowestPriority != nil, s.UniqueProperty != nil) > 1 {
		return errors.New("messageEvictionStrategy has two strategies: write one")
	}
	if s.UniqueProperty != nil && s.UniqueProperty.PropertyName == "" {
		return errors.New("uniquePropertyMessageEvictionStrategy: write the propertyName")
	}
	return check([]bound{{"evictExpiredMessagesHighWatermark", int64(s.Watermark()), 0, maxCount}})
}

// set counts what is true.
func set(given ...bool) (count int) {
	for _, g := range given {
		if g {
			count++
		}
	}
	return count
}

// DispatchPolicy says which consumers of a topic get a message. None is all.
type DispatchPolicy struct {
	ClientIDFilter *ClientIDFilterDispatch `yaml:"clientIdFilterDispatchPolicy,omitempty"`
}

// ClientIDFilterDispatch gives a message with a property to consumers with that client id alone.
type ClientIDFilterDispatch struct {
	// PtpClientID is the name of the property.
	PtpClientID string `yaml:"ptpClientId"`
	// PtpSuffix ends the names of the topics where anybody gets such a message.
	PtpSuffix string `yaml:"ptpSuffix"`
}

// UnmarshalYAML reads it over its defaults.
func (s *ClientIDFilterDispatch) UnmarshalYAML(read func(any) error) error {
	type plain ClientIDFilterDispatch
	p := plain{"PTP_CLIENTID", ".PTP"}
	err := read(&p)
	*s = ClientIDFilterDispatch(p)
	return err
}
