package policy

import (
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/destination"
)

func TestWhereDeadLettersGo(t *testing.T) {
	individual := func(change func(*IndividualDeadLetterStrategy)) DeadLetterStrategy {
		s := DefaultIndividual()
		change(&s)
		return DeadLetterStrategy{Individual: &s}
	}
	shared := DefaultShared()
	shared.DeadLetterQueue = "topic://letters"
	for _, c := range []struct {
		name             string
		strategy         DeadLetterStrategy
		of, subscription string
		letters          string
	}{
		{name: "none", of: "a", letters: "queue://ActiveMQ.DLQ"},
		{name: "shared", strategy: DeadLetterStrategy{Shared: &shared}, of: "topic://a", letters: "topic://letters"},
		{name: "discarding", strategy: DeadLetterStrategy{Discarding: &DiscardingDeadLetterStrategy{}}, of: "a"},
		{
			name: "individual", strategy: individual(func(*IndividualDeadLetterStrategy) {}),
			of: "a.b", letters: "queue://ActiveMQ.DLQ.Queue.a.b",
		},
		{
			name: "of a topic", strategy: individual(func(*IndividualDeadLetterStrategy) {}),
			of: "topic://a", subscription: "c:s", letters: "queue://ActiveMQ.DLQ.Topic.a",
		},
		{
			name: "with suffixes",
			strategy: individual(func(s *IndividualDeadLetterStrategy) {
				s.QueuePrefix, s.QueueSuffix, s.UseQueueForQueueMessages = "Test.", ".DLQ", false
			}),
			of: "a", letters: "topic://Test.a.DLQ",
		},
		{
			name: "of a durable subscription",
			strategy: individual(func(s *IndividualDeadLetterStrategy) {
				s.TopicSuffix, s.UseQueueForTopicMessages, s.DestinationPerDurableSubscriber = ".DLQ", false, true
			}),
			of: "topic://a", subscription: "c:s", letters: "topic://ActiveMQ.DLQ.Topic.a.c:s.DLQ",
		},
	} {
		of, err := destination.Parse(c.of, destination.Queue)
		if err != nil {
			t.Fatal(err)
		}
		got, _, some := c.strategy.LettersOf(of, c.subscription)
		if some != (c.letters != "") || some && got.String() != c.letters {
			t.Errorf("%s: got %s, want %s", c.name, got, c.letters)
		}
	}
}

func TestWhatIsWrongWithADeadLetterStrategy(t *testing.T) {
	for want, change := range map[string]func(*DeadLetterStrategy){
		"write one of":                func(s *DeadLetterStrategy) { s.Discarding = &DiscardingDeadLetterStrategy{} },
		`deadLetterQueue is "a.>"`:    func(s *DeadLetterStrategy) { s.Shared.DeadLetterQueue = "a.>" },
		`deadLetterQueue is ""`:       func(s *DeadLetterStrategy) { s.Shared.DeadLetterQueue = "" },
		"expiration is -1":            func(s *DeadLetterStrategy) { s.Shared.Expiration = -1 },
		"maxAuditDepth is 0":          func(s *DeadLetterStrategy) { s.Shared.MaxAuditDepth = 0 },
		"maxProducersToAudit is 5000": func(s *DeadLetterStrategy) { s.Shared.MaxProducersToAudit = 5000 },
		"without wildcard": func(s *DeadLetterStrategy) {
			individual := DefaultIndividual()
			individual.QueueSuffix = ".>"
			*s = DeadLetterStrategy{Individual: &individual}
		},
	} {
		shared := DefaultShared()
		p := Default()
		p.DeadLetterStrategy.Shared = &shared
		change(&p.DeadLetterStrategy)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
