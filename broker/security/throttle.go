package security

import (
	"context"
	"crypto/sha256"
	"runtime"
	"sync"
	"time"
)

const (
	// firstPenalty is what somebody waits after the first wrong password; it doubles with each.
	firstPenalty = 200 * time.Millisecond
	// maxPenalty is the longest wait.
	maxPenalty = 5 * time.Second
	// forgiveness is the time without a wrong password after which they are forgotten.
	forgiveness = time.Minute
	// maxOffenders bounds how many are remembered; beyond it the one longest quiet is forgotten.
	maxOffenders = 10_000
)

// throttle keeps logins from taking the machine, and guesses from being many: a few passwords are checked at a time, and who gave
// a wrong one waits before the next is looked at. That is counted for a user name and an address together, so that one
// misconfigured program locks out neither its neighbours nor its own user elsewhere.
type throttle struct {
	places chan struct{} // one for each check under way

	mu        sync.Mutex
	offenders map[[sha256.Size]byte]*offender
}

type offender struct {
	failures int
	last     time.Time
}

func newThrottle() *throttle {
	return &throttle{places: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), offenders: map[[sha256.Size]byte]*offender{}}
}

// run waits for the penalty and for a place, and does the check, which tells whether the password was right.
func (t *throttle) run(ctx context.Context, who [sha256.Size]byte, check func() bool) (bool, error) {
	if err := sleep(ctx, t.penalty(who)); err != nil {
		return false, err
	}
	select {
	case t.places <- struct{}{}:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	right := check()
	<-t.places
	if !right {
		t.blame(who)
	}
	return right, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *throttle) penalty(who [sha256.Size]byte) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.offenders[who]
	if o == nil || time.Since(o.last) > forgiveness {
		return 0
	}
	return min(firstPenalty<<min(o.failures-1, 10), maxPenalty)
}

func (t *throttle) blame(who [sha256.Size]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.offenders[who]
	if o == nil {
		if len(t.offenders) >= maxOffenders {
			t.forgive()
		}
		o = &offender{}
		t.offenders[who] = o
	}
	if time.Since(o.last) > forgiveness {
		o.failures = 0
	}
	o.failures++
	o.last = time.Now()
}

// forgive makes room: it forgets all that are forgiven, or the one that was quiet the longest.
func (t *throttle) forgive() {
	var oldest [sha256.Size]byte
	var quiet time.Duration = -1
	for who, o := range t.offenders {
		since := time.Since(o.last)
		if since > forgiveness {
			delete(t.offenders, who)
		}
		if since > quiet {
			oldest, quiet = who, since
		}
	}
	delete(t.offenders, oldest)
}
