package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDurableSubscribers(t *testing.T) {
	c, err := load(t, "keepDurableSubsActive: false\nofflineDurableSubscriberTimeout: 1000\n")
	want := DurableSubscribers{OfflineDurableSubscriberTimeout: 1000, OfflineDurableSubscriberTaskSchedule: 300_000}
	if diff := cmp.Diff(want, c.DurableSubscribers); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"keepDurableSubsActive", "offlineDurableSubscriberTimeout"}, c.Differences(Default())); diff != "" {
		t.Errorf("what differs from the defaults (-want +got):\n%s", diff)
	}
}
