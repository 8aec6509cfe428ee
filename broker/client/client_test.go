package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

func TestMessagesArriveAsTheyWereSent(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect(failover), client.AutoAck)
		producer, consumer := p.producer(s, destination.Destination{}), p.consumer(s, queue("q"), client.ConsumerOptions{})
		text := client.NewText("caf\u00e9 \x00 \U0001F4E8")
		text.Properties = map[string]any{
			"b": true, "byte": int8(-1), "short": int16(2), "int": int32(-3), "long": int64(1 << 40), "float": float32(1.5),
			"double": 2.25, "text": "\u00fc", "long text": strings.Repeat("x", 70_000),
		}
		text.CorrelationID, text.Type, text.Priority = "c", "t", 9
		text.ReplyTo = destination.Destination{Kind: destination.Topic, Name: "answers"}
		text.Expires = time.Now().Add(time.Hour).Truncate(time.Millisecond)
		raw := client.NewBytes([]byte{0, 1, 0xFF})
		raw.NonPersistent = true
		for _, m := range []*client.Message{text, raw, client.NewBytes(nil), client.NewText("")} {
			m.Destination = queue("q")
			if err := producer.Send(p.ctx, m); err != nil {
				t.Fatal(err)
			}
			got, err := consumer.Receive(p.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, got, cmpopts.IgnoreUnexported(client.Message{}), cmpopts.EquateEmpty(),
				cmpopts.EquateApproxTime(time.Millisecond)); diff != "" {
				t.Errorf("sent and received differ: %s", diff)
			}
		}
	})
}

func TestUnsendableMessages(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect(failover), client.AutoAck)
		producer := p.producer(s, destination.Destination{})
		for want, m := range map[string]*client.Message{
			"neither the producer nor the message has a destination": client.NewText("x"),
			`the property "p" is a int: use bool`:                    {Destination: queue("q"), Properties: map[string]any{"p": 1}},
			"text of more than 65,535 bytes":                         {Destination: queue("q"), CorrelationID: strings.Repeat("x", 70_000)},
			"cannot send to queue://a.>":                             {Destination: queue("a.>")},
			"the peer takes 104857600":                               {Destination: queue("q"), Body: make([]byte, 101<<20)},
		} {
			if err := producer.Send(p.ctx, m); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		p.send(p.producer(s, queue("q")), "still there")
	})
}

func TestAutoAck(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		c := p.connect(failover)
		s := p.session(c, client.AutoAck)
		p.send(p.producer(s, queue("q")), "a", "b", "c")
		p.want(p.consumer(s, queue("q"), client.ConsumerOptions{}), "a x0, b x0")
		if err := c.Close(p.ctx); err != nil {
			t.Fatal(err)
		}
		if left := p.remaining(queue("q")); left != "c" {
			t.Errorf("left: %s", left)
		}
	})
}

// One acknowledgement is for all that the session has received. Prefetch 2 would hold up the fourth message if the broker were
// not told that the others have been received.
func TestClientAck(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		c := p.connect(failover)
		s := p.session(c, client.ClientAck)
		p.send(p.producer(s, queue("q")), "a", "b", "c", "d")
		p.send(p.producer(s, queue("r")), "e")
		consumer := p.consumer(s, queue("q"), client.ConsumerOptions{Prefetch: 2})
		p.want(p.consumer(s, queue("r"), client.ConsumerOptions{}), "e x0")
		all := p.want(consumer, "a x0, b x0, c x0")
		if err := all[1].Ack(p.ctx); err != nil {
			t.Fatal(err)
		}
		p.want(consumer, "d x0")
		_ = c.Close(p.ctx)
		if left := p.remaining(queue("q")) + p.remaining(queue("r")); left != "d" {
			t.Errorf("left: %s", left)
		}
	})
}

func TestIndividualAck(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		c := p.connect(failover)
		s := p.session(c, client.IndividualAck)
		p.send(p.producer(s, queue("q")), "a", "b", "c", "d")
		all := p.want(p.consumer(s, queue("q"), client.ConsumerOptions{Prefetch: 2}), "a x0, b x0, c x0, d x0")
		for _, i := range []int{1, 3} {
			if err := all[i].Ack(p.ctx); err != nil {
				t.Fatal(err)
			}
		}
		_ = c.Close(p.ctx)
		if left := p.remaining(queue("q")); left != "a, c" {
			t.Errorf("left: %s", left)
		}
	})
}

func TestTransactions(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		c := p.connect(failover)
		s := p.session(c, client.Transacted)
		p.send(p.producer(p.session(c, client.AutoAck), queue("in")), "a", "b")
		out, in := p.producer(s, queue("out")), p.consumer(s, queue("in"), client.ConsumerOptions{})
		p.want(in, "a x0")
		p.send(out, "undone")
		if err := s.Rollback(p.ctx); err != nil {
			t.Fatal(err)
		}
		p.want(in, "a x1, b x0")
		p.send(out, "done")
		if left := p.remaining(queue("out")); left != "" {
			t.Errorf("sent before the commit: %s", left)
		}
		for range 2 {
			if err := s.Commit(p.ctx); err != nil {
				t.Fatal(err)
			}
		}
		p.none(in)
		_ = c.Close(p.ctx)
		if left := p.remaining(queue("in")) + p.remaining(queue("out")); left != "done" {
			t.Errorf("left: %s", left)
		}
	})
}

// A message that is rolled back for the seventh time goes to the dead letters.
func TestPoison(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		c := p.connect(failover)
		s := p.session(c, client.Transacted)
		p.send(p.producer(p.session(c, client.AutoAck), queue("q")), "bad", "good")
		consumer := p.consumer(s, queue("q"), client.ConsumerOptions{})
		for range 7 {
			p.receive(consumer, 1)
			if err := s.Rollback(p.ctx); err != nil {
				t.Fatal(err)
			}
		}
		p.want(consumer, "good x0")
		if dead := p.remaining(queue("ActiveMQ.DLQ")); dead != "bad" {
			t.Errorf("dead letters: %s", dead)
		}
	})
}

// Without prefetch no message is on its way to a consumer that does not wait.
func TestPullEach(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect(failover), client.AutoAck)
		one := p.consumer(s, queue("q"), client.ConsumerOptions{Prefetch: client.PullEach})
		other := p.consumer(p.session(p.connect(failover), client.AutoAck), queue("q"), client.ConsumerOptions{Prefetch: client.PullEach})
		p.none(one)
		<-time.After(time.Second) // the broker, too, gives up the pull
		producer := p.producer(s, queue("q"))
		p.send(producer, "a", "b", "c")
		p.want(other, "a x0, b x0")
		p.want(one, "c x0")
		synctest.Wait() // for the broker to have the acknowledgements
		p.takeOver()
		p.send(producer, "d")
		p.want(one, "d x0")
	})
}

func TestSelectors(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect(failover), client.AutoAck)
		producer := p.producer(s, queue("q"))
		for _, size := range []int32{1, 5, 9} {
			m := client.NewText(strings.Repeat("x", int(size)))
			m.Properties = map[string]any{"size": size}
			if err := producer.Send(p.ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		p.want(p.consumer(s, queue("q"), client.ConsumerOptions{Selector: "size > 4"}), "xxxxx x0, xxxxxxxxx x0")
		_, err := s.Consumer(p.ctx, queue("q"), client.ConsumerOptions{Selector: "size >"})
		if !client.IsClass(err, openwire.InvalidSelectorException) {
			t.Errorf("a selector that is none: %v", err)
		}
	})
}

func TestExpiredMessagesAreLeftOut(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect(failover), client.AutoAck)
		consumer := p.consumer(s, queue("q"), client.ConsumerOptions{})
		short := client.NewText("short")
		short.Expires = time.Now().Add(time.Second)
		producer := p.producer(s, queue("q"))
		if err := producer.Send(p.ctx, short); err != nil {
			t.Fatal(err)
		}
		p.send(producer, "long")
		<-time.After(2 * time.Second)
		p.want(consumer, "long x0")
	})
}

func TestTopics(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		news := destination.Destination{Kind: destination.Topic, Name: "news"}
		s := p.session(p.connect(failover), client.AutoAck)
		one, two := p.consumer(s, news, client.ConsumerOptions{}), p.consumer(s, news, client.ConsumerOptions{NoLocal: true})
		p.send(p.producer(s, news), "a")
		p.want(one, "a x0")
		p.none(two)
	})
}

func TestNothingGoesOnAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		c := p.connect(failover)
		s := p.session(c, client.AutoAck)
		producer, consumer := p.producer(s, queue("q")), p.consumer(s, queue("q"), client.ConsumerOptions{})
		waiting := make(chan error, 1)
		go func() {
			_, err := consumer.Receive(context.Background())
			waiting <- err
		}()
		synctest.Wait()
		for range 2 {
			if err := c.Close(p.ctx); err != nil {
				t.Fatal(err)
			}
		}
		_, newSession := c.Session(p.ctx, client.AutoAck)
		_, newConsumer := s.Consumer(p.ctx, queue("q"), client.ConsumerOptions{})
		for what, err := range map[string]error{
			"receiving": <-waiting, "sending": producer.Send(p.ctx, client.NewText("x")), "a session": newSession, "a consumer": newConsumer,
		} {
			if !errors.Is(err, client.ErrClosed) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestClosedConsumersLeaveTheirMessages(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		c := p.connect(failover)
		s := p.session(c, client.ClientAck)
		p.send(p.producer(s, queue("q")), "seen", "unseen")
		consumer := p.consumer(s, queue("q"), client.ConsumerOptions{})
		p.want(consumer, "seen x0")
		if err := s.Close(p.ctx); err != nil {
			t.Fatal(err)
		}
		p.want(p.consumer(p.session(c, client.AutoAck), queue("q"), client.ConsumerOptions{}), "seen x1, unseen x0")
	})
}
