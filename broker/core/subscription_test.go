package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// limited has at most n messages wait for a topic consumer.
func limited(n int) policy.PendingMessageLimitStrategy {
	return policy.PendingMessageLimitStrategy{Constant: &policy.ConstantPendingMessageLimit{Limit: n}}
}

// property gives a message a property.
func having(name string, v wire.Value) message.Set {
	return message.SetProperties(wire.AppendMap(nil, []wire.Entry{{Key: name, Value: v}}))
}

// slowly is a consumer that got the first message, and does not acknowledge it.
func slowly(c *client, spec core.ConsumerSpec) *consumer {
	spec.Destination, spec.Prefetch = prices, 1
	slow := c.subscribe(spec)
	c.send(prices, "first")
	slow.expect("first")
	return slow
}

// rest acknowledges what the consumer has, again and again, and returns the contents.
func (c *consumer) rest() string {
	c.ack(core.Ack{Kind: core.Standard, Count: 1}, nil)
	var texts []string
	for got := c.take(); len(got) > 0; got = c.take() {
		for _, d := range got {
			texts = append(texts, string(d.Message.Content()))
			c.ack(core.Ack{Kind: core.Standard, Last: d.Message.BrokerSequence(), Count: 1}, nil)
		}
	}
	return strings.Join(texts, " ")
}

func TestWhatIsDiscardedOfASlowConsumersMessages(t *testing.T) {
	soon := func(b *broker) message.Set { return message.SetExpiration(b.now.Add(time.Second).UnixMilli()) }
	for name, c := range map[string]struct {
		policy policy.Policy
		wish   int
		send   func(b *broker, c *client)
		want   string
	}{
		"nothing without a limit": {
			send: func(_ *broker, c *client) { sendAll(c, "a", "b", "c", "d", "e") },
			want: "a b c d e",
		},
		"the oldest": {
			policy: policy.Policy{PendingMessageLimitStrategy: limited(2)},
			send:   func(_ *broker, c *client) { sendAll(c, "a", "b", "c", "d", "e") },
			want:   "d e",
		},
		"all with a limit of 0": {
			policy: policy.Policy{PendingMessageLimitStrategy: limited(0)},
			send:   func(_ *broker, c *client) { sendAll(c, "a", "b") },
		},
		"what the consumer wishes": {
			wish: 3,
			send: func(_ *broker, c *client) { sendAll(c, "a", "b", "c", "d", "e") },
			want: "c d e",
		},
		"not more than the policy allows": {
			policy: policy.Policy{PendingMessageLimitStrategy: limited(2)},
			wish:   3,
			send:   func(_ *broker, c *client) { sendAll(c, "a", "b", "c", "d", "e") },
			want:   "d e",
		},
		"a multiple of the prefetch": {
			policy: policy.Policy{PendingMessageLimitStrategy: policy.PendingMessageLimitStrategy{
				PrefetchRate: &policy.PrefetchRatePendingMessageLimit{Multiplier: 2.5},
			}},
			send: func(_ *broker, c *client) { sendAll(c, "a", "b", "c", "d", "e") },
			want: "d e",
		},
		"the oldest of the lowest priority": {
			policy: policy.Policy{
				PendingMessageLimitStrategy: limited(2),
				MessageEvictionStrategy:     policy.MessageEvictionStrategy{LowestPriority: &policy.OldestMessageEviction{EvictExpiredMessagesHighWatermark: 1000}},
			},
			send: func(_ *broker, c *client) {
				c.send(prices, "a", message.SetPriority(5))
				c.send(prices, "b", message.SetPriority(1))
				c.send(prices, "c", message.SetPriority(1))
				c.send(prices, "d", message.SetPriority(3))
			},
			want: "a d",
		},
		"what has expired first": {
			policy: policy.Policy{PendingMessageLimitStrategy: limited(2)},
			send: func(b *broker, c *client) {
				sendAll(c, "a")
				c.send(prices, "b", soon(b))
				b.now = b.now.Add(time.Minute)
				sendAll(c, "c")
			},
			want: "a c",
		},
		"all but the newest of a property": {
			policy: policy.Policy{
				PendingMessageLimitStrategy: limited(3),
				MessageEvictionStrategy:     policy.MessageEvictionStrategy{UniqueProperty: &policy.UniquePropertyMessageEviction{PropertyName: "stock"}},
			},
			send: func(_ *broker, c *client) {
				for i, stock := range []string{"X", "Y", "X", "X"} {
					c.send(prices, fmt.Sprint(stock, i), having("stock", wire.TextValue(stock)))
				}
			},
			want: "Y1 X3",
		},
		"the oldest where the property tells nothing apart": {
			policy: policy.Policy{
				PendingMessageLimitStrategy: limited(2),
				MessageEvictionStrategy:     policy.MessageEvictionStrategy{UniqueProperty: &policy.UniquePropertyMessageEviction{PropertyName: "stock"}},
			},
			send: func(_ *broker, c *client) { sendAll(c, "a", "b", "c") },
			want: "b c",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			p := policy.Default()
			p.PendingMessageLimitStrategy, p.MessageEvictionStrategy = c.policy.PendingMessageLimitStrategy, c.policy.MessageEvictionStrategy
			p.DeadLetterStrategy = policy.DeadLetterStrategy{Discarding: &policy.DiscardingDeadLetterStrategy{}}
			b.setPolicy(func(all *policy.Policy) { *all = p })
			sender := b.connect("ID:c")
			slow := slowly(sender, core.ConsumerSpec{MaximumPending: c.wish})
			c.send(b, sender)
			if got := slow.rest(); got != c.want {
				t.Errorf("it gets %q, want %q", got, c.want)
			}
		})
	}
}

// What is discarded was wanted by somebody, so it is a dead letter as what expires.
func TestWhatIsDiscardedIsADeadLetter(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(func(p *policy.Policy) { p.PendingMessageLimitStrategy = limited(1) })
	c := b.connect("ID:c")
	slowly(c, core.ConsumerSpec{})
	sendAll(c, "a", "b")
	c.send(prices, "c", fleeting)
	letters := c.consume(core.DeadLetters, 10).take()
	if len(letters) != 2 || string(letters[0].Message.Content()) != "a" ||
		!strings.Contains(property(letters[0].Message, "dlqDeliveryFailureCause").Text(), "Subscription discard") {
		t.Errorf("%d dead letters", len(letters))
	}
}

func sendAll(c *client, texts ...string) {
	for _, text := range texts {
		c.send(prices, text)
	}
}

// A subscriber that does not acknowledge, or whose connection does not read, takes no memory that others need: what waits for it goes
// to the spool and comes back in order.
func TestOneSlowConsumerNeverStopsOthers(t *testing.T) {
	b := newBroker(t, 16*small)
	c := b.connect("ID:c")
	stuck, slow, quick := c.consume(prices, 1000), c.consume(prices, 1), c.consume(prices, 1000)
	var want []string
	for i := range 20 {
		text := fmt.Sprint(i, big)
		c.send(prices, text)
		quick.expect(text)
		want = append(want, text)
	}
	if b.waits() {
		t.Error("senders wait for memory")
	}
	if n := len(stuck.got); n == 20 {
		t.Error("all messages are on their way to a connection that does not read")
	}
	slow.take()
	if got := slow.rest(); got != strings.Join(want[1:], " ") {
		t.Errorf("the slow one gets %d bytes", len(got))
	}
	var got []string
	for delivered := stuck.take(); len(delivered) > 0; delivered = stuck.take() {
		for _, d := range delivered {
			got = append(got, string(d.Message.Content()))
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the stuck one gets %d of %d", len(got), len(want))
	}
}

// When the spool is full, too, what is new is discarded, for the slow one alone.
func TestAFullSpool(t *testing.T) {
	b := newBroker(t, 16*small)
	c := b.connect("ID:c")
	slow, quick := c.consume(prices, 1), c.consume(prices, 1000)
	const count = 2 * spoolLimit / (small / 4)
	for i := range count {
		text := fmt.Sprint(i, big)
		c.send(prices, text)
		quick.expect(text)
	}
	slow.take()
	if n := len(strings.Fields(slow.rest())); n < 10 || n >= count-1 {
		t.Errorf("%d of %d came", n, count)
	}
}

func TestAClosedSubscriptionGivesBackItsRoom(t *testing.T) {
	b := newBroker(t, 16*small)
	c := b.connect("ID:c")
	for range 5 { // each time the spool gets fuller than half
		slow := c.consume(prices, 1)
		for range spoolLimit * 2 / 3 / (small / 4) {
			c.send(prices, big)
		}
		c.send(prices, "last")
		slow.take()
		if got := slow.rest(); !strings.HasSuffix(got, "last") {
			t.Fatal("the last message is lost")
		}
		slow.Close(core.NoneDelivered)
		half := c.consume(prices, 1)
		for range spoolLimit / 2 / (small / 4) {
			c.send(prices, big)
		}
		half.Close(core.NoneDelivered)
	}
}

// With priorities what waits goes out in their order; what is on its way does already.
func TestAPrioritizedTopic(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(func(p *policy.Policy) { p.PrioritizedMessages = true })
	c := b.connect("ID:c")
	slow := slowly(c, core.ConsumerSpec{})
	for _, m := range []struct {
		text     string
		priority byte
	}{{"a", 4}, {"b", 9}, {"c", 0}, {"d", 4}, {"e", 9}} {
		c.send(prices, m.text, message.SetPriority(m.priority))
	}
	if got := slow.rest(); got != "b e a d c" {
		t.Errorf("it gets %s", got)
	}
}

func TestTheClientIDFilter(t *testing.T) {
	b := newBroker(t, 0)
	b.setPolicy(func(p *policy.Policy) {
		p.DispatchPolicy.ClientIDFilter = &policy.ClientIDFilterDispatch{PtpClientID: "PTP_CLIENTID", PtpSuffix: ".PTP"}
	})
	private := advisories("PRICES.PTP")
	a, other := b.connectAs("ID:a", "a"), b.connectAs("ID:other", "other")
	mine, others, public := a.consume(private, 10), other.consume(private, 10), other.consume(prices, 10)
	forA := having("PTP_CLIENTID", wire.TextValue("a"))
	other.send(private, "to all")
	other.send(private, "to a", forA)
	other.send(prices, "to nobody", forA)
	mine.expect("to all", "to a")
	others.expect("to all")
	public.expect()
}
