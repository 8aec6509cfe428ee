package openwire

import (
	"encoding/binary"
	"net"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

const (
	// writeTime is how long a client may take to read what is written at once.
	writeTime = 60 * time.Second
	// gather is the size in bytes at which what is gathered is written before more is encoded.
	gather = 256 << 10
)

// writer sends what others put into it, gathered, by a goroutine of its own. Nobody who puts something in waits.
type writer struct {
	conn    net.Conn
	encoder *openwire.Encoder
	format  openwire.Format
	wake    chan struct{} // holds one when there is something to do
	running sync.WaitGroup

	mu        sync.Mutex
	items     []item
	finishing bool // the connection is closed after what is there
	closed    bool
}

// item is a command, or a delivery to a consumer.
type item struct {
	command  openwire.DataStructure
	consumer *consumer
	delivery core.Delivery
}

func newWriter(conn net.Conn) *writer {
	return &writer{conn: conn, wake: make(chan struct{}, 1)}
}

// start sends what comes before anything is agreed on.
func (w *writer) start(first openwire.DataStructure) error {
	b, err := openwire.NewEncoder(openwire.Handshake()).AppendFrame(nil, first)
	if err != nil {
		return err
	}
	return w.write(b)
}

// agree begins to send, in the format.
func (w *writer) agree(f openwire.Format) {
	w.format, w.encoder = f, openwire.NewEncoder(f)
	w.running.Go(w.run)
}

func (w *writer) command(c openwire.DataStructure) { w.put(item{command: c}) }

func (w *writer) deliver(c *consumer, d core.Delivery) { w.put(item{consumer: c, delivery: d}) }

func (w *writer) put(i item) {
	w.mu.Lock()
	if !w.closed && !w.finishing {
		w.items = append(w.items, i)
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

// finish closes the connection once all that was put in is written.
func (w *writer) finish() {
	w.mu.Lock()
	w.finishing = true
	w.mu.Unlock()
	w.signal()
}

// close ends the writer, after a last try at what is there if finish was called, and waits for it.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	finishing := w.finishing
	w.mu.Unlock()
	if !finishing {
		_ = w.conn.Close()
	}
	w.signal()
	w.running.Wait()
	_ = w.conn.Close()
}

func (w *writer) run() {
	var ticks <-chan time.Time
	if w.format.Inactivity > 0 {
		ticker := time.NewTicker(max(w.format.Inactivity/3, time.Millisecond))
		defer ticker.Stop()
		ticks = ticker.C
	}
	var b []byte
	idle := true
	for {
		select {
		case <-w.wake:
			idle = false
		case <-ticks:
			if idle {
				w.command(&openwire.KeepAliveInfo{})
			}
			idle = true
		}
		items, end := w.take()
		var err error
		if b, err = w.writeAll(b[:0], items); err != nil || end {
			_ = w.conn.Close()
			return
		}
	}
}

// take returns what there is to write, and whether that is the last.
func (w *writer) take() ([]item, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	items := w.items
	w.items = nil
	return items, w.closed || w.finishing
}

// writeAll encodes and writes the items, in pieces of about gather bytes, and returns the buffer for the next time.
func (w *writer) writeAll(b []byte, items []item) ([]byte, error) {
	for _, i := range items {
		var err error
		if b, err = w.encode(b, i); err != nil {
			return b, err
		}
		if len(b) >= gather {
			if err := w.write(b); err != nil {
				return b, err
			}
			b = b[:0]
		}
	}
	if len(b) > 0 {
		if err := w.write(b); err != nil {
			return b, err
		}
	}
	if cap(b) > 4*gather {
		b = nil
	}
	return b, nil
}

func (w *writer) write(b []byte) error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	_, err := w.conn.Write(b)
	return err
}

func (w *writer) encode(b []byte, i item) ([]byte, error) {
	switch {
	case i.command != nil:
		return w.encoder.AppendFrame(b, i.command)
	case i.delivery.Message == nil:
		return w.encoder.AppendFrame(b, &openwire.MessageDispatch{ConsumerID: i.consumer.id})
	case w.format.SharedMessages():
		return appendDispatch(b, i.consumer.head, i.delivery), nil
	}
	return w.convert(b, i)
}

// appendDispatch writes a MessageDispatch around a message's own bytes.
func appendDispatch(b, consumer []byte, d core.Delivery) []byte {
	m := d.Message
	size := 1 + 4 + 1 + len(consumer) + len(m.RawDestination()) + 1 + m.Size() + 4
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	b = append(b, messageDispatch, 0, 0, 0, 0, 0)
	b = append(b, consumer...)
	b = append(b, m.RawDestination()...)
	b = append(b, 1)
	b = append(b, m.Bytes()...)
	return binary.BigEndian.AppendUint32(b, uint32(d.Redelivered))
}

var messageDispatch = (*openwire.MessageDispatch)(nil).TypeByte()

// convert dispatches to a client of another encoding or an older version.
func (w *writer) convert(b []byte, i item) ([]byte, error) {
	v, err := openwire.DecodeLoose(i.delivery.Message.Bytes(), openwire.NewestVersion)
	if err != nil {
		return b, err
	}
	m := v.(openwire.Message)
	return w.encoder.AppendFrame(b, &openwire.MessageDispatch{
		ConsumerID: i.consumer.id, Destination: m.Fields().Destination, Message: m, RedeliveryCounter: int32(i.delivery.Redelivered),
	})
}
