package destination

import "strings"

// Overlaps tells whether some name is covered by both patterns; a name without wildcards is a pattern of itself. Kinds are kept
// apart. Neither may be a composite.
func (d Destination) Overlaps(other Destination) bool {
	return d.Kind == other.Kind && overlaps(d.Name, other.Name)
}

func overlaps(a, b string) bool {
	for {
		mine, restA, longerA := strings.Cut(a, ".")
		theirs, restB, longerB := strings.Cut(b, ".")
		switch {
		case mine == ">" && !longerA, theirs == ">" && !longerB:
			return true
		case mine != theirs && mine != "*" && theirs != "*":
			return false
		case !longerA || !longerB:
			return longerA == longerB || restA == ">" || restB == ">"
		}
		a, b = restA, restB
	}
}
