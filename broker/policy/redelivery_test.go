package policy

import (
	"slices"
	"testing"

	"github.com/twinmesh/twinmesh/broker/destination"
)

func TestWhenAMessageIsDeliveredAgain(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*RedeliveryPolicy)
		want   []int64
	}{
		"as it is by default": {func(*RedeliveryPolicy) {}, []int64{1000, 1000, 1000, 1000, 1000, 1000}},
		"another time first":  {func(p *RedeliveryPolicy) { p.MaximumRedeliveries, p.InitialRedeliveryDelay = 3, 7 }, []int64{7, 1000, 1000}},
		"never":               {func(p *RedeliveryPolicy) { p.MaximumRedeliveries = 0 }, nil},
		"multiplied":          {func(p *RedeliveryPolicy) { p.MaximumRedeliveries, p.UseExponentialBackOff = 4, true }, []int64{1000, 5000, 25000, 125000}},
		"multiplied, from nothing": {func(p *RedeliveryPolicy) {
			p.InitialRedeliveryDelay, p.MaximumRedeliveries, p.UseExponentialBackOff = 0, 3, true
		}, []int64{0, 1000, 5000}},
		"multiplied up to a limit": {func(p *RedeliveryPolicy) {
			p.MaximumRedeliveries, p.UseExponentialBackOff, p.MaximumRedeliveryDelay = 4, true, 6000
		}, []int64{1000, 5000, 6000, 6000}},
		"a limit that is too small": {func(p *RedeliveryPolicy) {
			p.MaximumRedeliveries, p.UseExponentialBackOff, p.MaximumRedeliveryDelay = 2, true, 10
		}, []int64{1000, 1000}},
		"multiplied by one": {func(p *RedeliveryPolicy) {
			p.MaximumRedeliveries, p.UseExponentialBackOff, p.BackOffMultiplier = 2, true, 1
		}, []int64{1000, 1000}},
	} {
		p := DefaultRedelivery()
		c.change(&p)
		var got []int64
		for delay, again := p.Again(0, "a"); again; delay, again = p.Again(len(got), "a") {
			got = append(got, delay)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestRedeliveryWithoutEnd(t *testing.T) {
	p := DefaultRedelivery()
	p.MaximumRedeliveries, p.UseExponentialBackOff = -1, true
	if delay, again := p.Again(1_000_000, "a"); !again || delay != longest {
		t.Errorf("got %d, %t", delay, again)
	}
}

func TestCollisionAvoidance(t *testing.T) {
	p := DefaultRedelivery()
	p.UseCollisionAvoidance, p.MaximumRedeliveries = true, -1
	seen := map[int64]bool{}
	for times := range 100 {
		delay, _ := p.Again(times+1, "a")
		if seen[delay] = true; delay < 850 || delay > 1150 {
			t.Errorf("got %d, want 1000 and at most 15%% more or less", delay)
		}
	}
	if len(seen) < 50 {
		t.Errorf("of 100 times only %d differ", len(seen))
	}
	if first, _ := p.Again(0, "a"); first != 1000 {
		t.Errorf("the first time is %d", first)
	}
}

func TestRedeliveryPoliciesOfDestinations(t *testing.T) {
	var r Redelivery
	orders := destination.Destination{Kind: destination.Queue, Name: "orders"}
	if r.Find(orders) != nil {
		t.Error("there is a policy where none was added")
	}
	one, others := DefaultRedelivery(), DefaultRedelivery()
	r.Add(orders, &one)
	r.SetDefault(&others)
	if r.Find(orders) != &one || r.Find(destination.Destination{Kind: destination.Queue, Name: "a"}) != &others {
		t.Error("a destination has the policy of another")
	}
	if one.MaximumRedeliveryDelay = -2; one.Validate() == nil {
		t.Error("a delay of -2 is taken")
	}
}
