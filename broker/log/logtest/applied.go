package logtest

import (
	"sync"
	"testing"

	"github.com/twinmesh/twinmesh/broker/log"
)

// Got is one applied record.
type Got struct {
	Position log.Position
	Term     uint64
	Data     string
	Note     any
}

// Applied collects what a log applies and checks the order of it.
type Applied struct {
	t       testing.TB
	mu      sync.Mutex
	last    uint64 // entry
	got     []Got
	changed chan struct{}
}

// NewApplied returns a collector whose Apply fails t when entries are out of order.
func NewApplied(t testing.TB) *Applied { return &Applied{t: t, changed: make(chan struct{})} }

// Apply is the function to give to Lead.
func (a *Applied) Apply(e log.Entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	barriers := len(e.Records) > 0
	for _, r := range e.Records {
		data := string(r.Data)
		if r.Data != nil {
			barriers = false
		}
		a.got = append(a.got, Got{r.Position, e.Term, data, r.Note})
	}
	switch {
	case barriers && e.Number != a.last && a.last != 0:
		a.t.Errorf("barriers were applied as of entry %d, after entry %d", e.Number, a.last)
	case !barriers && e.Number != a.last+1 && a.last != 0:
		a.t.Errorf("entry %d was applied after entry %d", e.Number, a.last)
	}
	a.last = e.Number
	close(a.changed)
	a.changed = make(chan struct{})
}

// All returns what was applied so far.
func (a *Applied) All() []Got {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Got(nil), a.got...)
}

// Data returns the data of what was applied so far, barriers left out.
func (a *Applied) Data() []string {
	var all []string
	for _, g := range a.All() {
		if g.Note != "barrier" {
			all = append(all, g.Data)
		}
	}
	return all
}

// Wait returns once done says so of what was applied.
func (a *Applied) Wait(done func([]Got) bool) {
	a.t.Helper()
	for {
		a.mu.Lock()
		ok, changed := done(a.got), a.changed
		a.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-a.t.Context().Done():
			a.t.Fatal("the test ended while it waited for records to be applied")
		}
	}
}

// Lead opens a log, wins the right and returns what collects its applied records.
func Lead(t testing.TB, open Opener) (log.Log, *Applied, uint64) {
	t.Helper()
	l, a := open(t), NewApplied(t)
	t.Cleanup(func() { l.Close() })
	term, err := l.Lead(t.Context(), a.Apply)
	if err != nil {
		t.Fatalf("Lead: %v", err)
	}
	return l, a, term
}

// Append appends one record and returns its position.
func Append(t testing.TB, l log.Log, data string) log.Position {
	t.Helper()
	p, err := l.Append(nil, []byte(data))
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	return p
}

// Flush returns once everything appended before is applied.
func Flush(t testing.TB, l log.Log, a *Applied) {
	t.Helper()
	before := barriers(a.All())
	if _, err := l.Append("barrier"); err != nil {
		t.Fatalf("append a barrier: %v", err)
	}
	a.Wait(func(got []Got) bool { return barriers(got) > before })
}

func barriers(got []Got) int {
	n := 0
	for _, g := range got {
		if g.Note == "barrier" {
			n++
		}
	}
	return n
}

func shut(t testing.TB, l log.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}
