package openwire

import (
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// sink is a connection that takes everything.
type sink struct{ net.Conn }

func (sink) Write(b []byte) (int, error)      { return len(b), nil }
func (sink) SetWriteDeadline(time.Time) error { return nil }

// emptyStore has nothing, and numbers messages.
type emptyStore struct {
	core.Store
	sequence uint64
}

func (s *emptyStore) NextSequence() uint64 {
	s.sequence++
	return s.sequence
}

func (*emptyStore) Recovered() []core.Recovered                    { return nil }
func (*emptyStore) Subscriptions() []core.RecoveredSubscription    { return nil }
func (*emptyStore) Prepared() []core.Prepared                      { return nil }
func (*emptyStore) Heuristics() []core.Decision                    { return nil }
func (*emptyStore) Expirations(destination.Destination) []core.Due { return nil }
func (*emptyStore) Full() <-chan struct{}                          { return nil }

// fan is a topic's consumers, each on a connection of its own, and a frame with a message for them.
type fan struct {
	sender    *core.Connection
	consumers []*consumer
	buffers   [][]byte
	frame     []byte
}

// newFan makes a fan whose consumers have a prefetch that lasts.
func newFan(t testing.TB, consumers int) *fan {
	b := core.New(core.Options{
		Store: &emptyStore{}, Advisor: NewAdvisor("ID:broker", "orders-0", "tcp://orders-0:61616"), Now: time.Now,
		Logger: slog.New(slog.DiscardHandler),
	})
	prices := destination.Destination{Kind: destination.Topic, Name: "PRICES"}
	m := message.New(message.Bytes, message.SetDestination(prices), message.SetID("ID:sender", 1, 1, 1), message.SetContent(make([]byte, 1024)))
	f := &fan{frame: m.Bytes(), buffers: make([][]byte, consumers), sender: connectTo(t, b, "ID:sender")}
	for i := range consumers {
		id := &openwire.ConsumerID{ConnectionID: openwire.S(fmt.Sprintf("ID:consumer-%d", i)), SessionID: 1, Value: 1}
		own := &consumer{out: newWriter(sink{}, config.Connector{}, func(err error) { t.Error(err) }), id: id}
		own.out.encode = newEncoding(openwire.Format{Version: openwire.NewestVersion})
		own.head, _ = openwire.AppendLoose([]byte{1}, id, openwire.NewestVersion)
		var err error
		own.Consumer, err = connectTo(t, b, fmt.Sprintf("ID:consumer-%d", i)).Subscribe(
			core.ConsumerSpec{Destination: prices, Prefetch: 1 << 40, Subject: newSubject(id, &openwire.ConsumerInfo{ConsumerID: id})}, own)
		if err != nil {
			t.Fatal(err)
		}
		f.consumers = append(f.consumers, own)
	}
	return f
}

func connectTo(t testing.TB, b *core.Broker, id string) *core.Connection {
	c, err := b.Connect(core.ConnectionSpec{ID: id, Replaced: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// send makes a view of the frame's bytes, sends it, and writes it to each consumer.
func (f *fan) send(t testing.TB) {
	m, err := message.Parse(f.frame)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.sender.Send(m, nil); err != nil {
		t.Fatal(err)
	}
	for i, c := range f.consumers {
		items, _ := c.out.take()
		if len(items) != 1 {
			t.Fatalf("%d deliveries", len(items))
		}
		if f.buffers[i], err = c.out.writeAll(f.buffers[i][:0], items); err != nil {
			t.Fatal(err)
		}
		c.out.recycle(items)
	}
}

// The budget of a message is its view, its name as often as it is looked for, and nothing for each consumer.
func TestAMessageIsNotCopiedForEachConsumer(t *testing.T) {
	allocations := func(consumers int) float64 {
		f := newFan(t, consumers)
		f.send(t) // the buffers grow once
		f.send(t)
		return testing.AllocsPerRun(1000, func() { f.send(t) })
	}
	one, ten := allocations(1), allocations(10)
	t.Logf("%v allocations for one consumer, %v for ten", one, ten)
	if ten > one {
		t.Errorf("ten consumers cost %v allocations, one costs %v", ten, one)
	}
	if one > 6 {
		t.Errorf("a message costs %v allocations, the budget is 6", one)
	}
}

func BenchmarkFanout(b *testing.B) {
	for _, consumers := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(consumers), func(b *testing.B) {
			f := newFan(b, consumers)
			b.SetBytes(int64(consumers * len(f.frame)))
			b.ReportAllocs()
			for b.Loop() {
				f.send(b)
			}
		})
	}
}
