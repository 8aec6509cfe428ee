package destination

import "testing"

func TestOverlaps(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"A", "A", true},
		{"A", "B", false},
		{"A.B", "A", false},
		{"A.*", "A.B", true},
		{"A.*", "*.B", true},
		{"A.*", "A.B.C", false},
		{"A.>", "A.B.C", true},
		{"A.>", "A", true},
		{"A", "A.>", true},
		{"A.B", "A.>.C", false},
		{"A.>", "B.>", false},
		{"A.*.C", "A.B.>", true},
		{"A.*.C", "*.B.D", false},
		{">", "A", true},
		{"*", ">", true},
	}
	for _, test := range tests {
		a, b := Destination{Queue, test.a}, Destination{Queue, test.b}
		if a.Overlaps(b) != test.want || b.Overlaps(a) != test.want {
			t.Errorf("%s and %s: want %v", test.a, test.b, test.want)
		}
		if a.Overlaps(Destination{Topic, test.b}) {
			t.Errorf("a queue %s overlaps a topic", test.a)
		}
	}
}
