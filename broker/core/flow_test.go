package core_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// limited sets the policy of the queue ORDERS.
func (b *broker) limited(change func(p *policy.Policy)) {
	policies := policy.NewMap()
	p := policy.Default()
	change(&p)
	policies.Add(orders, &p)
	b.SetPolicies(policies)
}

func TestAQueuesMemoryLimit(t *testing.T) {
	yes := true
	for name, test := range map[string]struct {
		change func(p *policy.Policy)
		sent   message.Set
		want   bool // held
		fails  bool
	}{
		"not persistent":             {func(*policy.Policy) {}, fleeting, true, false},
		"persistent":                 {func(*policy.Policy) {}, message.SetPersistent(true), false, false},
		"persistent, in memory":      {func(p *policy.Policy) { p.PendingQueuePolicy.VMQueueCursor = &policy.Cursor{} }, message.SetPersistent(true), true, false},
		"persistent, all cached":     {func(p *policy.Policy) { p.CursorMemoryHighWaterMark = 110 }, message.SetPersistent(true), true, false},
		"without flow control":       {func(p *policy.Policy) { p.ProducerFlowControl = false }, fleeting, false, false},
		"a send that fails":          {func(p *policy.Policy) { p.SendFailIfNoSpace = &yes }, fleeting, true, true},
		"less than there is already": {func(p *policy.Policy) { p.MemoryLimit = 1 << 20 }, fleeting, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			b.limited(func(p *policy.Policy) {
				p.MemoryLimit = 100
				test.change(p)
			})
			c := b.connect("ID:c")
			c.send(orders, strings.Repeat("x", 100), test.sent)
			block := b.Blocked(c.make(orders, "more", test.sent))
			if (block != nil) != test.want || block != nil && (block.Fails != test.fails || block.Destination != orders) {
				t.Fatalf("got %+v", block)
			}
			if b.Blocked(c.make(bills, "elsewhere", test.sent)) != nil {
				t.Error("another queue is held, too")
			}
			if block == nil {
				return
			}
			freed, polled := block.Freed()
			consumer := c.consume(orders, 10)
			consumer.consumed(consumer.take()[0].Message.BrokerSequence(), nil)
			select {
			case <-freed:
			default:
				if !polled {
					t.Error("who waits is not told that there is room")
				}
			}
			if b.Blocked(c.make(orders, "more", test.sent)) != nil {
				t.Error("there is no room though all is consumed")
			}
		})
	}
}

// The texts are ActiveMQ's.
func TestWhatBecomesOfASendWithoutRoom(t *testing.T) {
	b := newBroker(t, 0)
	after := int64(1500)
	b.limited(func(p *policy.Policy) { p.MemoryLimit, p.SendFailIfNoSpaceAfterTimeout = 1, &after })
	c := b.connect("ID:c")
	c.send(orders, "fills it", fleeting)
	block := b.Blocked(c.make(orders, "more", fleeting))
	if block == nil || block.Fails || block.Patience != 1500*time.Millisecond {
		t.Fatalf("got %+v", block)
	}
	for want, err := range map[string]error{
		"Usage Manager Memory Limit reached on queue://ORDERS. See http":                                              block.Refused(),
		"Usage Manager Memory Limit Wait Timeout. Stopping producer (ID:c:1:1) to prevent flooding queue://ORDERS. S": block.TimedOut(),
	} {
		if e, ok := err.(*core.Error); !ok || e.Kind != core.ResourceAllocation || !strings.HasPrefix(e.Text, want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A full store holds what would be stored, also what is routed there, and nothing else; consumers make room.
func TestAFullStore(t *testing.T) {
	b := leadLimited(t, mem.New(1<<20), 0, 1000)
	defer func() { _ = b.store.Close() }()
	c := b.connect("ID:c")
	c.send(orders, strings.Repeat("x", 1000))
	c.consume(queueNamed("Consumer.A.VirtualTopic.T"), 1)
	both := destination.Destination{Kind: destination.Topic, Name: "VirtualTopic.T"}
	for _, d := range []destination.Destination{orders, bills, both} {
		block := b.Blocked(c.make(d, "more"))
		if block == nil || !block.Kept {
			t.Fatalf("%s: got %+v", d, block)
		}
		if text := block.Refused().Error(); !strings.HasPrefix(text, "Persistent store is Full, 100% of 1000. Stopping producer (ID:c:1:1) to prevent flooding ") {
			t.Errorf("got %s", text)
		}
		if b.Blocked(c.make(d, "more", fleeting)) != nil {
			t.Errorf("%s: a message that is not stored waits for the store", d)
		}
	}
	tx := c.begin()
	tx.send(bills, "in a transaction")
	if tx.Blocked() == nil {
		t.Error("a commit does not wait for the store")
	}
	freed, _ := b.Blocked(c.make(bills, "more")).Freed()
	consumer := c.consume(orders, 1)
	consumer.consumed(consumer.take()[0].Message.BrokerSequence(), nil)
	select {
	case <-freed:
	default:
		t.Error("who waits is not told that there is room")
	}
	if b.Blocked(c.make(bills, "more")) != nil || tx.Blocked() != nil {
		t.Error("the store has no room though all is consumed")
	}
}

// Queues of a virtual topic that are full and refuse senders are left out, where it says so.
func TestAVirtualTopicDropsOnResourceLimit(t *testing.T) {
	for name, want := range map[string]string{"dropOnResourceLimit: true": "one", "dropOnResourceLimit: false": "one two"} {
		b := newBroker(t, 0)
		yes := true
		policies, p := policy.NewMap(), policy.Default()
		p.MemoryLimit, p.SendFailIfNoSpace = 1, &yes
		policies.Add(queueNamed("Consumer.A.>"), &p)
		policies.Virtual = configured("- virtualTopic: {name: VirtualTopic.>, " + name + "}")
		b.SetPolicies(policies)
		c := b.connect("ID:c")
		full, other := queueNamed("Consumer.A.VirtualTopic.T"), queueNamed("Consumer.B.VirtualTopic.T")
		b.must(c.CreateDestination(full))
		b.must(c.CreateDestination(other))
		c.send(topicNamed("VirtualTopic.T"), "one", fleeting)
		two := c.make(topicNamed("VirtualTopic.T"), "two", fleeting)
		if block := b.Blocked(two); (block == nil) != (want == "one") {
			t.Errorf("%s: got %+v", name, block)
		}
		b.must(c.Send(two, nil))
		if got := b.rest(full) + "|" + b.rest(other); got != want+"|one two" {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestANewPolicyIsForThoseWhoWaitAlready(t *testing.T) {
	b := newBroker(t, 0)
	b.limited(func(p *policy.Policy) { p.MemoryLimit = 1 })
	c := b.connect("ID:c")
	c.send(orders, "one", fleeting)
	freed, _ := b.Blocked(c.make(orders, "two", fleeting)).Freed()
	b.limited(func(p *policy.Policy) { p.MemoryLimit = 1 << 20 })
	select {
	case <-freed:
	default:
		t.Error("who waits for room is not told that there is some")
	}
}
