package core_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/node"
	"github.com/twinmesh/twinmesh/broker/session/openwire"
	"github.com/twinmesh/twinmesh/broker/spool"
	"github.com/twinmesh/twinmesh/broker/store"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

var (
	orders = destination.Destination{Kind: destination.Queue, Name: "ORDERS"}
	bills  = destination.Destination{Kind: destination.Queue, Name: "BILLS"}
	prices = destination.Destination{Kind: destination.Topic, Name: "PRICES"}
)

// spoolLimit is the size of brokers' spools in bytes.
const spoolLimit = 64 << 10

// fatal is the part of testing.TB and rapid.T that helpers need.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// broker is a broker on a log in memory, whose clock the test sets.
type broker struct {
	*core.Broker
	t      fatal
	shared *mem.Shared
	log    *mem.Log
	store  *store.Store
	term   uint64
	now    time.Time
}

func newBroker(t *testing.T, memoryLimit int64) *broker {
	t.Helper()
	b := lead(t, mem.New(1<<20), memoryLimit)
	t.Cleanup(func() { _ = b.store.Close() })
	return b
}

// lead makes a broker of the holder of a log.
func lead(t fatal, shared *mem.Shared, memoryLimit int64) *broker {
	t.Helper()
	return leadLimited(t, shared, memoryLimit, 0)
}

// leadLimited is lead with a store that is full at a limit; 0 is never.
func leadLimited(t fatal, shared *mem.Shared, memoryLimit, storeLimit int64) *broker {
	t.Helper()
	b := &broker{t: t, shared: shared, log: shared.Open(), now: time.UnixMilli(1_700_000_000_000)}
	b.store = store.New(b.log, store.Options{MinBytes: 1 << 30, Limit: storeLimit})
	var err error
	if b.term, err = b.store.Lead(context.Background()); err != nil {
		t.Fatalf("lead: %v", err)
	}
	b.Broker = core.New(core.Options{
		Store: node.Join(b.store), ID: fmt.Sprintf("ID:broker-%d", b.term), Advisor: openwire.NewAdvisor("ID:broker", "orders-0", "tcp://orders-0:61616"), Now: func() time.Time { return b.now },
		Logger: slog.New(slog.DiscardHandler), MemoryLimit: memoryLimit,
		Spool: spool.New(spool.Options{FS: vfs.NewMem().Process(), Directory: "/spool", Limit: spoolLimit}),
	})
	return b
}

// crash ends the broker as the loss of its right does, and returns the one that takes over. Of the records that Hold keeps
// in flight the first reached are there for it to read.
func (b *broker) crash(reached int) *broker {
	b.t.Helper()
	b.log.Lose(log.ErrRightLost, reached)
	_ = b.store.Close()
	return lead(b.t, b.shared, 0)
}

// handOver ends the broker in order, and returns the one that takes over.
func (b *broker) handOver() *broker {
	b.t.Helper()
	b.Settle()
	b.must(b.store.Close())
	return lead(b.t, b.shared, 0)
}

func (b *broker) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%v", err)
	}
}

// settle waits until all that was asked for is durable and done, with what that asks for: a queue that has messages of
// several terms asks for a horizon for each.
func (b *broker) settle() {
	b.t.Helper()
	for range b.term + 2 {
		done := make(chan struct{})
		b.must(b.store.Barrier(func() { close(done) }))
		select {
		case <-done:
		case <-b.store.Done():
			b.t.Fatalf("the store ended: %v", b.store.Err())
		}
	}
}

// sweep lets the broker look for expired messages, and returns after how long it wants to look again.
func (b *broker) sweep() time.Duration {
	b.t.Helper()
	return b.Expire(context.Background())
}

// waits tells whether senders have to wait for memory.
func (b *broker) waits() bool { return b.blocked() != nil }

// blocked is why a message waits that is kept in memory alone.
func (b *broker) blocked() *core.Block {
	return b.Blocked(message.New(message.Plain, message.SetDestination(queueNamed("PROBE")), message.SetID("ID:probe", 1, 1, 1)))
}

// client is a connection with one producer.
type client struct {
	*core.Connection
	broker *broker
	id     string
	sent   int64
}

func (b *broker) connect(id string) *client {
	b.t.Helper()
	c, err := b.Connect(core.ConnectionSpec{ID: id, Replaced: func() {}})
	b.must(err)
	return &client{Connection: c, broker: b, id: id}
}

// make makes a persistent message whose content is text.
func (c *client) make(d destination.Destination, text string, sets ...message.Set) *message.Message {
	c.sent++
	return message.New(message.Text, append([]message.Set{message.SetDestination(d), message.SetID(c.id, 1, 1, c.sent),
		message.SetPersistent(true), message.SetContent([]byte(text))}, sets...)...)
}

// send sends a persistent message and waits until that is done.
func (c *client) send(d destination.Destination, text string, sets ...message.Set) {
	c.broker.t.Helper()
	done := false
	c.broker.must(c.Send(c.make(d, text, sets...), func() { done = true }))
	c.broker.settle()
	if !done {
		c.broker.t.Fatalf("the broker does not say that it has %s", text)
	}
}

func (c *client) begin() *transaction {
	c.broker.t.Helper()
	tx, err := c.Begin(c.sent)
	c.broker.must(err)
	return &transaction{tx, c}
}

// transaction is one of a client's.
type transaction struct {
	*core.Transaction
	client *client
}

func (t *transaction) send(d destination.Destination, text string, sets ...message.Set) {
	t.client.broker.t.Helper()
	t.client.broker.must(t.Send(t.client.make(d, text, sets...)))
}

func (t *transaction) commit() {
	t.client.broker.t.Helper()
	done := false
	t.client.broker.must(t.Commit(func() { done = true }))
	t.client.broker.settle()
	if !done {
		t.client.broker.t.Fatalf("the broker does not say that the commit is done")
	}
}

// consumer is a consumer with what it got and was not asked for yet.
type consumer struct {
	*core.Consumer
	broker *broker
	to     destination.Destination

	mu  sync.Mutex
	got []core.Delivery
}

// Deliver implements core.Receiver.
func (c *consumer) Deliver(d core.Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, d)
}

func (c *client) consume(d destination.Destination, prefetch int) *consumer {
	c.broker.t.Helper()
	return c.subscribe(core.ConsumerSpec{Destination: d, Prefetch: prefetch})
}

func (c *client) subscribe(spec core.ConsumerSpec) *consumer {
	c.broker.t.Helper()
	own := &consumer{broker: c.broker, to: spec.Destination}
	subscribed, err := c.Subscribe(spec, own)
	c.broker.must(err)
	own.Consumer = subscribed
	c.broker.settle()
	return own
}

// take returns what was delivered since it was called last.
func (c *consumer) take() []core.Delivery {
	c.broker.settle()
	c.mu.Lock()
	got := c.got
	c.got = nil
	c.mu.Unlock()
	for _, d := range got {
		d.Written() // which may bring more
	}
	return got
}

// expect compares what was delivered with texts: the contents, those of messages delivered before with their count behind,
// as in "one+2", and "-" for the end of a pull. It returns the sequences.
func (c *consumer) expect(texts ...string) []uint64 {
	c.broker.t.Helper()
	var got []string
	var sequences []uint64
	for _, d := range c.take() {
		switch {
		case d.Message == nil:
			got = append(got, "-")
			continue
		case d.Redelivered > 0:
			got = append(got, fmt.Sprintf("%s+%d", d.Message.Content(), d.Redelivered))
		default:
			got = append(got, string(d.Message.Content()))
		}
		sequences = append(sequences, d.Message.BrokerSequence())
	}
	if diff := cmp.Diff(texts, got); diff != "" {
		c.broker.t.Fatalf("delivered (-want +got):\n%s", diff)
	}
	return sequences
}

// ackOfNothing says an acknowledgement of what the consumer does not have.
func (c *consumer) ackOfNothing(a core.Ack) {
	c.broker.t.Helper()
	if err := c.Acknowledge(a, nil, func() { c.broker.t.Fatalf("it says that it is done") }); !errors.Is(err, core.ErrNotDispatched) {
		c.broker.t.Fatalf("got %v", err)
	}
	c.broker.settle()
}

// ack acknowledges and waits until that is done.
func (c *consumer) ack(a core.Ack, tx *transaction) {
	c.broker.t.Helper()
	done := false
	var in *core.Transaction
	if tx != nil {
		in = tx.Transaction
	}
	c.broker.must(c.Acknowledge(a, in, func() { done = true }))
	c.broker.settle()
	if !done && tx == nil {
		c.broker.t.Fatalf("the broker does not say that %+v is done", a)
	}
}

// consumed acknowledges one message.
func (c *consumer) consumed(sequence uint64, tx *transaction) {
	c.broker.t.Helper()
	c.ack(core.Ack{Kind: core.Standard, First: sequence, Last: sequence, Count: 1}, tx)
}

// rest consumes what is left in a queue, over a connection of its own, and returns the contents.
func (b *broker) rest(d destination.Destination) string {
	b.t.Helper()
	c := b.connect("ID:rest")
	defer c.Close(core.NoneDelivered)
	consumer := c.consume(d, 1000)
	var texts []string
	for got := consumer.take(); len(got) > 0; got = consumer.take() {
		for _, delivery := range got {
			texts = append(texts, string(delivery.Message.Content()))
			consumer.consumed(delivery.Message.BrokerSequence(), nil)
		}
	}
	return strings.Join(texts, " ")
}

// wholeOverACrash crashes with each part of the records of some work that can have reached the log: the queues have what they
// had before, or all that the work does. begin prepares, and returns the work, of which nobody may be told that it is done.
func wholeOverACrash(t *testing.T, before, after string, begin func(*broker, *client) (work func(done func())), queues ...destination.Destination) {
	t.Helper()
	for reached, inFlight := 0, 0; reached <= inFlight; reached++ {
		b := newBroker(t, 0)
		work := begin(b, b.connect("ID:c"))
		b.log.Hold()
		work(func() { t.Error("it says that it is done") })
		inFlight = b.log.InFlight()
		next := b.crash(reached)
		var got []string
		for _, q := range queues {
			got = append(got, next.rest(q))
		}
		want := before
		if reached == inFlight {
			want = after
		}
		if got := strings.Join(got, "|"); got != want {
			t.Fatalf("with %d of %d records: %q, want %q", reached, inFlight, got, want)
		}
		b.must(next.store.Close())
	}
}
