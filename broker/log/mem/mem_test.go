package mem_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/logtest"
	"github.com/twinmesh/twinmesh/broker/log/mem"
)

func TestLog(t *testing.T) {
	logtest.Run(t, func(testing.TB) logtest.Opener {
		s := mem.New(logtest.SegmentBytes)
		return func(testing.TB) log.Log { return s.Open() }
	})
}

func opener(s *mem.Shared) logtest.Opener { return func(testing.TB) log.Log { return s.Open() } }

func TestHoldKeepsAppendsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, _ := logtest.Lead(t, opener(mem.New(1<<20)))
		logtest.Append(t, l, "before")
		m := l.(*mem.Log)
		m.Hold()
		logtest.Append(t, l, "one")
		logtest.Append(t, l, "two")
		synctest.Wait()
		if diff := cmp.Diff([]string{"before"}, a.Data()); diff != "" {
			t.Errorf("applied while held (-want +got):\n%s", diff)
		}
		if m.InFlight() != 2 {
			t.Errorf("%d in flight, want 2", m.InFlight())
		}
		m.Release()
		synctest.Wait()
		if diff := cmp.Diff([]string{"before", "one", "two"}, a.Data()); diff != "" {
			t.Errorf("applied after Release (-want +got):\n%s", diff)
		}
	})
}

func TestLoseWithAppendsInFlight(t *testing.T) {
	for reached, want := range map[int][]string{0: {"before"}, 1: {"before", "one"}, 2: {"before", "one", "two"}} {
		s := mem.New(1 << 20)
		l, a, _ := logtest.Lead(t, opener(s))
		logtest.Append(t, l, "before")
		logtest.Flush(t, l, a)
		l.(*mem.Log).Hold()
		logtest.Append(t, l, "one")
		logtest.Append(t, l, "two")
		l.(*mem.Log).Lose(log.ErrRightLost, reached)
		<-l.Done()
		if _, err := l.Append(nil, []byte("x")); !errors.Is(err, log.ErrRightLost) {
			t.Errorf("Append: %v", err)
		}
		if diff := cmp.Diff([]string{"before"}, a.Data()); diff != "" {
			t.Errorf("applied by the loser (-want +got):\n%s", diff)
		}
		_, a, _ = logtest.Lead(t, opener(s))
		if diff := cmp.Diff(want, a.Data()); diff != "" {
			t.Errorf("found by the next holder with %d reached (-want +got):\n%s", reached, diff)
		}
	}
}

func TestZombieAppliesNothing(t *testing.T) {
	s := mem.New(1 << 20)
	zombie, a, _ := logtest.Lead(t, opener(s))
	zombie.(*mem.Log).Expire()
	logtest.Lead(t, opener(s))
	if _, err := zombie.Append(nil, []byte("late")); err != nil {
		t.Fatalf("Append: %v", err)
	}
	<-zombie.Done()
	if err := zombie.Err(); !errors.Is(err, log.ErrRightLost) {
		t.Errorf("Err: %v", err)
	}
	if len(a.All()) != 0 {
		t.Errorf("applied %v", a.All())
	}
}

func TestRoomWaitsForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, _ := logtest.Lead(t, opener(mem.New(64<<20)))
		l.(*mem.Log).Hold()
		for range mem.Unsynced/log.MaxRecord + 1 {
			if _, err := l.Append(nil, make([]byte, log.MaxRecord)); err != nil {
				t.Fatal(err)
			}
		}
		let := make(chan error, 1)
		go func() { let <- l.Room(t.Context()) }()
		synctest.Wait()
		select {
		case err := <-let:
			t.Errorf("Room did not wait: %v", err)
		default:
		}
		l.(*mem.Log).Release()
		if err := <-let; err != nil {
			t.Errorf("Room: %v", err)
		}
	})
}
