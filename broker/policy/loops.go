package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/selector"
)

// MaxHops is how many virtual destinations a message may go through one after another.
const MaxHops = 16

// Validate tells what of it cannot work: an entry that is none or several, a selector that cannot be read, or messages
// that would go round for ever.
func (v Virtual) Validate() error {
	for _, entry := range v.Destinations {
		if err := entry.validate(); err != nil {
			return err
		}
	}
	l := loops{v, map[*Composite]struct{}{}}
	for _, entry := range v.Destinations {
		if name, c := entry.Composite(); c != nil {
			if err := l.follow(step{name, c}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v VirtualDestination) validate() error {
	set := 0
	for _, is := range []bool{v.Topic != nil, v.CompositeQueue != nil, v.CompositeTopic != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		return errors.New("an entry is one of virtualTopic, compositeQueue and compositeTopic")
	}
	if v.Topic != nil {
		return v.Topic.validate()
	}
	name, c := v.Composite()
	if err := validName(name); err != nil {
		return err
	}
	for _, f := range c.ForwardTo {
		if to, err := f.To(); err != nil {
			return fmt.Errorf("%s forwards to %s: %w", name, to, err)
		}
		if _, err := selector.Parse(f.Selector); f.Selector != "" && err != nil {
			return fmt.Errorf("%s: the selector %q is not valid: %w", name, f.Selector, err)
		}
	}
	return nil
}

func (t *VirtualTopic) validate() error {
	if err := validName(t.Pattern()); err != nil {
		return err
	}
	if t.Prefix+t.Postfix == "" {
		return fmt.Errorf("%s: without prefix and postfix its queues are called like every other: write for example prefix: \"Consumer.*.\"", t.Pattern())
	}
	return nil
}

func validName(d destination.Destination) error {
	if err := d.Validate(); err != nil {
		return fmt.Errorf("%s: %w", d, err)
	}
	if d.IsComposite() {
		return fmt.Errorf("%s: write an entry for each name", d)
	}
	return nil
}

// step is a composite that a message goes through.
type step struct {
	name destination.Destination
	*Composite
}

// loops looks for them.
type loops struct {
	Virtual
	free map[*Composite]struct{} // from which nothing comes back
}

// follow goes wherever messages of a composite can go, whatever queues there are, and fails if that leads to where they have been.
func (l loops) follow(s step, path []step) error {
	for i, before := range path {
		if before == s {
			return fmt.Errorf("%s forwards to itself%s: a message would go round for ever", s.name, byWayOf(path[i+1:]))
		}
	}
	if _, free := l.free[s.Composite]; free {
		return nil
	}
	path = append(path[:len(path):len(path)], s)
	for _, f := range s.ForwardTo {
		to, _ := f.To() // it was checked before
		for _, member := range to.Members() {
			if err := l.reach(member, path, MaxHops); err != nil {
				return err
			}
		}
	}
	l.free[s.Composite] = struct{}{}
	return nil
}

// reach is follow for a destination, or a pattern of them, that something forwards to.
func (l loops) reach(d destination.Destination, path []step, hops int) error {
	for _, entry := range l.Destinations {
		if name, c := entry.Composite(); c != nil && name.Overlaps(d) {
			if err := l.follow(step{name, c}, path); err != nil {
				return err
			}
		}
	}
	if hops == 0 { // the names only get longer here: mirrors of the queues of mirrors
		return nil
	}
	for _, entry := range l.Destinations {
		if t := entry.Topic; t != nil && t.Pattern().Overlaps(d) {
			if err := l.reach(t.Queues(d.Name), path, hops-1); err != nil {
				return err
			}
		}
	}
	if mirror, mirrored := l.Mirror.Of(d); mirrored {
		return l.reach(mirror, path, hops-1)
	}
	return nil
}

func byWayOf(path []step) string {
	var names []string
	for _, s := range path {
		names = append(names, s.name.String())
	}
	if len(names) == 0 {
		return ""
	}
	return " by way of " + strings.Join(names, " and ")
}
