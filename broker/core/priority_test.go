package core_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/node"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/session/openwire"
)

// prioritized begins the broker anew, on the same store, with a policy for all queues to keep to priorities.
func (b *broker) prioritized() *broker {
	policies, by := policy.NewMap(), policy.Default()
	by.PrioritizedMessages = true
	policies.SetDefault(&by)
	b.Broker = core.New(core.Options{Store: node.Join(b.store), ID: "ID:broker", Now: func() time.Time { return b.now },
		Advisor: openwire.NewAdvisor("ID:broker", "orders-0", ""), Logger: slog.New(slog.DiscardHandler), Policies: policies})
	return b
}

func TestPrioritiesInAQueue(t *testing.T) {
	b := newBroker(t, 0).prioritized()
	c := b.connect("ID:c")
	for i, priority := range []byte{4, 9, 0, 4, 9, 7} {
		c.send(orders, fmt.Sprint(priority, "-", i), message.SetPriority(priority))
	}
	c.send(orders, "5-6", message.SetPriority(5), fleeting)
	consumer := c.consume(orders, 1)
	for _, want := range []string{"9-1", "9-4", "7-5", "5-6", "4-0"} {
		consumer.consumed(consumer.expect(want)[0], nil)
	}
	s := consumer.expect("4-3")
	c.send(orders, "late", message.SetPriority(8))
	consumer.consumed(s[0], nil)
	consumer.expect("late")
	consumer.Close(core.NoneDelivered)
	c.consume(orders, 10).expect("late", "0-2")
}

// Without the policy it is the order of arrival.
func TestPrioritiesThatNobodyAskedFor(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.send(orders, "low", message.SetPriority(1))
	c.send(orders, "high", message.SetPriority(9))
	c.consume(orders, 10).expect("low", "high")
}

func TestPrioritiesWithASelector(t *testing.T) {
	b := newBroker(t, 0).prioritized()
	c := b.connect("ID:c")
	consumer := c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 1, Selector: "JMSType = 'a'"})
	for _, priority := range []byte{1, 2, 3} {
		c.send(orders, fmt.Sprint("b", priority), message.SetPriority(priority), message.SetType("b"))
		c.send(orders, fmt.Sprint("a", priority), message.SetPriority(priority), message.SetType("a"))
	}
	for _, want := range []string{"a1", "a3", "a2"} {
		consumer.consumed(consumer.expect(want)[0], nil)
	}
	c.consume(orders, 10).expect("b3", "b2", "b1")
}

// A queue deeper than what it may keep in memory keeps to priorities too: what is urgent does not wait behind a page of what is not.
// So does the next holder of the store.
func TestPrioritiesInADeepQueue(t *testing.T) {
	const messages = 800
	for name, takeover := range map[string]func(*broker) *broker{
		"same broker": func(b *broker) *broker { return b },
		"takeover":    func(b *broker) *broker { return b.handOver().prioritized() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0).prioritized()
			c := b.connect("ID:c")
			body := strings.Repeat("x", 50_000)
			for i := range messages {
				b.must(c.Send(c.make(orders, fmt.Sprint(i%10, body), message.SetPriority(byte(i%10))), nil))
			}
			b.settle()
			b = takeover(b)
			consumer := b.connect("ID:d").consume(orders, 10)
			for next := 0; next < messages; {
				got := consumer.take()
				if len(got) == 0 {
					t.Fatalf("nothing comes after %d", next)
				}
				for _, d := range got {
					if want := fmt.Sprint(9 - next/(messages/10)); string(d.Message.Content()[:1]) != want {
						t.Fatalf("%.1s comes as number %d, want %s", d.Message.Content(), next, want)
					}
					next++
				}
				consumer.ack(core.Ack{Kind: core.Standard, Last: got[len(got)-1].Message.BrokerSequence(), Count: len(got)}, nil)
			}
			consumer.expect()
			b.must(b.store.Close())
		})
	}
}
