// Package log says what an ordered, durable, fenced log is. The store keeps everything on one; its forms are file (segments
// on a shared volume), and mem for tests. It knows nothing of messages: a record is bytes.
//
// # The order that makes it safe
//
// Several processes may hold the same log open; at most one has the right to append, for one term. Terms only grow. No
// storage checks the term in the same step as a write, so the fence is an order of steps:
//
//   - a new holder makes its term durable, then reads the end of the log;
//   - a writer makes an entry durable, then reads the term past every cache, and only then applies the entry.
//
// Either the writer sees the newer term and applies nothing, or its entry was there for the new holder to read. So what
// has been applied at a holder is part of the log for ever, and what was not applied has had no effect: whoever loses
// the right has nothing to undo.
//
// # One way in
//
// A log calls one function, Apply, for every entry in order: on a standby as it reads what the holder wrote, on the
// holder once the entry is durable and the term was read again. Nothing else changes what is kept.
package log

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// MaxRecord is the length of the longest record, in bytes. What is longer is cut into several records by its owner.
const MaxRecord = 1 << 20

var (
	// ErrRightLost means that another process has a higher term, or that this one can no longer tell. The log
	// takes no more appends; entries that were not applied yet never will be here, though the new holder may find them.
	ErrRightLost = errors.New("the right to append was lost")
	// ErrStandby is returned by Append, Room and Drop before Lead has returned a term.
	ErrStandby = errors.New("this process does not have the right to append yet")
	// ErrClosed is returned by calls after Close.
	ErrClosed = errors.New("the log is closed")
	// ErrDropped is returned by Read for a position below what Drop was told.
	ErrDropped = errors.New("the record was dropped")
)

// Position names a record: the entry that holds it and the record's offset in it, which is opaque. It never changes,
// wherever the entry's bytes lie.
type Position struct {
	Entry  uint64
	Offset uint32
}

// Compare orders positions as their records were appended.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Entry, q.Entry), cmp.Compare(p.Offset, q.Offset))
}

func (p Position) String() string { return fmt.Sprintf("%d+%d", p.Entry, p.Offset) }

// Record is one record of an entry that is applied.
type Record struct {
	Position Position
	// Data is the record's bytes. They are only valid during the call of Apply.
	Data []byte
	// Note is what this process gave to Append with the record; nil for a record that was read.
	Note any
}

// Entry is what was made durable together. It is not what is atomic: records that belong together may be spread over
// several entries, and their last one says that they exist.
type Entry struct {
	Number  uint64   // grows by one, starting at 1
	Term    uint64   // of the holder that wrote it
	Records []Record // of an entry that was read, there may be none
}

// Apply takes the next entry. It is called by one goroutine at a time and must not call Room or Close, nor wait for anything
// that waits for a later entry; it may call Append. The entry's slices are only valid during the call.
type Apply func(Entry)

// Segment is a run of entries that is dropped as one.
type Segment struct {
	First, Next uint64 // the entries First <= n < Next
	Bytes       int64  // on the disk
}

// Log is one process's hold on a log. Its methods may be called by several goroutines.
type Log interface {
	// Lead follows the log and applies what is in it until this process has the right to append, the log has been applied to
	// its end, and all of that is known to be durable. It returns the term won. With the right comes an end to its calls of
	// apply: later entries are applied by the log's own goroutine. Lead is called once; when ctx ends it returns ctx's error.
	Lead(ctx context.Context, apply Apply) (term uint64, err error)

	// Append adds a record to the entry that is gathering and returns where it will be. The record is the parts, one
	// after another; they are copied before Append returns. It never waits for the disk. When the entry is durable and the
	// term still stands, it is applied, with note. Without parts nothing is written, but note is applied in its place in
	// the order, after everything appended before it: a barrier. Its record has no data (Data is nil; that of an empty
	// record is not), and an Entry of barriers only has the Number of the entry before. An error means that nothing was
	// appended.
	Append(note any, parts ...[]byte) (Position, error)

	// Room waits while more is appended than may stand unsynced. Whoever appends on behalf of a client calls it before,
	// holding no lock that Apply needs.
	Room(ctx context.Context) error

	// Read appends the record at p to buf and returns it. The record must have been applied and not dropped. A holder
	// and a standby may both read.
	Read(p Position, buf []byte) ([]byte, error)

	// Drop says that no entry below first is needed any more. Space is given back a segment at a time, some time after
	// this is itself durable. first never exceeds the entry that is gathering, and lowering it has no effect. The
	// caller's records that make this true were appended before.
	Drop(first uint64) error

	// Segments lists what the log holds, oldest first. The last one is still written to.
	Segments() []Segment

	// Done is closed when the right is lost, a write or sync fails, or the log was closed. Err tells which; nil until then.
	Done() <-chan struct{}
	Err() error

	// Close makes what was appended durable and applies it, gives up the right so that a standby can take it at once, and
	// releases everything. After a failure it only releases.
	Close() error
}
