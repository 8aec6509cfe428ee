// Package logtest is the one suite that every log passes: what package log promises, tried through its interface alone.
// What only one kind of log can suffer (a torn page, a lost lease) is tested beside that kind.
package logtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/log"
)

// Opener opens another handle on one log, as another process would. The suite closes what it opens.
type Opener func(testing.TB) log.Log

// SegmentBytes is the size of segment that the suite expects, more or less: small, so that tests get by with few bytes.
const SegmentBytes = 256 << 10

// Run runs the suite. fresh makes an empty log with segments of about SegmentBytes.
func Run(t *testing.T, fresh func(testing.TB) Opener) {
	tests := []struct {
		name string
		test func(*testing.T, Opener)
	}{
		{"applies in order with notes", appliesInOrder},
		{"refuses appends on a standby", refusesOnStandby},
		{"a barrier comes after all before it", barrierInOrder},
		{"what was applied is there when opened again", recovers},
		{"records of every length", lengths},
		{"apply may append", applyAppends},
		{"many appenders", manyAppenders},
		{"a standby follows and takes over at Close", handsOver},
		{"dropped segments go and stay gone", drops},
		{"drop refuses what is not written yet", dropAhead},
		{"Room lets go once all is durable", room},
		{"Close ends everything", closes},
		{"Lead ends with its context", leadCancelled},
		{"the same as a list in memory", sameAsModel},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.test(t, fresh(t)) })
	}
}

func appliesInOrder(t *testing.T, open Opener) {
	l, a, term := Lead(t, open)
	var want []Got
	for i := range 100 {
		data := fmt.Sprintf("record %d", i)
		p, err := l.Append(i, []byte(data[:3]), nil, []byte(data[3:]))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, Got{p, term, data, i})
	}
	a.Wait(func(got []Got) bool { return len(got) == len(want) })
	if diff := cmp.Diff(want, a.All()); diff != "" {
		t.Errorf("applied (-want +got):\n%s", diff)
	}
	for i := 1; i < len(want); i++ {
		if want[i-1].Position.Compare(want[i].Position) >= 0 {
			t.Errorf("position %v is not above %v", want[i].Position, want[i-1].Position)
		}
	}
}

func refusesOnStandby(t *testing.T, open Opener) {
	l := open(t)
	defer shut(t, l)
	if _, err := l.Append(nil, []byte("x")); !errors.Is(err, log.ErrStandby) {
		t.Errorf("Append: %v, want %v", err, log.ErrStandby)
	}
	if err := l.Room(t.Context()); !errors.Is(err, log.ErrStandby) {
		t.Errorf("Room: %v, want %v", err, log.ErrStandby)
	}
	if err := l.Drop(1); !errors.Is(err, log.ErrStandby) {
		t.Errorf("Drop: %v, want %v", err, log.ErrStandby)
	}
	if err := l.Err(); err != nil {
		t.Errorf("Err: %v", err)
	}
}

func barrierInOrder(t *testing.T, open Opener) {
	l, a, _ := Lead(t, open)
	Flush(t, l, a) // with nothing before it
	Append(t, l, "one")
	if _, err := l.Append("between"); err != nil {
		t.Fatal(err)
	}
	Append(t, l, "two")
	Flush(t, l, a)
	var order []string
	for _, g := range a.All() {
		order = append(order, fmt.Sprint(g.Data, g.Note))
	}
	if diff := cmp.Diff([]string{"barrier", "one<nil>", "between", "two<nil>", "barrier"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func recovers(t *testing.T, open Opener) {
	var want []Got
	for round := range 4 {
		l, a, term := Lead(t, open)
		if term <= uint64(round) {
			t.Errorf("term %d in round %d: terms grow", term, round)
		}
		if diff := cmp.Diff(want, a.All()); diff != "" {
			t.Fatalf("round %d applied (-want +got):\n%s", round, diff)
		}
		for i := range 20 {
			data := fmt.Sprintf("round %d record %d", round, i)
			want = append(want, Got{Append(t, l, data), term, data, nil})
		}
		shut(t, l)
		readAll(t, open, want)
	}
}

// readAll reads every record by its position through a new holder.
func readAll(t *testing.T, open Opener, want []Got) {
	t.Helper()
	l, _, _ := Lead(t, open)
	for _, w := range want {
		got, err := l.Read(w.Position, []byte("front "))
		if err != nil || string(got) != "front "+w.Data {
			t.Fatalf("Read(%v) = %q, %v, want %q appended", w.Position, got, err, w.Data)
		}
	}
	shut(t, l)
}

func lengths(t *testing.T, open Opener) {
	l, a, _ := Lead(t, open)
	var want []string
	for _, n := range []int{0, 1, log.MaxRecord, 0, log.MaxRecord - 1, log.MaxRecord, 7} {
		data := string(bytes.Repeat([]byte{byte('a' + len(want))}, n))
		Append(t, l, data)
		want = append(want, data)
	}
	if _, err := l.Append(nil, make([]byte, log.MaxRecord), []byte{1}); err == nil {
		t.Error("a record above MaxRecord was taken")
	}
	Flush(t, l, a)
	if diff := cmp.Diff(want, a.Data()); diff != "" {
		t.Errorf("applied (-want +got):\n%.300s", diff)
	}
	shut(t, l)
	_, a, _ = Lead(t, open)
	if diff := cmp.Diff(want, a.Data()); diff != "" {
		t.Errorf("recovered (-want +got):\n%.300s", diff)
	}
}

func applyAppends(t *testing.T, open Opener) {
	l, a := open(t), NewApplied(t)
	defer shut(t, l)
	apply := func(e log.Entry) {
		for _, r := range e.Records {
			if string(r.Data) == "ping" {
				if _, err := l.Append(nil, []byte("pong")); err != nil {
					t.Errorf("append from apply: %v", err)
				}
			}
		}
		a.Apply(e)
	}
	if _, err := l.Lead(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	Append(t, l, "ping")
	a.Wait(func(got []Got) bool { return len(got) == 2 && got[1].Data == "pong" })
}

func manyAppenders(t *testing.T, open Opener) {
	const appenders, each = 16, 50
	l, a, _ := Lead(t, open)
	var wg sync.WaitGroup
	for g := range appenders {
		wg.Go(func() {
			for i := range each {
				if err := l.Room(t.Context()); err != nil {
					t.Errorf("Room: %v", err)
				}
				if _, err := l.Append(g, fmt.Appendf(nil, "%d %d", g, i)); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	wg.Wait()
	Flush(t, l, a)
	next := make([]int, appenders)
	for _, got := range a.All() {
		g, ok := got.Note.(int)
		if !ok {
			continue
		}
		if want := fmt.Sprintf("%d %d", g, next[g]); got.Data != want {
			t.Fatalf("appender %d: got %q, want %q", g, got.Data, want)
		}
		next[g]++
	}
	if len(a.Data()) != appenders*each {
		t.Errorf("%d records were applied, want %d", len(a.Data()), appenders*each)
	}
}

func handsOver(t *testing.T, open Opener) {
	first, firstApplied, term := Lead(t, open)
	standby, a := open(t), NewApplied(t)
	defer shut(t, standby)
	led := make(chan uint64, 1)
	go func() {
		term, err := standby.Lead(t.Context(), a.Apply)
		if err != nil {
			t.Errorf("Lead: %v", err)
		}
		led <- term
	}()
	p := Append(t, first, "one")
	Flush(t, first, firstApplied)
	Append(t, first, "two") // a standby may keep an entry back until it sees the next
	a.Wait(func(got []Got) bool { return len(got) > 0 })
	if got, err := standby.Read(p, nil); err != nil || string(got) != "one" {
		t.Errorf("Read on the standby: %q, %v", got, err)
	}
	select {
	case <-led:
		t.Fatal("two lead")
	default:
	}
	shut(t, first)
	if second := <-led; second <= term {
		t.Errorf("term %d after %d", second, term)
	}
	Append(t, standby, "three")
	Flush(t, standby, a)
	if diff := cmp.Diff([]string{"one", "two", "three"}, a.Data()); diff != "" {
		t.Errorf("applied by the standby (-want +got):\n%s", diff)
	}
}

func drops(t *testing.T, open Opener) {
	l, a, _ := Lead(t, open)
	filler := bytes.Repeat([]byte("x"), SegmentBytes/8)
	var positions []log.Position
	for len(l.Segments()) < 4 {
		p, err := l.Append(nil, filler)
		if err != nil {
			t.Fatal(err)
		}
		positions = append(positions, p)
		Flush(t, l, a)
	}
	keep := l.Segments()[2].First
	if err := l.Drop(keep); err != nil {
		t.Fatal(err)
	}
	if err := l.Drop(1); err != nil {
		t.Errorf("lowering: %v", err)
	}
	Flush(t, l, a) // what was dropped before it is gone by the time that a second entry was applied
	Append(t, l, "after")
	Flush(t, l, a)
	if first := l.Segments()[0].First; first != keep {
		t.Errorf("the first segment starts with entry %d, want %d", first, keep)
	}
	if _, err := l.Read(positions[0], nil); !errors.Is(err, log.ErrDropped) {
		t.Errorf("Read of a dropped record: %v, want %v", err, log.ErrDropped)
	}
	shut(t, l)
	l, a, _ = Lead(t, open)
	if got := a.All()[0].Position.Entry; got != keep {
		t.Errorf("opened again, the log starts with entry %d, want %d", got, keep)
	}
	if data := a.Data(); data[len(data)-1] != "after" {
		t.Errorf("the last record is %.20q", data[len(data)-1])
	}
	if got, err := l.Read(positions[len(positions)-1], nil); err != nil || !bytes.Equal(got, filler) {
		t.Errorf("Read of a kept record: %d bytes, %v", len(got), err)
	}
}

func dropAhead(t *testing.T, open Opener) {
	l, _, _ := Lead(t, open)
	p := Append(t, l, "x")
	if err := l.Drop(p.Entry + 2); err == nil {
		t.Error("entries that do not exist were dropped")
	}
}

func room(t *testing.T, open Opener) {
	l, a, _ := Lead(t, open)
	record := make([]byte, log.MaxRecord/2)
	for range 40 {
		if err := l.Room(t.Context()); err != nil {
			t.Fatalf("Room: %v", err)
		}
		if _, err := l.Append(nil, record); err != nil {
			t.Fatal(err)
		}
	}
	Flush(t, l, a)
	if len(a.Data()) != 40 {
		t.Errorf("%d records were applied, want 40", len(a.Data()))
	}
}

func closes(t *testing.T, open Opener) {
	l, a, _ := Lead(t, open)
	Append(t, l, "last")
	shut(t, l)
	if diff := cmp.Diff([]string{"last"}, a.Data()); diff != "" {
		t.Errorf("applied by the time Close returned (-want +got):\n%s", diff)
	}
	<-l.Done()
	if err := l.Err(); !errors.Is(err, log.ErrClosed) {
		t.Errorf("Err: %v", err)
	}
	if _, err := l.Append(nil, []byte("x")); !errors.Is(err, log.ErrClosed) {
		t.Errorf("Append: %v", err)
	}
	if err := l.Room(t.Context()); !errors.Is(err, log.ErrClosed) {
		t.Errorf("Room: %v", err)
	}
	shut(t, l)
}

func leadCancelled(t *testing.T, open Opener) {
	holder, _, _ := Lead(t, open)
	standby := open(t)
	defer shut(t, standby)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := standby.Lead(ctx, NewApplied(t).Apply)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Lead: %v, want %v", err, context.Canceled)
	}
	Append(t, holder, "still there")
}
