package client_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// script is a broker that says what a test tells it to.
type script struct {
	t       *testing.T
	conn    net.Conn
	frames  *openwire.FrameReader
	format  openwire.Format
	encoder *openwire.Encoder
}

// newScript is the other end of a socket, before the offers.
func newScript(t *testing.T, conn net.Conn) *script {
	return &script{t: t, conn: conn, frames: openwire.NewFrameReader(conn, 1<<20), encoder: openwire.NewEncoder(openwire.Handshake())}
}

// negotiate exchanges offers with a client of the default one.
func (s *script) negotiate(offer openwire.Offer) {
	s.say(offer.Info())
	s.hear(openwire.Handshake())
	s.format, _ = openwire.Negotiate(offer, openwire.BrokerOffer())
	s.encoder = openwire.NewEncoder(s.format)
}

// scripted runs a conversation between a link and a script, in a bubble.
func scripted(t *testing.T, offer openwire.Offer, play func(*script), test func(l *client.Link, handled *[]openwire.Command)) {
	t.Helper()
	ours, theirs := net.Pipe()
	played := make(chan struct{})
	go func() {
		defer close(played)
		s := newScript(t, theirs)
		s.negotiate(offer)
		play(s)
	}()
	var handled []openwire.Command
	l, err := client.Dial(t.Context(), "a:1", client.LinkOptions{
		Offer: openwire.BrokerOffer(), Dial: func(context.Context, string) (net.Conn, error) { return ours, nil },
		Handle: func(_ *client.Link, c openwire.Command) { handled = append(handled, c) },
	})
	if err != nil {
		t.Fatal(err)
	}
	test(l, &handled)
	_ = l.Close()
	_ = theirs.Close()
	<-played
}

func (s *script) say(v openwire.DataStructure) {
	b, err := s.encoder.AppendFrame(nil, v)
	if err != nil {
		s.t.Error(err)
	}
	_, _ = s.conn.Write(b)
}

// hear returns the next command, nil at the end.
func (s *script) hear(f openwire.Format) openwire.DataStructure {
	frame, err := s.frames.ReadFrame()
	if err != nil {
		return nil
	}
	v, err := openwire.NewDecoder(f).Decode(frame)
	if err != nil {
		s.t.Error(err)
	}
	return v
}

// Every answer reaches who asked, in whichever order they come; what is unanswered at the end fails.
func TestAnswers(t *testing.T) { synctest.Test(t, testAnswers) }

func testAnswers(t *testing.T) {
	play := func(s *script) {
		var ids []int32
		for range 3 {
			ids = append(ids, s.hear(s.format).(openwire.Command).Base().CommandID)
		}
		s.say(&openwire.ExceptionResponse{CorrelationID: ids[1], Exception: openwire.NewThrowable(openwire.IllegalStateException, "no")})
		s.say(&openwire.IntegerResponse{CorrelationID: ids[0], Result: 3})
		s.say(&openwire.Response{CorrelationID: 12345})
		s.say(&openwire.ShutdownInfo{})
	}
	scripted(t, openwire.BrokerOffer(), play, func(l *client.Link, _ *[]openwire.Command) {
		type answer struct {
			c   openwire.Command
			err error
		}
		answers := make([]answer, 3)
		for i := range answers {
			if err := l.Start(&openwire.FlushCommand{}, func(c openwire.Command, err error) { answers[i] = answer{c, err} }); err != nil {
				t.Fatal(err)
			}
		}
		<-l.Done()
		if n, ok := answers[0].c.(*openwire.IntegerResponse); !ok || n.Result != 3 || answers[0].err != nil {
			t.Errorf("the first: %+v", answers[0])
		}
		if !client.IsClass(answers[1].err, openwire.IllegalStateException) || !strings.Contains(answers[1].err.Error(), "no") {
			t.Errorf("the second: %+v", answers[1])
		}
		if !errors.Is(answers[2].err, client.ErrDisconnected) {
			t.Errorf("the third: %+v", answers[2])
		}
		if err := l.Tell(&openwire.FlushCommand{}); !errors.Is(err, client.ErrDisconnected) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestWhatABrokerSaysByItself(t *testing.T) { synctest.Test(t, testWhatABrokerSaysByItself) }

func testWhatABrokerSaysByItself(t *testing.T) {
	echo := make(chan openwire.DataStructure, 1)
	play := func(s *script) {
		s.say(&openwire.BrokerInfo{BrokerName: openwire.S("b")})
		s.say(nil)
		question := &openwire.KeepAliveInfo{}
		question.ResponseRequired = true
		s.say(question)
		s.say(&openwire.ConnectionControl{Resume: true})
		echo <- s.hear(s.format)
	}
	scripted(t, openwire.BrokerOffer(), play, func(l *client.Link, handled *[]openwire.Command) {
		if answer, ok := (<-echo).(*openwire.KeepAliveInfo); !ok || answer.ResponseRequired {
			t.Errorf("a keep-alive that wants an answer got %+v", answer)
		}
		synctest.Wait()
		if l.Broker() == nil || l.Broker().BrokerName != openwire.S("b") {
			t.Errorf("the broker is %+v", l.Broker())
		}
		if len(*handled) != 2 {
			t.Errorf("handled: %v", *handled)
		}
	})
}

// The offer decides when silence is death: read from none for that long, and written to three times as often.
func TestSilence(t *testing.T) { synctest.Test(t, testSilence) }

func testSilence(t *testing.T) {
	offer := openwire.BrokerOffer()
	offer.MaxInactivity, offer.MaxInactivityInitialDelay = 3*time.Second, time.Second
	alive := make(chan time.Duration, 100)
	play := func(s *script) {
		began := time.Now()
		for s.hear(s.format) != nil {
			alive <- time.Since(began)
		}
		close(alive)
	}
	scripted(t, offer, play, func(l *client.Link, _ *[]openwire.Command) {
		began := time.Now()
		<-l.Done()
		if took := time.Since(began); took != 4*time.Second || !strings.Contains(l.Err().Error(), "nothing was heard from the broker for 4s") {
			t.Errorf("after %v: %v", took, l.Err())
		}
		if first := <-alive; first != time.Second {
			t.Errorf("the first sign of life after %v", first)
		}
	})
}

// What is no OpenWire, or nothing at all, is told so.
func TestNoNegotiation(t *testing.T) {
	for want, says := range map[string]string{
		"a conversation begins with one, this one with a ShutdownInfo": "\x00\x00\x00\x06\x0b\x00\x00\x00\x01\x00",
		"frame size not allowed": "HTTP/1.1 400 Bad Request\r\n\r\n",
		"nothing was heard":      "",
	} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			go func() { _, _ = theirs.Write([]byte(says)) }()
			_, err := client.Dial(t.Context(), "a:1", client.LinkOptions{
				Offer: openwire.BrokerOffer(), Dial: func(context.Context, string) (net.Conn, error) { return ours, nil },
			})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", says, err)
			}
			_ = theirs.Close()
		})
	}
}

// A context that ends while connecting leaves nothing behind.
func TestImpatientDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.Dial(ctx, "a:1", client.LinkOptions{
			Offer: openwire.BrokerOffer(), Dial: func(context.Context, string) (net.Conn, error) { return ours, nil },
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		_ = theirs.Close()
	})
}

// Who sends faster than the broker reads waits, with a bounded amount unwritten.
func TestRoom(t *testing.T) { synctest.Test(t, testRoom) }

func testRoom(t *testing.T) {
	read := make(chan struct{})
	play := func(s *script) {
		<-read
		for s.hear(s.format) != nil {
			continue
		}
	}
	scripted(t, openwire.BrokerOffer(), play, func(l *client.Link, _ *[]openwire.Command) {
		block := &openwire.ConnectionControl{Token: make([]byte, 100<<10)}
		sent := 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for l.Room(ctx) == nil {
			if err := l.Tell(block); err != nil {
				t.Fatal(err)
			}
			sent++
		}
		if sent < 11 || sent > 23 {
			t.Errorf("%d blocks of 100 KiB wait, want 1 MiB of them and up to as much that is being written", sent)
		}
		close(read)
		if err := l.Room(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
