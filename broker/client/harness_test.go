package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/node"
	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/security"
	session "github.com/twinmesh/twinmesh/broker/session/openwire"
	"github.com/twinmesh/twinmesh/broker/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is an active broker, and another one after it, on a log in memory, in a synctest bubble.
type pair struct {
	t      *testing.T
	ctx    context.Context
	shared *mem.Shared
	users  map[string]string // nil lets everyone in

	mu     sync.Mutex
	active *running // nil while nobody serves
	dials  int
}

// running is one broker's time as the active one.
type running struct {
	log     *mem.Log
	store   *store.Store
	options session.Options
	ctx     context.Context
	stop    context.CancelFunc
	serving sync.WaitGroup
	conns   []net.Conn
}

func bubble(t *testing.T, test func(t *testing.T, p *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pair{t: t, ctx: t.Context(), shared: mem.New(1 << 20)}
		p.start()
		t.Cleanup(p.kill)
		test(t, p)
	})
}

// start has the next broker serve.
func (p *pair) start() {
	p.t.Helper()
	r := &running{log: p.shared.Open()}
	r.store = store.New(r.log, store.Options{MinBytes: 1 << 30})
	if _, err := r.store.Lead(context.Background()); err != nil {
		p.t.Fatal(err)
	}
	logger := slog.New(slog.DiscardHandler)
	r.options = session.Options{
		BrokerID: "ID:broker", BrokerName: "orders-0", Offer: openwire.BrokerOffer(), Logger: logger,
		Broker: core.New(core.Options{
			Store: node.Join(r.store), Advisor: session.NewAdvisor("ID:broker", "orders-0", "tcp://orders-0:61616"), Now: time.Now, Logger: logger,
		}),
	}
	if p.users != nil {
		r.options.Authenticator = p
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active = r
}

// Authenticate implements session.Authenticator.
func (p *pair) Authenticate(_ context.Context, l security.Login) (*security.User, error) {
	if p.users[l.Name] != l.Password || l.Password == "" {
		return nil, errors.New("user name or password is wrong")
	}
	return nil, nil
}

// cut breaks all sockets. The broker goes on.
func (p *pair) cut() {
	p.mu.Lock()
	conns := p.active.conns
	p.active.conns = nil
	p.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

// kill ends the active broker without a word, if there is one.
func (p *pair) kill() {
	p.mu.Lock()
	r := p.active
	p.active = nil
	p.mu.Unlock()
	if r == nil {
		return
	}
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.stop()
	r.serving.Wait()
	if err := r.store.Close(); err != nil {
		p.t.Errorf("closing the store: %v", err)
	}
}

// takeOver has another broker serve instead of the active one.
func (p *pair) takeOver() {
	p.t.Helper()
	p.kill()
	p.start()
}

func (p *pair) dial(context.Context, string) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dials++
	r := p.active
	if r == nil {
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	r.conns = append(r.conns, ours)
	r.serving.Go(func() { session.Serve(r.ctx, theirs, r.options) })
	return ours, nil
}

const failover = "failover:(tcp://a:61616,tcp://b:61616)"

// connect is a client with failover.
func (p *pair) connect(url string) *client.Connection {
	p.t.Helper()
	c, err := client.Connect(p.ctx, client.Options{URL: url, Dial: p.dial, Failed: func(err error) { p.t.Errorf("told of %v", err) }})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func (p *pair) session(c *client.Connection, mode client.AckMode) *client.Session {
	p.t.Helper()
	s, err := c.Session(p.ctx, mode)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func queue(name string) destination.Destination {
	return destination.Destination{Kind: destination.Queue, Name: name}
}

func (p *pair) producer(s *client.Session, d destination.Destination) *client.Producer {
	p.t.Helper()
	producer, err := s.Producer(p.ctx, d)
	if err != nil {
		p.t.Fatal(err)
	}
	return producer
}

func (p *pair) consumer(s *client.Session, d destination.Destination, o client.ConsumerOptions) *client.Consumer {
	p.t.Helper()
	consumer, err := s.Consumer(p.ctx, d, o)
	if err != nil {
		p.t.Fatal(err)
	}
	return consumer
}

func (p *pair) send(producer *client.Producer, bodies ...string) {
	p.t.Helper()
	for _, body := range bodies {
		if err := producer.Send(p.ctx, client.NewText(body)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// receive receives so many messages, and tells them as in "a x0, b x1" with how often they were delivered before.
func (p *pair) receive(c *client.Consumer, n int) (string, []*client.Message) {
	p.t.Helper()
	var told []string
	var all []*client.Message
	for range n {
		ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
		m, err := c.Receive(ctx)
		cancel()
		if err != nil {
			p.t.Fatalf("after %s: %v", strings.Join(told, ", "), err)
		}
		told = append(told, fmt.Sprintf("%s x%d", m.Body, m.Redelivered))
		all = append(all, m)
	}
	return strings.Join(told, ", "), all
}

func (p *pair) want(c *client.Consumer, want string) []*client.Message {
	p.t.Helper()
	got, all := p.receive(c, strings.Count(want, ",")+1)
	if got != want {
		p.t.Errorf("received %s, want %s", got, want)
	}
	return all
}

// remaining is what another program finds in a queue.
func (p *pair) remaining(d destination.Destination) string {
	p.t.Helper()
	c := p.connect(failover)
	defer func() { _ = c.Close(p.ctx) }()
	consumer := p.consumer(p.session(c, client.Transacted), d, client.ConsumerOptions{})
	var all []string
	for {
		ctx, cancel := context.WithTimeout(p.ctx, time.Second)
		m, err := consumer.Receive(ctx)
		cancel()
		if err != nil {
			return strings.Join(all, ", ")
		}
		all = append(all, string(m.Body))
	}
}

// none fails if there is something to receive.
func (p *pair) none(c *client.Consumer) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Second)
	defer cancel()
	if m, err := c.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		p.t.Errorf("received %v, %v", m, err)
	}
}
