package core

import (
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// attach connects the consumer with what it consumes from.
func (b *Broker) attach(c *Consumer, members []destination.Destination) error {
	if c.spec.Subscription != "" && members[0].IsTopic() {
		return b.subscribeDurably(c)
	}
	names, patterns := split(members)
	if slices.ContainsFunc(members, func(d destination.Destination) bool { return d.IsQueue() != members[0].IsQueue() }) {
		return unsupported("consumers of queues and topics at once")
	}
	switch {
	case c.spec.Browser && members[0].IsQueue():
		return b.browse(c, names, patterns)
	case c.spec.Browser:
		return errorf(InvalidDestination, "cannot browse %s: only queues keep their messages", c.spec.Destination)
	case members[0].IsQueue():
		return b.attend(c, names, patterns)
	}
	return b.subscribe(c, names, patterns)
}

// split returns the names and the patterns among the members of a destination, each once.
func split(members []destination.Destination) (names, patterns []destination.Destination) {
	for _, d := range members {
		switch {
		case slices.Contains(names, d), slices.Contains(patterns, d):
		case d.IsPattern():
			patterns = append(patterns, d)
		default:
			names = append(names, d)
		}
	}
	return names, patterns
}

// attend gives the consumer a seat at each queue.
func (b *Broker) attend(c *Consumer, names, patterns []destination.Destination) error {
	queues, err := b.namedQueues(c, names)
	if err != nil {
		return err
	}
	a := &attendance{}
	c.source = a
	if len(queues) == 1 && len(patterns) == 0 {
		return b.sit(c, a, queues[0], func(s *seat) { a.only = s })
	}
	if len(patterns) > 0 {
		if err := b.makeFeeders(patterns); err != nil {
			return err
		}
		covered, _ := b.follow(c, patterns)
		queues = union(queues, covered)
	}
	for _, q := range queues {
		if err := b.sit(c, a, q, func(*seat) {}); err != nil {
			return err
		}
	}
	return nil
}

// sit gives the consumer a seat at a queue, or at the next one of that name if somebody removes the queue meanwhile. Before the
// seat is known to the queue, know gets it.
func (b *Broker) sit(c *Consumer, a *attendance, q *queue, know func(*seat)) (err error) {
	for err == nil {
		s := a.take(c, q)
		if s == nil {
			return nil
		}
		if know(s); q.attach(s) {
			return nil
		}
		a.forget(c, s)
		q, err = b.successor(q)
	}
	return err
}

// makeFeeders makes the queues of those patterns that virtual topics may feed. Such a queue has the pattern for its name, and gets
// what is sent before there are queues that the pattern covers.
func (b *Broker) makeFeeders(patterns []destination.Destination) error {
	for _, p := range patterns {
		if !b.routes.Load().isFeeder(p) {
			continue
		}
		if _, err := b.queue(p); err != nil {
			return err
		}
	}
	return nil
}

// namedQueues returns the queues of these names, which come into being if need be.
func (b *Broker) namedQueues(c *Consumer, names []destination.Destination) (queues []*queue, err error) {
	for _, d := range names {
		q, err := b.queue(d)
		if err != nil {
			return nil, err
		}
		if err := c.mayShare(d, q.owner); err != nil {
			return nil, err
		}
		queues = append(queues, q)
	}
	return queues, nil
}

// union adds to all what is not in it, of more, in which each is once.
func union[T comparable](all, more []T) []T {
	named := len(all)
	for _, x := range more {
		if !slices.Contains(all[:named], x) {
			all = append(all, x)
		}
	}
	return all
}

// subscribe makes the consumer a subscription to each topic.
func (b *Broker) subscribe(c *Consumer, names, patterns []destination.Destination) error {
	s := &subscription{consumer: c}
	s.policy.Store(b.policy(c.spec.Destination.Members()[0]))
	var topics []*topic
	for _, d := range names {
		t, err := b.topic(d)
		if err != nil {
			return err
		}
		if err := c.mayShare(d, t.owner); err != nil {
			return err
		}
		topics = append(topics, t)
	}
	c.source = s
	b.advisories.listen(s, c.spec.Destination, func() {
		if len(patterns) > 0 {
			_, covered := b.follow(c, patterns)
			topics = union(topics, covered)
		}
		for _, t := range topics {
			s.extend(t)
		}
	})
	return nil
}
