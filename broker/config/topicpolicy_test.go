package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/policy"
)

// Each strategy is written by ActiveMQ's name, alone or with its options, and has ActiveMQ's defaults.
func TestStrategiesForTopics(t *testing.T) {
	defaults := policy.AbortSlowConsumer{MaxSlowCount: -1, MaxSlowDuration: 30_000, CheckPeriod: 30_000}
	for text, set := range map[string]func(*policy.Policy){
		"pendingMessageLimitStrategy: {constantPendingMessageLimitStrategy: }": func(p *policy.Policy) {
			p.PendingMessageLimitStrategy.Constant = &policy.ConstantPendingMessageLimit{Limit: -1}
		},
		"pendingMessageLimitStrategy: {constantPendingMessageLimitStrategy: {limit: 10}}": func(p *policy.Policy) {
			p.PendingMessageLimitStrategy.Constant = &policy.ConstantPendingMessageLimit{Limit: 10}
		},
		"pendingMessageLimitStrategy: {prefetchRatePendingMessageLimitStrategy: }": func(p *policy.Policy) {
			p.PendingMessageLimitStrategy.PrefetchRate = &policy.PrefetchRatePendingMessageLimit{Multiplier: 0.5}
		},
		"messageEvictionStrategy: {oldestMessageWithLowestPriorityEvictionStrategy: }": func(p *policy.Policy) {
			p.MessageEvictionStrategy.LowestPriority = &policy.OldestMessageEviction{EvictExpiredMessagesHighWatermark: 1000}
		},
		"messageEvictionStrategy: {uniquePropertyMessageEvictionStrategy: {propertyName: STOCK}}": func(p *policy.Policy) {
			p.MessageEvictionStrategy.UniqueProperty = &policy.UniquePropertyMessageEviction{
				PropertyName: "STOCK", OldestMessageEviction: policy.OldestMessageEviction{EvictExpiredMessagesHighWatermark: 1000},
			}
		},
		"subscriptionRecoveryPolicy: {lastImageSubscriptionRecoveryPolicy: }": func(p *policy.Policy) {
			p.SubscriptionRecoveryPolicy.LastImage = &policy.LastImageRecovery{}
		},
		"subscriptionRecoveryPolicy: {fixedCountSubscriptionRecoveryPolicy: }": func(p *policy.Policy) {
			p.SubscriptionRecoveryPolicy.FixedCount = &policy.FixedCountRecovery{MaximumSize: 100}
		},
		"subscriptionRecoveryPolicy: {fixedSizedSubscriptionRecoveryPolicy: {maximumSize: 7}}": func(p *policy.Policy) {
			p.SubscriptionRecoveryPolicy.FixedSized = &policy.FixedSizedRecovery{MaximumSize: 7}
		},
		"subscriptionRecoveryPolicy: {timedSubscriptionRecoveryPolicy: }": func(p *policy.Policy) {
			p.SubscriptionRecoveryPolicy.Timed = &policy.TimedRecovery{RecoverDuration: 60_000}
		},
		"slowConsumerStrategy: {abortSlowConsumerStrategy: }": func(p *policy.Policy) { p.SlowConsumerStrategy.Abort = &defaults },
		"slowConsumerStrategy: {abortSlowAckConsumerStrategy: {maxTimeSinceLastAck: 5}}": func(p *policy.Policy) {
			p.SlowConsumerStrategy.AbortAck = &policy.AbortSlowAckConsumer{AbortSlowConsumer: defaults, MaxTimeSinceLastAck: 5, IgnoreIdleConsumers: true}
		},
	} {
		c, err := load(t, "destinationPolicies:\n- topic: a\n  "+text+"\n")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want := policy.Default()
		set(&want)
		if diff := cmp.Diff(want, c.DestinationPolicies[0].Policy); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestMistakesInStrategiesForTopics(t *testing.T) {
	for text, want := range map[string]string{
		"pendingMessageLimitStrategy: {constantPendingMessageLimitStrategy: , prefetchRatePendingMessageLimitStrategy: }": "two strategies",
		"pendingMessageLimitStrategy: {constantPendingMessageLimitStrategy: {limit: -2}}":                                 "limit is -2",
		"pendingMessageLimitStrategy: {prefetchRatePendingMessageLimitStrategy: {multiplier: .nan}}":                      "multiplier is NaN",
		"messageEvictionStrategy: {uniquePropertyMessageEvictionStrategy: }":                                              "write the propertyName",
		"messageEvictionStrategy: {oldestMessageEvictionStrategy: {evictExpiredMessagesHighWatermark: -1}}":               "evictExpiredMessagesHighWatermark is -1",
		"subscriptionRecoveryPolicy: {queryBasedSubscriptionRecoveryPolicy: {query: x}}":                                  "runs a Java class",
		"subscriptionRecoveryPolicy: {lastImageSubscriptionRecoveryPolicy: , timedSubscriptionRecoveryPolicy: }":          "two policies",
		"subscriptionRecoveryPolicy: {fixedCountSubscriptionRecoveryPolicy: {maximumSize: 0}}":                            "maximumSize is 0",
		"slowConsumerStrategy: {abortSlowConsumerStrategy: {checkPeriod: 0}}":                                             "checkPeriod is 0",
		"slowConsumerStrategy: {abortSlowAckConsumerStrategy: {maxTimeSinceLastAck: -2}}":                                 "maxTimeSinceLastAck is -2",
		"slowConsumerStrategy: {abortSlowConsumerStrategy: {ignoreIdleConsumers: true}}":                                  "unknown key",
	} {
		c, err := load(t, "destinationPolicies:\n- topic: a\n  "+text+"\n")
		if err == nil {
			err = c.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
