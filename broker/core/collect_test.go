package core_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// there lists the queues and topics of which statistics tell.
func (c *client) there(names ...string) string {
	c.broker.t.Helper()
	var found []string
	for _, name := range names {
		if len(c.ask("ActiveMQ.Statistics.Destination."+name)) > 0 {
			found = append(found, name)
		}
	}
	return strings.Join(found, " ")
}

func TestInactiveDestinationsAreCollected(t *testing.T) {
	b := newBroker(t, 0)
	b.limited(func(p *policy.Policy) { p.GCInactiveDestinations = false })
	policies, p := policy.NewMap(), policy.Default()
	p.GCInactiveDestinations, p.InactiveTimeoutBeforeGC = true, 3000
	policies.Add(queueNamed("GC.>"), &p)
	policies.Add(topicNamed("GC.>"), &p)
	b.SetPolicies(policies)
	c := b.connect("ID:c")
	for _, name := range []string{"GC.idle", "GC.consumed", "GC.produced", "GC.full", "GC.busy", "kept"} {
		b.must(c.CreateDestination(queueNamed(name)))
	}
	b.must(c.CreateDestination(topicNamed("GC.idle")))
	consumer := c.consume(queueNamed("GC.consumed"), 1)
	if _, err := c.AddProducer(core.ProducerSpec{Destination: queueNamed("GC.produced")}); err != nil {
		t.Fatal(err)
	}
	c.send(queueNamed("GC.full"), "one")
	all := []string{"GC.idle", "topic://GC.idle", "GC.consumed", "GC.produced", "GC.full", "GC.busy", "kept"}
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{0, "GC.idle topic://GC.idle GC.consumed GC.produced GC.full GC.busy kept"},
		{2 * time.Second, "GC.idle topic://GC.idle GC.consumed GC.produced GC.full GC.busy kept"},
		{time.Second, "GC.consumed GC.produced GC.full GC.busy kept"},
		{3 * time.Second, "GC.consumed GC.produced GC.full kept"},
	} {
		if step.after == time.Second { // between two looks
			c.send(queueNamed("GC.busy"), "x")
			c.consume(queueNamed("GC.busy"), 1).Close(core.NoneDelivered)
			if got := b.rest(queueNamed("GC.busy")); got != "x" {
				t.Fatal(got)
			}
		}
		b.now = b.now.Add(step.after)
		b.CollectInactive(0)
		if got := c.there(all...); got != step.want {
			t.Errorf("after %v: %s", step.after, got)
		}
	}
	consumer.Close(core.NoneDelivered)
	b.CollectInactive(0)
	b.now = b.now.Add(3 * time.Second)
	b.CollectInactive(0)
	next := b.handOver()
	if got := next.connect("ID:d").there(all...); got != "GC.produced GC.full kept" {
		t.Errorf("after a takeover: %s", got)
	}
}

func TestSoManyAreCollectedAtATime(t *testing.T) {
	b := newBroker(t, 0)
	policies, p := policy.NewMap(), policy.Default()
	p.GCInactiveDestinations, p.InactiveTimeoutBeforeGC = true, 1
	policies.Add(queueNamed("GC.>"), &p)
	b.SetPolicies(policies)
	c := b.connect("ID:c")
	for _, name := range []string{"GC.a", "GC.b", "GC.c"} {
		b.must(c.CreateDestination(queueNamed(name)))
	}
	for _, want := range []int{3, 2, 1, 0} {
		b.CollectInactive(1)
		if got := len(c.ask("ActiveMQ.Statistics.Destination.GC.>")); got != want {
			t.Errorf("%d are left, want %d", got, want)
		}
		b.now = b.now.Add(time.Millisecond)
	}
}

func TestMaxDestinations(t *testing.T) {
	b := newBroker(t, 0)
	policies, p := policy.NewMap(), policy.Default()
	p.MaxDestinations = 2
	policies.Add(queueNamed("FEW.>"), &p)
	b.must(b.connect("ID:before").CreateDestination(queueNamed("FEW.before")))
	b.SetPolicies(policies)
	c := b.connect("ID:c")
	c.send(queueNamed("FEW.second"), "x")
	var e *core.Error
	if err := c.Send(c.make(queueNamed("FEW.third"), "x"), nil); !errors.As(err, &e) || e.Kind != core.IllegalState ||
		!strings.Contains(e.Text, "number of destinations allowed (2) for the policy of queue://FEW.third has already been reached") {
		t.Errorf("got %v", err)
	}
	if _, err := c.AddProducer(core.ProducerSpec{Destination: queueNamed("FEW.third")}); err == nil {
		t.Error("a producer makes one more")
	}
	c.send(queueNamed("FEW.second"), "what is there goes on")
	b.must(c.CreateDestination(queueNamed("MANY")))
	b.must(c.CreateDestination(topicNamed("FEW.topic")))
	c.remove(queueNamed("FEW.before"))
	b.must(c.CreateDestination(queueNamed("FEW.third")))
}

// TestWhatIsOnItsWayToACollectedQueueIsThere has the store about to take a message, or a commit, when its queue is collected.
func TestWhatIsOnItsWayToACollectedQueueIsThere(t *testing.T) {
	for name, send := range map[string]func(c *client, done func()){
		"a message": func(c *client, done func()) { c.broker.must(c.Send(c.make(orders, "one"), done)) },
		"a commit": func(c *client, done func()) {
			tx := c.begin()
			tx.send(orders, "one")
			c.broker.must(tx.Commit(done))
		},
		"a branch's commit": func(c *client, done func()) {
			c.broker.log.Release()
			c.join(branch).send(orders, "one")
			c.prepare(branch)
			c.broker.log.Hold()
			c.broker.must(c.CommitBranch(branch, false, done))
		},
	} {
		for where, next := range map[string]func(*broker) *broker{
			"here": func(b *broker) *broker { return b }, "at the next broker": func(b *broker) *broker { return b.crash(0) },
		} {
			t.Run(name+" "+where, func(t *testing.T) {
				b := newBroker(t, 0)
				b.limited(func(p *policy.Policy) { p.GCInactiveDestinations, p.InactiveTimeoutBeforeGC = true, 1 })
				c := b.connect("ID:c")
				b.must(c.CreateDestination(orders))
				b.settle()
				b.CollectInactive(0)
				b.now = b.now.Add(time.Second)
				b.log.Hold()
				done := false
				send(c, func() { done = true })
				b.CollectInactive(0)
				b.log.Release()
				b.settle()
				if !done {
					t.Fatal("the broker does not say that it has the message")
				}
				if got := next(b).rest(orders); got != "one" {
					t.Errorf("the queue has %q", got)
				}
			})
		}
	}
}
