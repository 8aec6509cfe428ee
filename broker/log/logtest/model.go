package logtest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/log"
)

// sameAsModel does random things to a log and to a list of records, and expects the same of both.
func sameAsModel(t *testing.T, open Opener) {
	m := &model{t: t, open: open, dropped: 1}
	m.lead()
	rapid.Check(t, func(r *rapid.T) { r.Repeat(m.actions()) })
	m.check()
}

// model is a log and what it should hold. It lives through all runs of a property: none of them depends on where it starts.
type model struct {
	t       *testing.T
	open    Opener
	log     log.Log
	applied *Applied
	records []Got  // everything ever appended
	dropped uint64 // entries below it need not be there
}

func (m *model) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"append": m.append,
		"flush":  func(*rapid.T) { Flush(m.t, m.log, m.applied) },
		"drop":   m.drop,
		"read":   m.read,
		"reopen": func(*rapid.T) { m.check(); shut(m.t, m.log); m.lead() },
	}
}

func (m *model) lead() { m.log, m.applied, _ = Lead(m.t, m.open) }

func (m *model) append(r *rapid.T) {
	n := rapid.IntRange(0, SegmentBytes/16).Draw(r, "length")
	data := fmt.Sprintf("%d %s", len(m.records), bytes.Repeat([]byte("."), n))
	m.records = append(m.records, Got{Position: Append(m.t, m.log, data), Data: data})
}

func (m *model) drop(r *rapid.T) {
	if len(m.records) == 0 {
		return
	}
	first := rapid.SampledFrom(m.records).Draw(r, "keep").Position.Entry
	if err := m.log.Drop(first); err != nil {
		r.Fatalf("Drop(%d): %v", first, err)
	}
	m.dropped = max(m.dropped, first)
}

func (m *model) read(r *rapid.T) {
	if len(m.records) == 0 {
		return
	}
	Flush(m.t, m.log, m.applied)
	want := rapid.SampledFrom(m.records).Draw(r, "record")
	got, err := m.log.Read(want.Position, nil)
	if errors.Is(err, log.ErrDropped) && want.Position.Entry < m.dropped {
		return
	}
	if err != nil || string(got) != want.Data {
		r.Fatalf("Read(%v) = %.40q, %v, want %.40q", want.Position, got, err, want.Data)
	}
}

// check compares what was applied since the log was opened with the records from there on.
func (m *model) check() {
	m.t.Helper()
	Flush(m.t, m.log, m.applied)
	got := m.applied.Data()
	if len(got) > len(m.records) {
		m.t.Fatalf("%d records were applied, %d appended", len(got), len(m.records))
	}
	want := m.records[len(m.records)-len(got):]
	if len(want) < len(m.records) && m.records[len(m.records)-len(got)-1].Position.Entry >= m.dropped {
		m.t.Fatalf("the log starts behind entry %d, which was not dropped", m.dropped)
	}
	for i, w := range want {
		if diff := cmp.Diff(w.Data, got[i]); diff != "" {
			m.t.Fatalf("record %v (-want +got):\n%.300s", w.Position, diff)
		}
	}
}
