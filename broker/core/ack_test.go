package core_test

import (
	"errors"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
)

// fiveInFlight sends messages one to five, lets a consumer have them, and returns all of that with the sequences.
func fiveInFlight(t *testing.T) (*broker, *client, *consumer, []uint64) {
	t.Helper()
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for _, text := range []string{"one", "two", "three", "four", "five"} {
		c.send(orders, text)
	}
	consumer := c.consume(orders, 10)
	return b, c, consumer, consumer.expect("one", "two", "three", "four", "five")
}

// Names in acknowledgements of what is not in flight.
const (
	before = -1
	after  = 6
)

func TestWhatAnAcknowledgementConsumes(t *testing.T) {
	const all = "one two three four five"
	for name, test := range map[string]struct {
		kind        core.AckKind
		first, last int // of one to five; 0 is none
		count       int
		left        string
	}{
		"a range":                 {core.Standard, 2, 4, 3, "one five"},
		"from the oldest":         {core.Standard, 0, 3, 3, "four five"},
		"an individual one":       {core.Individual, 1, 3, 1, "one two four five"},
		"unmatched":               {core.Unmatched, 1, 1, 1, "two three four five"},
		"delivered":               {core.Delivered, 0, 5, 5, all},
		"redelivered":             {core.Redelivered, 0, 5, 5, all},
		"poison":                  {core.Poison, 1, 2, 2, "three four five"},
		"expired":                 {core.Expired, 5, 5, 1, "one two three four"},
		"one that is not there":   {core.Standard, 0, after, 5, all},
		"backwards":               {core.Standard, 4, 2, 3, all},
		"without a last":          {core.Standard, 1, 0, 3, all},
		"without a count":         {core.Standard, 1, 4, 0, "five"},
		"from one not in flight":  {core.Standard, before, 4, 2, "one two three five"},
		"poison from one unknown": {core.Poison, before, 4, 2, "one two three five"},
		"fewer than in between":   {core.Standard, 1, 4, 2, "one two three five"},
	} {
		t.Run(name, func(t *testing.T) {
			b, c, consumer, s := fiveInFlight(t)
			names := map[int]uint64{before: s[0] - 1, after: s[4] + 1}
			for i, sequence := range s {
				names[i+1] = sequence
			}
			a := core.Ack{Kind: test.kind, First: names[test.first], Last: names[test.last], Count: test.count}
			if test.left == all && test.kind == core.Standard {
				consumer.ackOfNothing(a)
			} else {
				consumer.ack(a, nil)
			}
			c.Close(core.NoneDelivered)
			if left := b.rest(orders); left != test.left {
				t.Errorf("left is %q, want %q", left, test.left)
			}
		})
	}
}

func TestAnUnknownKindOfAcknowledgementIsRefused(t *testing.T) {
	b, c, consumer, sequences := fiveInFlight(t)
	if err := consumer.Acknowledge(core.Ack{Kind: 9, Last: sequences[0]}, nil, nil); err == nil {
		t.Error("it is taken")
	}
	c.Close(core.NoneDelivered)
	if left := b.rest(orders); left != "one two three four five" {
		t.Errorf("left is %q", left)
	}
}

// What a client says of the message of its own that another consumer has is none of its business.
func TestAcknowledgingAnothersMessage(t *testing.T) {
	b, c, _, sequences := fiveInFlight(t)
	other := c.consume(orders, 10)
	other.ackOfNothing(core.Ack{Kind: core.Standard, Last: sequences[4], Count: 5})
	c.Close(core.NoneDelivered)
	if left := b.rest(orders); left != "one two three four five" {
		t.Errorf("left is %q", left)
	}
}

// Individual acknowledgements leave the first of a range of Delivered behind: the window opens nevertheless.
func TestDeliveredFromOneThatIsGoneOpensTheWindow(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for _, text := range []string{"one", "two", "three", "four"} {
		c.send(orders, text)
	}
	consumer := c.consume(orders, 2)
	s := consumer.expect("one", "two")
	consumer.ack(core.Ack{Kind: core.Individual, Last: s[0], Count: 1}, nil)
	consumer.expect("three")
	consumer.ack(core.Ack{Kind: core.Delivered, First: s[0], Last: s[1], Count: 2}, nil)
	consumer.expect("four")
}

func TestRedeliveryCounts(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(c *client, consumer *consumer, s []uint64)
		want []string
	}{
		"a consumer whose program saw none": {
			func(_ *client, c *consumer, _ []uint64) { c.Close(core.NoneDelivered) }, []string{"one", "two", "three", "four", "five"},
		},
		"a consumer whose program saw two": {
			func(_ *client, c *consumer, s []uint64) { c.Close(core.LastDelivered(s[1])) }, []string{"one+1", "two+1", "three", "four", "five"},
		},
		"a connection that broke": {
			func(c *client, _ *consumer, _ []uint64) { c.Close(core.AllUnknown) }, []string{"one+1", "two+1", "three+1", "four+1", "five+1"},
		},
		"delivered again by the client": {func(_ *client, c *consumer, s []uint64) {
			c.ack(core.Ack{Kind: core.Redelivered, Last: s[1], Count: 2}, nil)
			c.ack(core.Ack{Kind: core.Redelivered, Last: s[0], Count: 1}, nil)
			c.Close(core.LastDelivered(s[0]))
		}, []string{"one+2", "two+1", "three", "four", "five"}},
		"a rollback after the consumer closed": {func(client *client, c *consumer, s []uint64) {
			tx := client.begin()
			c.ack(core.Ack{Kind: core.Standard, Last: s[1], Count: 2}, tx)
			c.Close(core.LastDelivered(s[1]))
			tx.Rollback()
		}, []string{"one+1", "two+1", "three", "four", "five"}},
	} {
		t.Run(name, func(t *testing.T) {
			b, c, consumer, s := fiveInFlight(t)
			test.end(c, consumer, s)
			b.connect("ID:other").consume(orders, 10).expect(test.want...)
		})
	}
}

// A connection that breaks hands nothing from one of its consumers to the next, which ends a moment later: each such hand would
// count as a delivery, and clients refuse what was delivered too often.
func TestABrokenConnectionCountsOneDelivery(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for range 10 {
		c.consume(orders, 10)
	}
	c.send(orders, "one")
	c.Close(core.AllUnknown)
	b.connect("ID:other").consume(orders, 10).expect("one+1")
}

// The answer to a poison acknowledgement means that the message is in the dead letter queue: before that nothing has happened.
func TestAPoisonAcknowledgementIsWholeOverACrash(t *testing.T) {
	for _, kind := range []core.AckKind{core.Poison, core.Expired} {
		wholeOverACrash(t, "one two three|", "three|one two", func(b *broker, c *client) func(func()) {
			for _, text := range []string{"one", "two", "three"} {
				c.send(orders, text)
			}
			consumer := c.consume(orders, 10)
			s := consumer.expect("one", "two", "three")
			return func(done func()) {
				b.must(consumer.Acknowledge(core.Ack{Kind: kind, First: s[0], Last: s[1], Count: 2}, nil, done))
			}
		}, orders, core.DeadLetters)
	}
}

func TestAPoisonAcknowledgementIsAnswered(t *testing.T) {
	b, _, consumer, s := fiveInFlight(t)
	consumer.ack(core.Ack{Kind: core.Poison, First: s[0], Last: s[4], Count: 5, Cause: errors.New("no such customer")}, nil)
	consumer.ackOfNothing(core.Ack{Kind: core.Poison, First: s[0], Last: s[4], Count: 5}) // said again
	if left := b.rest(core.DeadLetters); left != "one two three four five" {
		t.Errorf("the dead letters are %q", left)
	}
	c := b.connect("ID:fleeting")
	fleeting := c.consume(bills, 1)
	c.send(bills, "fleeting", message.SetPersistent(false))
	fleeting.ack(core.Ack{Kind: core.Poison, Last: fleeting.expect("fleeting")[0], Count: 1}, nil)
}
