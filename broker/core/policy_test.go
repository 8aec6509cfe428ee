package core_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/node"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// setPolicy gives all queues and topics the options that change makes of the defaults.
func (b *broker) setPolicy(change func(*policy.Policy)) {
	p := policy.Default()
	change(&p)
	policies := policy.NewMap()
	policies.SetDefault(&p)
	b.SetPolicies(policies)
}

func TestAPolicySetsThePrefetchOfThoseWhoAskForTheirClientsDefault(t *testing.T) {
	for _, c := range []struct {
		d           destination.Destination
		asked, want int
	}{
		{orders, 1000, 1}, {orders, 2, 2}, {orders, 32767, 32767},
		{prices, 32767, 2}, {prices, 3, 3}, {prices, 1000, 1000},
	} {
		b := newBroker(t, 0)
		b.setPolicy(func(p *policy.Policy) { p.QueuePrefetch, p.TopicPrefetch = 1, 2 })
		if got := b.connect("ID:c").consume(c.d, c.asked).Prefetch(); got != c.want {
			t.Errorf("%s: who asks for %d gets %d, want %d", c.d, c.asked, got, c.want)
		}
	}
}

func TestStrictOrderDispatchFillsOneConsumerFirst(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	first, second := c.consume(orders, 2), c.consume(orders, 2)
	b.setPolicy(func(p *policy.Policy) { p.StrictOrderDispatch = true })
	for _, text := range []string{"one", "two", "three"} {
		c.send(orders, text)
	}
	first.expect("one", "two")
	second.expect("three")
}

func TestConsumersPriorityCountsAsLongAsThePolicySaysSo(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	low := c.consume(orders, 10)
	high := c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 10, Priority: 7})
	c.send(orders, "one")
	high.expect("one")
	b.setPolicy(func(p *policy.Policy) { p.UseConsumerPriority = false })
	for _, text := range []string{"two", "three", "3"} {
		c.send(orders, text)
	}
	high.expect("two", "3")
	low.expect("three")
	b.setPolicy(func(*policy.Policy) {}) // when the next one would be low's
	c.send(orders, "four")
	c.send(orders, "five")
	high.expect("four", "five")
}

func TestABrokerBeginsWithItsPolicies(t *testing.T) {
	b := newBroker(t, 0)
	p := policy.Default()
	p.QueuePrefetch = 3
	policies := policy.NewMap()
	policies.SetDefault(&p)
	policies.TimeStamping = &policy.TimeStamping{ZeroExpirationOverride: 60_000}
	policies.Redelivery = &policy.Redelivery{}
	b.Broker = core.New(core.Options{
		Store: node.Join(b.store), Now: func() time.Time { return b.now }, Logger: slog.New(slog.DiscardHandler), Policies: policies,
	})
	c := b.connect("ID:c")
	consumer := c.consume(orders, policy.ClientQueuePrefetch)
	if consumer.Prefetch() != 3 {
		t.Errorf("the prefetch is %d", consumer.Prefetch())
	}
	c.send(orders, "one", message.SetTimestamp(1))
	d := consumer.take()
	if len(d) != 1 || d[0].Message.Expiration() != b.now.UnixMilli()+60_000 {
		t.Fatalf("got %+v", d)
	}
	consumer.ack(core.Ack{Kind: core.Poison, Last: d[0].Message.BrokerSequence(), Count: 1}, nil)
	if letters := b.rest(core.DeadLetters); letters != "" {
		t.Errorf("the dead letters are %q", letters)
	}
}
