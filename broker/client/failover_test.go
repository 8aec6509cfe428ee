package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// sendAll sends without waiting, and returns what tells the results.
func (p *pair) sendAll(producer *client.Producer, bodies ...string) <-chan error {
	p.t.Helper()
	results := make(chan error, len(bodies))
	for _, body := range bodies {
		if err := producer.SendAsync(p.ctx, client.NewText(body), func(err error) { results <- err }); err != nil {
			p.t.Fatal(err)
		}
	}
	synctest.Wait()
	return results
}

// What had no answer is sent again in its order, and is in the queue once, whether it had reached the log or not.
func TestUnansweredSends(t *testing.T) {
	for reached := range 4 {
		t.Run(fmt.Sprint(reached, " reached the log"), func(t *testing.T) {
			bubble(t, func(t *testing.T, p *pair) {
				producer := p.producer(p.session(p.connect(failover), client.AutoAck), queue("q"))
				p.send(producer, "a")
				p.active.log.Hold()
				results := p.sendAll(producer, "b", "c", "d")
				p.active.log.Lose(log.ErrRightLost, reached)
				p.takeOver()
				for range 3 {
					if err := <-results; err != nil {
						t.Error(err)
					}
				}
				p.send(producer, "e")
				if left := p.remaining(queue("q")); left != "a, b, c, d, e" {
					t.Errorf("in the queue: %s", left)
				}
			})
		})
	}
}

// A socket that breaks while its broker goes on is replaced; what the broker does meanwhile is not done twice.
func TestABrokenSocket(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect(failover), client.AutoAck)
		producer, consumer := p.producer(s, queue("q")), p.consumer(s, queue("q"), client.ConsumerOptions{})
		p.active.log.Hold()
		results := p.sendAll(producer, "a", "b")
		p.cut()
		synctest.Wait()
		p.active.log.Release()
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		p.want(consumer, "a x0, b x0")
		p.none(consumer)
	})
}

func TestUnacknowledgedMessagesComeAgain(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		c := p.connect(failover)
		p.send(p.producer(p.session(c, client.AutoAck), queue("q")), "a", "b", "c")
		consumer := p.consumer(p.session(c, client.ClientAck), queue("q"), client.ConsumerOptions{})
		first := p.want(consumer, "a x0")[0]
		if err := first.Ack(p.ctx); err != nil {
			t.Fatal(err)
		}
		stale := p.want(consumer, "b x0")[0]
		synctest.Wait()
		p.takeOver()
		synctest.Wait()
		if err := stale.Ack(p.ctx); !errors.Is(err, client.ErrStale) {
			t.Errorf("acknowledging what came before the takeover: %v", err)
		}
		again := p.want(consumer, "b x1, c x1")
		if err := again[1].Ack(p.ctx); err != nil {
			t.Fatal(err)
		}
		_ = c.Close(p.ctx)
		if left := p.remaining(queue("q")); left != "" {
			t.Errorf("left: %s", left)
		}
	})
}

// What was prefetched over a link is forgotten with it, however often.
func TestPrefetchedMessagesComeAgain(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect(failover), client.AutoAck)
		p.send(p.producer(s, queue("q")), "a", "b")
		consumer := p.consumer(s, queue("q"), client.ConsumerOptions{Prefetch: 2})
		for range 5 {
			synctest.Wait()
			p.takeOver()
			<-time.After(time.Second)
		}
		p.want(consumer, "a x1, b x1")
		p.none(consumer)
	})
}

// A program that waits does not notice a takeover.
func TestWaitingOverATakeover(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		consumer := p.consumer(p.session(p.connect(failover), client.AutoAck), queue("q"), client.ConsumerOptions{})
		got := make(chan string, 1)
		go func() {
			m, err := consumer.Receive(context.Background())
			got <- fmt.Sprintf("%s %v", m.Body, err)
		}()
		synctest.Wait()
		p.kill()
		<-time.After(time.Minute)
		p.start()
		p.send(p.producer(p.session(p.connect(failover), client.AutoAck), queue("q")), "a")
		if got := <-got; got != "a <nil>" {
			t.Errorf("received %s", got)
		}
	})
}

func TestATransactionThatSendsGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect(failover), client.Transacted)
		producer := p.producer(s, queue("q"))
		for _, body := range []string{"a", "b", "c"} {
			p.send(producer, body)
			synctest.Wait()
			p.takeOver()
		}
		if err := s.Commit(p.ctx); err != nil {
			t.Fatal(err)
		}
		if left := p.remaining(queue("q")); left != "a, b, c" {
			t.Errorf("in the queue: %s", left)
		}
	})
}

func TestATransactionThatReceivedIsRolledBack(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		c := p.connect(failover)
		p.send(p.producer(p.session(c, client.AutoAck), queue("in")), "a")
		s := p.session(c, client.Transacted)
		in, out := p.consumer(s, queue("in"), client.ConsumerOptions{}), p.producer(s, queue("out"))
		for _, when := range []string{"at the commit", "at the next message"} {
			p.receive(in, 1)
			p.send(out, "b")
			synctest.Wait()
			p.takeOver()
			synctest.Wait()
			if when != "at the commit" {
				err := out.Send(p.ctx, client.NewText("c"))
				if !client.IsClass(err, openwire.TransactionRolledBackException) {
					t.Errorf("sending: %v", err)
				}
			}
			if err := s.Commit(p.ctx); !client.IsClass(err, openwire.TransactionRolledBackException) {
				t.Errorf("%s: %v", when, err)
			}
		}
		if left := p.remaining(queue("out")); left != "" {
			t.Errorf("sent: %s", left)
		}
		p.receive(in, 1)
		p.send(out, "done")
		if err := s.Commit(p.ctx); err != nil {
			t.Fatal(err)
		}
		if left := p.remaining(queue("out")); left != "done" {
			t.Errorf("sent: %s", left)
		}
	})
}

// A commit whose answer is lost happens once if that can be known, and else its outcome is not claimed.
func TestUnansweredCommits(t *testing.T) {
	for reached := range 3 {
		bubble(t, func(t *testing.T, p *pair) {
			c := p.connect(failover)
			s := p.session(c, client.Transacted)
			p.send(p.producer(s, queue("q")), "a")
			synctest.Wait()
			p.active.log.Hold()
			result := make(chan error, 1)
			go func() { result <- s.Commit(p.ctx) }()
			synctest.Wait()
			p.active.log.Lose(log.ErrRightLost, min(reached, p.active.log.InFlight()))
			p.takeOver()
			if err := <-result; err != nil {
				t.Errorf("%d reached the log: %v", reached, err)
			}
			if left := p.remaining(queue("q")); left != "a" {
				t.Errorf("%d reached the log: in the queue: %s", reached, left)
			}
		})
	}
}

func TestCommitsInDoubt(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect(failover), client.Transacted)
		topic := destination.Destination{Kind: destination.Topic, Name: "news"}
		p.send(p.producer(s, topic), "a")
		p.send(p.producer(s, queue("q")), "a")
		p.active.log.Hold()
		result := make(chan error, 1)
		go func() { result <- s.Commit(p.ctx) }()
		synctest.Wait()
		p.active.log.Lose(log.ErrRightLost, 0)
		p.takeOver()
		if err := <-result; !errors.Is(err, client.ErrInDoubt) {
			t.Errorf("got %v", err)
		}
		p.send(p.producer(s, queue("q")), "b")
		if err := s.Commit(p.ctx); err != nil {
			t.Errorf("the transaction after it: %v", err)
		}
	})
}

func TestARollbackNeedsNoAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect(failover), client.Transacted)
		p.send(p.producer(s, queue("q")), "a")
		synctest.Wait()
		p.kill()
		result := make(chan error, 1)
		go func() { result <- s.Rollback(p.ctx) }()
		synctest.Wait()
		p.start()
		if err := <-result; err != nil {
			t.Error(err)
		}
		p.send(p.producer(s, queue("q")), "b")
		if err := s.Commit(p.ctx); err != nil {
			t.Error(err)
		}
		if left := p.remaining(queue("q")); left != "b" {
			t.Errorf("in the queue: %s", left)
		}
	})
}

// Without failover: an address alone stands for one socket.
func TestAnAddressAloneIsNotReplaced(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect("tcp://a:61616"), client.AutoAck)
		producer, consumer := p.producer(s, queue("q")), p.consumer(s, queue("q"), client.ConsumerOptions{})
		p.takeOver()
		synctest.Wait()
		if err := producer.Send(p.ctx, client.NewText("a")); !errors.Is(err, client.ErrDisconnected) {
			t.Errorf("sending: %v", err)
		}
		if _, err := consumer.Receive(p.ctx); !errors.Is(err, client.ErrDisconnected) {
			t.Errorf("receiving: %v", err)
		}
	})
}

// The pauses double up to the greatest. Each round over the addresses is an attempt.
func TestAttempts(t *testing.T) {
	for options, want := range map[string]struct {
		dials int
		took  time.Duration
	}{
		"?startupMaxReconnectAttempts=1":                              {2, 0},
		"?maxReconnectAttempts=0":                                     {2, 0},
		"?maxReconnectAttempts=4":                                     {8, (10 + 20 + 40) * time.Millisecond},
		"?startupMaxReconnectAttempts=5&maxReconnectDelay=15":         {10, (10 + 15 + 15 + 15) * time.Millisecond},
		"?maxReconnectAttempts=3&useExponentialBackOff=false":         {6, 20 * time.Millisecond},
		"?maxReconnectAttempts=3&backOffMultiplier=3&randomize=false": {6, 40 * time.Millisecond},
		"?maxReconnectAttempts=2&initialReconnectDelay=500":           {4, 500 * time.Millisecond},
		"?timeout=995&useExponentialBackOff=false":                    {200, 995 * time.Millisecond},
	} {
		bubble(t, func(t *testing.T, p *pair) {
			p.kill()
			began := time.Now()
			_, err := client.Connect(p.ctx, client.Options{URL: failover + options, Dial: p.dial})
			if err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("%s: %v", options, err)
			}
			if took := time.Since(began); p.dials != want.dials || took != want.took {
				t.Errorf("%s: gave up after %d tries and %v, want %d and %v", options, p.dials, took, want.dials, want.took)
			}
		})
	}
}

// A broker that is there may take its time: the option timeout is for none being there. And what is unanswered is bounded.
func TestABrokerThatTakesItsTime(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		producer := p.producer(p.session(p.connect(failover+"?timeout=1000"), client.AutoAck), queue("q"))
		p.active.log.Hold()
		sent, answered := 0, make(chan error, 100)
		patient := make(chan struct{})
		go func() {
			defer close(patient)
			for range 100 {
				if err := producer.SendAsync(p.ctx, client.NewBytes(make([]byte, 100<<10)), func(err error) { answered <- err }); err != nil {
					t.Error(err)
				}
				sent++
			}
		}()
		<-time.After(time.Minute)
		synctest.Wait()
		if sent < 80 || sent > 84 {
			t.Errorf("%d messages of 100 KiB are unanswered, want about 8 MiB", sent)
		}
		p.active.log.Release()
		<-patient
		for range 100 {
			if err := <-answered; err != nil {
				t.Error(err)
			}
		}
	})
}

// Who waits for a broker learns why there is none.
func TestAttemptsInVainAreSaid(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		p.kill()
		var said strings.Builder
		ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
		defer cancel()
		_, err := client.Connect(ctx, client.Options{URL: failover, Dial: p.dial, Logger: slog.New(slog.NewTextHandler(&said, nil))})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got := strings.Count(said.String(), "connection refused"); got != 2 {
			t.Errorf("said %d times: %s", got, said.String())
		}
	})
}

// Another try would only be refused again, at all the brokers.
func TestAWrongPasswordIsFinal(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		p.users = map[string]string{"admin": "right"}
		p.takeOver()
		_, err := client.Connect(p.ctx, client.Options{URL: failover, User: "admin", Password: "wrong", Dial: p.dial})
		if !client.IsClass(err, openwire.SecurityException) || p.dials != 1 {
			t.Errorf("after %d tries: %v", p.dials, err)
		}
		c, err := client.Connect(p.ctx, client.Options{URL: failover, User: "admin", Password: "right", Dial: p.dial})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(p.ctx); err != nil {
			t.Error(err)
		}
	})
}

// A broker that stops tells its clients, who do not wait for a time-out.
func TestABrokerSaysGoodbye(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		producer := p.producer(p.session(p.connect(failover), client.AutoAck), queue("q"))
		former := p.active
		former.stop()
		former.serving.Wait()
		if err := former.store.Close(); err != nil {
			t.Fatal(err)
		}
		p.start()
		p.send(producer, "a")
	})
}

// A context that ends leaves a send that may have arrived; the next one does.
func TestAnImpatientSend(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		producer := p.producer(p.session(p.connect(failover), client.AutoAck), queue("q"))
		p.kill()
		ctx, cancel := context.WithTimeout(p.ctx, time.Second)
		defer cancel()
		err := producer.Send(ctx, client.NewText("a"))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("got %v", err)
		}
		p.start()
		p.send(producer, "b")
		if left := p.remaining(queue("q")); left != "b" {
			t.Errorf("in the queue: %s", left)
		}
	})
}
