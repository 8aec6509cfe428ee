package config

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// DestinationPolicy is one entry of destinationPolicies: what it is for, and its options. What it does not say is ActiveMQ's default,
// and not what a wider pattern says.
type DestinationPolicy struct {
	// Exactly one says what it is for: a name, a pattern such as orders.>, or several of these between commas; all
	// temporary queues or topics; or what no other entry is for.
	Queue         string `yaml:"queue,omitempty"`
	Topic         string `yaml:"topic,omitempty"`
	TempQueue     bool   `yaml:"tempQueue,omitempty"`
	TempTopic     bool   `yaml:"tempTopic,omitempty"`
	Default       bool   `yaml:"default,omitempty"`
	policy.Policy `yaml:",inline"`
}

// UnmarshalYAML reads an entry over the defaults.
func (p *DestinationPolicy) UnmarshalYAML(n *yaml.Node) error {
	type plain DestinationPolicy
	read := plain{Policy: policy.Default()}
	if err := n.Decode(&read); err != nil {
		return err
	}
	*p = DestinationPolicy(read)
	if err := p.validate(); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

func (p *DestinationPolicy) validate() error {
	patterns := p.patterns()
	if p.Default && len(patterns) > 0 || !p.Default && len(patterns) != 1 {
		return errors.New(`a destination policy is for one of queue, topic, tempQueue, tempTopic or default: write for example queue: "orders.>"`)
	}
	for _, d := range patterns {
		if err := d.Validate(); err != nil {
			return fmt.Errorf("%s: %w", d, err)
		}
	}
	return p.Policy.Validate()
}

// patterns returns what the entry is for, each written once.
func (p *DestinationPolicy) patterns() (all []destination.Destination) {
	if p.Queue != "" {
		all = append(all, destination.Destination{Kind: destination.Queue, Name: p.Queue})
	}
	if p.Topic != "" {
		all = append(all, destination.Destination{Kind: destination.Topic, Name: p.Topic})
	}
	if p.TempQueue {
		all = append(all, destination.Destination{Kind: destination.TempQueue, Name: ">"})
	}
	if p.TempTopic {
		all = append(all, destination.Destination{Kind: destination.TempTopic, Name: ">"})
	}
	return all
}

// Policies returns the policies of all destinations.
func (c Config) Policies() *policy.Map {
	m := policy.NewMap()
	m.TimeStamping = c.TimeStamping
	for _, entry := range c.DestinationPolicies {
		if entry.Default {
			m.SetDefault(&entry.Policy)
		}
		for _, pattern := range entry.patterns() {
			m.Add(pattern, &entry.Policy)
		}
	}
	return m
}

func (c Config) validatePolicies() error {
	if c.TimeStamping != nil {
		if err := c.TimeStamping.Validate(); err != nil {
			return fmt.Errorf("timeStampingBrokerPlugin: %w", err)
		}
	}
	return eachOnce(c.DestinationPolicies)
}

// eachOnce tells of two entries for the same destinations, of which one would have no effect.
func eachOnce(entries []DestinationPolicy) error {
	seen := map[destination.Destination]struct{}{}
	for _, entry := range entries {
		members := []destination.Destination{{}} // stands for the default
		if patterns := entry.patterns(); len(patterns) > 0 {
			members = patterns[0].Members()
		}
		for _, d := range members {
			if _, twice := seen[d]; twice && d.Name == "" {
				return errors.New("destinationPolicies: there are two default entries: write their options into one")
			} else if twice {
				return fmt.Errorf("destinationPolicies: there are two entries for %s: write their options into one", d)
			}
			seen[d] = struct{}{}
		}
	}
	return nil
}
