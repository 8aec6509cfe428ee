package core

import (
	"slices"
	"strings"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// perDestination is the topic of what a family tells of a destination. Those of consumers, of producers and of what the oldest
// families tell do not say whether a destination is temporary. A composite's commas would make a composite of its topic.
func perDestination(f Family, d destination.Destination) string {
	kind := kindName(d.Kind)
	switch f {
	case ProducerAdvisory, ConsumerAdvisory, ExpiredAdvisory, NoConsumerAdvisory:
		kind = strings.TrimPrefix(kind, "Temp")
	}
	return advisoryPrefix + familyNames[f] + "." + kind + "." + strings.ReplaceAll(d.Name, ",", "&sbquo;")
}

func kindName(k destination.Kind) string {
	switch k {
	case destination.Topic:
		return "Topic"
	case destination.TempQueue:
		return "TempQueue"
	case destination.TempTopic:
		return "TempTopic"
	}
	return "Queue"
}

// forgetAdvisories removes the topics on which is told of a destination that is gone, but for those that somebody listens to by
// their own names.
func (b *Broker) forgetAdvisories(d destination.Destination) {
	for f := range familyCount {
		switch f {
		case ConnectionAdvisory, QueueAdvisory, TopicAdvisory, TempQueueAdvisory, TempTopicAdvisory, MasterAdvisory:
			continue
		}
		t := b.existingTopic(destination.Destination{Kind: destination.Topic, Name: perDestination(f, d)})
		if t != nil && !t.needed() {
			t.abandon()
			_ = b.forgetTopic(t) // unless somebody comes just now
		}
	}
}

// abandon takes the topic from its subscriptions.
func (t *topic) abandon() {
	t.mu.Lock()
	abandoned := t.subscriptions
	t.subscriptions, t.places = nil, nil
	t.users.Store(0)
	t.mu.Unlock()
	for _, s := range abandoned {
		s.attached.Lock()
		s.topics = slices.DeleteFunc(slices.Clone(s.topics), func(o *topic) bool { return o == t }) // others may read it
		s.attached.Unlock()
	}
}
