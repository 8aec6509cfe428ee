package config

import "fmt"

// DurableSubscribers is how durable subscriptions are treated, by ActiveMQ's names.
type DurableSubscribers struct {
	// KeepDurableSubsActive keeps messages that are not persistent for who is offline, in memory, as long as there is some.
	KeepDurableSubsActive bool `yaml:"keepDurableSubsActive"`
	// RejectDurableConsumers refuses all durable consumers.
	RejectDurableConsumers bool `yaml:"rejectDurableConsumers"`
	// OfflineDurableSubscriberTimeout is after how many milliseconds offline a durable subscription ends; -1 is never.
	OfflineDurableSubscriberTimeout int64 `yaml:"offlineDurableSubscriberTimeout"`
	// OfflineDurableSubscriberTaskSchedule is how many milliseconds are between two looks for those; 0 or -1 is never.
	OfflineDurableSubscriberTaskSchedule int64 `yaml:"offlineDurableSubscriberTaskSchedule"`
}

func defaultDurableSubscribers() DurableSubscribers {
	return DurableSubscribers{KeepDurableSubsActive: true, OfflineDurableSubscriberTimeout: -1, OfflineDurableSubscriberTaskSchedule: 300_000}
}

func (d DurableSubscribers) validate() error {
	switch {
	case d.OfflineDurableSubscriberTimeout < -1:
		return fmt.Errorf("offlineDurableSubscriberTimeout is %d: write milliseconds, or -1 for never", d.OfflineDurableSubscriberTimeout)
	case d.OfflineDurableSubscriberTaskSchedule < -1:
		return fmt.Errorf("offlineDurableSubscriberTaskSchedule is %d: write milliseconds, or -1 for never", d.OfflineDurableSubscriberTaskSchedule)
	}
	return nil
}
