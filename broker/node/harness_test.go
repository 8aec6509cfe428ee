package node

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/twinmesh/twinmesh/broker/admin"
	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to happen.
const patience = 10 * time.Second

// records is a log that tests wait for.
type records struct {
	mu      sync.Mutex
	all     []slog.Record
	changed chan struct{}
}

func newRecords() *records { return &records{changed: make(chan struct{})} }

func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *records) WithGroup(string) slog.Handler            { return r }

func (r *records) Handle(_ context.Context, line slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, line)
	close(r.changed)
	r.changed = make(chan struct{})
	return nil
}

// await returns a value of the first line with this message.
func (r *records) await(t *testing.T, message, key string) string {
	t.Helper()
	deadline := time.After(patience)
	for {
		value, found, changed := r.find(message, key)
		if found {
			return value
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("not logged: %s", message)
		}
	}
}

func (r *records) find(message, key string) (value string, found bool, changed chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.all {
		if line.Message == message {
			line.Attrs(func(a slog.Attr) bool {
				if a.Key == key {
					value = a.Value.String()
				}
				return true
			})
			return value, true, nil
		}
	}
	return "", false, r.changed
}

// running is a broker that runs, on a log in memory.
type running struct {
	*Node
	t      *testing.T
	log    *mem.Log
	logged *records
	stop   context.CancelFunc
	result chan error
}

// start runs a broker on the shared log, listening on a port of its own.
func start(t *testing.T, shared *mem.Shared, change func(*Options)) *running {
	t.Helper()
	r := &running{t: t, log: shared.Open(), logged: newRecords(), result: make(chan error, 1)}
	o := Options{Config: config.Default(), Logger: slog.New(r.logged)}
	o.Config.OpenWire = []string{"tcp://127.0.0.1:0?wireFormat.maxInactivityDuration=0"}
	if change != nil {
		change(&o)
	}
	var err error
	if r.Node, err = New(o); err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	go func() { r.result <- r.run(ctx, r.log) }()
	t.Cleanup(r.stop)
	return r
}

// active waits until the broker serves, and returns its address.
func (r *running) active() string {
	r.t.Helper()
	r.logged.await(r.t, "active", "term")
	if role := r.State().Role; role != admin.Active {
		r.t.Errorf("an active broker says that it is %s", role)
	}
	return r.logged.await(r.t, "listening", "connector")[len("tcp://"):]
}

// ended waits until Run returns, and tells how long that took, and with what.
func (r *running) ended() (time.Duration, error) {
	r.t.Helper()
	began := time.Now()
	select {
	case err := <-r.result:
		return time.Since(began), err
	case <-time.After(patience):
		r.t.Fatal("the broker does not end")
		return 0, nil
	}
}

// client is a JMS client at its simplest.
type client struct {
	t       *testing.T
	conn    net.Conn
	frames  *openwire.FrameReader
	encoder *openwire.Encoder
	decoder *openwire.Decoder
	lastID  int32
}

// dial connects without a word.
func dial(t *testing.T, address string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	format := openwire.Handshake()
	return &client{
		t: t, conn: conn, frames: openwire.NewFrameReader(conn, 1<<20),
		encoder: openwire.NewEncoder(format), decoder: openwire.NewDecoder(format),
	}
}

// join connects and says who it is.
func join(t *testing.T, address, name string) *client {
	t.Helper()
	c := dial(t, address)
	offer := openwire.BrokerOffer()
	c.push(offer.Info())
	if _, ok := c.read().(*openwire.WireFormatInfo); !ok {
		t.Fatal("the broker makes no offer")
	}
	format, err := openwire.Negotiate(offer, offer)
	if err != nil {
		t.Fatal(err)
	}
	c.encoder, c.decoder = openwire.NewEncoder(format), openwire.NewDecoder(format)
	c.read() // BrokerInfo
	c.ok(&openwire.ConnectionInfo{ConnectionID: &openwire.ConnectionID{Value: openwire.S("ID:" + name)}, ClientID: openwire.S("client-" + name)})
	return c
}

func (c *client) push(v openwire.DataStructure) {
	c.t.Helper()
	b, err := c.encoder.AppendFrame(nil, v)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// ask sends a command that wants an answer.
func (c *client) ask(v openwire.Command) {
	c.lastID++
	v.Base().CommandID, v.Base().ResponseRequired = c.lastID, true
	c.push(v)
}

// ok sends a command and reads its answer, which has to be good.
func (c *client) ok(v openwire.Command) {
	c.t.Helper()
	c.ask(v)
	if answer, ok := c.read().(*openwire.Response); !ok || answer.CorrelationID != c.lastID {
		c.t.Fatalf("%T was not answered as expected: %+v", v, answer)
	}
}

// jam asks for more than it reads, until the broker reads no more either.
func (c *client) jam() {
	c.t.Helper()
	question := &openwire.FlushCommand{}
	question.ResponseRequired = true
	frame, err := c.encoder.AppendFrame(nil, question)
	if err != nil {
		c.t.Fatal(err)
	}
	questions := bytes.Repeat(frame, 1<<10)
	for err == nil {
		_ = c.conn.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		_, err = c.conn.Write(questions)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal(err)
	}
}

// read returns what comes next, nil at the end of the connection.
func (c *client) read() openwire.DataStructure {
	c.t.Helper()
	frame, err := c.frames.ReadFrame()
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		c.t.Fatal("nothing comes, not even the end")
	}
	if err != nil {
		return nil
	}
	v, err := c.decoder.Decode(frame)
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

// message is a persistent one on the queue orders.
func message(sequence int64, body string) *openwire.BytesMessage {
	m := &openwire.BytesMessage{}
	m.ProducerID = &openwire.ProducerID{ConnectionID: openwire.S("ID:producer"), SessionID: 1, Value: 1}
	m.Destination = &openwire.Queue{PhysicalName: openwire.S("orders")}
	m.MessageID = &openwire.MessageID{ProducerID: m.ProducerID, ProducerSequenceID: sequence}
	m.Persistent, m.Content = true, []byte(body)
	return m
}

// receive subscribes to the queue orders and returns the first message, with how often it was delivered before.
func (c *client) receive() (body string, redelivered int32) {
	c.t.Helper()
	c.ask(&openwire.ConsumerInfo{
		ConsumerID:  &openwire.ConsumerID{ConnectionID: openwire.S("ID:consumer"), SessionID: 1, Value: 1},
		Destination: &openwire.Queue{PhysicalName: openwire.S("orders")}, PrefetchSize: 10,
	})
	for {
		switch v := c.read().(type) {
		case nil:
			c.t.Fatal("the connection ended")
		case *openwire.MessageDispatch:
			return string(v.Message.Fields().Content), v.RedeliveryCounter
		}
	}
}
