package node

import (
	"context"
	"fmt"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/core"
)

// createDestinations makes those that are there from the beginning on.
func createDestinations(b *core.Broker, c config.Config) error {
	for _, configured := range c.Destinations {
		d, err := configured.Parse()
		if err == nil {
			err = b.Create(d)
		}
		if err != nil {
			return fmt.Errorf("destinations: %w", err)
		}
	}
	return nil
}

// collectInactive removes inactive destinations now and then, if that is asked for.
func collectInactive(ctx context.Context, b *core.Broker, c config.Config) {
	if c.SchedulePeriodForDestinationPurge == 0 {
		return
	}
	ticks := time.NewTicker(time.Duration(c.SchedulePeriodForDestinationPurge) * time.Millisecond)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			b.CollectInactive(c.MaxPurgedDestinationsPerSweep)
		}
	}
}
