package core_test

import (
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// withPolicy gives the queue of orders a policy.
func (b *broker) withPolicy(change func(*policy.Policy)) {
	policies, p := policy.NewMap(), policy.Default()
	change(&p)
	policies.Add(orders, &p)
	b.SetPolicies(policies)
}

func TestAQueueWaitsForConsumers(t *testing.T) {
	for name, test := range map[string]struct {
		consumers int
		millis    int64
		wait      time.Duration
		second    bool // is enough
	}{
		"for two":             {2, 0, time.Second, true},
		"for two, or a while": {2, 5000, 5 * time.Second, true},
		"for three":           {3, 0, time.Second, false},
		"for a time":          {0, 300, 300 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			b.withPolicy(func(p *policy.Policy) {
				p.ConsumersBeforeDispatchStarts, p.TimeBeforeDispatchStarts = test.consumers, test.millis
			})
			c := b.connect("ID:c")
			c.send(orders, "a", in("a")...)
			c.send(orders, "b", in("b")...)
			one := c.consume(orders, 10)
			if held := one.Held(); held != test.wait {
				t.Errorf("it is held for %v", held)
			}
			one.expect()
			two := c.consume(orders, 10)
			if !test.second {
				one.expect()
				b.now = b.now.Add(test.wait)
				one.Resume()
			}
			one.expect("a")
			two.expect("b")
			if one.Held() != 0 || two.Held() != 0 {
				t.Error("it is still held")
			}
			one.Close(core.NoneDelivered)
			two.expect("a")
		})
	}
}

func TestAPrefetchThatIsNotExtended(t *testing.T) {
	b := newBroker(t, 0)
	b.withPolicy(func(p *policy.Policy) { p.UsePrefetchExtension = false })
	c := b.connect("ID:c")
	for _, text := range []string{"1", "2", "3", "4"} {
		c.send(orders, text)
	}
	consumer := c.consume(orders, 2)
	s := consumer.expect("1", "2")
	consumer.ack(core.Ack{Kind: core.Delivered, Last: s[1], Count: 2}, nil)
	consumer.expect()
	tx := c.begin()
	consumer.consumed(s[0], tx)
	consumer.expect()
	tx.commit()
	consumer.expect("3")
}
