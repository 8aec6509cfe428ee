package client

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// unanswered is how many bytes of messages may be without their answer before senders wait.
const unanswered = 8 << 20

// transport keeps a link to one of the brokers, and what has to be said again on the next one. It knows nothing of what
// the commands mean.
type transport struct {
	target target
	dial   func(ctx context.Context, address string) (net.Conn, error)
	logger *slog.Logger
	// introduce says on a new link who the client is, and waits for the answer.
	introduce func(ctx context.Context, l *Link, again bool) error
	handle    func(*Link, openwire.Command)

	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	stopped chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex
	link    *Link // nil while there is none
	changed chan struct{}
	pending list.List // of *request, in the order of asking
	size    int       // of what is pending, in bytes
	state   list.List // of *entry, in the order of creation
	trouble error     // why there is no link yet
	ended   error     // why there never will be one again
	further []address // brokers that a broker told of
	first   *address  // where a broker wants us to go
}

// request is a command whose answer somebody wants, over as many links as it takes.
type request struct {
	command    openwire.Command
	size       int
	answered   func(openwire.Command, error) // called once, by a goroutine that must not wait; not if start failed
	onceOnly   error                         // what becomes of it if its link is lost; nil: it is sent again
	ends       *entry                        // what is over with it; nil for nothing
	place      *list.Element                 // nil once it is settled
	withLocked func()                        // called when it is given a place, under the transport's lock; nil for nothing
}

// entry is something at the broker that a new link needs to hear of again. Its fields are guarded by the transport's lock.
type entry struct {
	commands []openwire.Command
	ask      bool        // the commands are answered
	failed   func(error) // called when a broker refuses what an earlier one took
	lost     func()      // called when a link is lost, under the transport's lock; nil for nothing
	place    *list.Element
}

// begin looks for a broker, until close.
func (t *transport) begin() {
	t.ctx, t.stop = context.WithCancel(context.Background())
	t.stopped = make(chan struct{})
	t.changed = make(chan struct{})
	go t.run()
}

// run keeps a link until the transport ends.
func (t *transport) run() {
	defer close(t.stopped)
	for again := false; ; again = true {
		l, err := t.connect(again)
		if err != nil {
			t.finish(err)
			return
		}
		select {
		case <-l.Done():
			t.lose(l)
		case <-t.ctx.Done():
			_ = l.Close()
			t.finish(ErrClosed)
			return
		}
		if t.target.failover.maxReconnectAttempts == 0 {
			t.finish(l.reason())
			return
		}
		t.logger.Warn("lost the broker; looking for the next", "reason", l.Err())
	}
}

// finish fails all that waits, now and later.
func (t *transport) finish(err error) {
	t.mu.Lock()
	if t.ctx.Err() != nil {
		err = ErrClosed
	}
	t.ended, t.link = err, nil
	var requests []*request
	for e := t.pending.Front(); e != nil; e = e.Next() {
		r := e.Value.(*request)
		r.place = nil
		requests = append(requests, r)
	}
	t.pending.Init()
	t.change()
	t.mu.Unlock()
	for _, r := range requests {
		r.answered(nil, err)
	}
}

// close ends the transport. It returns when nothing of it runs any more.
func (t *transport) close() {
	t.stop()
	<-t.stopped
}

// change wakes those who wait for something about the transport.
func (t *transport) change() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// adopt makes a link that knows the client the one in use: what exists is said again, and what had no answer is asked again.
func (t *transport) adopt(l *Link) {
	t.mu.Lock()
	var refused []func()
	for e := t.state.Front(); e != nil; e = e.Next() {
		t.restore(l, e.Value.(*entry))
	}
	for e, next := t.pending.Front(), (*list.Element)(nil); e != nil; e = next {
		next = e.Next()
		r := e.Value.(*request)
		if err := t.send(l, r); err != nil {
			t.settle(r)
			refused = append(refused, func() { r.answered(nil, err) })
		}
	}
	t.link, t.trouble = l, nil
	t.change()
	t.mu.Unlock()
	for _, tell := range refused {
		tell()
	}
}

func (t *transport) restore(l *Link, e *entry) {
	for _, c := range e.commands {
		if !e.ask {
			_ = l.Tell(c) // if the link is lost again, the next one hears all of it
			continue
		}
		_ = l.Start(c, func(_ openwire.Command, err error) {
			if err != nil && !errors.Is(err, ErrDisconnected) {
				e.failed(err)
			}
		})
	}
}

// lose gives up a link that is done. Whoever notices calls it.
func (t *transport) lose(l *Link) {
	t.mu.Lock()
	if t.link != l {
		t.mu.Unlock()
		return
	}
	t.link, t.trouble = nil, l.reason()
	for e := t.state.Front(); e != nil; e = e.Next() {
		if lost := e.Value.(*entry).lost; lost != nil {
			lost()
		}
	}
	t.change()
	t.mu.Unlock()
}

// ready waits for a link with room.
func (t *transport) ready(ctx context.Context) error {
	for {
		t.mu.Lock()
		ended, l, full, changed := t.ended, t.link, t.size > unanswered, t.changed
		t.mu.Unlock()
		switch {
		case ended != nil:
			return ended
		case l != nil && !full:
			return l.Room(ctx)
		}
		if err := t.await(ctx, changed, l == nil); err != nil {
			return err
		}
	}
}

// errTimeout is the end of the failover option timeout.
var errTimeout = errors.New("no broker within the time that the option timeout allows")

// await waits for a change. For a link it waits no longer than the option timeout allows; a broker that is there may take its time.
func (t *transport) await(ctx context.Context, changed <-chan struct{}, forLink bool) error {
	if limit := t.target.failover.timeout; forLink && limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errTimeout)
		defer cancel()
	}
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return t.unready(ctx)
	}
}

// unready says what was waited for in vain.
func (t *transport) unready(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.trouble != nil {
		return fmt.Errorf("waiting for a broker: %w; the last failure: %w", context.Cause(ctx), t.trouble)
	}
	return fmt.Errorf("waiting for the broker: %w", context.Cause(ctx))
}

// ask sends a command and waits for its answer, over as many links as it takes.
func (t *transport) ask(ctx context.Context, r *request) (openwire.Command, error) {
	answer := make(chan result, 1)
	r.answered = func(c openwire.Command, err error) { answer <- result{c, err} }
	if err := t.start(ctx, r); err != nil {
		return nil, err
	}
	select {
	case got := <-answer:
		return got.command, got.err
	case <-ctx.Done():
		t.drop(r)
		return nil, t.unready(ctx)
	}
}

// start waits until a command can be sent, and sends it.
func (t *transport) start(ctx context.Context, r *request) error {
	if err := t.ready(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended != nil {
		return t.ended
	}
	if r.withLocked != nil {
		r.withLocked()
	}
	r.place = t.pending.PushBack(r)
	t.size += r.size
	if t.link == nil {
		return nil // lost meanwhile: it goes out on the next one
	}
	err := t.send(t.link, r)
	if err != nil {
		t.settle(r)
	}
	return err
}

// send gives a request to a link. An error is the request's own; a link that breaks leaves it pending.
func (t *transport) send(l *Link, r *request) error {
	err := l.Start(r.command, func(c openwire.Command, err error) { t.answer(r, c, err) })
	if errors.Is(err, ErrDisconnected) {
		return nil
	}
	return err
}

// answer takes a link's word on a request.
func (t *transport) answer(r *request, c openwire.Command, err error) {
	t.mu.Lock()
	if errors.Is(err, ErrDisconnected) {
		if r.onceOnly == nil {
			t.mu.Unlock()
			return
		}
		err = r.onceOnly
	}
	mine := t.settle(r)
	t.mu.Unlock()
	if mine {
		r.answered(c, err)
	}
}

// settle takes a request off the list, and tells whether it was there.
func (t *transport) settle(r *request) bool {
	if r.place == nil {
		return false
	}
	t.pending.Remove(r.place)
	r.place = nil
	if r.ends != nil {
		t.untrack(r.ends)
	}
	full := t.size > unanswered
	if t.size -= r.size; full && t.size <= unanswered {
		t.change()
	}
	return true
}

// tell sends a command that is not answered, on whichever link is next.
func (t *transport) tell(ctx context.Context, c openwire.Command, withLocked func()) error {
	for {
		if err := t.ready(ctx); err != nil {
			return err
		}
		t.mu.Lock()
		l := t.link
		var err error
		if l != nil {
			err = t.tellLocked(l, c, withLocked)
		}
		t.mu.Unlock()
		switch {
		case l == nil:
			continue
		case !errors.Is(err, ErrDisconnected):
			return err
		}
		<-l.Done()
		t.lose(l)
	}
}

func (t *transport) tellLocked(l *Link, c openwire.Command, withLocked func()) error {
	err := l.Tell(c)
	if err == nil && withLocked != nil {
		withLocked()
	}
	return err
}

// tellOn sends a command that is of use on one link only; ErrStale if that is lost.
func (t *transport) tellOn(ctx context.Context, l *Link, c openwire.Command, withLocked func()) error {
	if err := l.Room(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended != nil {
		return t.ended
	}
	if t.link != l {
		return ErrStale
	}
	err := t.tellLocked(l, c, withLocked)
	if errors.Is(err, ErrDisconnected) {
		return ErrStale
	}
	return err
}

// track has an entry said again on each new link. It is called under the lock.
func (t *transport) track(e *entry) { e.place = t.state.PushBack(e) }

// forget ends an entry, and tells the broker if there is one.
func (t *transport) forget(e *entry, c openwire.Command) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.untrack(e) && t.link != nil && c != nil {
		_ = t.link.Tell(c) // a link that is lost has forgotten it
	}
}

// untrack ends an entry, and tells whether it was there. It is called under the lock.
func (t *transport) untrack(e *entry) bool {
	if e.place == nil {
		return false
	}
	t.state.Remove(e.place)
	e.place = nil
	return true
}

// onLink calls f under the lock if l is the link in use, and tells whether it is.
func (t *transport) onLink(l *Link, f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.link == l && f != nil {
		f()
	}
	return t.link == l
}

// elapse waits, unless the transport ends.
func (t *transport) elapse(d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.ctx.Done():
	}
}

// end is why there will be no link any more, nil as long as there may.
func (t *transport) end() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

// drop gives up a request that nobody waits for any more.
func (t *transport) drop(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(r)
}
