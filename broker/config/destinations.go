package config

import (
	"errors"
	"fmt"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// Destination is a queue or a topic; one of its fields is set.
type Destination struct {
	Queue string `yaml:"queue,omitempty"`
	Topic string `yaml:"topic,omitempty"`
}

// Parse returns what is named, or what is wrong with it.
func (d Destination) Parse() (destination.Destination, error) {
	parsed := destination.Destination{Kind: destination.Queue, Name: d.Queue}
	if d.Topic != "" {
		parsed = destination.Destination{Kind: destination.Topic, Name: d.Topic}
	}
	switch {
	case d.Queue != "" && d.Topic != "", d.Queue == "" && d.Topic == "":
		return parsed, errors.New(`each entry is a queue or a topic: write for example queue: "orders"`)
	case parsed.IsPattern():
		return parsed, fmt.Errorf("%s: a wildcard is for consumers", parsed)
	}
	return parsed, parsed.Validate()
}

func (c Config) validateDestinations() error {
	for _, d := range c.Destinations {
		if _, err := d.Parse(); err != nil {
			return fmt.Errorf("destinations: %w", err)
		}
	}
	if c.SchedulePeriodForDestinationPurge < 0 || c.MaxPurgedDestinationsPerSweep < 0 {
		return errors.New("schedulePeriodForDestinationPurge and maxPurgedDestinationsPerSweep: write 0 or more")
	}
	return nil
}
