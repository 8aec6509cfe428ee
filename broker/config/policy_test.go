package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/policy"
)

func TestDestinationPolicies(t *testing.T) {
	c, err := load(t, `
destinationPolicies:
- queue: "orders.>"
  queuePrefetch: 10
- queue: "orders.eu, orders.us"
  strictOrderDispatch: true
- topic: ">"
  topicPrefetch: 5
- tempQueue: true
  queuePrefetch: 1
- default: true
  topicPrefetch: 7
`)
	if err != nil || c.Validate() != nil {
		t.Fatal(err, c.Validate())
	}
	policies := c.Policies()
	for _, want := range []struct {
		d                            destination.Destination
		queuePrefetch, topicPrefetch int
		strict                       bool
	}{
		{destination.Destination{Kind: destination.Queue, Name: "orders"}, 10, policy.ClientTopicPrefetch, false},
		{destination.Destination{Kind: destination.Queue, Name: "orders.us"}, policy.ClientQueuePrefetch, policy.ClientTopicPrefetch, true},
		{destination.Destination{Kind: destination.Topic, Name: "prices"}, policy.ClientQueuePrefetch, 5, false},
		{destination.Destination{Kind: destination.TempQueue, Name: "ID:a:1"}, 1, policy.ClientTopicPrefetch, false},
		{destination.Destination{Kind: destination.TempTopic, Name: "ID:a:1"}, policy.ClientQueuePrefetch, 7, false},
	} {
		p := policies.Find(want.d)
		if p.QueuePrefetch != want.queuePrefetch || p.TopicPrefetch != want.topicPrefetch || p.StrictOrderDispatch != want.strict {
			t.Errorf("%s has %+v", want.d, *p)
		}
		if !p.UseConsumerPriority {
			t.Errorf("%s lacks a default", want.d)
		}
	}
}

func TestRedeliveryPlugin(t *testing.T) {
	c, err := load(t, `
redeliveryPlugin:
  sendToDlqIfMaxRetriesExceeded: false
  redeliveryPolicyMap:
  - queue: "orders.>"
    maximumRedeliveries: 2
    useExponentialBackOff: true
  - default: true
    initialRedeliveryDelay: 5
`)
	if err != nil || c.Validate() != nil {
		t.Fatal(err, c.Validate())
	}
	r := c.Policies().Redelivery
	want := policy.DefaultRedelivery()
	want.MaximumRedeliveries, want.UseExponentialBackOff = 2, true
	if p := r.Find(destination.Destination{Kind: destination.Queue, Name: "orders.eu"}); *p != want {
		t.Errorf("got %+v", *p)
	}
	want = policy.DefaultRedelivery()
	want.InitialRedeliveryDelay = 5
	if p := r.Find(destination.Destination{Kind: destination.Topic, Name: "a"}); *p != want || !r.FallbackToDeadLetter || r.SendToDLQIfMaxRetriesExceeded {
		t.Errorf("got %+v of %+v", *p, r)
	}
	if c, _ := load(t, "redeliveryPlugin: {redeliveryPolicyMap: [{queue: a}, {queue: a}]}"); !strings.Contains(fmt.Sprint(c.Validate()), "redeliveryPolicyMap: there are two") {
		t.Errorf("got %v", c.Validate())
	}
	if _, err := load(t, "redeliveryPlugin:\n  redeliveryPolicyMap:\n  - queue: a\n    redeliveryDelay: -1\n"); !strings.Contains(fmt.Sprint(err), "line 3: redeliveryDelay is -1") {
		t.Errorf("got %v", err)
	}
}

func TestTimeStamping(t *testing.T) {
	c, err := load(t, "timeStampingBrokerPlugin: {ttlCeiling: 5000}\n")
	if got := c.Policies().TimeStamping; err != nil || c.Validate() != nil || *got != (policy.TimeStamping{TTLCeiling: 5000}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if c, err := load(t, "timeStampingBrokerPlugin:\n"); err != nil || c.Policies().TimeStamping == nil {
		t.Errorf("its name alone: %v", err)
	}
	if c, _ := load(t, "timeStampingBrokerPlugin: {ttlCeiling: -1}\n"); !strings.Contains(fmt.Sprint(c.Validate()), "timeStampingBrokerPlugin: ttlCeiling is -1") {
		t.Errorf("got %v", c.Validate())
	}
}

func TestMistakesInPoliciesAreNamed(t *testing.T) {
	for entries, want := range map[string]string{
		"- queue: a\n  queuePrefech: 1\n":        `broker.yaml:3: unknown key "queuePrefech"; did you mean "queuePrefetch"?`,
		"- queue: a\n  queuePrefetch: many\n":    "line 3",
		"- queue: a\n  queuePrefetch: -1\n":      "line 2: queuePrefetch is -1: write a number from 0 to",
		"- queuePrefetch: 1\n":                   "is for one of queue, topic",
		"- {queue: a, topic: a}\n":               "is for one of queue, topic",
		"- {default: true, queue: a}\n":          "is for one of queue, topic",
		"- queue: \"a,,b\"\n":                    "a member of the composite has no name",
		"- a\n":                                  "broker.yaml:2: expected keys",
		"- queue: a\n- queue: \"b,a\"\n":         "two entries for queue://a",
		"- default: true\n- {default: true}\n":   "two default entries",
		"- {tempQueue: true, tempTopic: true}\n": "is for one of queue, topic",
	} {
		c, err := load(t, "destinationPolicies:\n"+entries)
		if err == nil {
			err = c.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", entries, err, want)
		}
	}
}
