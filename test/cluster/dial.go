package cluster

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Kubeconfig is the path of the administrator's kubeconfig. The API server's address in it is one of the client network:
// see Dial.
func (c *Cluster) Kubeconfig(tb testing.TB) string {
	tb.Helper()
	return c.Run(tb, "kubeconfig")
}

// Dialer returns a net.Dialer's DialContext for the cluster's client network, where nodes, pods and Services are reached.
// Addresses are literal: the test's own process does not ask the cluster's DNS.
func (c *Cluster) Dialer(tb testing.TB) func(ctx context.Context, network, address string) (net.Conn, error) {
	tb.Helper()
	holder, err := os.ReadFile(filepath.Join(filepath.Dir(c.Kubeconfig(tb)), "client", "holder"))
	if err != nil {
		tb.Fatalf("finding the client network: %v", err)
	}
	namespace := filepath.Join("/proc", strings.TrimSpace(string(holder)), "ns", "net")
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return dialIn(ctx, namespace, network, address)
	}
}

// dialIn dials on a thread that is in another network namespace, where the socket then stays. The thread is not used
// again: it ends with its goroutine, since that never unlocks it.
func dialIn(ctx context.Context, namespace, network, address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		conn, err := enterAndDial(ctx, namespace, network, address)
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

func enterAndDial(ctx context.Context, namespace, network, address string) (net.Conn, error) {
	file, err := os.Open(namespace)
	if err != nil {
		return nil, fmt.Errorf("finding the client network: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("entering the client network: %w", err)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}
