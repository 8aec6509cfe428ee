package cron

import (
	"strings"
	"testing"
	"time"
)

const layout = "Mon 2006-01-02 15:04:05"

func TestNext(t *testing.T) {
	for _, test := range []struct{ entry, after, want string }{
		{"* * * * *", "Tue 2026-11-24 10:00:00", "Tue 2026-11-24 10:01:00"},
		{"* * * * *", "Tue 2026-11-24 10:00:59", "Tue 2026-11-24 10:01:00"},
		{"30 * * * *", "Tue 2026-11-24 10:00:10", "Tue 2026-11-24 10:30:00"},
		{"30 * * * *", "Tue 2026-11-24 10:30:00", "Tue 2026-11-24 11:30:00"},
		{"*/15 * * * *", "Tue 2026-11-24 10:46:00", "Tue 2026-11-24 11:00:00"},
		{"0 2 * * *", "Tue 2026-11-24 10:00:00", "Wed 2026-11-25 02:00:00"},
		{"5,10-12 9 * * ?", "Tue 2026-11-24 09:10:30", "Tue 2026-11-24 09:11:00"},
		{"0 0 1 * *", "Tue 2026-11-24 10:00:00", "Tue 2026-12-01 00:00:00"},
		{"0 0 31 * *", "Tue 2026-11-24 10:00:00", "Thu 2026-12-31 00:00:00"},
		{"0 0 31 * *", "Thu 2026-12-31 00:00:00", "Sun 2027-01-31 00:00:00"},
		{"0 0 29 2 *", "Tue 2026-11-24 10:00:00", "Tue 2028-02-29 00:00:00"},
		{"0 0 29 2 *", "Wed 2096-02-29 00:00:00", "Fri 2104-02-29 00:00:00"},
		{"0 12 * * 1-5", "Fri 2026-11-27 12:00:00", "Mon 2026-11-30 12:00:00"},
		{"0 12 * * 0", "Tue 2026-11-24 10:00:00", "Sun 2026-11-29 12:00:00"},
		{"0 12 * * 7", "Tue 2026-11-24 10:00:00", "Sun 2026-11-29 12:00:00"},
		{"0 12 13 * 5", "Tue 2026-11-24 10:00:00", "Fri 2026-11-27 12:00:00"},
		{"0 12 13 * 5", "Fri 2026-12-11 12:00:00", "Sun 2026-12-13 12:00:00"},
		{"0 12 */2 * *", "Tue 2026-11-24 13:00:00", "Thu 2026-11-26 12:00:00"},
		{"59 23 31 12 *", "Thu 2026-12-31 23:59:00", "Fri 2027-12-31 23:59:00"},
		{"0 0 30 2 *", "Tue 2026-11-24 10:00:00", ""},
	} {
		s, err := Parse(test.entry)
		if err != nil {
			t.Errorf("%s: %v", test.entry, err)
			continue
		}
		got := ""
		if next := s.Next(at(t, test.after, time.UTC)); !next.IsZero() {
			got = next.Format(layout)
		}
		if got != test.want {
			t.Errorf("%s after %s: %s, want %s", test.entry, test.after, got, test.want)
		}
	}
}

// TestClockChanges: in Berlin 02:30 does not exist on a day in spring and comes twice on one in autumn; in São Paulo it was midnight
// that did not exist.
func TestClockChanges(t *testing.T) {
	for _, test := range []struct{ zone, entry, after, want string }{
		{"Europe/Berlin", "30 2 * * *", "Sat 2027-03-27 03:00:00", "Mon 2027-03-29 02:30:00"},
		{"Europe/Berlin", "30 2 * * *", "Sat 2027-10-30 03:00:00", "Sun 2027-10-31 02:30:00"},
		{"America/Sao_Paulo", "0 12 4 * *", "Sat 2018-11-03 13:00:00", "Sun 2018-11-04 12:00:00"},
		{"America/Sao_Paulo", "0 0 * * *", "Sat 2018-11-03 13:00:00", "Mon 2018-11-05 00:00:00"},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Skipf("no data of time zones here: %v", err)
		}
		s, err := Parse(test.entry)
		if err != nil {
			t.Fatal(err)
		}
		next := s.Next(at(t, test.after, zone))
		if got := next.Format(layout); got != test.want {
			t.Errorf("after %s: %s, want %s", test.after, got, test.want)
		}
	}
}

func at(t *testing.T, text string, zone *time.Location) time.Time {
	t.Helper()
	parsed, err := time.ParseInLocation(layout, text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestInvalid(t *testing.T) {
	for _, test := range []struct{ entry, says string }{
		{"", "0 fields"}, {"* * * *", "4 fields"}, {"* * * * * *", "6 fields"},
		{"60 * * * *", "minute is from 0 to 59"}, {"* 24 * * *", "hour"}, {"* * 0 * *", "day of the month"}, {"* * 32 * *", "day of the month"},
		{"* * * 13 *", "month"}, {"* * * * 8", "day of the week"}, {"* * * * MON", "day of the week"}, {"5-3 * * * *", "minute"},
		{"-1 * * * *", "minute"}, {"1- * * * *", "minute"}, {", * * * *", "minute"}, {"*/0 * * * *", "1 or more"}, {"*/x * * * *", "1 or more"},
		{"7/15 * * * *", "no minute"}, {"1/2/3 * * * *", "1 or more"},
	} {
		if _, err := Parse(test.entry); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: %v, want %q in it", test.entry, err, test.says)
		}
	}
}

// FuzzParse: what is read has a next time that matches it, or none.
func FuzzParse(f *testing.F) {
	for _, entry := range []string{"* * * * *", "*/15 0,12 1-7 ? 1", "0 0 30 2 *", "59 23 31 12 7"} {
		f.Add(entry, int64(1_700_000_000))
	}
	f.Fuzz(func(t *testing.T, entry string, seconds int64) {
		s, err := Parse(entry)
		if err != nil {
			return
		}
		after := time.Unix(seconds%(1<<33), 0).UTC()
		next := s.Next(after)
		switch {
		case next.IsZero():
		case !next.After(after) || next.Second() != 0:
			t.Errorf("%q: %v is not a minute after %v", entry, next, after)
		case !s.minute.has(next.Minute()) || !s.hour.has(next.Hour()) || !s.month.has(int(next.Month())) || !s.hasDay(next.Day(), next.Weekday()):
			t.Errorf("%q: %v is not due", entry, next)
		}
	})
}
