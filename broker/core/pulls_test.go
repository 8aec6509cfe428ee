package core

import "testing"

// A time-out names the pull that it ends, so that one that comes late ends no other.
func TestPullsAreAnsweredInOrder(t *testing.T) {
	var p pulls
	if p.answer() != 0 {
		t.Error("a pull is answered that nobody asked for")
	}
	first, second := p.ask(), p.ask()
	if !p.waits(first) || !p.waits(second) || p.waiting() != 2 {
		t.Error("two pulls do not wait")
	}
	if answered := p.answer(); answered != first || p.waits(first) || !p.waits(second) || p.waiting() != 1 {
		t.Errorf("answered %d, %d wait", answered, p.waiting())
	}
	if answered := p.answer(); answered != second || p.waits(second) || p.answer() != 0 {
		t.Errorf("answered %d, then more", answered)
	}
}
