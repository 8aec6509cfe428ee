package security

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// attempt returns how long a check took to be made.
func attempt(t *testing.T, th *throttle, who string, right bool) time.Duration {
	t.Helper()
	began := time.Now()
	got, err := th.run(t.Context(), sha256.Sum256([]byte(who)), func() bool { return right })
	if err != nil || got != right {
		t.Errorf("got %t, %v", got, err)
	}
	return time.Since(began)
}

func TestGuessesGetSlower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		for n, want := range []time.Duration{0, 200, 400, 800, 1600, 3200, 5000, 5000} {
			if got := attempt(t, th, "guesser", false); got != want*time.Millisecond {
				t.Errorf("attempt %d took %v, want %d ms", n, got, want)
			}
		}
		if got := attempt(t, th, "guesser", true); got != 5*time.Second {
			t.Errorf("the right password was looked at after %v: a guesser would know it by that", got)
		}
		if got := attempt(t, th, "another", true); got != 0 {
			t.Errorf("another user waited %v", got)
		}
		<-time.After(forgiveness + time.Second)
		if got := attempt(t, th, "guesser", false); got != 0 {
			t.Errorf("after a while it still took %v", got)
		}
		if got := attempt(t, th, "guesser", false); got != firstPenalty {
			t.Errorf("after a while it began with %v", got)
		}
	})
}

func TestFewPasswordsAreCheckedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		var under, most atomic.Int32
		var running sync.WaitGroup
		for n := range 20 {
			running.Go(func() {
				_, _ = th.run(context.Background(), sha256.Sum256(fmt.Append(nil, n)), func() bool {
					most.Store(max(most.Load(), under.Add(1)))
					<-time.After(time.Second)
					under.Add(-1)
					return true
				})
			})
		}
		running.Wait()
		if got := most.Load(); int(got) > cap(th.places) {
			t.Errorf("%d at once, %d are allowed", got, cap(th.places))
		}
	})
}

func TestOffendersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		for n := range maxOffenders + 10 {
			<-time.After(time.Millisecond)
			th.blame(sha256.Sum256(fmt.Append(nil, n)))
		}
		if len(th.offenders) > maxOffenders {
			t.Errorf("%d are remembered", len(th.offenders))
		}
		if th.penalty(sha256.Sum256([]byte("0"))) != 0 || th.penalty(sha256.Sum256(fmt.Append(nil, maxOffenders))) == 0 {
			t.Error("the latest one was forgotten, and not the oldest")
		}
	})
}
