package core_test

import (
	"fmt"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/log/mem"
)

// discard takes deliveries and acknowledges none.
type discard struct{}

// Deliver implements core.Receiver.
func (discard) Deliver(core.Delivery) {}

// One message for one of many consumers, who have room or have none: what it costs must not grow with their number.
func BenchmarkDispatchToOneOfMany(b *testing.B) {
	for _, prefetch := range []int{1, 1 << 30} {
		for _, consumers := range []int{10, 10_000} {
			b.Run(fmt.Sprintf("prefetch=%d/consumers=%d", prefetch, consumers), func(b *testing.B) {
				broker := lead(b, mem.New(1<<20), 1<<40)
				defer func() { _ = broker.store.Close() }()
				c := broker.connect("ID:c")
				for range consumers {
					if _, err := c.Subscribe(core.ConsumerSpec{Destination: orders, Prefetch: prefetch}, discard{}); err != nil {
						b.Fatal(err)
					}
				}
				for range consumers { // those with a prefetch of one are full now
					broker.must(c.Send(c.make(orders, "m", fleeting), nil))
				}
				last := c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 1 << 30, Priority: -1})
				last.take()
				for b.Loop() {
					broker.must(c.Send(c.make(orders, "m", fleeting), nil))
				}
			})
		}
	}
}
