package core_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
)

// mailbox is a receiver whose owner takes one delivery after another.
type mailbox chan core.Delivery

func (m mailbox) Deliver(d core.Delivery) { m <- d }

// tally is what several consumers got.
type tally struct {
	t    *testing.T
	left sync.WaitGroup // messages

	mu   sync.Mutex
	seen map[string]int
}

// consume takes deliveries until the mailbox is closed, and acknowledges each.
func (y *tally) consume(c *core.Consumer, box mailbox) {
	last := map[string]int{}
	for d := range box {
		var producer string
		var number int
		if _, err := fmt.Sscan(string(d.Message.Content()), &producer, &number); err != nil {
			y.t.Error(err)
		}
		if before, ok := last[producer]; ok && number <= before || d.Redelivered != 0 {
			y.t.Errorf("%s %d+%d comes after %d", producer, number, d.Redelivered, before)
		}
		last[producer] = number
		y.count(string(d.Message.Content()))
		if err := c.Acknowledge(core.Ack{Kind: core.Individual, Last: d.Message.BrokerSequence(), Count: 1}, nil, nil); err != nil {
			y.t.Error(err)
		}
		y.left.Done()
	}
}

func (y *tally) count(text string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.seen[text]++
}

// Producers, consumers, the log's goroutine and the pager all work on one queue, a part of which is a backlog that the broker
// found. Each message reaches one consumer, once, and each consumer has those of one producer in order.
func TestProducersAndConsumersAtOnce(t *testing.T) {
	const producers, consumers, each = 4, 4, 500
	b := newBroker(t, 0)
	send := func(c *client, name string) {
		for i := range each {
			if err := c.Send(c.make(orders, fmt.Sprint(name, " ", i)), nil); err != nil {
				t.Error(err)
			}
		}
	}
	send(b.connect("ID:backlog"), "backlog")
	b.settle()
	b = b.handOver()
	defer func() { b.must(b.store.Close()) }()

	got := tally{t: t, seen: map[string]int{}}
	got.left.Add((1 + producers) * each)
	var sending, receiving sync.WaitGroup
	for p := range producers {
		name := fmt.Sprint("p", p)
		c := b.connect("ID:" + name)
		sending.Go(func() { send(c, name) })
	}
	var boxes []mailbox
	for i := range consumers {
		box := make(mailbox, 100)
		boxes = append(boxes, box)
		c, err := b.connect(fmt.Sprint("ID:c", i)).Subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 1 + 3*i}, box)
		b.must(err)
		receiving.Go(func() { got.consume(c, box) })
	}
	sending.Wait()
	got.left.Wait()
	b.settle()
	for _, box := range boxes {
		close(box)
	}
	receiving.Wait()
	if len(got.seen) != (1+producers)*each {
		t.Errorf("%d different messages of %d", len(got.seen), (1+producers)*each)
	}
	if windows, flight := b.InMemory(); windows != 0 || flight != 0 {
		t.Errorf("%d and %d bytes are left in memory", windows, flight)
	}
}
