package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/group"
)

// Log is one process's hold on a directory.
type Log struct {
	o        Options
	table    *table
	caughtUp atomic.Bool

	done chan struct{} // closed when the log ended, however
	once sync.Once     // closes done
	stop chan struct{} // closed by Close
	wg   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	lock   *dirLock // these four are set when Lead has won
	claim  *claim
	writer *writer
	queue  *group.Queue
}

var _ log.Log = (*Log)(nil)

// Open opens the log in a directory, which it makes if it is missing. It checks what can be checked without the lock: that
// the directory can be written and is not another's. The caller must close the log.
func Open(options Options) (*Log, error) {
	o, err := options.complete()
	if err != nil {
		return nil, err
	}
	if err := checkDirectory(o); err != nil {
		return nil, fmt.Errorf("open the log in %s: %w", o.Directory, explain(o.FS, o.Directory, headerBytes, err))
	}
	return &Log{o: o, table: &table{fs: o.FS, dir: o.Directory}, done: make(chan struct{}), stop: make(chan struct{})}, nil
}

func checkDirectory(o Options) error {
	if err := o.FS.MkdirAll(o.Directory); err != nil {
		return err
	}
	if err := checkIdentity(o.FS, o.Directory, o.Broker); err != nil {
		return err
	}
	f, err := o.FS.Open(filepath.Join(o.Directory, lockFile), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	return f.Close()
}

// Lead is log.Log's.
func (l *Log) Lead(ctx context.Context, apply log.Apply) (uint64, error) {
	if !l.begin() {
		return 0, log.ErrClosed
	}
	defer l.wg.Done()
	f := &follower{fs: l.o.FS, dir: l.o.Directory, broker: l.o.Broker, apply: apply, table: l.table, headers: map[string]header{}}
	tick := time.NewTicker(l.o.Poll)
	defer tick.Stop()
	for waiting := false; ; {
		term, owner, err := l.attempt(f, apply)
		if err != nil || term != 0 {
			return term, err
		}
		if !waiting {
			l.announceWait(owner)
			waiting = true
		}
		select {
		case <-tick.C:
		case <-l.stop:
			return 0, log.ErrClosed
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// begin registers a goroutine of the log's caller or its own; false after Close.
func (l *Log) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.wg.Add(1)
	return true
}

// attempt tries to take the right, and follows if another has the lock or was faster. It returns term 0 then, and the process
// that has the lock, if that is known.
func (l *Log) attempt(f *follower, apply log.Apply) (term uint64, owner int, err error) {
	lock, owner, err := tryLock(l.o.FS, l.o.Directory)
	if err != nil {
		return 0, 0, fmt.Errorf("lock %s: %w", l.o.Directory, explain(l.o.FS, l.o.Directory, 0, err))
	}
	if lock == nil {
		_, err := f.look()
		l.caughtUp.Store(err == nil)
		if errors.Is(err, errLacking) {
			err = nil
		}
		return 0, owner, err
	}
	t := &takeover{o: l.o, f: f, began: time.Now()}
	if err := t.run(); err != nil {
		lock.release()
		if errors.Is(err, log.ErrRightLost) {
			l.o.Logger.Warn("did not take over", "reason", err)
			return 0, 0, nil
		}
		return 0, 0, fmt.Errorf("take over: %w", err)
	}
	return l.lead(lock, t, apply), 0, nil
}

// lead makes this process the holder.
func (l *Log) lead(lock *dirLock, t *takeover, apply log.Apply) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lock, l.claim, l.writer = lock, t.claim, t.writer
	l.queue = group.New(group.Config{
		Term: t.claim.term, Next: t.writer.next, Header: entryHeader, Limit: l.o.Unsynced,
		Writer: t.writer, Apply: apply, OnError: l.ended,
	})
	l.caughtUp.Store(true)
	l.wg.Go(l.watch)
	return t.claim.term
}

// announceWait logs that this process is a standby.
func (l *Log) announceWait(owner int) {
	attrs := []any{"directory", l.o.Directory}
	if owner != 0 {
		attrs = append(attrs, "locked_by_pid", owner)
	}
	if terms, _, err := names(l.o.FS, l.o.Directory); err == nil && len(terms) > 0 {
		if last, err := highestPage(l.o.FS, termFile(l.o.Directory, highest(terms))); err == nil && last.term > 0 {
			attrs = append(attrs, "term", last.term, "holder", last.holder)
		}
	}
	l.o.Logger.Info("waiting for the lock and following the log", attrs...)
}

// watch makes sure, while nothing is written, that this process still holds what it thinks it does.
func (l *Log) watch() {
	tick := time.NewTicker(l.o.Poll)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.done:
			return
		case <-l.stop:
			return
		}
		if err := errors.Join(l.claim.watch(), l.lock.check()); err != nil {
			l.queue.Fail(err)
			return
		}
	}
}

// ended is called when the queue has failed.
func (l *Log) ended() {
	l.o.Logger.Error("the log ended; a standby takes over, or start the broker again", "directory", l.o.Directory,
		"reason", l.queue.Err())
	l.finish()
}

func (l *Log) finish() { l.once.Do(func() { close(l.done) }) }

// holding returns the holder's queue.
func (l *Log) holding() (*group.Queue, error) {
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

// Append is log.Log's.
func (l *Log) Append(note any, parts ...[]byte) (log.Position, error) {
	q, err := l.holding()
	if err != nil {
		return log.Position{}, err
	}
	return q.Append(note, parts...)
}

// Room is log.Log's.
func (l *Log) Room(ctx context.Context) error {
	q, err := l.holding()
	if err != nil {
		return err
	}
	return q.Room(ctx)
}

// Drop is log.Log's.
func (l *Log) Drop(first uint64) error {
	q, err := l.holding()
	if err != nil {
		return err
	}
	return q.Drop(first)
}

// Read is log.Log's.
func (l *Log) Read(p log.Position, buf []byte) ([]byte, error) { return l.table.read(p, buf) }

// Segments is log.Log's.
func (l *Log) Segments() []log.Segment { return l.table.list() }

// CaughtUp tells whether the last look of a standby reached the end of the log; a holder always has.
func (l *Log) CaughtUp() bool { return l.caughtUp.Load() }

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

// seal ends the log of a holder that gives up its right in order. If it fails, nothing is lost by that.
func (l *Log) seal() {
	if !errors.Is(l.queue.Err(), log.ErrClosed) {
		return
	}
	if err := l.writer.seal(); err != nil {
		l.o.Logger.Warn("the log's end was not sealed", "directory", l.o.Directory, "reason", err)
	}
}

// Close is log.Log's. It waits for a call of Lead to return.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	close(l.stop)
	l.wg.Wait()
	if l.queue != nil {
		l.queue.Close()
		l.seal()
		l.writer.close()
		l.claim.close()
		l.lock.release()
		l.o.Logger.Info("gave up the right to append", "directory", l.o.Directory, "term", l.claim.term)
	}
	l.table.close()
	l.finish()
	return nil
}
