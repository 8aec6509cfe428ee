package core_test

import (
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// aborting is a consumer that ends as the broker wants it to.
func (c *client) aborting(d destination.Destination, prefetch int, aborted *[]string) *consumer {
	c.broker.t.Helper()
	name := d.Name
	return c.subscribe(core.ConsumerSpec{Destination: d, Prefetch: prefetch, Abort: func(consumer *core.Consumer, connection bool, why string) {
		if why == "" {
			c.broker.t.Errorf("no reason is given")
		}
		if connection {
			name += " with its connection"
		}
		*aborted = append(*aborted, name)
		consumer.Close(core.AllUnknown)
		consumer.Close(core.AllUnknown) // and the client does so, too
	}})
}

// check lets so many seconds pass, with a look at slow consumers in each.
func (b *broker) check(seconds int) {
	for range seconds {
		b.now = b.now.Add(time.Second)
		b.AbortSlow()
	}
}

func abortSlow(l policy.AbortSlowConsumer) func(*policy.Policy) {
	return func(p *policy.Policy) { p.SlowConsumerStrategy.Abort = &l }
}

func TestSlowConsumersAreClosed(t *testing.T) {
	for name, c := range map[string]struct {
		limits  policy.AbortSlowConsumer
		seconds int
		want    string
	}{
		"after the longest time":   {policy.AbortSlowConsumer{MaxSlowCount: -1, MaxSlowDuration: 5000, CheckPeriod: 2000}, 7, ""},
		"with the connection":      {policy.AbortSlowConsumer{MaxSlowCount: -1, MaxSlowDuration: 1000, CheckPeriod: 1000, AbortConnection: true}, 3, " with its connection"},
		"by how often they became": {policy.AbortSlowConsumer{MaxSlowCount: 1, MaxSlowDuration: -1, CheckPeriod: 1000}, 2, ""},
	} {
		for _, d := range []destination.Destination{prices, orders} {
			t.Run(name+" of a "+d.String(), func(t *testing.T) {
				b := newBroker(t, 0)
				b.setPolicy(abortSlow(c.limits))
				client := b.connect("ID:c")
				var aborted []string
				client.aborting(d, 2, &aborted)
				b.check(1)
				for range 6 {
					client.send(d, "message")
				}
				b.check(c.seconds - 2)
				if len(aborted) > 0 && c.limits.MaxSlowDuration > 1000 {
					t.Fatalf("closed too early: %q", aborted)
				}
				b.check(3)
				if len(aborted) != 1 || aborted[0] != d.Name+c.want {
					t.Errorf("closed: %q", aborted)
				}
				if d == orders {
					if got := b.rest(orders); got != "message message message message message message" {
						t.Errorf("left: %s", got)
					}
				}
			})
		}
	}
}

// Who goes on in time is not slow any more.
func TestAConsumerThatCatchesUpStays(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(abortSlow(policy.AbortSlowConsumer{MaxSlowCount: -1, MaxSlowDuration: 3000, CheckPeriod: 1000}))
	c := b.connect("ID:c")
	var aborted []string
	x := c.aborting(orders, 1, &aborted)
	c.send(orders, "a")
	c.send(orders, "b")
	b.check(2)
	x.consumed(x.expect("a")[0], nil)
	b.check(9)
	if len(aborted) > 0 {
		t.Errorf("closed: %q", aborted)
	}
}

func TestConsumersThatDoNotAcknowledgeAreClosed(t *testing.T) {
	for _, d := range []destination.Destination{prices, orders} {
		for name, c := range map[string]struct {
			ignoreIdle   bool
			send, ack    bool
			wantsAborted bool
		}{
			"one that has something": {ignoreIdle: true, send: true, wantsAborted: true},
			"an idle one":            {ignoreIdle: true},
			"an idle one, too":       {wantsAborted: true},
			"one that acknowledges":  {ignoreIdle: true, send: true, ack: true},
		} {
			t.Run(name+" of "+d.String(), func(t *testing.T) {
				b := newBroker(t, 0)
				b.setPolicy(func(p *policy.Policy) {
					p.SlowConsumerStrategy.AbortAck = &policy.AbortSlowAckConsumer{
						AbortSlowConsumer:   policy.AbortSlowConsumer{MaxSlowCount: -1, MaxSlowDuration: 2000, CheckPeriod: 1000},
						MaxTimeSinceLastAck: 5000, IgnoreIdleConsumers: c.ignoreIdle,
					}
				})
				client := b.connect("ID:c")
				var aborted []string
				x := client.aborting(d, 10, &aborted)
				if c.send {
					client.send(d, "a")
				}
				for range 10 {
					if c.ack {
						x.ack(core.Ack{Kind: core.Delivered, Count: 1}, nil)
					}
					b.check(1)
				}
				if (len(aborted) == 1) != c.wantsAborted {
					t.Errorf("closed: %q", aborted)
				}
			})
		}
	}
}

// A strategy that is taken back spares those who were slow.
func TestAStrategyThatIsReplaced(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(abortSlow(policy.AbortSlowConsumer{MaxSlowCount: -1, MaxSlowDuration: 3000, CheckPeriod: 1000}))
	c := b.connect("ID:c")
	var aborted []string
	c.aborting(orders, 1, &aborted)
	c.send(orders, "a")
	c.send(orders, "b")
	b.check(2)
	b.setPolicy(func(*policy.Policy) {})
	b.check(9)
	if len(aborted) > 0 {
		t.Errorf("closed: %q", aborted)
	}
}
