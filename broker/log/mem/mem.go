// Package mem is a log in memory, for tests: several handles in one process share it as several brokers share a volume,
// and a test decides when entries become durable and who loses the right with entries in flight. It keeps the whole
// contract of package log except that it ends with the process.
//
// It waits on channels only and reads no clock, so it runs in a testing/synctest bubble.
package mem

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/group"
)

// Shared is what the handles have in common: the log itself.
type Shared struct {
	segmentBytes int64

	mu       sync.Mutex
	segments []*segment // never empty; the last one is written to
	term     uint64     // of the last holder
	holder   *Log       // nil when the right is free
	changed  chan struct{}
}

type segment struct {
	first   uint64
	entries []entry
	bytes   int64
}

func (s *segment) next() uint64 { return s.first + uint64(len(s.entries)) }

type entry struct {
	term uint64
	body []byte // as group.Entry.Body
}

// New returns an empty log whose segments are full at segmentBytes.
func New(segmentBytes int64) *Shared {
	return &Shared{segmentBytes: segmentBytes, segments: []*segment{{first: 1}}, changed: make(chan struct{})}
}

// Unsynced is how many bytes may be in flight before Room waits.
const Unsynced = 8 << 20

// Open returns another process's handle. Its owner must close it.
func (s *Shared) Open() *Log {
	return &Log{shared: s, done: make(chan struct{}), gate: make(chan struct{})}
}

// write adds an entry for the holder of term.
func (s *Shared) write(term, number uint64, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.term != term {
		return fmt.Errorf("write entry %d in term %d: %w to term %d", number, term, log.ErrRightLost, s.term)
	}
	last := s.segments[len(s.segments)-1]
	if last.bytes >= s.segmentBytes {
		last = &segment{first: number}
		s.segments = append(s.segments, last)
	}
	if last.next() != number {
		panic(fmt.Sprintf("entry %d written where %d was to come", number, last.next()))
	}
	last.entries = append(last.entries, entry{term: term, body: bytes.Clone(body)})
	last.bytes += int64(len(body))
	s.announce()
	return nil
}

// announce wakes everyone who waits for a change. Called with mu held.
func (s *Shared) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// since returns entry number, or the first kept one after it; number 0 if there is none yet. Called with mu held.
func (s *Shared) since(number uint64) (uint64, entry) {
	for _, seg := range s.segments {
		if at := max(number, seg.first); at < seg.next() {
			return at, seg.entries[at-seg.first]
		}
	}
	return 0, entry{}
}

// follow returns the next entry at or after number, or takes the right for l when there is none and the right is free.
// With neither, it returns what to wait for.
func (s *Shared) follow(l *Log, number uint64) (next log.Entry, term uint64, wait <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, e := s.since(number); at != 0 {
		return log.Entry{Number: at, Term: e.term, Records: records(at, e.body)}, 0, nil
	}
	if s.holder != nil {
		return log.Entry{}, 0, s.changed
	}
	s.holder = l
	s.term++
	s.announce()
	return log.Entry{}, s.term, nil
}

func records(number uint64, body []byte) []log.Record {
	var all []log.Record
	for at := uint32(0); int(at) < len(body); {
		data, next := group.RecordAt(body, at)
		all = append(all, log.Record{Position: log.Position{Entry: number, Offset: at}, Data: data})
		at = next
	}
	return all
}

// release frees the right if l has it.
func (s *Shared) release(l *Log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder == l {
		s.holder = nil
		s.announce()
	}
}

// Log is one process's handle.
type Log struct {
	shared *Shared
	done   chan struct{} // closed by Close, or by the queue's failure
	once   sync.Once     // closes done

	mu     sync.Mutex
	term   uint64
	queue  *group.Queue // nil before Lead has won
	gate   chan struct{}
	held   bool
	flying []flight
	closed bool
}

// flight is a record that was appended while appends were held: an entry of its own.
type flight struct {
	number uint64
	body   []byte
}

var _ log.Log = (*Log)(nil)

// Lead is log.Log's.
func (l *Log) Lead(ctx context.Context, apply log.Apply) (uint64, error) {
	next := uint64(1)
	for {
		if err := l.stopped(ctx); err != nil {
			return 0, err
		}
		e, term, wait := l.shared.follow(l, next)
		switch {
		case term != 0:
			return term, l.start(term, next, apply)
		case wait == nil:
			apply(e)
			next = e.Number + 1
			continue
		}
		select {
		case <-wait:
		case <-l.done:
		case <-ctx.Done():
		}
	}
}

func (l *Log) stopped(ctx context.Context) error {
	if err := l.Err(); err != nil {
		return err
	}
	return ctx.Err()
}

// start makes l the holder.
func (l *Log) start(term, next uint64, apply log.Apply) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		l.shared.release(l)
		return log.ErrClosed
	}
	l.term = term
	l.queue = group.New(group.Config{Term: term, Next: next, Limit: Unsynced, Writer: writer{l}, Apply: apply,
		OnError: l.end})
	return nil
}

// Append is log.Log's.
func (l *Log) Append(note any, parts ...[]byte) (log.Position, error) {
	q, err := l.leading()
	if err != nil {
		return log.Position{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := q.Append(note, parts...)
	if err == nil && l.held && len(parts) > 0 {
		q.Cut()
		l.flying = append(l.flying, newFlight(p.Entry, parts))
	}
	return p, err
}

func newFlight(number uint64, parts [][]byte) flight {
	return flight{number: number, body: group.AppendRecord(nil, parts...)}
}

// leading returns the queue of a holder.
func (l *Log) leading() (*group.Queue, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.queue != nil:
		return l.queue, nil
	case l.closed:
		return nil, log.ErrClosed
	}
	return nil, log.ErrStandby
}

// Room is log.Log's.
func (l *Log) Room(ctx context.Context) error {
	q, err := l.leading()
	if err != nil {
		return err
	}
	return q.Room(ctx)
}

// Drop is log.Log's.
func (l *Log) Drop(first uint64) error {
	q, err := l.leading()
	if err != nil {
		return err
	}
	return q.Drop(first)
}

// Read is log.Log's.
func (l *Log) Read(p log.Position, buf []byte) ([]byte, error) {
	l.shared.mu.Lock()
	defer l.shared.mu.Unlock()
	if p.Entry < l.shared.segments[0].first {
		return buf, fmt.Errorf("read record %v: %w", p, log.ErrDropped)
	}
	at, e := l.shared.since(p.Entry)
	if at != p.Entry {
		return buf, fmt.Errorf("read record %v: there is no such entry", p)
	}
	data, _ := group.RecordAt(e.body, p.Offset)
	if data == nil {
		return buf, fmt.Errorf("read record %v: no record starts there", p)
	}
	return append(buf, data...), nil
}

// Segments is log.Log's.
func (l *Log) Segments() []log.Segment {
	l.shared.mu.Lock()
	defer l.shared.mu.Unlock()
	var all []log.Segment
	for _, s := range l.shared.segments {
		all = append(all, log.Segment{First: s.first, Next: s.next(), Bytes: s.bytes})
	}
	return all
}

// Done is log.Log's.
func (l *Log) Done() <-chan struct{} { return l.done }

// Err is log.Log's.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queue != nil && l.queue.Err() != nil {
		return l.queue.Err()
	}
	if l.closed {
		return log.ErrClosed
	}
	return nil
}

// Close is log.Log's. Held appends become durable.
func (l *Log) Close() error {
	l.Release()
	l.mu.Lock()
	q := l.queue
	l.closed = true
	l.mu.Unlock()
	if q != nil {
		q.Close()
	}
	l.shared.release(l)
	l.end()
	return nil
}

func (l *Log) end() { l.once.Do(func() { close(l.done) }) }

// writer is the Log as its queue sees it.
type writer struct{ *Log }

func (w writer) Write(e *group.Entry) error {
	w.mu.Lock()
	held := w.held && len(w.flying) > 0 && e.Number >= w.flying[0].number
	gate, q := w.gate, w.queue
	w.mu.Unlock()
	if held {
		select {
		case <-gate:
		case <-q.Done():
		}
	}
	if err := q.Err(); err != nil { // the gate may have been opened to close a log that had lost the right
		return err
	}
	return w.shared.write(w.term, e.Number, e.Body())
}

func (w writer) Drop(first uint64) error {
	s := w.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.term != w.term {
		return fmt.Errorf("drop below entry %d in term %d: %w to term %d", first, w.term, log.ErrRightLost, s.term)
	}
	for len(s.segments) > 1 && s.segments[0].next() <= first {
		s.segments = s.segments[1:]
	}
	s.announce()
	return nil
}
