package store

import (
	"container/heap"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/message"
)

const (
	// MaxSubscriptions is how many durable subscriptions there can be.
	MaxSubscriptions = maxNeeds
	// maxSpans is how many spans fit in a record for certain.
	maxSpans = log.MaxRecord / 32
	// wasteAtOnce is how many messages that nobody needs wait for one another, or for Clean, to be removed.
	wasteAtOnce = 256
)

// ErrSubscriptions means that there are as many durable subscriptions as there can be.
var ErrSubscriptions = errors.New("there are 65535 durable subscriptions, which is the most")

// RecoveredSubscription is a durable subscription as it was found.
type RecoveredSubscription struct {
	Subscription
	ID      uint64
	Horizon uint64
}

// Subscriptions lists the durable subscriptions, the oldest first. It is meant for when Lead has returned.
func (s *Store) Subscriptions() []RecoveredSubscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]RecoveredSubscription, 0, len(s.state.subs.byID))
	for _, id := range slices.Sorted(maps.Keys(s.state.subs.byID)) {
		sub := s.state.subs.byID[id]
		all = append(all, RecoveredSubscription{sub.Subscription, id, sub.horizon})
	}
	return all
}

// Subscribe begins a durable subscription to what is added from now on. One of the same client and name ends with that, and
// with it its backlog. It returns the id, which is the subscription's from when done is called.
func (s *Store) Subscribe(sub Subscription, done func()) (id uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.state.subs.byName[subscriber{sub.Client, sub.Name}]
	replaces := old != nil && !old.leaving
	if !replaces && s.subscribed >= MaxSubscriptions {
		return 0, ErrSubscriptions
	}
	if id, err = s.take(1); err != nil {
		return 0, err
	}
	if _, err := s.write(done, sub.record(id), nil); err != nil {
		return 0, fmt.Errorf("begin a durable subscription: %w", err)
	}
	if replaces {
		old.leaving = true
	} else {
		s.subscribed++
	}
	return id, nil
}

func (sub *Subscription) record(id uint64) record {
	r := record{kind: kindSubscription, subscription: id, destination: message.RawDestination(sub.Destination),
		client: []byte(sub.Client), name: []byte(sub.Name), selector: []byte(sub.Selector)}
	if sub.NoLocal {
		r.flags = noLocal
	}
	return r
}

// Unsubscribe ends a durable subscription.
func (s *Store) Unsubscribe(id uint64, done func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.write(done, record{kind: kindUnsubscribe, subscription: id}, nil); err != nil {
		return fmt.Errorf("end a durable subscription: %w", err)
	}
	if sub := s.state.subs.byID[id]; sub != nil && !sub.leaving {
		sub.leaving = true
		s.subscribed--
	}
	return nil
}

// Acknowledge says what a subscription is through with: all of its messages in the spans, which are in order, and end with
// messages that PageSubscription returned or Add said is done. A message is gone when the last subscription is through with it.
func (s *Store) Acknowledge(subscription uint64, through []Span, done func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	through = s.spare(subscription, through)
	if err := s.writeAcknowledgement(done, record{kind: kindAcknowledge, subscription: subscription}, through); err != nil {
		return fmt.Errorf("acknowledge messages of a durable subscription: %w", err)
	}
	s.through(acknowledged{subscription, through})
	return nil
}

// writeAcknowledgement appends records of r's kind; done goes with the last. Called with mu held.
func (s *Store) writeAcknowledgement(done func(), r record, through []Span) error {
	for len(through) > maxSpans {
		r.spans, through = through[:maxSpans], through[maxSpans:]
		if _, err := s.write(nil, r, nil); err != nil {
			return err
		}
	}
	r.spans = through
	_, err := s.write(done, r, nil)
	return err
}

// through notes an acknowledgement that is on its way. Called with mu held.
func (s *Store) through(a acknowledged) {
	if sub := s.state.subs.byID[a.subscription]; sub != nil {
		s.state.acknowledge(sub, a.done)
	}
}

// SubscriptionHorizon records that messages of the subscription with sequences below that given may have been dispatched, in
// place of the horizon before.
func (s *Store) SubscriptionHorizon(subscription, sequence uint64, done func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := record{kind: kindSubscriptionHorizon, subscription: subscription, horizon: sequence}
	at, err := s.write(done, r, nil)
	if err != nil {
		return fmt.Errorf("move the horizon of a durable subscription: %w", err)
	}
	if sub := s.state.subs.byID[subscription]; sub != nil {
		sub.horizon, sub.horizonAppended = sequence, at
	}
	return nil
}

// Dispose removes the messages of topics that no subscription needs any more. It is done now and then in any case.
func (s *Store) Dispose() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dispose()
}

func (s *Store) dispose() error {
	for q, sequences := range s.state.subs.spent {
		if err := s.writeRemoval(nil, record{kind: kindRemove}, q.name, sequences); err != nil {
			return fmt.Errorf("remove messages of %v: %w", q.name, err)
		}
		delete(s.state.subs.spent, q)
		s.state.subs.waste -= len(sequences)
	}
	return nil
}

// restateSubscriptions appends again which subscriptions a segment's records begin, with all that was noted since: so what is dropped
// later of that is restated by then. Called with mu held.
func (s *Store) restateSubscriptions(g log.Segment) error {
	for id, sub := range s.state.subs.byID {
		if sub.leaving || !in(g, sub.recorded) {
			continue
		}
		r := sub.record(id)
		first := min(maxSpans, len(sub.done))
		r.horizon, r.spans = sub.horizon, sub.done[:first]
		if _, err := s.write(nil, r, nil); err != nil {
			return err
		}
		if first == len(sub.done) {
			continue
		}
		if err := s.writeAcknowledgement(nil, record{kind: kindAcknowledge, subscription: id}, sub.done[first:]); err != nil {
			return err
		}
	}
	return nil
}

// Through tells whether a subscription is through with a sequence, also by an acknowledgement on its way. One that is not there is.
func (s *Store) Through(subscription, sequence uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.state.subs.byID[subscription]
	return sub == nil || sub.done.has(sequence)
}

// Needing lists the subscriptions that are not through with a message of a topic.
func (s *Store) Needing(topic destination.Destination, sequence uint64) []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.state.names[topic]
	if q == nil || q.get(sequence) == nil {
		return nil
	}
	var ids []uint64
	for sub := range q.subs {
		if sequence > sub.id && !sub.done.has(sequence) {
			ids = append(ids, sub.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// PageSubscription is Page for the messages that a durable subscription is not through with, of all its topics.
func (s *Store) PageSubscription(subscription, after uint64, maxMessages, maxBytes int) ([]*message.Message, error) {
	for {
		found := s.locateBacklog(subscription, after, maxMessages, maxBytes)
		var messages []*message.Message
		for _, at := range found {
			m, err := s.load(at.topic, at.place)
			if err != nil {
				return nil, fmt.Errorf("load a message of %v: %w", at.topic, err)
			}
			if m != nil {
				messages = append(messages, m)
			}
		}
		if len(messages) > 0 || len(found) == 0 {
			return messages, nil
		}
		after = found[len(found)-1].sequence // all of them were removed just now
	}
}

// topicPlace is where a topic's message lies.
type topicPlace struct {
	topic destination.Destination
	place
}

func (s *Store) locateBacklog(subscription, after uint64, maxMessages, maxBytes int) []topicPlace {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.state.subs.byID[subscription]
	if sub == nil {
		return nil
	}
	hidden := s.hiddenFrom(subscription)
	fronts := sub.fronts(after, hidden)
	var found []topicPlace
	bytes := 0
	for len(fronts) > 0 {
		it := fronts[0].item
		bytes += it.size()
		if len(found) > 0 && (len(found) >= maxMessages || bytes > maxBytes) {
			break
		}
		found = append(found, topicPlace{fronts[0].queue.name, s.placeOf(it)})
		if fronts[0].item = sub.next(fronts[0].queue, it.sequence, hidden); fronts[0].item != nil {
			heap.Fix(&fronts, 0)
		} else {
			heap.Pop(&fronts)
		}
	}
	return found
}

// front is the next message of one of a subscription's topics.
type front struct {
	queue *queue
	item  *item
}

// fronts is a heap of the next messages of several topics.
type fronts []front

func (f fronts) Len() int           { return len(f) }
func (f fronts) Less(i, j int) bool { return f[i].item.sequence < f[j].item.sequence }
func (f fronts) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *fronts) Push(x any)        { *f = append(*f, x.(front)) }
func (f *fronts) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

func (sub *subscription) fronts(after uint64, hidden spans) fronts {
	var all fronts
	for q := range sub.topics {
		if it := sub.next(q, after, hidden); it != nil {
			all = append(all, front{q, it})
		}
	}
	heap.Init(&all)
	return all
}

// next returns the first message of a topic above a sequence that the subscription is not through with, and that is not hidden;
// nil if there is none.
func (sub *subscription) next(q *queue, after uint64, hidden spans) *item {
	for gap := range sub.done.gaps(max(after, sub.id)) {
		for it := range q.above(gap.From - 1) {
			if it.sequence > gap.To {
				break
			}
			if !it.leaving() && !hidden.has(it.sequence) {
				return it
			}
		}
	}
	return nil
}
