package store

import (
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/message"
)

var branch = message.XID{Format: 86, Global: "g", Branch: "b"}

// prepare prepares a transaction that removes some of orders and adds what is given.
func prepare(t *testing.T, s *Store, removed []uint64, added ...*message.Message) {
	t.Helper()
	tx := s.Begin()
	for _, m := range added {
		if err := tx.Leave(m); err != nil {
			t.Fatal(err)
		}
	}
	if len(removed) > 0 {
		if err := tx.Remove(orders, removed); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Prepare(Preparation{XID: branch, Connection: "ID:c", Time: 7}, nil); err != nil {
		t.Fatal(err)
	}
}

func decide(t *testing.T, s *Store, d Decision) {
	t.Helper()
	d.XID = branch
	if err := s.Decide(d, func(uint64) {}); err != nil {
		t.Fatal(err)
	}
}

// turnOver fills and cleans until the log has left behind the entry that is written now.
func turnOver(t *testing.T, s *Store) {
	t.Helper()
	flush(t, s)
	s.mu.Lock()
	now := s.state.applied
	s.mu.Unlock()
	for n := int64(1); s.log.Segments()[0].First <= now; n++ {
		if n > 100 {
			t.Fatalf("the log still has entry %d: %v", now, s.log.Segments())
		}
		sequence := add(t, s, newMessage(bills, "filler", n, fmt.Sprintf("%500d", n)))
		flush(t, s)
		remove(t, s, bills, sequence)
		flush(t, s)
		clean(t, s)
		flush(t, s)
	}
}

func TestAPreparedTransactionWaitsForItsOutcome(t *testing.T) {
	for _, c := range []struct {
		name   string
		commit bool
		want   []string
	}{
		{"commit", true, []string{"kept", "sent", "large"}},
		{"rollback", false, []string{"consumed", "kept"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			shared := mem.New(segmentBytes)
			s := lead(t, shared.Open())
			s.whole = 300
			consumed := add(t, s, newMessage(orders, "p", 1, "consumed"))
			add(t, s, newMessage(orders, "p", 2, "kept"))
			flush(t, s)
			large := newMessage(orders, "q", 2, fmt.Sprintf("%1000s", "large"))
			prepare(t, s, []uint64{consumed}, newMessage(orders, "q", 1, "sent"), large)
			flush(t, s)
			wantContents(t, s, orders, "kept")
			turnOver(t, s)
			wantContents(t, s, orders, "kept")
			closeStore(t, s)

			again := lead(t, shared.Open())
			defer func() { closeStore(t, again) }()
			wantContents(t, again, orders, "kept")
			if again.Fresh(large) {
				t.Error("what is prepared is not known from its producer")
			}
			want := []Prepared{{Preparation{branch, "ID:c", 7},
				[]Recovered{{Destination: orders, Messages: 2, Bytes: int64(newMessage(orders, "q", 1, "sent").Size() + large.Size())}},
				[]Consumed{{orders, []uint64{consumed}}}, nil}}
			if diff := gocmp.Diff(want, again.Prepared()); diff != "" {
				t.Errorf("prepared (-want +got):\n%s", diff)
			}
			decide(t, again, Decision{Committed: c.commit})
			flush(t, again)
			if len(again.Prepared()) > 0 {
				t.Errorf("still prepared: %v", again.Prepared())
			}
			c.want[len(c.want)-1] = map[bool]string{true: string(large.Content()), false: c.want[len(c.want)-1]}[c.commit]
			wantContents(t, again, orders, c.want...)
		})
	}
}

// A reader that begins behind the records of what was prepared finds the message where it was moved, and has to learn from the
// outcome that it is gone.
func TestWhatACommitRemovesStaysGone(t *testing.T) {
	shared := mem.New(segmentBytes)
	s := lead(t, shared.Open())
	consumed := add(t, s, newMessage(orders, "p", 1, "consumed"))
	flush(t, s)
	prepare(t, s, []uint64{consumed})
	flush(t, s)
	fill := func() {
		for n := int64(1); n < 10; n++ {
			remove(t, s, bills, add(t, s, newMessage(bills, "filler", n, fmt.Sprintf("%500d", n))))
			flush(t, s)
		}
	}
	fill()
	s.mu.Lock()
	at, prepared := s.state.names[orders].get(consumed).position().Entry, s.state.prepared[branch].first
	s.mu.Unlock()
	if err := s.moveAll(t.Context(), log.Segment{First: at, Next: at + 1}); err != nil { // into a newer segment
		t.Fatal(err)
	}
	decide(t, s, Decision{Committed: true})
	for s.log.Segments()[0].First <= prepared {
		fill()
		clean(t, s)
	}
	closeStore(t, s)
	again := lead(t, shared.Open())
	defer closeStore(t, again)
	wantContents(t, again, orders)
}

func TestAnOutcomeOnItsWayIsNotPreparedAgain(t *testing.T) {
	shared := mem.New(segmentBytes)
	l := shared.Open()
	s := lead(t, l)
	prepare(t, s, nil, newMessage(orders, "p", 1, "sent"))
	for n := int64(1); n < 20; n++ {
		flush(t, s)
		remove(t, s, bills, add(t, s, newMessage(bills, "filler", n, fmt.Sprintf("%500d", n))))
	}
	flush(t, s)
	l.Hold()
	decide(t, s, Decision{Committed: true})
	if clean(t, s) {
		t.Error("a segment is dropped of which an outcome is about to make messages")
	}
	if err := s.Decide(Decision{XID: branch}, func(uint64) {}); err == nil {
		t.Error("a second outcome was taken")
	}
	l.Release()
	flush(t, s)
	wantContents(t, s, orders, "sent")
	turnOver(t, s)
	closeStore(t, s)
	again := lead(t, shared.Open())
	defer closeStore(t, again)
	wantContents(t, again, orders, "sent")
	wantSameState(t, s, again)
}

// A preparation that Clean wrote again may be applied when the outcome is on its way.
func TestAPreparationWrittenAgainKeepsThatItEnds(t *testing.T) {
	st := newState()
	r := record{kind: kindPrepare, tx: 1}
	r.setXID(branch)
	for entry := uint64(1); entry <= 2; entry++ {
		if err := st.apply(1, log.Position{Entry: entry}, r.append(nil)); err != nil {
			t.Fatal(err)
		}
		if entry == 2 && !st.prepared[branch].ending {
			t.Error("it can be ended once more")
		}
		st.prepared[branch].ending = true
	}
}

func TestHeuristicOutcomesAreKnownUntilTheyAreForgotten(t *testing.T) {
	shared := mem.New(segmentBytes)
	l := shared.Open()
	s := lead(t, l)
	prepare(t, s, nil, newMessage(orders, "p", 1, "sent"))
	flush(t, s)
	decide(t, s, Decision{Committed: false, Heuristic: true, Time: 9})
	turnOver(t, s)
	want := []Decision{{XID: branch, Heuristic: true, Time: 9}}
	if diff := gocmp.Diff(want, s.Heuristics()); diff != "" {
		t.Fatalf("heuristics (-want +got):\n%s", diff)
	}
	for n := int64(1000); n < 1020; n++ {
		remove(t, s, bills, add(t, s, newMessage(bills, "filler", n, fmt.Sprintf("%500d", n))))
		flush(t, s)
	}
	l.Hold()
	if err := s.Forget(branch, nil); err != nil {
		t.Fatal(err)
	}
	if len(s.Heuristics()) > 0 {
		t.Error("it is still listed when it is about to be forgotten")
	}
	for clean(t, s) { // must not say it once more
	}
	l.Release()
	flush(t, s)
	closeStore(t, s)
	again := lead(t, shared.Open())
	defer closeStore(t, again)
	if len(again.Heuristics()) > 0 {
		t.Errorf("forgotten, and there again: %v", again.Heuristics())
	}
}

func TestCommitsOnRecordAreBounded(t *testing.T) {
	cs := newCommits()
	at := log.Position{}
	note := func(connection string, n int) {
		at.Entry++
		cs.note([]byte(connection), []byte(fmt.Sprint(n)), 0, at)
	}
	for n := range 2 * maxCommits {
		note("ID:c", n)
	}
	if last := cs.known["ID:c"].last; len(last) != maxCommits || last[0].name != "8" || last[maxCommits-1].name != "15" {
		t.Errorf("on record are %v", last)
	}
	for n := range maxCommitters {
		note(fmt.Sprint(n), 0)
	}
	if len(cs.known) != maxCommitters || cs.order.Len() != maxCommitters || cs.known["ID:c"] != nil {
		t.Errorf("%d connections, %d in order, the oldest %v", len(cs.known), cs.order.Len(), cs.known["ID:c"])
	}
}
