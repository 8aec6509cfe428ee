// Package cron reads crontab entries and says when they are due. It has the five fields of crontab(5) as ActiveMQ reads them, and
// no names of months or days.
package cron

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// horizon is how far ahead Next looks: the 29th of February comes once in eight years at most.
const horizon = 9

// Schedule is when something is due, minute by minute.
type Schedule struct {
	minute, hour, day, month, weekday set
	eitherDay                         bool // both days are restricted: one of them is enough
}

// set has a bit for each value of a field.
type set uint64

func (s set) has(v int) bool { return s>>v&1 != 0 }

// field is one of an entry's fields, with the values that it may have.
type field struct {
	name        string
	first, last int
}

var fields = [...]field{{"minute", 0, 59}, {"hour", 0, 23}, {"day of the month", 1, 31}, {"month", 1, 12}, {"day of the week", 0, 7}}

// Parse reads an entry: minute, hour, day of the month, month, and day of the week from 0, Sunday, to 7, Sunday again. A field is
// * or ? for any value, a value, a range as 1-5, a list of these as 1,3-5; and any of them with a divisor as */15, which keeps
// the values that it divides.
func Parse(entry string) (Schedule, error) {
	tokens := strings.Fields(entry)
	if len(tokens) != len(fields) {
		return Schedule{}, fmt.Errorf("the cron entry %q has %d fields: write minute, hour, day of the month, month and day of the week", entry, len(tokens))
	}
	var sets [len(fields)]set
	for i, f := range fields {
		var err error
		if sets[i], err = f.parse(tokens[i]); err != nil {
			return Schedule{}, fmt.Errorf("the cron entry %q: %w", entry, err)
		}
	}
	s := Schedule{minute: sets[0], hour: sets[1], day: sets[2], month: sets[3], weekday: sets[4]}
	if s.weekday.has(7) {
		s.weekday |= 1
	}
	s.eitherDay = !isAny(tokens[2]) && !isAny(tokens[4])
	return s, nil
}

func isAny(token string) bool { return token == "*" || token == "?" }

func (f field) parse(token string) (set, error) {
	values, divisor, divided := strings.Cut(token, "/")
	var all set
	for part := range strings.SplitSeq(values, ",") {
		s, err := f.parsePart(part)
		if err != nil {
			return 0, err
		}
		all |= s
	}
	if divided {
		n, err := strconv.Atoi(divisor)
		if err != nil || n < 1 {
			return 0, fmt.Errorf("%q: a %s is divided by a number of 1 or more", token, f.name)
		}
		all = all.divisible(n)
	}
	if all == 0 {
		return 0, fmt.Errorf("%q: that is no %s", token, f.name)
	}
	return all, nil
}

// parsePart reads any value, a value or a range.
func (f field) parsePart(part string) (set, error) {
	if isAny(part) {
		return between(f.first, f.last), nil
	}
	from, to, isRange := strings.Cut(part, "-")
	first, err := strconv.Atoi(from)
	last := first
	if err == nil && isRange {
		last, err = strconv.Atoi(to)
	}
	if err != nil || first < f.first || last > f.last || first > last {
		return 0, fmt.Errorf("%q: a %s is from %d to %d", part, f.name, f.first, f.last)
	}
	return between(first, last), nil
}

// between is the set of all values from first to last.
func between(first, last int) set { return 1<<(last+1) - 1<<first }

func (s set) divisible(n int) (kept set) {
	for rest := s; rest != 0; rest &= rest - 1 {
		if v := bits.TrailingZeros64(uint64(rest)); v%n == 0 {
			kept |= 1 << v
		}
	}
	return kept
}

// Next returns the first minute after a time that is due, in that time's zone; the zero time if there is none, as for the 30th of
// February. A minute that the clock skips in spring does not come that day; one that it repeats in autumn comes twice.
func (s Schedule) Next(after time.Time) time.Time {
	t := time.Date(after.Year(), after.Month(), after.Day(), after.Hour(), after.Minute(), 0, 0, after.Location()).Add(time.Minute)
	for end := after.AddDate(horizon, 0, 0); t.Before(end); {
		year, month, day := t.Date()
		switch {
		case !s.month.has(int(month)):
			t = forward(t, time.Date(year, month+1, 1, 0, 0, 0, 0, t.Location()))
		case !s.hasDay(day, t.Weekday()):
			t = forward(t, time.Date(year, month, day+1, 0, 0, 0, 0, t.Location()))
		case !s.hour.has(t.Hour()):
			t = t.Add(time.Duration(60-t.Minute()) * time.Minute)
		case !s.minute.has(t.Minute()):
			t = t.Add(time.Minute)
		default:
			return t
		}
	}
	return time.Time{}
}

// forward is to, or an hour on from t where the clock skips midnight and to is before it.
func forward(t, to time.Time) time.Time {
	if to.After(t) {
		return to
	}
	return t.Add(time.Hour)
}

func (s Schedule) hasDay(day int, weekday time.Weekday) bool {
	inMonth, inWeek := s.day.has(day), s.weekday.has(int(weekday))
	if s.eitherDay {
		return inMonth || inWeek
	}
	return inMonth && inWeek
}
