package openwire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

const (
	// writeTime is how long a client may take to read what is written at once, and at most lingerTime of it for the last
	// words.
	writeTime = 60 * time.Second
	// gather is the size in bytes at which what is gathered is written before more is encoded.
	gather = 256 << 10
	// maxCommands is how many commands may wait for the client to read before nothing more is read from it.
	maxCommands = 1000
)

// writer sends what others put into it, gathered, by a goroutine of its own. Nobody who puts something in waits. Of
// deliveries there are never more than the prefetch allows; of answers there are as many as commands were read, so the
// reader waits for room.
type writer struct {
	conn      net.Conn
	connector config.Connector
	patience  time.Duration // with a client that does not read
	failed    func(error)   // called when nothing more can be written
	encode    encoding
	every     time.Duration // silence is broken by a keep-alive
	wake      chan struct{} // holds one when there is something to do
	closed    chan struct{} // closed when the goroutine has ended, or never will begin

	mu        sync.Mutex
	items     []item
	spare     []item        // empty, for the next items
	commands  int           // of these items
	freed     chan struct{} // closed when commands are taken; nil while nobody waits
	started   bool
	finishing bool // the connection is closed after what is there
}

// item is a command, or a delivery to a consumer.
type item struct {
	command  openwire.DataStructure
	consumer *consumer
	delivery core.Delivery
}

func newWriter(conn net.Conn, c config.Connector, failed func(error)) *writer {
	return &writer{conn: conn, connector: c, patience: cmp.Or(c.WriteTimeout, writeTime), failed: failed, wake: make(chan struct{}, 1), closed: make(chan struct{})}
}

// start sends what comes before anything is agreed on.
func (w *writer) start(first openwire.DataStructure) error {
	b, err := openwire.NewEncoder(openwire.Handshake()).AppendFrame(nil, first)
	if err != nil {
		return err
	}
	return w.write(b)
}

// agree begins to send, in the format. It is called once at most, and not after close.
func (w *writer) agree(f openwire.Format) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.encode, w.every = newEncoding(f), math.MaxInt64
	if f.Inactivity > 0 && !w.connector.NoKeepAlive {
		w.every = max(f.Inactivity/3, time.Millisecond)
	}
	w.started = true
	go w.run()
}

// command sends a command. Any goroutine may call it, under any lock.
func (w *writer) command(c openwire.DataStructure) { w.put(item{command: c}) }

// deliver sends a delivery. Any goroutine may call it, under any lock.
func (w *writer) deliver(c *consumer, d core.Delivery) { w.put(item{consumer: c, delivery: d}) }

func (w *writer) put(i item) {
	w.mu.Lock()
	if !w.finishing {
		w.items = append(w.items, i)
		if i.command != nil {
			w.commands++
		}
	}
	w.mu.Unlock()
	w.signal()
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// room waits while the client has too much to read.
func (w *writer) room(ctx context.Context) error {
	for {
		w.mu.Lock()
		if w.commands < maxCommands {
			w.mu.Unlock()
			return nil
		}
		if w.freed == nil {
			w.freed = make(chan struct{})
		}
		freed := w.freed
		w.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// finish takes nothing more, and ends the writer once all that was put in is written. It is false if nothing can be, because
// nothing is agreed on.
func (w *writer) finish() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started && !w.finishing {
		w.finishing = true
		_ = w.conn.SetWriteDeadline(time.Now().Add(lingerTime))
	}
	w.signal()
	return w.started
}

// wait returns when the writer has ended.
func (w *writer) wait() { <-w.closed }

// close ends the writer, whose connection is closed, and waits for it.
func (w *writer) close() {
	w.mu.Lock()
	started := w.started
	w.finishing = true
	w.mu.Unlock()
	if !started {
		close(w.closed)
		return
	}
	w.signal()
	w.wait()
}

func (w *writer) run() {
	defer close(w.closed)
	silence := time.NewTimer(w.every)
	defer silence.Stop()
	var b []byte
	for {
		select {
		case <-w.wake:
		case <-silence.C:
			w.keepAlive()
		}
		items, last := w.take()
		var err error
		if b, err = w.writeAll(b[:0], items); err != nil {
			w.failed(err)
			return
		}
		if last {
			closeWrite(w.conn)
			return
		}
		w.recycle(items)
		if len(items) > 0 {
			silence.Reset(w.every)
		}
	}
}

// keepAlive breaks a silence.
func (w *writer) keepAlive() {
	info := &openwire.KeepAliveInfo{}
	info.ResponseRequired = w.connector.KeepAliveResponseRequired
	w.command(info)
}

// closeWrite tells the peer that nothing more comes, and leaves its own side open if that is possible.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = conn.Close()
}

// take returns what there is to write, and whether that is the last.
func (w *writer) take() ([]item, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	items := w.items
	w.items, w.spare, w.commands = w.spare, nil, 0
	if w.freed != nil {
		close(w.freed)
		w.freed = nil
	}
	return items, w.finishing
}

// recycle keeps the room of items that are written, for those that come next.
func (w *writer) recycle(items []item) {
	if cap(items) > maxCommands {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spare = items[:0]
}

// writeAll encodes and writes the items, in pieces of about gather bytes, and returns the buffer for the next time.
func (w *writer) writeAll(b []byte, items []item) ([]byte, error) {
	for len(items) > 0 {
		var err error
		piece := 0
		for b = b[:0]; piece < len(items) && len(b) < gather; piece++ {
			if b, err = w.encode.append(b, items[piece]); err != nil {
				return b, err
			}
		}
		if err := w.write(b); err != nil {
			return b, err
		}
		for i := range items[:piece] {
			items[i].delivery.Written()
			items[i] = item{} // free before all is written
		}
		items = items[piece:]
	}
	if cap(b) > 4*gather {
		b = nil
	}
	return b, nil
}

func (w *writer) write(b []byte) error {
	if err := w.allow(); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	_, err := w.conn.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the client has not read what was sent to it for %v", w.patience)
	}
	if err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// allow sets by when a write has to end. When the last words are spoken that is set already.
func (w *writer) allow() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finishing {
		return nil
	}
	return w.conn.SetWriteDeadline(time.Now().Add(w.patience))
}
