package core

import (
	"slices"
	"strings"
	"sync"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/selector"
)

// routing finds where a message goes: it is policy.Virtual made ready, with the queues that virtual topics feed.
type routing struct {
	topics []*virtualTopic
	exact  map[destination.Destination][]*composite
	broad  []*composite // whose names are patterns
	mirror *policy.MirroredQueue
}

// virtualTopic knows its queues by the name of the topic, so that a message finds them without a look at all queues.
type virtualTopic struct {
	*policy.VirtualTopic
	head string // with which its queues' names begin, if the prefix has a wildcard

	mu    sync.RWMutex
	fed   map[string][]*queue
	broad []*queue // whose names are patterns: they are consumers' with wildcards
}

// composite is a configured composite destination whose selectors are compiled.
type composite struct {
	*policy.Composite
	name     destination.Destination
	forwards []forward
}

type forward struct {
	to       destination.Destination
	selector *selector.Selector // nil takes all
}

// newRouting makes a valid configuration ready.
func newRouting(v policy.Virtual) *routing {
	r := &routing{exact: map[destination.Destination][]*composite{}, mirror: v.Mirror}
	for _, entry := range v.Destinations {
		if t := entry.Topic; t != nil {
			r.topics = append(r.topics, &virtualTopic{VirtualTopic: t, head: headOf(t.Prefix), fed: map[string][]*queue{}})
			continue
		}
		name, c := entry.Composite()
		compiled := &composite{Composite: c, name: name}
		for _, f := range c.ForwardTo {
			to, _ := f.To() // who reads the configuration has checked it
			s, _ := compile(f.Selector)
			compiled.forwards = append(compiled.forwards, forward{to, s})
		}
		if name.IsPattern() {
			r.broad = append(r.broad, compiled)
		} else {
			r.exact[name] = append(r.exact[name], compiled)
		}
	}
	return r
}

// headOf is what a queue's name has to begin with, though it is a pattern.
func headOf(prefix string) string {
	head, _, wild := strings.Cut(prefix, ".*")
	if !wild || strings.HasPrefix(prefix, "*") {
		return ""
	}
	return head
}

// setRouting replaces where messages go; b.mu is held or b is not shared yet.
func (b *Broker) setRouting(v policy.Virtual) {
	r := newRouting(v)
	for _, q := range b.queues {
		r.enter(q)
	}
	b.routes.Store(r)
}

// enter notes a queue that virtual topics may feed; leave forgets it.
func (r *routing) enter(q *queue) {
	for _, t := range r.topics {
		t.note(q, func(queues []*queue) []*queue { return append(queues, q) })
	}
}

func (r *routing) leave(q *queue) {
	for _, t := range r.topics {
		t.note(q, func(queues []*queue) []*queue {
			return slices.DeleteFunc(slices.Clone(queues), func(o *queue) bool { return o == q })
		})
	}
}

// note changes the list of queues that q belongs to, if it does to any.
func (t *virtualTopic) note(q *queue, change func([]*queue) []*queue) {
	if q.name.Kind != destination.Queue || !strings.HasPrefix(q.name.Name, t.head) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.name.IsPattern() {
		t.broad = change(t.broad)
		return
	}
	name, ok := t.topicOf(q.name.Name)
	if !ok || !t.Pattern().Covers(destination.Destination{Kind: destination.Topic, Name: name}) {
		return
	}
	if t.fed[name] = change(t.fed[name]); len(t.fed[name]) == 0 {
		delete(t.fed, name)
	}
}

// topicOf finds the name of the topic in a queue's name. A part * of the prefix or postfix stands for one part.
func (t *virtualTopic) topicOf(queue string) (name string, ok bool) {
	before, after := strings.Count(t.Prefix, "."), strings.Count(t.Postfix, ".")
	parts := strings.Split(queue, ".")
	if len(parts) < before+1+after {
		return "", false
	}
	middle := strings.Join(parts[before:len(parts)-after], ".")
	glueBefore := t.Prefix[strings.LastIndexByte(t.Prefix, '.')+1:]
	glueAfter, _, _ := strings.Cut(t.Postfix, ".")
	middle, begins := strings.CutPrefix(middle, glueBefore)
	middle, ends := strings.CutSuffix(middle, glueAfter)
	if !begins || !ends || middle == "" {
		return "", false
	}
	return middle, t.Queues(middle).Covers(destination.Destination{Kind: destination.Queue, Name: queue})
}

// feeds returns the queues that there are for the topic.
func (t *virtualTopic) feeds(topic destination.Destination) []*queue {
	t.mu.RLock()
	defer t.mu.RUnlock()
	found := slices.Clone(t.fed[topic.Name])
	for _, q := range t.broad {
		if q.name.Overlaps(t.Queues(topic.Name)) {
			found = append(found, q)
		}
	}
	return found
}

// isFeeder tells whether a pattern of queues is one of those that a virtual topic may feed.
func (r *routing) isFeeder(d destination.Destination) bool {
	for _, t := range r.topics {
		if d.Kind == destination.Queue && t.Queues(">").Covers(d) {
			return true
		}
	}
	return false
}

// composites are those that the destination is one of.
func (r *routing) composites(d destination.Destination) []*composite {
	found := r.exact[d]
	for _, c := range r.broad {
		if c.name.Covers(d) {
			found = append(found[:len(found):len(found)], c)
		}
	}
	return found
}

// plain tells, quickly, that what is sent to the destination goes nowhere else.
func (r *routing) plain(d destination.Destination) bool {
	if r.mirror != nil || d.IsComposite() || len(r.broad) > 0 || len(r.exact[d]) > 0 {
		return false
	}
	return d.Kind != destination.Topic || !slices.ContainsFunc(r.topics, func(t *virtualTopic) bool { return t.Pattern().Covers(d) })
}

// hop is a destination that a message goes to, and the one that it was at before, if that is to be told.
type hop struct {
	to, from destination.Destination
}

// route is the way of one message.
type route struct {
	*routing
	broker  *Broker
	message *message.Message
	ends    []hop
	reached map[destination.Destination]struct{}
}

// route returns what a message is sent as, one for each destination that it comes to. These name where they were
// before as their original destination.
func (b *Broker) route(m *message.Message) ([]*message.Message, error) {
	d := m.Destination()
	if b.routes.Load().plain(d) {
		return []*message.Message{m}, nil
	}
	ends, err := b.ends(m)
	if err != nil {
		return nil, err
	}
	copies := make([]*message.Message, 0, len(ends))
	for _, end := range ends {
		copies = append(copies, end.copy(m))
	}
	return copies, nil
}

// ends are the hops at which the message stays.
func (b *Broker) ends(m *message.Message) ([]hop, error) {
	r := route{routing: b.routes.Load(), broker: b, message: m, reached: map[destination.Destination]struct{}{}}
	err := r.follow(hop{to: m.Destination()}, policy.MaxHops)
	return r.ends, err
}

// arrivesAt tells whether the message comes to some destination that is such a one. What cannot be sent comes nowhere.
func (b *Broker) arrivesAt(m *message.Message, such func(destination.Destination) bool) bool {
	if d := m.Destination(); b.routes.Load().plain(d) {
		return such(d)
	}
	ends, err := b.ends(m)
	return err == nil && slices.ContainsFunc(ends, func(h hop) bool { return such(h.to) })
}

// stores tells whether some copy of the message is kept in the store.
func (b *Broker) stores(m *message.Message) bool {
	return m.Persistent() && b.arrivesAt(m, func(d destination.Destination) bool {
		t := b.existingTopic(d)
		return d.Kind == destination.Queue || t != nil && t.keeps(m)
	})
}

// copy is the message as it arrives.
func (h hop) copy(m *message.Message) *message.Message {
	switch {
	case h.from != destination.Destination{}:
		return m.With(message.SetDestination(h.to), message.SetOriginalDestination(h.from))
	case h.to != m.Destination():
		return m.With(message.SetDestination(h.to))
	}
	return m
}

// follow finds all ends of the way on from a hop.
func (r *route) follow(h hop, hops int) error {
	if hops == 0 {
		return errorf(General, "cannot send to %s: it would go over more than %d virtual destinations", r.message.Destination(), policy.MaxHops)
	}
	if h.to.IsComposite() {
		for _, member := range h.to.Members() {
			if err := r.follow(hop{member, h.to}, hops-1); err != nil {
				return err
			}
		}
		return nil
	}
	if mirror, mirrored := r.mirror.Of(h.to); mirrored {
		if err := r.follow(hop{mirror, h.from}, hops-1); err != nil {
			return err
		}
	}
	if err := r.feed(h.to, hops); err != nil {
		return err
	}
	own, err := r.forward(h.to, hops)
	if own && err == nil {
		r.end(h)
	}
	return err
}

// feed follows the copies that a virtual topic's queues get.
func (r *route) feed(d destination.Destination, hops int) error {
	if d.Kind != destination.Topic || d.IsAdvisory() {
		return nil
	}
	for _, t := range r.topics {
		if !t.Pattern().Covers(d) || t.Local && r.message.Travelled() {
			continue
		}
		for _, q := range t.feeds(d) {
			if t.SelectorAware && !q.audience.wants(r.message) || t.DropOnResourceLimit && r.broker.refuses(r.message, q.name) {
				continue
			}
			if err := r.follow(hop{q.name, d}, hops-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// forward follows what composite destinations forward, and tells whether the message also goes where it was sent.
func (r *route) forward(d destination.Destination, hops int) (own bool, err error) {
	composites := r.composites(d)
	own = len(composites) == 0
	for _, c := range composites {
		matched := false
		for _, f := range c.forwards {
			if f.selector != nil && !f.selector.Matches(properties{r.message, false}) {
				continue
			}
			matched = true
			if err := r.follow(hop{f.to, d}, hops-1); err != nil {
				return false, err
			}
		}
		keeps := !c.ForwardOnly
		if c.SendWhenNotMatched {
			keeps = !matched
		}
		own = own || keeps
	}
	return own, nil
}

func (r *route) end(h hop) {
	if _, twice := r.reached[h.to]; !twice {
		r.reached[h.to] = struct{}{}
		r.ends = append(r.ends, h)
	}
}
