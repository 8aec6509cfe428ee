package core_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
)

// What a selector is for is found behind more than a queue may keep in memory, given back to where it was, and there for
// others in its turn.
func TestASelectorFindsWhatIsBehindAllThatFitsIntoMemory(t *testing.T) {
	const messages = 900
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	body := strings.Repeat("x", 50_000)
	urgent := core.ConsumerSpec{Destination: orders, Prefetch: 1, Selector: "JMSPriority = 9"}
	first, second := c.subscribe(urgent), c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 10, Selector: "JMSType = 'none'"})
	for i := range messages {
		b.must(c.Send(c.make(orders, fmt.Sprint(i, body)), nil))
		if i%100 == 0 {
			b.settle()
		}
	}
	for i := range 3 {
		c.send(orders, fmt.Sprint("urgent", i), message.SetPriority(9))
	}
	b.settle()
	if windows, _ := b.InMemory(); windows > 34<<20 {
		t.Errorf("%d bytes are in memory", windows)
	}
	first.consumed(first.expect("urgent0")[0], nil)
	first.expect("urgent1")
	first.Close(core.AllUnknown)
	again := c.subscribe(urgent)
	again.consumed(again.expect("urgent1+1")[0], nil)
	again.expect("urgent2")
	second.expect()
	plain := c.consume(orders, 10)
	next := 0
	for got := plain.take(); len(got) > 0; got = plain.take() {
		for _, d := range got {
			if !strings.HasPrefix(string(d.Message.Content()), fmt.Sprint(next, "x")) {
				t.Fatalf("%.10s comes where %d was to", d.Message.Content(), next)
			}
			next++
		}
		plain.ack(core.Ack{Kind: core.Standard, Last: got[len(got)-1].Message.BrokerSequence(), Count: len(got)}, nil)
	}
	if next != messages {
		t.Errorf("it ends after %d", next)
	}
	again.Close(core.NoneDelivered)
	plain.expect("urgent2")
	plain.Close(core.NoneDelivered)
	if got := b.rest(orders); got != "urgent2" {
		t.Errorf("left is %.50s", got)
	}
	if windows, flight := b.InMemory(); windows != 0 || flight != 0 {
		t.Errorf("%d and %d bytes are left in memory", windows, flight)
	}
}

// TestWhatIsRolledBackIsFoundBehindAllThatFitsIntoMemory has a branch give back what a selector is for, and has passed already.
func TestWhatIsRolledBackIsFoundBehindAllThatFitsIntoMemory(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	body := strings.Repeat("x", 50_000)
	urgent := core.ConsumerSpec{Destination: orders, Prefetch: 10, Selector: "JMSPriority = 9"}
	consumer := c.subscribe(urgent)
	for i := range 800 {
		b.must(c.Send(c.make(orders, fmt.Sprint(i, body)), nil))
		if i%100 == 0 {
			b.settle()
		}
	}
	for i := range 2 {
		c.send(orders, fmt.Sprint("urgent", i), message.SetPriority(9))
	}
	consumer.consumed(consumer.expect("urgent0", "urgent1")[0], c.join(branch))
	c.prepare(branch)
	b = b.crash(0)
	c = b.connect("ID:d")
	consumer = c.subscribe(urgent)
	consumer.expect("urgent1+1")
	b.must(c.RollbackBranch(branch, nil))
	b.settle()
	consumer.expect("urgent0+1")
}
