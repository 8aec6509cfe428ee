package config

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// Target is what an entry is for. Exactly one of its fields is set: a name, a pattern such as orders.>, or several of these between
// commas; all temporary queues or topics; or what no other entry is for.
type Target struct {
	Queue     string `yaml:"queue,omitempty"`
	Topic     string `yaml:"topic,omitempty"`
	TempQueue bool   `yaml:"tempQueue,omitempty"`
	TempTopic bool   `yaml:"tempTopic,omitempty"`
	Default   bool   `yaml:"default,omitempty"`
}

func (t Target) validate() error {
	patterns := t.patterns()
	if t.Default && len(patterns) > 0 || !t.Default && len(patterns) != 1 {
		return errors.New(`an entry is for one of queue, topic, tempQueue, tempTopic or default: write for example queue: "orders.>"`)
	}
	for _, d := range patterns {
		if err := d.Validate(); err != nil {
			return fmt.Errorf("%s: %w", d, err)
		}
	}
	return nil
}

// patterns returns what is set, as the pattern that it is.
func (t Target) patterns() (all []destination.Destination) {
	if t.Queue != "" {
		all = append(all, destination.Destination{Kind: destination.Queue, Name: t.Queue})
	}
	if t.Topic != "" {
		all = append(all, destination.Destination{Kind: destination.Topic, Name: t.Topic})
	}
	if t.TempQueue {
		all = append(all, destination.Destination{Kind: destination.TempQueue, Name: ">"})
	}
	if t.TempTopic {
		all = append(all, destination.Destination{Kind: destination.TempTopic, Name: ">"})
	}
	return all
}

// DestinationPolicy is one entry of destinationPolicies: what it is for, and its options. What it does not say is ActiveMQ's default,
// and not what a wider pattern says.
type DestinationPolicy struct {
	Target        `yaml:",inline"`
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
	return atLine(n, p.Target.validate(), p.Policy.Validate())
}

// RedeliveryPlugin has the broker deliver again what consumers refuse.
type RedeliveryPlugin struct {
	FallbackToDeadLetter          bool               `yaml:"fallbackToDeadLetter"`
	SendToDLQIfMaxRetriesExceeded bool               `yaml:"sendToDlqIfMaxRetriesExceeded"`
	RedeliveryPolicyMap           []RedeliveryPolicy `yaml:"redeliveryPolicyMap,omitempty"`
}

// RedeliveryPolicy is one entry of redeliveryPolicyMap.
type RedeliveryPolicy struct {
	Target                  `yaml:",inline"`
	policy.RedeliveryPolicy `yaml:",inline"`
}

// UnmarshalYAML reads it over the defaults.
func (p *RedeliveryPlugin) UnmarshalYAML(n *yaml.Node) error {
	type plain RedeliveryPlugin
	read := plain{FallbackToDeadLetter: true, SendToDLQIfMaxRetriesExceeded: true}
	err := n.Decode(&read)
	*p = RedeliveryPlugin(read)
	return err
}

// UnmarshalYAML reads an entry over the defaults.
func (p *RedeliveryPolicy) UnmarshalYAML(n *yaml.Node) error {
	type plain RedeliveryPolicy
	read := plain{RedeliveryPolicy: policy.DefaultRedelivery()}
	if err := n.Decode(&read); err != nil {
		return err
	}
	*p = RedeliveryPolicy(read)
	return atLine(n, p.Target.validate(), p.RedeliveryPolicy.Validate())
}

// atLine says where the first of the errors is, nil if there is none.
func atLine(n *yaml.Node, errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("line %d: %w", n.Line, err)
		}
	}
	return nil
}

// Policies returns the policies of all destinations.
func (c Config) Policies() *policy.Map {
	m := policy.NewMap()
	m.TimeStamping = c.TimeStamping
	m.Virtual = c.virtual()
	for _, entry := range c.DestinationPolicies {
		enter(m, entry.Target, &entry.Policy)
	}
	if p := c.Redelivery; p != nil {
		m.Redelivery = &policy.Redelivery{
			FallbackToDeadLetter: p.FallbackToDeadLetter, SendToDLQIfMaxRetriesExceeded: p.SendToDLQIfMaxRetriesExceeded,
		}
		for _, entry := range p.RedeliveryPolicyMap {
			enter(m.Redelivery, entry.Target, &entry.RedeliveryPolicy)
		}
	}
	return m
}

// enter adds a policy where its target says.
func enter[P any](m interface {
	Add(pattern destination.Destination, p *P)
	SetDefault(p *P)
}, t Target, p *P) {
	if t.Default {
		m.SetDefault(p)
	}
	for _, pattern := range t.patterns() {
		m.Add(pattern, p)
	}
}

func (c Config) virtual() policy.Virtual {
	v := policy.Virtual{Destinations: c.VirtualDestinations, Mirror: c.MirroredQueue}
	if c.UseMirroredQueues && v.Mirror == nil {
		m := policy.DefaultMirroredQueue()
		v.Mirror = &m
	}
	return v
}

func (c Config) validatePolicies() error {
	if err := c.virtual().Validate(); err != nil {
		return prefixed("virtualDestinations", err)
	}
	if c.TimeStamping != nil {
		if err := c.TimeStamping.Validate(); err != nil {
			return fmt.Errorf("timeStampingBrokerPlugin: %w", err)
		}
	}
	var targets []Target
	for _, entry := range c.DestinationPolicies {
		targets = append(targets, entry.Target)
	}
	if err := eachOnce(targets); err != nil || c.Redelivery == nil {
		return prefixed("destinationPolicies", err)
	}
	targets = nil
	for _, entry := range c.Redelivery.RedeliveryPolicyMap {
		targets = append(targets, entry.Target)
	}
	return prefixed("redeliveryPolicyMap", eachOnce(targets))
}

func prefixed(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", key, err)
}

// eachOnce tells of two entries for the same destinations, of which one would have no effect.
func eachOnce(targets []Target) error {
	seen := map[destination.Destination]struct{}{}
	for _, target := range targets {
		members := []destination.Destination{{}} // stands for the default
		if patterns := target.patterns(); len(patterns) > 0 {
			members = patterns[0].Members()
		}
		for _, d := range members {
			if _, twice := seen[d]; twice && d.Name == "" {
				return errors.New("there are two default entries: write their options into one")
			} else if twice {
				return fmt.Errorf("there are two entries for %s: write their options into one", d)
			}
			seen[d] = struct{}{}
		}
	}
	return nil
}
