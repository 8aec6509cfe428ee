package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

const (
	historyRuns      = 10
	historyProducers = 3
	historyMessages  = 40 // of each producer
)

// history is what programs saw: what was sent and confirmed, and what was received.
type history struct {
	mu        sync.Mutex
	confirmed map[string]bool
	received  map[string]bool
	repeated  []string // received a second time, though not marked as redelivered
}

func newHistory() *history {
	return &history{confirmed: map[string]bool{}, received: map[string]bool{}}
}

func (h *history) confirm(bodies []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range bodies {
		h.confirmed[b] = true
	}
}

func (h *history) receive(m *client.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.received[string(m.Body)] && m.Redelivered == 0 {
		h.repeated = append(h.repeated, string(m.Body))
	}
	h.received[string(m.Body)] = true
}

// Whatever happens to brokers, and whenever: what was confirmed is received, and what is received twice is marked so, which what
// was stored twice would not be.
func TestHistoriesOverTakeovers(t *testing.T) {
	for seed := range uint64(historyRuns) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, func(t *testing.T, p *pair) { testHistory(t, p, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func testHistory(t *testing.T, p *pair, random *rand.Rand) {
	h := newHistory()
	consuming, stop := context.WithCancel(p.ctx)
	var producers, others sync.WaitGroup
	for i := range historyProducers {
		s := p.session(p.connect(failover), []client.AckMode{client.AutoAck, client.Transacted, client.AutoAck}[i])
		producer := p.producer(s, queue("q"))
		producers.Go(func() { h.produce(t, p, s, producer, i, i == 2) })
	}
	consumer := p.connect(failover)
	for _, mode := range []client.AckMode{client.AutoAck, client.ClientAck, client.Transacted} {
		s := p.session(consumer, mode)
		c := p.consumer(s, queue("q"), client.ConsumerOptions{Prefetch: 5})
		others.Go(func() { h.consume(t, consuming, s, c) })
	}
	others.Go(func() { p.trouble(consuming, random) })
	producers.Wait()
	<-time.After(10 * time.Second)
	stop()
	others.Wait()
	_ = consumer.Close(p.ctx)
	p.settle()
	if left := p.remaining(queue("q")); left != "" {
		t.Errorf("not received: %s", left)
	}
	h.check(t)
}

// produce sends numbered messages: each and waiting, in transactions, or without waiting.
func (h *history) produce(t *testing.T, p *pair, s *client.Session, producer *client.Producer, i int, async bool) {
	var open []string
	var sending sync.WaitGroup
	for n := range historyMessages {
		body := fmt.Sprintf("%d-%d", i, n)
		var err error
		if async {
			sending.Add(1)
			err = producer.SendAsync(p.ctx, client.NewText(body), func(err error) {
				defer sending.Done()
				if err == nil {
					h.confirm([]string{body})
				}
			})
		} else {
			err = producer.Send(p.ctx, client.NewText(body))
		}
		if err != nil {
			t.Errorf("sending %s: %v", body, err)
		}
		if open = append(open, body); !async && len(open) >= 4 {
			if err := s.Commit(p.ctx); err != nil {
				t.Errorf("committing %s: %v", body, err)
			}
			h.confirm(open)
			open = nil
		}
		<-time.After(time.Duration(n%3) * 20 * time.Millisecond)
	}
	sending.Wait()
}

// consume receives and acknowledges. What a takeover comes before comes again.
func (h *history) consume(t *testing.T, ctx context.Context, s *client.Session, c *client.Consumer) {
	for {
		m, err := c.Receive(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			h.receive(m)
			err = m.Ack(ctx)
		case !client.IsClass(err, openwire.TransactionRolledBackException):
			t.Errorf("receiving: %v", err)
			return
		}
		err = errors.Join(err, s.Commit(ctx))
		if err != nil && ctx.Err() == nil && !errors.Is(err, client.ErrStale) && !errors.Is(err, client.ErrInDoubt) &&
			!client.IsClass(err, openwire.TransactionRolledBackException) {
			t.Errorf("acknowledging: %v", err)
		}
	}
}

// trouble ends brokers and sockets at random moments, with more or less of what is under way on the log.
func (p *pair) trouble(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		<-time.After(time.Duration(random.IntN(400)) * time.Millisecond)
		switch random.IntN(3) {
		case 0:
			p.cut()
		case 1:
			p.takeOver()
		case 2:
			p.active.log.Hold()
			<-time.After(time.Duration(random.IntN(100)) * time.Millisecond)
			synctest.Wait()
			p.active.log.Lose(log.ErrRightLost, random.IntN(p.active.log.InFlight()+1))
			p.takeOver()
		}
	}
}

// settle lets the last broker do what it was told.
func (p *pair) settle() {
	<-time.After(time.Second)
	synctest.Wait()
}

func (h *history) check(t *testing.T) {
	t.Helper()
	if want := historyProducers * historyMessages; len(h.confirmed) != want {
		t.Errorf("%d sends were confirmed, want %d", len(h.confirmed), want)
	}
	for body := range h.confirmed {
		if !h.received[body] {
			t.Errorf("%s was confirmed and never received", body)
		}
	}
	if len(h.repeated) > 0 {
		t.Errorf("received twice, the second time not marked: %v", h.repeated)
	}
}
