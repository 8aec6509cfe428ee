package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/message"
)

var (
	orders = destination.Destination{Kind: destination.Queue, Name: "ORDERS"}
	bills  = destination.Destination{Kind: destination.Queue, Name: "BILLS"}
)

// segmentBytes makes segments of a few messages.
const segmentBytes = 2 << 10

// fatal is the part of testing.TB and rapid.T that helpers need.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// lead opens a store that is the holder.
func lead(t fatal, l log.Log) *Store {
	t.Helper()
	s := New(l, Options{})
	if _, err := s.Lead(context.Background()); err != nil {
		t.Fatalf("lead: %v", err)
	}
	return s
}

func newMessage(queue destination.Destination, producer string, sequence int64, content string) *message.Message {
	return message.New(message.Text, message.SetDestination(queue), message.SetID(producer, 1, 1, sequence),
		message.SetPersistent(true), message.SetContent([]byte(content)))
}

// add stores a message and returns its sequence. It does not wait.
func add(t fatal, s *Store, m *message.Message) uint64 {
	t.Helper()
	if err := s.Add(m, nil); err != nil {
		t.Fatalf("add: %v", err)
	}
	return m.BrokerSequence()
}

func remove(t fatal, s *Store, queue destination.Destination, sequences ...uint64) {
	t.Helper()
	if err := s.Remove(queue, sequences, nil); err != nil {
		t.Fatalf("remove: %v", err)
	}
}

// flush waits until all that was asked for is applied.
func flush(t fatal, s *Store) {
	t.Helper()
	done := make(chan struct{})
	if err := s.Barrier(func() { close(done) }); err != nil {
		t.Fatalf("barrier: %v", err)
	}
	select {
	case <-done:
	case <-s.Done():
		t.Fatalf("the store ended: %v", s.Err())
	}
}

func closeStore(t fatal, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

func clean(t fatal, s *Store) bool {
	t.Helper()
	did, err := s.Clean(context.Background())
	if err != nil {
		t.Fatalf("clean: %v", err)
	}
	return did
}

// contents are a queue's messages, loaded in pages of a few.
func contents(t fatal, s *Store, queue destination.Destination) []string {
	t.Helper()
	var all []string
	for after := uint64(0); ; {
		page, err := s.Page(queue, after, 3, 1<<20)
		if err != nil {
			t.Fatalf("page: %v", err)
		}
		if len(page) == 0 {
			return all
		}
		for _, m := range page {
			if m.BrokerSequence() <= after || m.Destination() != queue {
				t.Fatalf("%v with sequence %x after %x", m, m.BrokerSequence(), after)
			}
			after = m.BrokerSequence()
			all = append(all, string(m.Content()))
		}
	}
}

func wantContents(t fatal, s *Store, queue destination.Destination, want ...string) {
	t.Helper()
	if diff := gocmp.Diff(want, contents(t, s, queue)); diff != "" {
		t.Fatalf("%v (-want +got):\n%s", queue, diff)
	}
}

// dump is the state as text, but for what is only known of records on their way.
func dump(s *Store) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	st := &s.state
	fmt.Fprintf(&b, "term %d, entry %d, %d messages, %d bytes\n", st.term, st.applied, st.count, st.bytes)
	for _, raw := range slices.Sorted(maps.Keys(st.queues)) {
		q := st.queues[raw]
		if q.count == 0 && q.horizon == 0 && q.created == 0 {
			continue // subscriptions hold it
		}
		fmt.Fprintf(&b, "%v: %d messages, %d bytes, horizon %x in %d, created in %d\n", q.name, q.count, q.bytes, q.horizon, q.recorded, q.created)
		for it := range q.above(0) {
			fmt.Fprintf(&b, "  %x at %v %v: %d bytes, expires %d, needed %d times\n", it.sequence, it.position(), st.large[it.sequence],
				it.size(), it.expiration(), it.needs())
		}
	}
	for _, number := range slices.Sorted(maps.Keys(st.open)) {
		tx := st.open[number]
		slices.SortFunc(tx.messages, func(a, b arrival) int { return cmp.Compare(a.place, b.place) })
		fmt.Fprintf(&b, "tx %d from %d: %v %v %v\n", number, tx.first, tx.messages, tx.removals, tx.acks)
	}
	for _, id := range slices.Sorted(maps.Keys(st.subs.byID)) {
		sub := st.subs.byID[id]
		fmt.Fprintf(&b, "subscription %x in %d: %+v, through with %x, horizon %x\n", id, sub.recorded, sub.Subscription, sub.done, sub.horizon)
	}
	for p := range st.producers.all() {
		fmt.Fprintf(&b, "producer %q: %d in %d\n", p.id, p.last, p.recorded)
	}
	dumpOutcomes(&b, st)
	return b.String()
}

func dumpOutcomes(b *strings.Builder, st *state) {
	var lines []string
	for x, p := range st.prepared {
		lines = append(lines, fmt.Sprintf("%v of %q since %d from %d: %v %v", x, p.connection, p.since, p.first, p.messages, p.removals))
	}
	for x, h := range st.heuristics {
		lines = append(lines, fmt.Sprintf("%v: %d at %d in %d", x, h.flags, h.time, h.recorded))
	}
	for sequence, n := range st.hidden {
		lines = append(lines, fmt.Sprintf("%x is hidden by %d", sequence, n))
	}
	for subscription, n := range st.acked {
		lines = append(lines, fmt.Sprintf("%x is acknowledged %d times", subscription, n))
	}
	slices.Sort(lines)
	for c := range st.commits.oldestFirst() {
		lines = append(lines, fmt.Sprintf("committed by %q: %v", c.connection, c.last))
	}
	fmt.Fprintf(b, "%s\n%d bytes are prepared\n", strings.Join(lines, "\n"), st.waiting)
}

func wantSameState(t fatal, holder, follower *Store) {
	t.Helper()
	if diff := gocmp.Diff(dump(holder), dump(follower)); diff != "" {
		t.Fatalf("the state that was read differs (-holder +reader):\n%s", diff)
	}
}

func TestMessagesComeBackAfterARestart(t *testing.T) {
	shared := mem.New(segmentBytes)
	s := lead(t, shared.Open())
	one := add(t, s, newMessage(orders, "p", 1, "one"))
	two := add(t, s, newMessage(orders, "p", 2, "two"))
	add(t, s, newMessage(bills, "p", 3, "three"))
	add(t, s, newMessage(orders, "p", 4, "four"))
	flush(t, s)
	remove(t, s, orders, one, 99)
	if err := s.Horizon(orders, two+1, nil); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)

	again := lead(t, shared.Open())
	defer closeStore(t, again)
	wantSameState(t, s, again)
	wantContents(t, again, orders, "two", "four")
	wantContents(t, again, bills, "three")
	three := int64(newMessage(bills, "p", 3, "three").Size())
	both := int64(newMessage(orders, "p", 2, "two").Size() + newMessage(orders, "p", 4, "four").Size())
	want := []Recovered{{bills, 1, three, 0}, {orders, 2, both, two + 1}}
	if diff := gocmp.Diff(want, again.Recovered()); diff != "" {
		t.Errorf("recovered (-want +got):\n%s", diff)
	}
	if n, bytes := again.Pending(orders); n != 2 || bytes != both {
		t.Errorf("pending: %d messages, %d bytes", n, bytes)
	}
	if next := add(t, again, newMessage(orders, "p", 5, "five")); next <= two+maxCounter/2 {
		t.Errorf("sequence %x of the next term follows %x", next, two)
	}
}

func TestDoneComesInOrderAndAfterTheState(t *testing.T) {
	s := lead(t, mem.New(segmentBytes).Open())
	defer closeStore(t, s)
	var got []int
	expect := func(n, pending int) func() {
		return func() {
			if have, _ := s.Pending(orders); have < pending {
				t.Errorf("done %d is called with %d messages pending, want %d", n, have, pending)
			}
			got = append(got, n)
		}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(s.Add(newMessage(orders, "p", 1, "one"), expect(0, 1)))
	check(s.Barrier(expect(1, 1)))
	tx := s.Begin()
	check(tx.Add(newMessage(orders, "p", 2, "two")))
	check(tx.Commit(expect(2, 2)))
	check(s.Remove(bills, []uint64{7}, expect(3, 2)))
	check(s.Horizon(orders, 9, expect(4, 2)))
	check(s.Begin().Commit(expect(5, 2)))
	flush(t, s)
	if diff := gocmp.Diff([]int{0, 1, 2, 3, 4, 5}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestFreshKnowsWhatIsOnItsWay(t *testing.T) {
	shared := mem.New(segmentBytes)
	l := shared.Open()
	s := lead(t, l)
	l.Hold()
	sent := newMessage(orders, "p", 5, "sent")
	if !s.Fresh(sent) {
		t.Error("nothing was sent yet")
	}
	add(t, s, sent)
	tx := s.Begin()
	if err := tx.Add(newMessage(orders, "q", 1, "in a transaction")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		producer string
		sequence int64
		fresh    bool
	}{
		{"p", 5, false}, {"p", 4, false}, {"p", 6, true}, {"other", 5, true}, {"q", 1, true},
	} {
		if got := s.Fresh(newMessage(orders, c.producer, c.sequence, "")); got != c.fresh {
			t.Errorf("%s %d: fresh is %v", c.producer, c.sequence, got)
		}
	}
	if err := tx.Commit(nil); err != nil {
		t.Fatal(err)
	}
	if s.Fresh(newMessage(orders, "q", 1, "")) {
		t.Error("a committed message is fresh")
	}
	l.Release()
	remove(t, s, orders, sent.BrokerSequence())
	closeStore(t, s)
	again := lead(t, shared.Open())
	defer closeStore(t, again)
	if again.Fresh(sent) || again.Fresh(newMessage(orders, "q", 1, "")) {
		t.Error("what was stored before a restart is fresh")
	}
}

func TestLosingTheRight(t *testing.T) {
	shared := mem.New(segmentBytes)
	l := shared.Open()
	s := lead(t, l)
	add(t, s, newMessage(orders, "p", 1, "one"))
	flush(t, s)
	l.Hold()
	never := func() { t.Error("done is called after the right was lost") }
	for i, text := range []string{"reached the log", "did not"} {
		if err := s.Add(newMessage(orders, "p", int64(2+i), text), never); err != nil {
			t.Fatal(err)
		}
	}
	l.Lose(log.ErrRightLost, 1)
	<-s.Done()
	tx := s.Begin()
	for name, err := range map[string]error{
		"add": s.Add(newMessage(orders, "p", 4, "four"), never), "remove": s.Remove(orders, []uint64{1}, never),
		"horizon": s.Horizon(orders, 1, never), "barrier": s.Barrier(never), "tx add": tx.Add(newMessage(orders, "p", 5, "")),
		"commit": tx.Commit(never), "room": s.Room(t.Context()), "err": s.Err(),
	} {
		if !errors.Is(err, log.ErrRightLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
	closeStore(t, s)
	again := lead(t, shared.Open())
	defer closeStore(t, again)
	wantContents(t, again, orders, "one", "reached the log")
}

func TestSequencesRunOut(t *testing.T) {
	s := lead(t, mem.New(segmentBytes).Open())
	defer closeStore(t, s)
	s.counter = maxCounter - 1
	if n := s.NextSequence(); n != 1<<counterBits|maxCounter {
		t.Errorf("the last sequence is %x", n)
	}
	if err := s.Add(newMessage(orders, "p", 1, ""), nil); !errors.Is(err, ErrSequences) {
		t.Errorf("add: %v", err)
	}
	if n := s.NextSequence(); n != 1<<counterBits|maxCounter {
		t.Errorf("after the last sequence comes %x", n)
	}
}

func TestLeadStopsAtRecordsOfANewerVersion(t *testing.T) {
	for name, data := range map[string][]byte{"unknown kind": {200, 1, 2}, "damaged": {byte(kindCommit)}, "no message": {byte(kindMessage), 1, 2}} {
		t.Run(name, func(t *testing.T) {
			shared := mem.New(segmentBytes)
			l := shared.Open()
			if _, err := l.Lead(t.Context(), func(log.Entry) {}); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Append(nil, data); err != nil {
				t.Fatal(err)
			}
			l.Close()
			s := New(shared.Open(), Options{})
			defer closeStore(t, s)
			_, err := s.Lead(t.Context())
			if err == nil || !strings.Contains(err.Error(), "1+0") || errors.Is(err, errNewer) != (name == "unknown kind") {
				t.Errorf("got %v", err)
			}
			if err := s.Barrier(nil); err == nil {
				t.Error("a store that could not read its log takes more")
			}
		})
	}
}

func TestExpiredAreFoundWithoutLoading(t *testing.T) {
	s := lead(t, mem.New(segmentBytes).Open())
	defer closeStore(t, s)
	var sequences []uint64
	for i, at := range []int64{0, 10, 30, 20, 10} {
		m := newMessage(orders, "p", int64(i), "").With(message.SetExpiration(at))
		sequences = append(sequences, add(t, s, m))
	}
	flush(t, s)
	remove(t, s, orders, sequences[4])
	if diff := gocmp.Diff([]uint64{sequences[1], sequences[3]}, s.Expired(orders, 0, 20, 9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := s.Expired(orders, 0, 99, 1); len(got) != 1 {
		t.Errorf("%d expired, at most 1 was asked for", len(got))
	}
	want := []Expiration{{Sequence: sequences[1], At: 10}, {Sequence: sequences[2], At: 30}, {Sequence: sequences[3], At: 20}}
	if diff := gocmp.Diff(want, s.Expirations(orders)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// One record deletes a queue with all that is in it, what is not yet applied too, and a queue of that name begins anew.
func TestDelete(t *testing.T) {
	shared := mem.New(segmentBytes)
	s := lead(t, shared.Open())
	if err := s.Create(bills, nil); err != nil {
		t.Fatal(err)
	}
	add(t, s, newMessage(orders, "p", 1, "one"))
	flush(t, s)
	last := add(t, s, newMessage(orders, "p", 2, "on its way"))
	through, err := s.Delete(orders, nil)
	if err != nil || through != last {
		t.Errorf("it goes through %x, %v; the last was %x", through, err, last)
	}
	wantContents(t, s, orders)
	add(t, s, newMessage(orders, "p", 3, "anew"))
	flush(t, s)
	wantContents(t, s, orders, "anew")
	closeStore(t, s)

	again := lead(t, shared.Open())
	defer closeStore(t, again)
	wantSameState(t, s, again)
	wantContents(t, again, orders, "anew")
	if got := again.Recovered(); len(got) != 2 || got[0] != (Recovered{Destination: bills}) {
		t.Errorf("recovered %+v", got)
	}
}

func TestDeleteEmpty(t *testing.T) {
	for name, test := range map[string]struct {
		before func(*Store) error
		empty  bool
	}{
		"nothing":             {func(*Store) error { return nil }, true},
		"that it is there":    {func(s *Store) error { return s.Create(orders, nil) }, true},
		"a message":           {func(s *Store) error { return s.Add(newMessage(orders, "p", 1, "one"), nil) }, false},
		"one for another one": {func(s *Store) error { return s.Add(newMessage(bills, "p", 1, "one"), nil) }, true},
		"a commit": {func(s *Store) error {
			tx := s.Begin()
			return errors.Join(tx.Leave(newMessage(orders, "p", 1, "one")), tx.Commit(nil))
		}, false},
		"an open transaction": {func(s *Store) error { return s.Begin().Add(newMessage(orders, "p", 1, "one")) }, true},
		"one after a deletion": {func(s *Store) error {
			_, err := s.Delete(orders, nil)
			return errors.Join(err, s.Add(newMessage(orders, "p", 1, "one"), nil))
		}, false},
	} {
		for _, known := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, known %t", name, known), func(t *testing.T) {
				l := mem.New(segmentBytes).Open()
				s := lead(t, l)
				defer closeStore(t, s)
				if known {
					if err := s.Create(orders, nil); err != nil {
						t.Fatal(err)
					}
					flush(t, s)
				}
				l.Hold()
				if err := test.before(s); err != nil {
					t.Fatal(err)
				}
				onItsWay, _, err := s.DeleteEmpty(orders, nil)
				l.Release()
				flush(t, s)
				applied, _, again := s.DeleteEmpty(orders, nil)
				if onItsWay != test.empty || applied != test.empty || err != nil || again != nil {
					t.Errorf("it is empty: %t, and then %t, want %t (%v, %v)", onItsWay, applied, test.empty, err, again)
				}
				if len(s.newcomers) > 0 {
					t.Errorf("it remembers %v", s.newcomers)
				}
			})
		}
	}
}
