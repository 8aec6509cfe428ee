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

// Producers, consumers, the log's goroutine and the pager all work on one queue, a part of which is a backlog that the broker
// found. Each message reaches one consumer, once, and each consumer has those of one producer in order.
func TestProducersAndConsumersAtOnce(t *testing.T) {
	const producers, consumers, backlog, each = 4, 4, 500, 500
	b := newBroker(t, 0)
	c := b.connect("ID:backlog")
	for i := range backlog {
		b.must(c.Send(c.make(orders, fmt.Sprintf("backlog %d", i)), nil))
	}
	b.settle()
	b = b.handOver()
	defer func() { b.must(b.store.Close()) }()

	var sending, receiving sync.WaitGroup
	for p := range producers {
		c := b.connect(fmt.Sprint("ID:p", p))
		sending.Go(func() {
			for i := range each {
				if err := c.Send(c.make(orders, fmt.Sprintf("p%d %d", p, i)), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mu sync.Mutex
	seen := map[string]int{}
	left := sync.WaitGroup{}
	left.Add(backlog + producers*each)
	var boxes []mailbox
	for i := range consumers {
		c, box := b.connect(fmt.Sprint("ID:c", i)), make(mailbox, 100)
		boxes = append(boxes, box)
		consumer, err := c.Subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 1 + 3*i}, box)
		b.must(err)
		receiving.Go(func() {
			last := map[string]int{}
			for d := range box {
				var producer string
				var number int
				if _, err := fmt.Sscan(string(d.Message.Content()), &producer, &number); err != nil {
					t.Error(err)
				}
				if before, ok := last[producer]; ok && number <= before || d.Redelivered != 0 {
					t.Errorf("%s %d+%d comes after %d", producer, number, d.Redelivered, before)
				}
				last[producer] = number
				mu.Lock()
				seen[string(d.Message.Content())]++
				mu.Unlock()
				if err := consumer.Acknowledge(core.Ack{Kind: core.Individual, Last: d.Message.BrokerSequence(), Count: 1}, nil, nil); err != nil {
					t.Error(err)
				}
				left.Done()
			}
		})
	}
	sending.Wait()
	left.Wait()
	b.settle()
	for _, box := range boxes {
		close(box)
	}
	receiving.Wait()
	if len(seen) != backlog+producers*each {
		t.Errorf("%d different messages of %d", len(seen), backlog+producers*each)
	}
	if windows, flight := b.InMemory(); windows != 0 || flight != 0 {
		t.Errorf("%d and %d bytes are left in memory", windows, flight)
	}
}
