package core

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// TestWindow compares with what is remembered without end: nothing is taken for marked that was not, and the last so many
// numbers are all known.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		depth := rapid.IntRange(1, 200).Draw(t, "depth")
		var w window
		marked := map[int64]bool{}
		highest := int64(0)
		for _, n := range rapid.SliceOf(rapid.OneOf(rapid.Int64Range(0, 400), rapid.Int64Range(0, 1<<40))).Draw(t, "numbers") {
			got := w.mark(n, depth)
			if got && !marked[n] || !got && marked[n] && n > highest-int64(depth) {
				t.Fatalf("%d, the highest %d of %d: got %t, want %t", n, highest, depth, got, marked[n])
			}
			marked[n], highest = true, max(highest, n)
			if len(w.bits) > (depth+62)/64+1 {
				t.Fatalf("a window of %d takes %d words", depth, len(w.bits))
			}
		}
	})
}

func TestAnAuditForgetsTheProducerThatCameFirst(t *testing.T) {
	a := audit{depth: 10, producers: 2, windows: map[string]*window{}}
	for i, c := range []struct {
		producer, number int64
		want             bool
	}{{1, 1, false}, {2, 1, false}, {1, 1, true}, {3, 1, false}, {2, 1, true}, {1, 1, false}} {
		m := message.New(message.Text, message.SetID("ID:c", 1, c.producer, c.number))
		if got := a.mark(m); got != c.want {
			t.Errorf("%d: number %d of producer %d: got %t", i, c.number, c.producer, got)
		}
	}
	if len(a.windows) != 2 || len(a.order) != 2 {
		t.Errorf("it knows %q", a.order)
	}
}

func TestAuditsAreBounded(t *testing.T) {
	var a audits
	a.forget()
	individual := policy.DefaultIndividual()
	m := message.New(message.Text, message.SetID("ID:c", 1, 1, 1))
	for i := range maxAudits + 10 {
		to := destination.Destination{Kind: destination.Queue, Name: fmt.Sprint(i)}
		if a.repeats(m, to, &policy.DeadLetterStrategy{Individual: &individual}, individual.DeadLetterOptions) {
			t.Fatal("it is said to be where it was not")
		}
	}
	if len(a.all) != maxAudits {
		t.Errorf("it has %d audits, want %d", len(a.all), maxAudits)
	}
}
