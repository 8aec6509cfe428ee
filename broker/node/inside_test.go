package node

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/log/mem"
)

// TestDialWaitsForTheBroker: a standby takes no connection until it takes over, and who waits may give up.
func TestDialWaitsForTheBroker(t *testing.T) {
	shared := mem.New(1 << 20)
	first := start(t, shared, nil)
	first.active()
	second := start(t, shared, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := second.Dial(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a standby took a connection: %v", err)
	}
	result := make(chan error, 1)
	go func() {
		conn, err := second.Dial(t.Context(), "")
		if err == nil {
			err = conn.Close()
		}
		result <- err
	}()
	first.stop()
	second.active()
	if err := <-result; err != nil {
		t.Errorf("after the takeover: %v", err)
	}
}
