package config

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Names are names of groups or users: a list, or one text with commas between them. In a right, * is everybody.
type Names []string

// UnmarshalYAML reads either form.
func (names *Names) UnmarshalYAML(n *yaml.Node) error {
	var list []string
	if n.Kind == yaml.ScalarNode {
		list = []string{n.Value}
	} else if err := n.Decode(&list); err != nil {
		return err
	}
	*names = nil
	for _, item := range list {
		for name := range strings.SplitSeq(item, ",") {
			if name = strings.TrimSpace(name); name != "" {
				*names = append(*names, name)
			}
		}
	}
	return nil
}

// Authorization says which groups may do what, where there is one; without it everybody who may connect may do everything.
type Authorization struct {
	Entries []AuthorizationEntry `yaml:"entries,omitempty"`
	// TempDestinations has the rights to all temporary queues and topics; nil is all of them for everybody.
	TempDestinations *Grant `yaml:"tempDestinations,omitempty"`
}

// AuthorizationEntry grants rights to the destinations of a pattern, beside what other entries grant.
type AuthorizationEntry struct {
	Queue   string `yaml:"queue,omitempty"`
	Topic   string `yaml:"topic,omitempty"`
	Default bool   `yaml:"default,omitempty"` // every queue and topic
	Grant   `yaml:",inline"`
}

// Grant lists the groups that have each right: to consume and browse, to send, to create and remove.
type Grant struct {
	Read  Names `yaml:"read,omitempty"`
	Write Names `yaml:"write,omitempty"`
	Admin Names `yaml:"admin,omitempty"`
}

// target is what the entry is for, as in a policy.
func (e AuthorizationEntry) target() Target {
	return Target{Queue: e.Queue, Topic: e.Topic, Default: e.Default}
}

// validateAuth tells what is wrong with the entries, and who could not get in.
func (c Config) validateAuth() error {
	if c.Auth.Mode != "on" && c.Auth.Mode != "off" && c.Auth.Mode != "off-everywhere" {
		return fmt.Errorf("auth mode %q: write on, off or off-everywhere", c.Auth.Mode)
	}
	if c.Auth.GroupsFile != "" && len(c.Auth.Groups) > 0 {
		return errors.New("auth: there are groups and a groupsFile: write all into one of them")
	}
	if c.Authorization == nil {
		return nil
	}
	if c.Auth.Mode != "on" {
		return fmt.Errorf("authorization needs to know who a client is, and auth is %s: turn it on", c.Auth.Mode)
	}
	for _, entry := range c.Authorization.Entries {
		if entry.Queue == "" && entry.Topic == "" && !entry.Default {
			return errors.New(`authorization: an entry is for one of queue, topic or default: write for example queue: "orders.>"`)
		}
		if err := entry.target().validate(); err != nil {
			return fmt.Errorf("authorization: %w", err)
		}
	}
	return nil
}
