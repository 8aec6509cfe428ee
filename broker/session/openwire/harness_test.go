package openwire_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/node"
	"github.com/twinmesh/twinmesh/broker/openwire"
	session "github.com/twinmesh/twinmesh/broker/session/openwire"
	"github.com/twinmesh/twinmesh/broker/spool"
	"github.com/twinmesh/twinmesh/broker/store"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// world is a broker with its store on a log in memory, in a synctest bubble.
type world struct {
	t       testing.TB
	log     *mem.Log
	options session.Options
	logged  *journal
	ctx     context.Context
	stop    context.CancelFunc // of the broker: sessions say goodbye
	serving sync.WaitGroup
}

// bubble runs a test with a new broker in a bubble. It fails if a goroutine is left.
func bubble(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t, 1<<20)) })
}

func newWorld(t testing.TB, memoryLimit int64) *world {
	t.Helper()
	w := &world{t: t, log: mem.New(1 << 20).Open(), logged: &journal{}}
	s := store.New(w.log, store.Options{MinBytes: 1 << 30})
	if _, err := s.Lead(context.Background()); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(w.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.options = session.Options{
		BrokerID: "ID:broker", BrokerName: "orders-0", Offer: openwire.BrokerOffer(), Logger: logger,
		Broker: core.New(core.Options{
			Store: node.Join(s), Name: "orders-0", Advisor: session.NewAdvisor("ID:broker", "orders-0", "tcp://orders-0:61616"), Now: time.Now, Logger: logger,
			MemoryLimit: memoryLimit, Spool: spool.New(spool.Options{FS: vfs.NewMem().Process(), Directory: "/spool", Limit: 1 << 20}),
		}),
	}
	w.ctx, w.stop = context.WithCancel(context.Background())
	t.Cleanup(func() {
		w.stop()
		w.serving.Wait()
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return w
}

// elapse lets the bubble's time go by.
func (w *world) elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// journal keeps what was logged.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// wantLogged waits for all to rest and looks for a text in the log.
func (w *world) wantLogged(text string) {
	w.t.Helper()
	synctest.Wait()
	if !strings.Contains(w.logged.String(), text) {
		w.t.Errorf("not in the log: %s\n%s", text, w.logged)
	}
}

// client is the other end of a session. What it writes waits for the session as in a socket's buffer; what it gets is
// kept until it is asked for.
type client struct {
	t       testing.TB
	conn    net.Conn
	writes  chan []byte
	encoder *openwire.Encoder
	name    string
	lastID  int32

	mu       sync.Mutex
	reading  sync.Cond
	deaf     bool // reads nothing
	got      []openwire.DataStructure
	answered map[int32]bool
	over     bool
}

// dial connects without a word.
func (w *world) dial() *client {
	w.t.Helper()
	ours, theirs := net.Pipe()
	w.serving.Go(func() { session.Serve(w.ctx, theirs, w.options) })
	c := &client{t: w.t, conn: ours, writes: make(chan []byte, 1<<16), answered: map[int32]bool{}}
	c.reading.L = &c.mu
	var running sync.WaitGroup
	running.Go(func() {
		for b := range c.writes {
			_, _ = c.conn.Write(b)
		}
	})
	w.t.Cleanup(func() {
		c.hear()
		_ = ours.Close()
		close(c.writes)
		running.Wait()
	})
	return c
}

// offering connects and negotiates.
func (w *world) offering(o openwire.Offer) *client {
	w.t.Helper()
	c := w.dial()
	format, err := openwire.Negotiate(o, w.options.Offer)
	if err != nil {
		w.t.Fatal(err)
	}
	handshake, err := openwire.NewEncoder(openwire.Handshake()).AppendFrame(nil, o.Info())
	if err != nil {
		w.t.Fatal(err)
	}
	c.raw(handshake)
	c.encoder = openwire.NewEncoder(format)
	w.serving.Go(func() { c.listen(openwire.NewDecoder(format)) })
	synctest.Wait()
	return c
}

// clientOffer is what ActiveMQ's clients offer.
func clientOffer() openwire.Offer {
	o := openwire.BrokerOffer()
	o.Tight, o.Cache, o.StackTraces = true, true, true
	o.MaxFrameSize = 1 << 62
	return o
}

// join connects a client of that name, and takes what the broker says at once.
func (w *world) join(name string) *client {
	w.t.Helper()
	c := w.offering(clientOffer())
	c.introduce(name)
	c.take()
	return c
}

func (c *client) introduce(name string) {
	c.t.Helper()
	c.name = name
	c.ok(&openwire.ConnectionInfo{ConnectionID: c.connectionID(), ClientID: openwire.S("client-" + name)})
}

// again introduces a client that has lost its connection.
func (c *client) again(name string) {
	c.t.Helper()
	c.name = name
	c.ok(&openwire.ConnectionInfo{ConnectionID: c.connectionID(), ClientID: openwire.S("client-" + name), FailoverReconnect: true})
	c.take()
}

// listen takes frames until the connection ends. The first one is the broker's offer.
func (c *client) listen(d *openwire.Decoder) {
	frames := openwire.NewFrameReader(&ear{c}, 0)
	frames.SetLimit(0)
	decoder := openwire.NewDecoder(openwire.Handshake())
	for {
		frame, err := frames.ReadFrame()
		if err != nil {
			c.mu.Lock()
			c.over = true
			c.mu.Unlock()
			return
		}
		v, err := decoder.Decode(frame)
		if err != nil {
			c.t.Errorf("the broker sent what cannot be decoded: %v", err)
			return
		}
		decoder = d
		c.keep(v)
	}
}

func (c *client) keep(v openwire.DataStructure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, v)
	id, isResponse := correlation(v)
	if isResponse && c.answered[id] {
		c.t.Errorf("command %d was answered twice, the second time by %s", id, openwire.TypeName(v.TypeByte()))
	}
	if isResponse {
		c.answered[id] = true
	}
}

func correlation(v openwire.DataStructure) (int32, bool) {
	switch v := v.(type) {
	case *openwire.Response:
		return v.CorrelationID, true
	case *openwire.ExceptionResponse:
		return v.CorrelationID, true
	case *openwire.IntegerResponse:
		return v.CorrelationID, true
	case *openwire.DataArrayResponse:
		return v.CorrelationID, true
	}
	return 0, false
}

// ear is the connection as long as the client listens.
type ear struct{ c *client }

func (e *ear) Read(b []byte) (int, error) {
	e.c.mu.Lock()
	for e.c.deaf {
		e.c.reading.Wait()
	}
	e.c.mu.Unlock()
	return e.c.conn.Read(b)
}

// deafen makes the client read nothing more. The read that is under way gets one last answer.
func (c *client) deafen() {
	c.mu.Lock()
	c.deaf = true
	c.mu.Unlock()
	c.ask(&openwire.FlushCommand{})
	synctest.Wait()
}

// hear makes the client read again.
func (c *client) hear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf = false
	c.reading.Broadcast()
}

func (c *client) raw(b []byte) { c.writes <- b }

// frame sends a frame of these bytes, type byte first.
func (c *client) frame(b ...byte) {
	c.raw(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
}

func (c *client) push(v openwire.DataStructure) {
	c.t.Helper()
	b, err := c.encoder.AppendFrame(nil, v)
	if err != nil {
		c.t.Fatalf("encoding a %T: %v", v, err)
	}
	c.raw(b)
}

// tell sends a command that wants no answer.
func (c *client) tell(v openwire.Command) int32 {
	c.t.Helper()
	c.lastID++
	v.Base().CommandID, v.Base().ResponseRequired = c.lastID, false
	c.push(v)
	return c.lastID
}

// ask sends a command that wants an answer, and returns its id.
func (c *client) ask(v openwire.Command) int32 {
	c.t.Helper()
	c.lastID++
	v.Base().CommandID, v.Base().ResponseRequired = c.lastID, true
	c.push(v)
	return c.lastID
}

// call sends a command and returns the answer, nil if there is none yet. The rest of what came stays to be taken.
func (c *client) call(v openwire.Command) openwire.DataStructure {
	c.t.Helper()
	return c.answer(c.ask(v))
}

// answer takes the answer to a command out of what came.
func (c *client) answer(id int32) openwire.DataStructure {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, v := range c.got {
		if to, isResponse := correlation(v); isResponse && to == id {
			c.got = slices.Delete(c.got, i, i+1)
			return v
		}
	}
	return nil
}

// ok sends a command that has to succeed.
func (c *client) ok(v openwire.Command) {
	c.t.Helper()
	if answer := c.call(v); !isDone(answer) {
		c.t.Fatalf("%T was answered by %s", v, describe(answer))
	}
}

func isDone(v openwire.DataStructure) bool {
	_, ok := v.(*openwire.Response)
	return ok
}

// refused sends a command that has to fail, with a class and a text.
func (c *client) refused(v openwire.Command, class openwire.ExceptionClass, text string) {
	c.t.Helper()
	wantException(c.t, c.call(v), class, text)
}

func wantException(t testing.TB, answer openwire.DataStructure, class openwire.ExceptionClass, text string) {
	t.Helper()
	var thrown *openwire.Throwable
	switch a := answer.(type) {
	case *openwire.ExceptionResponse:
		thrown = a.Exception
	case *openwire.ConnectionError:
		thrown = a.Exception
	default:
		t.Fatalf("got %s, want a %s", describe(answer), class)
	}
	if thrown.Class.String() != string(class) || !strings.Contains(thrown.Message.String(), text) {
		t.Errorf("got %s, want %s: %s", describe(answer), class, text)
	}
}

// take waits for all to rest and returns what came since the last time.
func (c *client) take() []openwire.DataStructure {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got
	c.got = nil
	return got
}

// takeOne returns the only thing that came.
func (c *client) takeOne() openwire.DataStructure {
	c.t.Helper()
	got := c.take()
	if len(got) != 1 {
		c.t.Fatalf("got %s, want one", describeAll(got))
	}
	return got[0]
}

// isOver tells whether the broker has closed the connection.
func (c *client) isOver() bool {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}

// cut breaks the connection, as when a client dies.
func (c *client) cut() {
	synctest.Wait()
	_ = c.conn.Close()
	synctest.Wait()
}

// describe is what came in a word, with a text or number that tells it apart.
func describe(v openwire.DataStructure) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case *openwire.ExceptionResponse:
		return fmt.Sprintf("exception %s: %s", v.Exception.Class, v.Exception.Message)
	case *openwire.ConnectionError:
		return fmt.Sprintf("connection error %s: %s", v.Exception.Class, v.Exception.Message)
	case *openwire.MessageDispatch:
		if v.Message == nil {
			return "empty dispatch"
		}
		return fmt.Sprintf("%s x%d", v.Message.Fields().Content, v.RedeliveryCounter)
	case *openwire.Response:
		return fmt.Sprintf("response %d", v.CorrelationID)
	}
	return openwire.TypeName(v.TypeByte())
}

func describeAll(all []openwire.DataStructure) string {
	var words []string
	for _, v := range all {
		words = append(words, describe(v))
	}
	return strings.Join(words, ", ")
}

// want compares all that came with a list of descriptions.
func (c *client) want(want string) {
	c.t.Helper()
	if got := describeAll(c.take()); got != want {
		c.t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The ids of a client and of what it has.

func (c *client) connectionID() *openwire.ConnectionID {
	return &openwire.ConnectionID{Value: openwire.S("ID:" + c.name)}
}

func (c *client) sessionID(session int64) *openwire.SessionID {
	return &openwire.SessionID{ConnectionID: openwire.S("ID:" + c.name), Value: session}
}

func (c *client) consumerID(session, value int64) *openwire.ConsumerID {
	return &openwire.ConsumerID{ConnectionID: openwire.S("ID:" + c.name), SessionID: session, Value: value}
}

func (c *client) producerID(session, value int64) *openwire.ProducerID {
	return &openwire.ProducerID{ConnectionID: openwire.S("ID:" + c.name), SessionID: session, Value: value}
}

func (c *client) transactionID(value int64) *openwire.LocalTransactionID {
	return &openwire.LocalTransactionID{Value: value, ConnectionID: c.connectionID()}
}

func (c *client) transact(kind int8, value int64) *openwire.TransactionInfo {
	return &openwire.TransactionInfo{ConnectionID: c.connectionID(), TransactionID: c.transactionID(value), Type: kind}
}

func queue(name string) *openwire.Queue { return &openwire.Queue{PhysicalName: openwire.S(name)} }
func topic(name string) *openwire.Topic { return &openwire.Topic{PhysicalName: openwire.S(name)} }

// consumer is a consumer of session 1 with a prefetch of 100.
func (c *client) consumer(value int64, d openwire.Destination) *openwire.ConsumerInfo {
	return &openwire.ConsumerInfo{ConsumerID: c.consumerID(1, value), Destination: d, PrefetchSize: 100}
}

// message is a persistent one of producer 1 of session 1.
func (c *client) message(sequence int64, d openwire.Destination, body string) *openwire.BytesMessage {
	m := &openwire.BytesMessage{}
	m.ProducerID, m.Destination = c.producerID(1, 1), d
	m.MessageID = &openwire.MessageID{ProducerID: m.ProducerID, ProducerSequenceID: sequence}
	m.Persistent, m.Priority, m.Content = true, 4, []byte(body)
	return m
}

// fleeting is a message that is not persistent.
func (c *client) fleeting(sequence int64, d openwire.Destination, body string) *openwire.BytesMessage {
	m := c.message(sequence, d, body)
	m.Persistent = false
	return m
}

// fill sends persistent messages with the bodies to a queue.
func (c *client) fill(d openwire.Destination, bodies ...string) {
	c.t.Helper()
	for i, body := range bodies {
		c.ok(c.message(int64(i+1), d, body))
	}
}

// ack acknowledges dispatches, from the first to the last.
func (c *client) ack(kind int8, dispatches ...openwire.DataStructure) *openwire.MessageAck {
	c.t.Helper()
	first, last := dispatch(c.t, dispatches[0]), dispatch(c.t, dispatches[len(dispatches)-1])
	return &openwire.MessageAck{
		Destination: first.Destination, ConsumerID: first.ConsumerID, AckType: kind, MessageCount: int32(len(dispatches)),
		FirstMessageID: first.Message.Fields().MessageID, LastMessageID: last.Message.Fields().MessageID,
	}
}

func dispatch(t testing.TB, v openwire.DataStructure) *openwire.MessageDispatch {
	t.Helper()
	d, ok := v.(*openwire.MessageDispatch)
	if !ok || d.Message == nil {
		t.Fatalf("got %s, want a message", describe(v))
	}
	return d
}

// dispatches waits for all to rest and returns the messages that came.
func (c *client) dispatches(n int) []openwire.DataStructure {
	c.t.Helper()
	got := c.take()
	if len(got) != n {
		c.t.Fatalf("got %s, want %d messages", describeAll(got), n)
	}
	for _, v := range got {
		dispatch(c.t, v)
	}
	return got
}

// remaining tells what a new client gets of a queue.
func (w *world) remaining(d openwire.Destination) string {
	w.t.Helper()
	c := w.join("remaining")
	c.ok(c.consumer(1, d))
	got := describeAll(c.take())
	c.ok(&openwire.RemoveInfo{ObjectID: c.connectionID(), LastDeliveredSequenceID: -1})
	return got
}
