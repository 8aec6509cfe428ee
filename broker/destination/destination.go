// Package destination names queues and topics: parsing, composites, validity and wildcards. It does not say which exist.
package destination

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is what a destination is. The values are OpenWire's type bytes.
type Kind uint8

// The kinds of destinations.
const (
	Queue     Kind = 100
	Topic     Kind = 101
	TempQueue Kind = 102
	TempTopic Kind = 103
)

// MaxName is the length of the longest name, in bytes. ActiveMQ has no limit, but its encoding has one of 65,535, and
// brokers of it stop on names beyond; a name is also a key in memory, a file of metrics and a line in logs.
const MaxName = 16 << 10

var prefixes = [...]struct {
	kind   Kind
	prefix string
}{
	{Queue, "queue://"}, {Topic, "topic://"}, {TempQueue, "temp-queue://"}, {TempTopic, "temp-topic://"},
}

// Destination is a queue or a topic. It is comparable, so it can be the key of a map.
type Destination struct {
	Kind Kind
	Name string
}

// Parse reads a name with an optional prefix, as in "topic://prices"; without one it is of the given kind.
func Parse(s string, kind Kind) (Destination, error) {
	d := parse(s, kind)
	if err := d.Validate(); err != nil {
		return Destination{}, fmt.Errorf("the destination %q: %w", s, err)
	}
	return d, nil
}

func parse(s string, kind Kind) Destination {
	for _, p := range prefixes {
		if rest, found := strings.CutPrefix(s, p.prefix); found {
			return Destination{p.kind, rest}
		}
	}
	return Destination{kind, s}
}

// String returns the name with its prefix.
func (d Destination) String() string {
	for _, p := range prefixes {
		if d.Kind == p.kind {
			return p.prefix + d.Name
		}
	}
	return fmt.Sprintf("kind-%d://%s", d.Kind, d.Name)
}

// IsQueue tells whether it is a queue, temporary or not.
func (d Destination) IsQueue() bool { return d.Kind == Queue || d.Kind == TempQueue }

// IsTopic tells whether it is a topic, temporary or not.
func (d Destination) IsTopic() bool { return d.Kind == Topic || d.Kind == TempTopic }

// IsTemp tells whether it belongs to a connection (JMS 1.1 §4.4.3).
func (d Destination) IsTemp() bool { return d.Kind == TempQueue || d.Kind == TempTopic }

// IsComposite tells whether the name is a list of destinations.
func (d Destination) IsComposite() bool { return strings.Contains(d.Name, ",") }

// IsPattern tells whether a part of the name between dots is a wildcard: * for any one part, > for all that follow.
func (d Destination) IsPattern() bool {
	if !strings.ContainsAny(d.Name, "*>") {
		return false
	}
	for part := range strings.FieldsFuncSeq(d.Name, func(r rune) bool { return r == '.' || r == ',' }) {
		if part == "*" || part == ">" {
			return true
		}
	}
	return false
}

// IsAdvisory tells whether it is a topic on which brokers tell what happens.
func (d Destination) IsAdvisory() bool {
	return d.Kind == Topic && strings.HasPrefix(d.Name, "ActiveMQ.Advisory.")
}

// Members returns the destinations that a composite is a list of, else the destination alone. A member without a prefix is
// of the composite's own kind.
func (d Destination) Members() []Destination {
	if !d.IsComposite() {
		return []Destination{d}
	}
	names := strings.Split(d.Name, ",")
	members := make([]Destination, len(names))
	for i, name := range names {
		members[i] = parse(strings.TrimSpace(name), d.Kind)
	}
	return members
}

// Validate tells what is wrong with the destination, nil if nothing is.
func (d Destination) Validate() error {
	switch {
	case d.Kind < Queue || d.Kind > TempTopic:
		return fmt.Errorf("%d is no kind of destination", d.Kind)
	case d.Name == "":
		return errors.New("the name is empty")
	case len(d.Name) > MaxName:
		return fmt.Errorf("the name has %d bytes, at most %d are allowed", len(d.Name), MaxName)
	case strings.IndexByte(d.Name, 0) >= 0:
		return errors.New("the name holds a NUL character")
	case !d.IsComposite():
		return nil
	case d.IsTemp():
		return errors.New("a temporary destination cannot be composite")
	}
	for _, member := range d.Members() {
		if member.Name == "" {
			return errors.New("a member of the composite has no name")
		}
	}
	return nil
}
