package node

import (
	"testing"

	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

func TestASubscriptionThatIsOfflineForLongEnds(t *testing.T) {
	r := start(t, mem.New(1<<20), func(o *Options) {
		o.Config.OfflineDurableSubscriberTimeout, o.Config.OfflineDurableSubscriberTaskSchedule = 0, 1
	})
	c := join(t, r.active(), "a")
	id := &openwire.ConsumerID{ConnectionID: openwire.S("ID:a"), SessionID: 1, Value: 1}
	c.ok(&openwire.ConsumerInfo{ConsumerID: id, Destination: &openwire.Topic{PhysicalName: openwire.S("t")}, SubscriptionName: openwire.S("s")})
	c.ok(&openwire.RemoveInfo{ObjectID: id})
	if name := r.logged.await(t, "removed a durable subscription that was offline for long", "subscription"); name != "s" {
		t.Errorf("it was %q", name)
	}
}
