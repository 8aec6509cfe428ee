package core_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/message"
)

// groupModel is what may be expected of groups on two queues, and of consumers of one of these or of both.
type groupModel struct {
	broker    *broker
	client    *client
	sent      int
	letters   []*groupLetter
	consumers []*groupConsumer
	owners    map[string]*groupConsumer // by queue and group
}

type groupLetter struct {
	queue  destination.Destination
	group  string
	number int
	holder *groupConsumer
}

type groupConsumer struct {
	*consumer
	queues   destination.Destination
	prefetch int
	flight   []*groupLetter
	sequence map[*groupLetter]uint64
}

func (l *groupLetter) key() string { return l.queue.Name + "." + l.group }

// TestGroupsAreTheirModel sends, consumes, rolls back and closes in any order: a group is with one consumer at a time, in order,
// and nobody waits for what he could have.
func TestGroupsAreTheirModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := lead(t, mem.New(1<<20), 0)
		defer func() { _ = b.store.Close() }()
		m := &groupModel{broker: b, client: b.connect("ID:c"), owners: map[string]*groupConsumer{}}
		for range 3 {
			t.Repeat(map[string]func(*rapid.T){
				"": func(t *rapid.T) { m.check(t) }, "send": m.send, "open": m.open, "close": m.close, "consume": m.consume, "roll back": m.rollBack,
			})
		}
	})
}

func (m *groupModel) send(t *rapid.T) {
	m.sent++
	l := &groupLetter{queue: rapid.SampledFrom([]destination.Destination{orders, bills}).Draw(t, "queue"),
		group: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "group"), number: m.sent}
	m.letters = append(m.letters, l)
	var sets []message.Set
	if l.group != "" {
		sets = message.SetGroup(l.group, 0)
	}
	m.broker.must(m.client.Send(m.client.make(l.queue, fmt.Sprint(l.number), sets...), nil))
}

func (m *groupModel) open(t *rapid.T) {
	if len(m.consumers) == 4 {
		t.Skip("enough")
	}
	c := &groupConsumer{queues: rapid.SampledFrom([]destination.Destination{orders, bills, queueNamed("ORDERS,BILLS"), queueNamed(">")}).Draw(t, "queues"),
		prefetch: rapid.IntRange(1, 3).Draw(t, "prefetch"), sequence: map[*groupLetter]uint64{}}
	c.consumer = m.client.consume(c.queues, c.prefetch)
	m.consumers = append(m.consumers, c)
}

func (m *groupModel) draw(t *rapid.T) *groupConsumer {
	if len(m.consumers) == 0 {
		t.Skip("no consumer")
	}
	return rapid.SampledFrom(m.consumers).Draw(t, "consumer")
}

func (m *groupModel) close(t *rapid.T) {
	c := m.draw(t)
	c.Close(core.NoneDelivered)
	m.consumers = slices.DeleteFunc(m.consumers, func(o *groupConsumer) bool { return o == c })
	for _, l := range c.flight {
		l.holder = nil
	}
	for key, owner := range m.owners {
		if owner == c {
			delete(m.owners, key)
		}
	}
}

func (m *groupModel) consume(t *rapid.T) {
	c := m.draw(t)
	if len(c.flight) == 0 {
		t.Skip("nothing")
	}
	l := rapid.SampledFrom(c.flight).Draw(t, "letter")
	c.ack(core.Ack{Kind: core.Individual, Last: c.sequence[l], Count: 1}, nil)
	c.flight = slices.DeleteFunc(c.flight, func(o *groupLetter) bool { return o == l })
	m.letters = slices.DeleteFunc(m.letters, func(o *groupLetter) bool { return o == l })
}

// rollBack acknowledges all that a consumer has, in vain. What it gets meanwhile is one prefetch more.
func (m *groupModel) rollBack(t *rapid.T) {
	c := m.draw(t)
	if len(c.flight) != 1 {
		t.Skip("not one")
	}
	tx := m.client.begin()
	c.consumed(c.sequence[c.flight[0]], tx)
	tx.Rollback()
}

// check looks at what was delivered since.
func (m *groupModel) check(t *rapid.T) {
	m.broker.t = t
	m.broker.settle()
	for _, c := range m.consumers {
		for _, d := range c.take() {
			m.deliver(t, c, d)
		}
	}
	for _, l := range m.letters {
		if l.holder == nil {
			m.checkWaits(t, l)
		}
	}
}

func (m *groupModel) deliver(t *rapid.T, c *groupConsumer, d core.Delivery) {
	at := slices.IndexFunc(m.letters, func(l *groupLetter) bool { return fmt.Sprint(l.number) == string(d.Message.Content()) })
	if at < 0 || m.letters[at].holder != nil {
		t.Fatalf("%s is delivered, and is gone or in flight", d.Message.Content())
	}
	l := m.letters[at]
	l.holder = c
	c.flight = append(c.flight, l)
	c.sequence[l] = d.Message.BrokerSequence()
	if l.group == "" {
		return
	}
	if owner := m.owners[l.key()]; owner != nil && owner != c {
		t.Fatalf("%d goes to another than the owner of its group", l.number)
	}
	m.owners[l.key()] = c
	for _, before := range m.letters[:at] {
		if before.key() == l.key() && before.holder == nil {
			t.Fatalf("%d is delivered before %d of its group", l.number, before.number)
		}
	}
}

// checkWaits tells of somebody who could have a letter.
func (m *groupModel) checkWaits(t *rapid.T, l *groupLetter) {
	for _, c := range m.consumers {
		owner := m.owners[l.key()]
		mine := slices.ContainsFunc(c.queues.Members(), func(d destination.Destination) bool { return d.Covers(l.queue) })
		if mine && len(c.flight) < c.prefetch && (l.group == "" || owner == nil || owner == c) {
			t.Fatalf("%d of %s waits, and so does a consumer", l.number, l.key())
		}
	}
}
