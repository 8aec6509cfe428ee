package node

import (
	"context"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/core"
)

// removeOffline ends durable subscriptions that are offline for longer than the configuration says, now and then.
func removeOffline(ctx context.Context, b *core.Broker, o config.DurableSubscribers) {
	if o.OfflineDurableSubscriberTimeout < 0 || o.OfflineDurableSubscriberTaskSchedule <= 0 {
		return
	}
	looks := time.NewTicker(time.Duration(o.OfflineDurableSubscriberTaskSchedule) * time.Millisecond)
	defer looks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-looks.C:
			b.RemoveOffline(time.Duration(o.OfflineDurableSubscriberTimeout) * time.Millisecond)
		}
	}
}
