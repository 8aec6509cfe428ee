package core_test

import (
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/policy"
)

func exclusive(prefetch int, priority int8) core.ConsumerSpec {
	return core.ConsumerSpec{Destination: orders, Prefetch: prefetch, Priority: priority, Exclusive: true}
}

func TestAnExclusiveConsumerGetsAll(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	plain := c.consume(orders, 10)
	first := c.subscribe(exclusive(2, 0))
	second := c.subscribe(exclusive(10, 0))
	for _, text := range []string{"1", "2", "3"} {
		c.send(orders, text)
	}
	first.expect("1", "2")
	second.expect()
	plain.expect()
	first.Close(core.NoneDelivered)
	second.expect("1", "2", "3")
	second.Close(core.NoneDelivered)
	plain.expect("1", "2", "3")
}

func TestWhoIsExclusiveAfterADeath(t *testing.T) {
	b := newBroker(t, 0)
	c, d := b.connect("ID:c"), b.connect("ID:d")
	c.subscribe(exclusive(10, 0))
	second, preferred := d.subscribe(exclusive(10, -2)), d.subscribe(exclusive(10, -1))
	d.send(orders, "one")
	c.Close(core.NoneDelivered)
	preferred.expect("one")
	second.expect()
}

func TestAnExclusiveConsumerOfHigherPriorityTakesOver(t *testing.T) {
	for name, test := range map[string]struct {
		old, young int8
		want       bool
	}{"higher": {1, 2, true}, "the same": {1, 1, false}, "lower": {1, 0, false}, "the highest": {127, 127, true}} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c := b.connect("ID:c")
			old := c.subscribe(exclusive(10, test.old))
			young := c.subscribe(exclusive(10, test.young))
			c.send(orders, "one")
			if got := len(young.take()) == 1; got != test.want {
				t.Errorf("the newcomer gets it: %v", got)
			}
			if got := len(old.take()) == 0; got != test.want {
				t.Errorf("the old one gets it: %v", !got)
			}
		})
	}
}

func TestAllConsumersAreExclusiveByPolicy(t *testing.T) {
	b := newBroker(t, 0)
	policies, all := policy.NewMap(), policy.Default()
	all.AllConsumersExclusiveByDefault = true
	policies.Add(orders, &all)
	b.SetPolicies(policies)
	c := b.connect("ID:c")
	one, two := c.consume(orders, 10), c.consume(orders, 10)
	c.send(orders, "1")
	c.send(orders, "2")
	one.expect("1", "2")
	b.SetPolicies(policy.NewMap())
	c.send(orders, "3")
	c.send(orders, "4")
	one.expect("3")
	two.expect("4")
}
