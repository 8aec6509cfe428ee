package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/test/cluster"
)

// stream is a JMS program that sends numbered persistent messages to a pair all the time, and one that receives them.
// It remembers what they said and when. Its methods may be called by several goroutines.
type stream struct {
	pair             string
	sender, receiver *program

	mu       sync.Mutex
	sent     int         // the numbers up to this one were acknowledged to the sender
	received []time.Time // when number i+1 came for the first time
	again    int         // how many came once more and were marked
	wrong    []string    // what must not happen
}

func startStream(t *testing.T, c *cluster.Cluster, classes, pair string, binding binding) *stream {
	t.Helper()
	s := &stream{pair: pair}
	s.receiver = startProgram(t, c, classes, "receive", binding, s.heedReceiver)
	s.sender = startProgram(t, c, classes, "send", binding, s.heedSender)
	return s
}

func (s *stream) heedSender(line string) {
	var number int
	_, err := fmt.Sscanf(line, "sent %d", &number)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || number != s.sent+1 {
		s.wrong = append(s.wrong, fmt.Sprintf("after %d the sender says %q", s.sent, line))
		return
	}
	s.sent = number
}

func (s *stream) heedReceiver(line string) {
	var how string
	var number int
	_, err := fmt.Sscanf(line, "%s %d", &how, &number)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.wrong = append(s.wrong, fmt.Sprintf("the receiver says %q", line))
	case number == len(s.received)+1:
		s.received = append(s.received, time.Now())
	case number > len(s.received)+1:
		s.wrong = append(s.wrong, fmt.Sprintf("message %d came after %d: those between are lost or late", number, len(s.received)))
		s.received = append(s.received, make([]time.Time, number-len(s.received))...)
	case how == "again":
		s.again++
	default:
		s.wrong = append(s.wrong, fmt.Sprintf("message %d came twice and was not marked as redelivered", number))
	}
}

// counts is how many messages were acknowledged to the sender, and how many of the first ones were received.
func (s *stream) counts() (sent, received int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent, len(s.received)
}

// nextDelivery waits until a message arrived whose sending began from now on, and returns when it came.
func (s *stream) nextDelivery(t *testing.T, within time.Duration) time.Time {
	t.Helper()
	sent, _ := s.counts()
	number := sent + 2 // the next one may be on its way already
	eventually(t, within, s.pair+" delivers again", func(context.Context) error {
		if _, received := s.counts(); received < number {
			return fmt.Errorf("message %d has not come", number)
		}
		return nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received[number-1]
}

// check waits until all that was acknowledged so far was received, and tells of everything that was wrong.
func (s *stream) check(t *testing.T) {
	t.Helper()
	sent, _ := s.counts()
	eventually(t, 10*time.Second, fmt.Sprintf("%s delivers all %d acknowledged messages", s.pair, sent), func(context.Context) error {
		if _, received := s.counts(); received < sent {
			return fmt.Errorf("%d came", received)
		}
		return nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range s.wrong {
		t.Errorf("%s: %s", s.pair, text)
	}
	s.wrong = nil
}

// end ends the sender, then the receiver when it has everything.
func (s *stream) end(t *testing.T) {
	t.Helper()
	s.sender.end(t, 10*time.Second)
	s.check(t)
	s.receiver.end(t, 10*time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Logf("%s: %d messages sent, all received in their order; %d came once more, marked as redelivered", s.pair, s.sent, s.again)
}
