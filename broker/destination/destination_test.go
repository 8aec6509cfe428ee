package destination

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTakesPrefixes(t *testing.T) {
	for _, c := range []struct {
		text string
		want Destination
	}{
		{"orders", Destination{Queue, "orders"}},
		{"queue://orders", Destination{Queue, "orders"}},
		{"topic://prices.>", Destination{Topic, "prices.>"}},
		{"temp-queue://ID:a-1", Destination{TempQueue, "ID:a-1"}},
		{"temp-topic://ID:a-1", Destination{TempTopic, "ID:a-1"}},
	} {
		got, err := Parse(c.text, Queue)
		if err != nil || got != c.want {
			t.Errorf("%q: got %v, %v, want %v", c.text, got, err, c.want)
		}
		if again, err := Parse(got.String(), Topic); err != nil || again != got {
			t.Errorf("%v came back as %v, %v", got, again, err)
		}
	}
}

func TestMembersOfAComposite(t *testing.T) {
	got := Destination{Queue, "a, b,topic://c"}.Members()
	want := []Destination{{Queue, "a"}, {Queue, "b"}, {Topic, "c"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if alone := (Destination{Topic, "a"}).Members(); !cmp.Equal(alone, []Destination{{Topic, "a"}}) {
		t.Errorf("got %v", alone)
	}
}

func TestInvalidNamesAreRefused(t *testing.T) {
	for want, d := range map[string]Destination{
		"the name is empty":         {Queue, ""},
		"no kind of destination":    {7, "a"},
		"at most 16384":             {Queue, strings.Repeat("a", MaxName+1)},
		"NUL":                       {Topic, "a\x00b"},
		"cannot be composite":       {TempQueue, "a,b"},
		"a member of the composite": {Queue, "a,,b"},
	} {
		if err := d.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", d.Kind, err, want)
		}
	}
}

func TestWildcardsAreWholeParts(t *testing.T) {
	for name, want := range map[string]bool{
		"a": false, "a.*": true, "*.b": true, "a.>": true, ">": true, "a*": false, "a.b>c": false, "x,a.*": true,
	} {
		if got := (Destination{Queue, name}).IsPattern(); got != want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
