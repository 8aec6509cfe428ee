package interop

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy stands between clients and a broker, so that what one of them says can be lost on its way.
type proxy struct {
	address, target string

	mu       sync.Mutex
	listener net.Listener // nil while it is closed
	losing   direction
	lost     chan struct{} // closed when something was
}

// direction is the way from which something is lost.
type direction int

const (
	neither direction = iota
	toBroker
	toClient
)

// open begins to listen; clients are refused before.
func (p *proxy) open(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.listener, p.losing = l, neither
	p.mu.Unlock()
	go p.accept(l)
}

// close refuses new clients. Those that are there end with the broker.
func (p *proxy) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
}

// lose loses all that goes one way from now on. The channel is closed when something did.
func (p *proxy) lose(d direction) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.losing, p.lost = d, make(chan struct{})
	return p.lost
}

func (p *proxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		go p.pass(client, broker, toBroker)
		go p.pass(broker, client, toClient)
	}
}

// pass passes on what goes one way, until one of both ends.
func (p *proxy) pass(from, to net.Conn, way direction) {
	defer func() {
		_ = from.Close()
		_ = to.Close()
	}()
	_, _ = io.Copy(lossy{p, to, way}, from)
}

type lossy struct {
	*proxy
	to  io.Writer
	way direction
}

func (l lossy) Write(b []byte) (int, error) {
	if l.loses() {
		return len(b), nil
	}
	return l.to.Write(b)
}

func (l lossy) loses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.losing != l.way {
		return false
	}
	select {
	case <-l.lost:
	default:
		close(l.lost)
	}
	return true
}
