package node

import (
	"context"
	"net"
	"sync"

	"github.com/twinmesh/twinmesh/broker/config"
	codec "github.com/twinmesh/twinmesh/broker/openwire"
)

// manyInside is how many connections there may be within the process: no more than would be a mistake of the program.
const manyInside = 100_000

// Dial connects to the broker within the process, as ActiveMQ's vm: transport does, without a socket. While the broker is not
// active it waits until ctx ends. Any goroutine may call it, and a client's Options.Dial may be it; the address is not looked at.
func (n *Node) Dial(ctx context.Context, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case n.inside <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func insideConnector() connector {
	return connector{config.Connector{MaximumConnections: manyInside}, codec.BrokerOffer()}
}

// insideListener accepts what Dial opens.
type insideListener struct {
	conns  <-chan net.Conn
	closed chan struct{}
	close  func()
}

func (n *Node) listenInside() *insideListener {
	closed := make(chan struct{})
	return &insideListener{n.inside, closed, sync.OnceFunc(func() { close(closed) })}
}

// Accept implements net.Listener.
func (l *insideListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *insideListener) Close() error {
	l.close()
	return nil
}

// Addr implements net.Listener.
func (l *insideListener) Addr() net.Addr { return insideAddr{} }

type insideAddr struct{}

func (insideAddr) Network() string { return "pipe" }
func (insideAddr) String() string  { return "vm" }
