package file

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// termDirectory returns a process on a new directory.
func termDirectory(t *testing.T) *vfs.Process {
	p := vfs.NewMem().Process()
	if err := p.MkdirAll(testDirectory); err != nil {
		t.Fatal(err)
	}
	return p
}

func mustClaim(t *testing.T, fsys vfs.FS) *claim {
	t.Helper()
	c, _, err := claimTerm(fsys, testDirectory, "test")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func isLost(err error) bool { return errors.Is(err, log.ErrRightLost) }

// TestEveryTermEndsThePrevious goes round the ring of pages more than twice.
func TestEveryTermEndsThePrevious(t *testing.T) {
	p := termDirectory(t)
	last := mustClaim(t, p)
	for range 2*termPages + 10 {
		c := mustClaim(t, p)
		if c.term != last.term+1 {
			t.Fatalf("term %d after %d", c.term, last.term)
		}
		if err := c.check(); err != nil {
			t.Fatalf("term %d: %v", c.term, err)
		}
		if err := last.check(); !isLost(err) {
			t.Fatalf("term %d does not see term %d: %v", last.term, c.term, err)
		}
		last.close()
		last = c
	}
}

// TestClaimantsThatStopBeforeTheirPage lets claimants end, or sleep, between the rename and the page.
func TestClaimantsThatStopBeforeTheirPage(t *testing.T) {
	for _, stopped := range []int{1, 2, 5} {
		p := termDirectory(t)
		holder := mustClaim(t, p)
		failing := &vfs.Faulty{FS: p, Before: func(op vfs.Op) error {
			if op.Kind == vfs.OpWrite && strings.Contains(op.Name, termPrefix) {
				return unix.EIO
			}
			return nil
		}}
		for range stopped {
			if _, _, err := claimTerm(failing, testDirectory, "sleeper"); !errors.Is(err, unix.EIO) {
				t.Fatalf("claim without a page: %v", err)
			}
		}
		next := mustClaim(t, p)
		if want := holder.term + uint64(stopped) + 1; next.term != want {
			t.Errorf("term %d, want %d", next.term, want)
		}
		for asleep := holder.term + 1; asleep < next.term; asleep++ {
			sleeper, err := openClaim(p, termFile(testDirectory, next.term), asleep)
			if err != nil {
				t.Fatal(err)
			}
			if err := sleeper.write(asleep, "sleeper"); !isLost(err) {
				t.Errorf("the sleeper of term %d woke and did not see term %d: %v", asleep, next.term, err)
			}
			if err := holder.check(); !isLost(err) {
				t.Errorf("the holder does not see that its term ended, after term %d woke: %v", asleep, err)
			}
			if err := next.check(); err != nil {
				t.Errorf("the new holder, after term %d woke: %v", asleep, err)
			}
		}
	}
}

// TestCandidatesRace lets candidates claim at once, without a lock: all terms differ, and only the highest stands.
func TestCandidatesRace(t *testing.T) {
	p := termDirectory(t)
	var mu sync.Mutex
	claims := map[uint64]*claim{}
	highest := uint64(0)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			c, _, err := claimTerm(p, testDirectory, "test")
			if err != nil {
				if !isLost(err) {
					t.Errorf("claim: %v", err)
				}
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if claims[c.term] != nil {
				t.Errorf("term %d was won twice", c.term)
			}
			claims[c.term] = c
			highest = max(highest, c.term)
		})
	}
	wg.Wait()
	if len(claims) == 0 {
		t.Fatal("nobody won")
	}
	for term, c := range claims {
		if err := c.check(); isLost(err) != (term < highest) {
			t.Errorf("term %d of %d: %v", term, highest, err)
		}
	}
}

// TestSleeperWithASecondTermFile: a candidate begins in an empty directory and sleeps before its claim. Meanwhile others claim, and
// one that had seen the empty directory too makes a second term file. The sleeper wins nothing with that.
func TestSleeperWithASecondTermFile(t *testing.T) {
	for _, others := range []int{1, 2, 5} {
		p := termDirectory(t)
		var holder *claim
		sleeper := &vfs.Faulty{FS: p, Before: func(op vfs.Op) error {
			if op.Kind != vfs.OpLink {
				return nil
			}
			for range others {
				holder = mustClaim(t, p)
			}
			f, err := p.Open(termFile(testDirectory, 0), os.O_CREATE|os.O_EXCL|os.O_RDWR)
			if err != nil {
				t.Fatal(err)
			}
			return errors.Join(f.Truncate(termBytes), f.Close())
		}}
		if _, _, err := claimTerm(sleeper, testDirectory, "sleeper"); !isLost(err) {
			t.Errorf("after %d others the sleeper: %v", others, err)
		}
		if err := holder.check(); err != nil {
			t.Errorf("the holder of term %d: %v", holder.term, err)
		}
		if next := mustClaim(t, p); next.term != holder.term+1 {
			t.Errorf("term %d after %d", next.term, holder.term)
		}
		if err := holder.check(); !isLost(err) {
			t.Errorf("term %d does not see that it ended: %v", holder.term, err)
		}
	}
}

// TestWithoutLinks: where files have one name each, terms are claimed all the same.
func TestWithoutLinks(t *testing.T) {
	p := termDirectory(t)
	for i, refusal := range []error{unix.EPERM, unix.EOPNOTSUPP, unix.ENOSYS} {
		without := &vfs.Faulty{FS: p, Before: func(op vfs.Op) error {
			if op.Kind == vfs.OpLink {
				return refusal
			}
			return nil
		}}
		if c := mustClaim(t, without); c.term != uint64(i+1) {
			t.Errorf("%v: term %d", refusal, c.term)
		}
	}
}

// TestBrokenPage: who cannot read whether there is a higher term gives up, and the next goes on.
func TestBrokenPage(t *testing.T) {
	p := termDirectory(t)
	holder := mustClaim(t, p)
	if _, err := holder.file.WriteAt([]byte("no page"), pageOffset(holder.term+1)); err != nil {
		t.Fatal(err)
	}
	if err := holder.check(); !isLost(err) {
		t.Errorf("check: %v", err)
	}
	next := mustClaim(t, p)
	if err := next.check(); err != nil {
		t.Errorf("check by the next: %v", err)
	}
}

// TestTermFileSurvivesCrashes: a claim that was written down is never given out again.
func TestTermFileSurvivesCrashes(t *testing.T) {
	m := vfs.NewMem()
	p := m.Process()
	if err := p.MkdirAll(testDirectory); err != nil {
		t.Fatal(err)
	}
	mustClaim(t, p)
	if err := p.SyncDir(testDirectory); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(50) {
		term := mustClaim(t, p).term
		crashed := m.CrashClone(seed).Process()
		if again := mustClaim(t, crashed).term; again <= term {
			t.Errorf("seed %d: term %d after term %d", seed, again, term)
		}
	}
	if _, err := p.Stat(filepath.Join(testDirectory, "term.51")); err != nil {
		t.Error(err)
	}
}
