package policy

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Bytes is a size, written as a number of bytes or, as in ActiveMQ, of kb, mb or gb, which are powers of 1024.
type Bytes int64

var sizes = regexp.MustCompile(`^(\d+)\s*(k|m|g|)b?$`)

// UnmarshalYAML reads a size.
func (b *Bytes) UnmarshalYAML(read func(any) error) error {
	var text string
	if err := read(&text); err != nil {
		return err
	}
	parts := sizes.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if parts == nil {
		return fmt.Errorf("%q is not a size: write for example 1048576 or 64 mb", text)
	}
	unit := map[string]int64{"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[parts[2]]
	n, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || n > math.MaxInt64/unit {
		return fmt.Errorf("%q is too large for a size", text)
	}
	*b = Bytes(n * unit)
	return nil
}
