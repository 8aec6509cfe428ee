package policy

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// MostGroups is how many message groups of a queue have an owner if nothing else is said.
const MostGroups = 1024

// Groups is how a queue keeps the owners of its message groups.
type Groups struct {
	Most    int // how many have one; with one more, the one unused for longest loses its own
	Buckets int // if not 0, groups are put together into so many
}

// Groups reads MessageGroupMapFactoryType, which Validate has found right.
func (p *Policy) Groups() Groups {
	g, err := parseGroups(p.MessageGroupMapFactoryType)
	if err != nil {
		return Groups{Most: MostGroups}
	}
	return g
}

func parseGroups(s string) (Groups, error) {
	kind, query, _ := strings.Cut(strings.TrimSpace(s), "?")
	options, err := url.ParseQuery(query)
	if err != nil {
		return Groups{}, fmt.Errorf("messageGroupMapFactoryType: %w", err)
	}
	number := func(name string, usual int) int {
		text := options.Get(name)
		if text == "" {
			return usual
		}
		n, wrong := strconv.Atoi(text)
		if wrong != nil || n < 1 || n > math.MaxUint16 {
			err = fmt.Errorf("messageGroupMapFactoryType: %s is %q: write a number from 1 to %d", name, text, math.MaxUint16)
		}
		return n
	}
	var g Groups
	switch kind {
	case "", "cached":
		g.Most = number("cacheSize", MostGroups)
	case "bucket":
		g.Buckets = number("bucketCount", MostGroups)
		g.Most = g.Buckets
	case "simple":
		g.Most = math.MaxUint16
	default:
		err = fmt.Errorf("messageGroupMapFactoryType is %q: write cached, bucket or simple", s)
	}
	return g, err
}
