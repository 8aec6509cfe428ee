// Package group is the group commit that every log shares: it gathers records into entries while the entry before them is
// being made durable, one entry in flight at a time and no timer, and applies what is durable, in order.
//
// How an entry is made durable is the log's own business, behind Writer. The package knows no file and no database.
package group

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/twinmesh/twinmesh/broker/log"
)

const (
	// MaxEntry bounds what records, with their frames, make up one entry, in bytes. An entry of a single record of
	// log.MaxRecord bytes is longer by its Frame.
	MaxEntry = 1 << 20
	// Frame is the room in front of each record: its length as four bytes, big endian, which the queue writes, and four
	// bytes for a checksum, which the log may.
	Frame = 8
	// MaxBody is the most that Entry.Body can be.
	MaxBody = MaxEntry + Frame
)

// Writer makes entries durable. A Queue calls it from one goroutine, its own.
type Writer interface {
	// Write makes e durable and then makes sure that this process still has the right to append. The entry is applied only
	// if it returns nil; any error ends the queue for good.
	Write(e *Entry) error
	// Drop gives back what lies below first, as far as it can. Everything appended before the call of Queue.Drop has been
	// applied. An error ends the queue.
	Drop(first uint64) error
}

// Config is what a Queue needs.
type Config struct {
	Term    uint64
	Next    uint64 // the number of the first entry
	Header  int    // bytes to leave free in front of each entry's body, for the log's own header
	Limit   int64  // bytes that may stand unsynced before Room waits
	Writer  Writer
	Apply   log.Apply
	OnError func() // called once, when the queue has ended with an error; may be nil
}

// Queue is the holder's side of a log: everything from Append to Apply. Its methods may be called by several goroutines.
type Queue struct {
	config Config
	wake   chan struct{} // holds a token when there may be work
	done   chan struct{} // closed when err is set
	idle   chan struct{} // closed when the queue's goroutine has ended

	mu       sync.Mutex
	entries  []*Entry // not yet taken, oldest first; the last one gathers
	free     []*Entry // to be used again
	unsynced int64
	room     chan struct{} // closed when unsynced falls to the limit; nil while nobody waits
	closing  bool
	err      error
}

// New starts a queue and its goroutine. The caller owns it and must call Close.
func New(c Config) *Queue {
	q := &Queue{config: c, wake: make(chan struct{}, 1), done: make(chan struct{}), idle: make(chan struct{})}
	q.open(c.Next)
	go q.run()
	return q
}

// Append is log.Log's.
func (q *Queue) Append(note any, parts ...[]byte) (log.Position, error) {
	size := length(parts)
	if size > log.MaxRecord {
		return log.Position{}, fmt.Errorf("append a record of %d bytes: the most is %d", size, log.MaxRecord)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.refusal(); err != nil {
		return log.Position{}, err
	}
	e := q.gathering()
	if len(parts) > 0 && len(e.Body()) > 0 && len(e.Body())+Frame+size > MaxEntry {
		e = q.open(e.next())
	}
	before := len(e.buf)
	p := e.add(note, size, parts)
	q.unsynced += int64(len(e.buf) - before)
	q.signal()
	return p, nil
}

// Cut ends the entry that is gathering: what is appended next goes into another.
func (q *Queue) Cut() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e := q.gathering(); len(e.Records) > 0 {
		q.open(e.next())
	}
}

// Drop is log.Log's.
func (q *Queue) Drop(first uint64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.refusal(); err != nil {
		return err
	}
	e := q.gathering()
	if first > e.Number {
		return fmt.Errorf("drop below entry %d: only %d is gathering", first, e.Number)
	}
	e.drop = max(e.drop, first)
	q.signal()
	return nil
}

// Room is log.Log's.
func (q *Queue) Room(ctx context.Context) error {
	for {
		q.mu.Lock()
		if err := q.refusal(); err != nil {
			q.mu.Unlock()
			return err
		}
		if q.unsynced <= q.config.Limit {
			q.mu.Unlock()
			return nil
		}
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-q.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Fail ends the queue with err unless it has ended before. Nothing is applied from then on, but for a call of Apply that
// is under way.
func (q *Queue) Fail(err error) {
	q.mu.Lock()
	failed := q.err == nil
	if failed {
		q.err = err
		close(q.done)
	}
	q.mu.Unlock()
	if failed && q.config.OnError != nil {
		q.config.OnError()
	}
}

// Done and Err are log.Log's.
func (q *Queue) Done() <-chan struct{} { return q.done }

func (q *Queue) Err() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

// Close applies what was appended, unless the queue has failed, and ends its goroutine.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closing = true
	q.signal()
	q.mu.Unlock()
	<-q.idle
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = log.ErrClosed
		close(q.done)
	}
}

// run writes and applies one entry after another until the queue fails or is closed and empty.
func (q *Queue) run() {
	defer close(q.idle)
	for {
		e, more := q.take()
		if !more {
			return
		}
		if e == nil {
			select {
			case <-q.wake:
			case <-q.done:
			}
			continue
		}
		if err := q.commit(e); err != nil {
			q.Fail(err)
			return
		}
		q.recycle(e)
	}
}

// commit makes e durable, applies it and then drops what e's caller said.
func (q *Queue) commit(e *Entry) error {
	e.fillData()
	if !e.Empty() {
		if err := q.config.Writer.Write(e); err != nil {
			return err
		}
	}
	if err := q.Err(); err != nil {
		return err
	}
	if len(e.Records) > 0 {
		q.config.Apply(log.Entry{Number: e.applied(), Term: q.config.Term, Records: e.Records})
	}
	if e.drop == 0 {
		return nil
	}
	return q.config.Writer.Drop(e.drop)
}

// take returns the oldest entry that has something in it, nil if there is none yet, and false when there will be none.
func (q *Queue) take() (*Entry, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return nil, false
	}
	e := q.entries[0]
	if len(e.Records) == 0 && e.drop == 0 {
		return nil, !q.closing
	}
	if len(q.entries) == 1 {
		q.open(e.next())
	}
	q.entries[0] = nil
	q.entries = q.entries[1:]
	return e, true
}

// recycle takes back an entry that was applied and lets those in who wait for room.
func (q *Queue) recycle(e *Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unsynced -= int64(len(e.Body()))
	if q.room != nil && q.unsynced <= q.config.Limit {
		close(q.room)
		q.room = nil
	}
	const spares = 2 // one is in flight while the other gathers
	if len(q.free) < spares {
		e.reset()
		q.free = append(q.free, e)
	}
}

// open starts a new gathering entry. Called with mu held.
func (q *Queue) open(number uint64) *Entry {
	var e *Entry
	if n := len(q.free); n > 0 {
		e, q.free = q.free[n-1], q.free[:n-1]
	} else {
		e = &Entry{header: q.config.Header, buf: make([]byte, q.config.Header, 4<<10)}
	}
	e.Number = number
	q.entries = append(q.entries, e)
	return e
}

// gathering is the entry that appends go to. Called with mu held.
func (q *Queue) gathering() *Entry { return q.entries[len(q.entries)-1] }

// refusal says why nothing may be appended, if so. Called with mu held.
func (q *Queue) refusal() error {
	if q.err == nil && q.closing {
		return log.ErrClosed
	}
	return q.err
}

func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Entry is what gathers and is then written in one piece.
type Entry struct {
	Number  uint64
	Records []log.Record // with barriers, which have no data

	header int
	buf    []byte // header, then frame and data of each record
	drop   uint64 // what Drop was told since the entry before, or 0
}

// Bytes is the whole entry, the header's room in front. The writer may fill in that room and the records' checksums.
func (e *Entry) Bytes() []byte { return e.buf }

// Body is the records, each behind its Frame. Positions count from its start.
func (e *Entry) Body() []byte { return e.buf[e.header:] }

// Empty tells that no record is in it: it has barriers at most, is not written, and its number is used by the next.
func (e *Entry) Empty() bool { return len(e.buf) == e.header }

// next is the number of the entry after this one.
func (e *Entry) next() uint64 {
	if e.Empty() {
		return e.Number
	}
	return e.Number + 1
}

// applied is the number that Apply sees: barriers alone come under that of the entry before them.
func (e *Entry) applied() uint64 { return e.next() - 1 }

func (e *Entry) add(note any, size int, parts [][]byte) log.Position {
	p := log.Position{Entry: e.Number, Offset: uint32(len(e.Body()))}
	e.Records = append(e.Records, log.Record{Position: p, Note: note})
	if len(parts) == 0 {
		return p
	}
	e.Records[len(e.Records)-1].Data = []byte{} // till fillData knows where: the buffer moves as it grows
	e.buf = appendRecord(e.buf, size, parts)
	return p
}

// fillData points each record to its data.
func (e *Entry) fillData() {
	for i := range e.Records {
		if r := &e.Records[i]; r.Data != nil {
			r.Data, _ = RecordAt(e.Body(), r.Position.Offset)
		}
	}
}

func (e *Entry) reset() {
	clear(e.Records)
	e.Records, e.drop = e.Records[:0], 0
	e.buf = e.buf[:e.header]
}

// AppendRecord appends a record, its parts one after another behind their Frame, to a body.
func AppendRecord(body []byte, parts ...[]byte) []byte {
	return appendRecord(body, length(parts), parts)
}

func appendRecord(body []byte, size int, parts [][]byte) []byte {
	body = binary.BigEndian.AppendUint32(body, uint32(size))
	body = append(body, 0, 0, 0, 0)
	for _, part := range parts {
		body = append(body, part...)
	}
	return body
}

// RecordLength is the length, with its Frame, of the record whose frame b begins with. It is false if b is shorter than a
// frame, or no record is that long.
func RecordLength(b []byte) (int, bool) {
	if len(b) < Frame {
		return 0, false
	}
	size := binary.BigEndian.Uint32(b)
	return Frame + int(size), size <= log.MaxRecord
}

func length(parts [][]byte) int {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	return n
}

// RecordAt returns the data of the record whose frame starts at offset, and the offset behind it. It returns nil if body
// holds no whole record there.
func RecordAt(body []byte, offset uint32) (data []byte, next uint32) {
	if uint64(offset) > uint64(len(body)) {
		return nil, offset
	}
	length, ok := RecordLength(body[offset:])
	end := uint64(offset) + uint64(length)
	if !ok || end > uint64(len(body)) {
		return nil, offset
	}
	return body[offset+Frame : end : end], uint32(end)
}
