package node

import (
	"context"
	"log/slog"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
)

// scheduleRetry is how long scheduled messages wait after some could not be delivered.
const scheduleRetry = time.Second

// deliverScheduled delivers scheduled messages when they are due.
func deliverScheduled(ctx context.Context, b *core.Broker, logger *slog.Logger) {
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-due.C:
		case <-b.Scheduled():
		}
		next, err := b.RunScheduled(ctx)
		if err != nil && ctx.Err() == nil {
			logger.Error("cannot deliver scheduled messages; trying again in a second", "error", err)
			next = time.Now().Add(scheduleRetry)
		}
		if due.Stop(); !next.IsZero() {
			due.Reset(time.Until(next))
		}
	}
}
