package core

import (
	linked "container/list"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

// advisoryPrefix begins the name of each topic on which advisories are told.
const advisoryPrefix = "ActiveMQ.Advisory."

// Family is a kind of advisory. Each has topics of its own.
type Family uint8

// The families of advisories.
const (
	ConnectionAdvisory Family = iota
	QueueAdvisory             // a queue came or went
	TopicAdvisory
	TempQueueAdvisory
	TempTopicAdvisory
	ProducerAdvisory
	ConsumerAdvisory
	MasterAdvisory // this broker serves
	ExpiredAdvisory
	NoConsumerAdvisory
	SlowConsumerAdvisory
	FastProducerAdvisory
	DiscardedAdvisory
	FullAdvisory
	DeliveredAdvisory // a message reached its destination
	ConsumedAdvisory
	DispatchedAdvisory
	DeadLetterAdvisory
	familyCount
)

// familyNames follow the prefix in the names of topics.
var familyNames = [familyCount]string{
	ConnectionAdvisory: "Connection", QueueAdvisory: "Queue", TopicAdvisory: "Topic", TempQueueAdvisory: "TempQueue",
	TempTopicAdvisory: "TempTopic", ProducerAdvisory: "Producer", ConsumerAdvisory: "Consumer", MasterAdvisory: "MasterBroker",
	ExpiredAdvisory: "Expired", NoConsumerAdvisory: "NoConsumer", SlowConsumerAdvisory: "SlowConsumer", FastProducerAdvisory: "FastProducer",
	DiscardedAdvisory: "MessageDiscarded", FullAdvisory: "FULL", DeliveredAdvisory: "MessageDelivered",
	ConsumedAdvisory: "MessageConsumed", DispatchedAdvisory: "MessageDispatched", DeadLetterAdvisory: "MessageDLQd",
}

// Advisor makes the messages by which clients learn of each other. The session layer has it, since they carry commands.
type Advisor interface {
	// Advisory makes a message. It calls nothing of the core.
	Advisory(Advice) *message.Message
}

// Advice is what an advisory tells.
type Advice struct {
	Family Family
	Topic  string // where it is told
	Gone   bool   // what it is about went, else it came
	// Subject is the connection, consumer or producer that it is about: what its spec has as Subject.
	Subject any
	// Destination is what came or went, or what the consumer or the producer is for.
	Destination destination.Destination
	Message     *message.Message // that something was done with
	Body        bool             // the body of the message is part of what is told
	// Count is how many consumers or producers the destination has now, how many messages the consumer has lost, or how
	// many bytes are used of what is full.
	Count  int
	Target any // the Subject of the consumer that it is for; nil is all
}

// advised is what advisories tell of while it is there.
type advised interface {
	advice() Advice
}

// advisories tells those who listen what happens, in the order of happening, and costs little if nobody does. What a client does is
// told before it has the answer. What happens under a destination's lock is told a little later, by the store's goroutine,
// since telling takes the locks of advisory topics.
type advisories struct {
	broker  *Broker
	advisor Advisor // nil tells nothing

	mu       sync.Mutex                // may be taken under every other lock of the core
	heard    [familyCount]atomic.Int32 // subscriptions that hear of a family; changed under mu
	present  map[string]*linked.List   // of advised, in the order of their coming, by the topic that tells of them
	notes    []note                    // not told yet
	deferred bool                      // the store will call tell

	telling sync.Mutex // held by who tells. It is not taken under a destination's lock
}

// note is something to be told, to those who listen or to one subscription alone; or with a join, the moment when it begins to
// listen.
type note struct {
	advice Advice
	only   *subscription
	join   func()
}

// place is where something stands among what is present.
type place struct {
	topic   string
	element *linked.Element
}

func newAdvisories(b *Broker, advisor Advisor) *advisories {
	a := &advisories{broker: b, advisor: advisor, present: map[string]*linked.List{}}
	a.enter(master{})
	return a
}

// came enters what is there from now on, and tells of it.
func (a *advisories) came(who advised) (p place) {
	if p = a.enter(who); p.element != nil {
		a.tell()
	}
	return p
}

// enter is came that leaves the telling to somebody else, for callers under a destination's lock.
func (a *advisories) enter(who advised) (p place) {
	if a.advisor == nil {
		return place{}
	}
	advice := who.advice()
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.present[advice.Topic]
	if l == nil {
		l = linked.New()
		a.present[advice.Topic] = l
	}
	a.note(advice)
	return place{advice.Topic, l.PushBack(who)}
}

// went takes out what is there no more, and tells of it. When two say so, as of a queue that both remove, the second is late.
func (a *advisories) went(p place) {
	if p.element == nil {
		return
	}
	a.mu.Lock()
	who, present := p.element.Value.(advised)
	if !present {
		a.mu.Unlock()
		return
	}
	l, advice := a.present[p.topic], who.advice()
	l.Remove(p.element)
	p.element.Value = nil
	if l.Len() == 0 {
		delete(a.present, p.topic)
	}
	advice.Gone = true
	a.note(advice)
	a.mu.Unlock()
	a.tell()
}

// note adds what is to be told, if anybody listens. a.mu is held.
func (a *advisories) note(advice Advice) {
	if a.heard[advice.Family].Load() > 0 {
		a.notes = append(a.notes, note{advice: advice})
	}
}

// later has the store's goroutine tell what is noted.
func (a *advisories) later() {
	a.mu.Lock()
	pending := len(a.notes) > 0 && !a.deferred
	a.deferred = a.deferred || pending
	a.mu.Unlock()
	if !pending {
		return
	}
	if err := a.broker.store.Barrier(a.tell); err != nil {
		a.broker.logger.Debug("no advisories: the store takes nothing more", "error", err)
	}
}

// tell tells what is noted. No destination's lock is held.
func (a *advisories) tell() {
	a.telling.Lock()
	defer a.telling.Unlock()
	for notes := a.take(); len(notes) > 0; notes = a.take() {
		for _, n := range notes {
			a.publish(n)
		}
	}
}

func (a *advisories) take() []note {
	a.mu.Lock()
	defer a.mu.Unlock()
	notes := a.notes
	a.notes, a.deferred = nil, false
	return notes
}

func (a *advisories) publish(n note) {
	if n.join != nil {
		n.join()
		return
	}
	switch n.advice.Family {
	case ConsumerAdvisory:
		n.advice.Count = a.broker.countConsumers(n.advice.Destination)
	case ProducerAdvisory:
		n.advice.Count = a.broker.countProducers(n.advice.Destination)
	}
	if n.only != nil {
		n.advice.Target = n.only.consumer.spec.Subject
		n.only.offer(a.message(n.advice), nil)
		return
	}
	if t := a.broker.heardTopic(destination.Destination{Kind: destination.Topic, Name: n.advice.Topic}); t != nil && t.used() {
		t.publish(a.message(n.advice), nil)
	}
}

func (a *advisories) message(advice Advice) *message.Message {
	m := a.advisor.Advisory(advice)
	m.SetBrokerSequence(a.broker.store.NextSequence())
	return m
}

// listen notes that a subscription hears advisories, and begins it, which join does, with what there is already, as ActiveMQ does
// for some of the families: with nothing between that and what happens after.
func (a *advisories) listen(s *subscription, d destination.Destination, join func()) {
	hears := hearing(d)
	if a.advisor == nil || len(hears) == 0 {
		join()
		return
	}
	a.mu.Lock()
	for _, f := range hears {
		a.heard[f].Add(1)
	}
	a.notes = append(a.notes, note{join: join})
	for _, member := range d.Members() {
		a.replay(s, member)
	}
	a.mu.Unlock()
	a.tell()
}

// deafen ends what listen began.
func (a *advisories) deafen(d destination.Destination) {
	if a.advisor == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range hearing(d) {
		a.heard[f].Add(-1)
	}
}

// replay notes for a new listener to a topic, or to those of a pattern, what is present. Of patterns ActiveMQ does so for those
// of consumers and producers only, and tells each that it serves. a.mu is held.
func (a *advisories) replay(s *subscription, d destination.Destination) {
	if !d.IsPattern() {
		a.recall(s, a.present[d.Name])
		return
	}
	for topic, l := range a.present {
		if !d.Covers(destination.Destination{Kind: destination.Topic, Name: topic}) {
			continue
		}
		switch f := l.Front().Value.(advised).advice().Family; f {
		case ConsumerAdvisory, ProducerAdvisory:
			if strings.HasPrefix(d.Name, advisoryPrefix+familyNames[f]+".") {
				a.recall(s, l)
			}
		case MasterAdvisory:
			a.recall(s, l)
		}
	}
}

func (a *advisories) recall(s *subscription, l *linked.List) {
	if l == nil {
		return
	}
	for e := l.Front(); e != nil; e = e.Next() {
		a.notes = append(a.notes, note{advice: e.Value.(advised).advice(), only: s})
	}
}

// hearing lists the families that a subscriber of topics hears of, once for each topic or pattern that it names.
func hearing(d destination.Destination) (hears []Family) {
	for _, member := range d.Members() {
		if member.Kind != destination.Topic {
			continue
		}
		for f := range familyCount {
			if touches(member.Name, advisoryPrefix+familyNames[f]) {
				hears = append(hears, f)
			}
		}
	}
	return hears
}

// touches tells whether a name, or something that the pattern covers, is of the family: has its parts in front.
func touches(pattern, family string) bool {
	for {
		want, wanted, more := strings.Cut(pattern, ".")
		have, had, longer := strings.Cut(family, ".")
		switch {
		case want == ">":
			return true
		case want != "*" && want != have:
			return false
		case !longer:
			return true
		case !more:
			return false
		}
		pattern, family = wanted, had
	}
}

// isAdvisory tells whether some member of the destination is a topic of advisories, of which nothing is told.
func isAdvisory(d destination.Destination) bool {
	for _, member := range d.Members() {
		if member.IsAdvisory() {
			return true
		}
	}
	return false
}
