package core_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/wire"
)

func (c *client) retroactive() *consumer {
	c.broker.t.Helper()
	return c.subscribe(core.ConsumerSpec{Destination: prices, Prefetch: 1000, Retroactive: true})
}

func (b *broker) recovering(r policy.SubscriptionRecoveryPolicy) {
	b.setPolicy(func(p *policy.Policy) { p.SubscriptionRecoveryPolicy = r })
}

func TestWhatARetroactiveConsumerGets(t *testing.T) {
	for name, c := range map[string]struct {
		policy policy.SubscriptionRecoveryPolicy
		want   string
	}{
		"nothing by default":  {policy.SubscriptionRecoveryPolicy{}, ""},
		"nothing":             {policy.SubscriptionRecoveryPolicy{None: &policy.NoRecovery{}}, ""},
		"the last":            {policy.SubscriptionRecoveryPolicy{LastImage: &policy.LastImageRecovery{}}, "five"},
		"the last two":        {policy.SubscriptionRecoveryPolicy{FixedCount: &policy.FixedCountRecovery{MaximumSize: 2}}, "four five"},
		"two and a half KiB":  {policy.SubscriptionRecoveryPolicy{FixedSized: &policy.FixedSizedRecovery{MaximumSize: 2500}}, "four five"},
		"the last 20 seconds": {policy.SubscriptionRecoveryPolicy{Timed: &policy.TimedRecovery{RecoverDuration: 20_000}}, "three four five"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			b.recovering(c.policy)
			sender := b.connect("ID:c")
			for _, text := range []string{"one", "two", "three", "four", "five"} {
				b.now = b.now.Add(10 * time.Second)
				sender.send(prices, text)
			}
			sender.consume(prices, 10).expect()
			late := sender.retroactive()
			sender.send(prices, "six")
			late.expect(append(strings.Fields(c.want), "six")...)
		})
	}
}

func TestAlwaysRetroactive(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(func(p *policy.Policy) {
		p.SubscriptionRecoveryPolicy.LastImage, p.AlwaysRetroactive = &policy.LastImageRecovery{}, true
	})
	c := b.connect("ID:c")
	c.send(prices, "one")
	c.consume(prices, 10).expect("one")
}

// What is kept is subject to selector, expiration and noLocal as everything else.
func TestARecoveryIsFiltered(t *testing.T) {
	b := newBroker(t, 0)
	b.recovering(policy.SubscriptionRecoveryPolicy{FixedCount: &policy.FixedCountRecovery{MaximumSize: 9}})
	c, d := b.connect("ID:c"), b.connect("ID:d")
	c.send(prices, "low", message.SetPriority(1))
	c.send(prices, "high", message.SetPriority(8))
	c.send(prices, "stale", message.SetPriority(8), message.SetExpiration(b.now.Add(time.Second).UnixMilli()))
	d.send(prices, "of d", message.SetPriority(8))
	b.now = b.now.Add(time.Minute)
	c.subscribe(core.ConsumerSpec{Destination: prices, Prefetch: 10, Retroactive: true, Selector: "JMSPriority > 5"}).expect("high", "of d")
	c.subscribe(core.ConsumerSpec{Destination: prices, Prefetch: 10, Retroactive: true, NoLocal: true}).expect("of d")
}

// A message that wants to be retained is, on every topic, until another one or one without a body takes its place.
func TestRetainedMessages(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	early := c.consume(prices, 10)
	retain := having("ActiveMQ.Retain", wire.BoolValue(true))
	properties := func(consumer *consumer, want string) {
		t.Helper()
		got := consumer.take()
		if len(got) != 1 {
			t.Fatalf("%d messages", len(got))
		}
		m := got[0].Message
		_, wish := wire.Lookup(m.Properties(), "ActiveMQ.Retain")
		retained, _ := wire.Lookup(m.Properties(), "ActiveMQ.Retained")
		if wish || string(m.Content()) != want {
			t.Errorf("got %s with %q", m.Content(), m.Properties())
		}
		if retained.Bool() != (consumer != early) {
			t.Errorf("retained: %v", retained.Bool())
		}
	}
	c.send(prices, "one", retain)
	properties(early, "one")
	c.send(prices, "two")
	properties(early, "two")
	properties(c.retroactive(), "one")
	c.send(prices, "three", having("ActiveMQ.Retain", wire.TextValue("true")))
	properties(early, "three")
	properties(c.retroactive(), "three")
	c.send(prices, "", retain)
	c.retroactive().expect()
}

// What all topics keep is bounded, whatever their policies say.
func TestARecoveryIsBounded(t *testing.T) {
	b := newBroker(t, 16*small)
	b.recovering(policy.SubscriptionRecoveryPolicy{Timed: &policy.TimedRecovery{RecoverDuration: 1 << 40}})
	c := b.connect("ID:c")
	for range 10 {
		c.send(prices, big)
	}
	if n := len(c.retroactive().take()); n != 3 {
		t.Errorf("%d messages of a quarter of the limit each are kept, and what else they have", n)
	}
}

// A durable subscription that begins retroactively has what the topic keeps, and once.
func TestARetroactiveDurableSubscription(t *testing.T) {
	b := newBroker(t, 0)
	b.recovering(policy.SubscriptionRecoveryPolicy{FixedCount: &policy.FixedCountRecovery{MaximumSize: 2}})
	c := b.connectAs("ID:c", "c")
	for _, text := range []string{"one", "two", "three"} {
		c.send(prices, text)
	}
	subscribe := func() *consumer {
		return c.subscribe(core.ConsumerSpec{Destination: prices, Prefetch: 10, Subscription: "s", Retroactive: true})
	}
	durable := subscribe()
	sequences := durable.expect("two", "three")
	c.send(prices, "four")
	sequences = append(sequences, durable.expect("four")...)
	for _, s := range sequences {
		durable.consumed(s, nil)
	}
	durable.Close(core.NoneDelivered)
	subscribe().expect()
}
