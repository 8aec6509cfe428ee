package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/log/mem"
)

// litter makes the log much longer than what counts in it.
func litter(t *testing.T, s *Store) {
	t.Helper()
	for i := range int64(20) {
		m := newMessage(bills, "litter", i, strings.Repeat("x", segmentBytes))
		add(t, s, m)
		flush(t, s)
		remove(t, s, bills, m.BrokerSequence())
	}
	flush(t, s)
}

// cleanAll drops all that is there now but the last segment. What it writes again is not cleaned again.
func cleanAll(t *testing.T, s *Store) {
	t.Helper()
	for range len(s.log.Segments()) - 1 {
		if !clean(t, s) {
			t.Fatal("nothing to clean")
		}
		flush(t, s)
	}
}

// wantSameAfterRestart compares the state with that of a reader of what is left of the log.
func wantSameAfterRestart(t *testing.T, shared *mem.Shared, s *Store) {
	t.Helper()
	closeStore(t, s)
	again := lead(t, shared.Open())
	defer closeStore(t, again)
	wantSameState(t, s, again)
}

// A transaction may tell of a sequence that its producer has passed since. If Clean drops what it tells that by, and keeps the commit,
// holder and reader nevertheless agree which producer is the longest unheard of.
func TestAnOldSequenceInATransactionIsDroppedBeforeItsCommit(t *testing.T) {
	shared := mem.New(segmentBytes)
	s := lead(t, shared.Open())
	tx := s.Begin()
	if err := tx.Add(newMessage(orders, "early", 1, strings.Repeat("x", segmentBytes))); err != nil {
		t.Fatal(err)
	}
	flush(t, s)
	add(t, s, newMessage(orders, "early", 5, "passed")) // in the next segment
	flush(t, s)
	add(t, s, newMessage(orders, "late", 1, "between"))
	if err := tx.Commit(nil); err != nil {
		t.Fatal(err)
	}
	flush(t, s)
	litter(t, s)
	if !clean(t, s) {
		t.Fatal("nothing to clean")
	}
	flush(t, s)
	wantSameAfterRestart(t, shared, s)
}

// A producer is heard of again by an old sequence, as when one of its messages becomes a dead letter. It is not forgotten
// before others at the holder, since a reader that does not see the sequence before it would not either.
func TestAnOldSequenceKeepsAProducerKnown(t *testing.T) {
	shared := mem.New(segmentBytes)
	s := lead(t, shared.Open())
	number := int64(0)
	others := func(n int) {
		for range n {
			number++
			remove(t, s, orders, add(t, s, newMessage(orders, fmt.Sprint("other", number), 1, "x")))
		}
		flush(t, s)
	}
	add(t, s, newMessage(orders, "p", 10, "new"))
	others(100)
	add(t, s, newMessage(orders, "p", 5, "old"))
	others(maxProducers - 50)
	if s.Fresh(newMessage(orders, "p", 5, "")) {
		t.Error("the producer is forgotten before those that are unheard of for longer")
	}
	if !s.Fresh(newMessage(orders, "other1", 1, "")) {
		t.Error("the longest unheard of is not forgotten")
	}
	cleanAll(t, s)
	wantSameAfterRestart(t, shared, s)
}
