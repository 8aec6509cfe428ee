package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines is a log that tests wait for.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

func (l lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// listen returns a listener whose handler echoes, until its client goes or the listener closes.
func listen(t *testing.T, most int, logged lines) *Listener {
	t.Helper()
	l, err := Listen(Options{
		Address: "127.0.0.1:0", MaximumConnections: most, Logger: logged.logger(),
		Handle: func(ctx context.Context, conn net.Conn) {
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			_, _ = io.Copy(conn, conn)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func dial(t *testing.T, l *Listener) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// served tells whether the handler answers, or the connection was closed.
func served(t *testing.T, conn net.Conn) bool {
	t.Helper()
	_, _ = conn.Write([]byte{1})
	_, err := conn.Read(make([]byte, 1))
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("reading: %v", err)
	}
	return err == nil
}

func TestMaximumConnections(t *testing.T) {
	logged := make(lines, 10)
	l := listen(t, 2, logged)
	defer l.Close(t.Context())
	first, second := dial(t, l), dial(t, l)
	if !served(t, first) || !served(t, second) {
		t.Fatal("a connection within the limit is refused")
	}
	for range 3 {
		if served(t, dial(t, l)) {
			t.Fatal("a connection over the limit is served")
		}
	}
	if line := <-logged; !strings.Contains(line, "maximumConnections=2") || len(logged) > 0 {
		t.Errorf("logged %q and %d lines more, want one line with the limit", line, len(logged))
	}
	_ = first.Close()
	deadline := time.Now().Add(10 * time.Second)
	for !served(t, dial(t, l)) { // once the handler has seen that its client is gone
		if time.Now().After(deadline) {
			t.Fatal("no place for another connection after one ended")
		}
	}
	if !served(t, second) {
		t.Error("a refusal ended another connection")
	}
}

func TestCloseEndsEverything(t *testing.T) {
	l := listen(t, 10, make(lines, 10))
	conns := []net.Conn{dial(t, l), dial(t, l)}
	for _, conn := range conns {
		served(t, conn)
	}
	l.Close(t.Context())
	for _, conn := range conns {
		if served(t, conn) {
			t.Error("served after Close")
		}
	}
	if l.enter(conns[0]) {
		t.Error("a connection that was accepted just before Close is let in after it")
	}
	if _, err := net.Dial("tcp", l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialing after Close: %v", err)
	}
}

// Handlers have until the context of Close ends to say goodbye; then their connections are closed under them.
func TestCloseCutsWhoDoesNotGo(t *testing.T) {
	entered, told := make(chan struct{}), make(chan struct{})
	l, err := Listen(Options{
		Address: "127.0.0.1:0", MaximumConnections: 1, Logger: make(lines, 10).logger(),
		Handle: func(ctx context.Context, conn net.Conn) {
			close(entered)
			<-ctx.Done()
			close(told)
			_, _ = io.Copy(io.Discard, conn)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, l)
	<-entered
	ctx, cut := context.WithCancel(t.Context())
	var closing sync.WaitGroup
	closing.Go(func() { l.Close(ctx) })
	<-told
	cut()
	closing.Wait()
	if served(t, conn) {
		t.Error("the connection is still open")
	}
}

// failing is a listener whose first Accept fails as when there are no file descriptors.
type failing struct {
	net.Listener
	once sync.Once
}

func (f *failing) Accept() (conn net.Conn, err error) {
	f.once.Do(func() { err = syscall.EMFILE })
	if err != nil {
		return nil, err
	}
	return f.Listener.Accept()
}

func TestAcceptIsTriedAgain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	logged := make(lines, 10)
	l := Serve(&failing{Listener: listener}, Options{
		MaximumConnections: 1, Logger: logged.logger(),
		Handle: func(_ context.Context, conn net.Conn) { _, _ = conn.Write([]byte{1}) },
	})
	defer l.Close(t.Context())
	if line := <-logged; !strings.Contains(line, "too many open files") {
		t.Errorf("logged %q", line)
	}
	if !served(t, dial(t, l)) {
		t.Error("not served after a failure to accept")
	}
}

func TestAnAddressInUseIsNamed(t *testing.T) {
	l := listen(t, 1, make(lines, 10))
	defer l.Close(t.Context())
	_, err := Listen(Options{Address: l.Addr().String(), Logger: slog.Default()})
	if err == nil || !strings.Contains(err.Error(), "listening for clients: listen tcp "+l.Addr().String()) {
		t.Errorf("got %v", err)
	}
}
