package node

import (
	"os"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// What is sent goes by the virtual destinations of now.
func TestVirtualDestinationsChangeWhileTheBrokerRuns(t *testing.T) {
	hangup, current := make(chan os.Signal), make(chan config.Config, 1)
	r := start(t, mem.New(segment), func(o *Options) {
		c := o.Config
		o.Hangup, o.Reload = hangup, func() (config.Config, error) {
			select {
			case c = <-current:
			default:
			}
			return c, nil
		}
	})
	c := join(t, r.active(), "sender")
	elsewhere := func(sequence int64, body string) *openwire.BytesMessage {
		m := message(sequence, body)
		m.Destination = &openwire.Queue{PhysicalName: openwire.S("elsewhere")}
		return m
	}
	c.ok(elsewhere(1, "stays there"))
	next := r.options.Config
	next.VirtualDestinations = []policy.VirtualDestination{{CompositeQueue: &policy.CompositeQueue{Composite: policy.Composite{
		Name: "elsewhere", ForwardOnly: true, ForwardTo: []policy.Forward{{Queue: "orders"}},
	}}}}
	current <- next
	hangup <- os.Interrupt
	if applied := r.logged.await(t, "configuration read again", "applied"); applied != "virtualDestinations" {
		t.Errorf("applied %s", applied)
	}
	c.ok(elsewhere(2, "is forwarded"))
	if body, _ := c.receive(); body != "is forwarded" {
		t.Errorf("got %q", body)
	}
	r.stop()
	if _, err := r.ended(); err != nil {
		t.Error(err)
	}
}

// Destinations that are configured are there, and one that cannot be ends the broker with a clear word.
func TestConfiguredDestinations(t *testing.T) {
	first := start(t, mem.New(segment), func(o *Options) {
		o.Config.Destinations = []config.Destination{{Queue: "orders"}, {Topic: "prices"}}
	})
	c := join(t, first.active(), "sender")
	c.ok(message(1, "x"))
	first.stop()
	if _, err := first.ended(); err != nil {
		t.Error(err)
	}
	second := start(t, mem.New(segment), func(o *Options) {
		o.Config.Destinations = []config.Destination{{Queue: "a"}, {Queue: "b"}}
		one := policy.Default()
		one.MaxDestinations = 1
		o.Config.DestinationPolicies = []config.DestinationPolicy{{Target: config.Target{Default: true}, Policy: one}}
	})
	if _, err := second.ended(); err == nil || !strings.Contains(err.Error(), "destinations: The maximum number of destinations allowed (1)") {
		t.Errorf("ended with %v", err)
	}
}
