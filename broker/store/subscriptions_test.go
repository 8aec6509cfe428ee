package store

import (
	"errors"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/log/mem"
)

func subscribe(t fatal, s *Store, sub Subscription) uint64 {
	t.Helper()
	id, err := s.Subscribe(sub, nil)
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	return id
}

func TestASubscriptionRecordIsReadBack(t *testing.T) {
	for _, r := range []record{
		{kind: kindSubscription, subscription: 5, destination: []byte("d"), client: []byte("c"), name: []byte("n"), flags: noLocal,
			selector: []byte("a = 1"), horizon: 9, spans: []Span{{1, 7}, {9, 9}, {1 << 40, maxSequence}}},
		{kind: kindUnsubscribe, subscription: 5},
		{kind: kindAcknowledge, subscription: 5, spans: []Span{{6, 8}}},
		{kind: kindTxAcknowledge, tx: 1, subscription: 5, spans: []Span{{6, 6}, {8, 10}}},
		{kind: kindSubscriptionHorizon, subscription: 5, horizon: 99},
	} {
		var got record
		if err := got.decode(r.append(nil)); err != nil {
			t.Fatalf("kind %d: %v", r.kind, err)
		}
		if diff := gocmp.Diff(r.append(nil), got.append(nil)); diff != "" {
			t.Errorf("kind %d (-want +got):\n%s", r.kind, diff)
		}
		if whole := r.append(nil); got.decode(whole[:len(whole)-1]) == nil && len(got.spans) == len(r.spans) {
			t.Errorf("kind %d without its last byte is read as %+v", r.kind, got)
		}
	}
}

func TestSpansBeyondAllSequencesAreRefused(t *testing.T) {
	for name, spans := range map[string][]Span{
		"beyond": {{1, maxSequence + 1}}, "around": {{9, 10}, {3, 4}}, "backwards": {{9, 3}},
	} {
		var r record
		if err := r.decode((&record{kind: kindAcknowledge, subscription: 5, spans: spans}).append(nil)); !errors.Is(err, errInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheLastHorizonAskedForIsRestated looks while an older one is applied already and the newer one is not.
func TestTheLastHorizonAskedForIsRestated(t *testing.T) {
	l := mem.New(segmentBytes).Open()
	s := lead(t, l)
	defer closeStore(t, s)
	id := subscribe(t, s, Subscription{Client: "c", Name: "n", Destination: gold})
	flush(t, s)
	l.Hold()
	var between uint64
	if err := s.SubscriptionHorizon(id, 5, func() { between = s.Subscriptions()[0].Horizon }); err != nil {
		t.Fatal(err)
	}
	if err := s.SubscriptionHorizon(id, 9, nil); err != nil {
		t.Fatal(err)
	}
	l.Release()
	flush(t, s)
	if between != 9 {
		t.Errorf("between the two records it would be restated as %d", between)
	}
}

// TestAnIdleSubscriptionPinsNothing lets the log turn over while one subscription is through with all and another acknowledges
// all but the first message, which is what is left.
func TestAnIdleSubscriptionPinsNothing(t *testing.T) {
	shared := mem.New(segmentBytes)
	s := lead(t, shared.Open())
	idle := subscribe(t, s, Subscription{Client: "c", Name: "idle", Destination: silver})
	busy := subscribe(t, s, Subscription{Client: "c", Name: "busy", Destination: gold})
	first := add(t, s, newMessage(gold, "p", 1, "first"))
	before := first
	for i := range 500 {
		sequence := add(t, s, newMessage(gold, "p", int64(2+i), "more"))
		flush(t, s)
		if err := s.Acknowledge(busy, []Span{{before + 1, sequence}}, nil); err != nil {
			t.Fatal(err)
		}
		before = sequence
		for clean(t, s) {
		}
	}
	if n := len(s.log.Segments()); n > 4 {
		t.Errorf("the log has %d segments of a few messages", n)
	}
	closeStore(t, s)
	again := lead(t, shared.Open())
	defer closeStore(t, again)
	if got := backlog(t, again, idle); got != nil {
		t.Errorf("the idle one has %x", got)
	}
	if diff := gocmp.Diff([]uint64{first}, backlog(t, again, busy)); diff != "" {
		t.Errorf("the busy one (-want +got):\n%s", diff)
	}
	if n, _ := again.Pending(gold); n != 1 {
		t.Errorf("%d messages are kept", n)
	}
}

func TestThereIsAMostOfSubscriptions(t *testing.T) {
	s := lead(t, mem.New(segmentBytes).Open())
	defer closeStore(t, s)
	id := subscribe(t, s, Subscription{Client: "c", Name: "first", Destination: gold})
	flush(t, s)
	s.subscribed = MaxSubscriptions
	if _, err := s.Subscribe(Subscription{Client: "c", Name: "second", Destination: gold}, nil); !errors.Is(err, ErrSubscriptions) {
		t.Errorf("one too many: %v", err)
	}
	subscribe(t, s, Subscription{Client: "c", Name: "first", Destination: silver})
	if err := s.Unsubscribe(id, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subscribe(Subscription{Client: "c", Name: "second", Destination: gold}, nil); !errors.Is(err, ErrSubscriptions) {
		t.Errorf("after one was replaced: %v", err)
	}
}
