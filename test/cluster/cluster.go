// Package cluster drives the project's local Kubernetes (hack/cluster) for tests: it starts a cluster, runs its
// commands, and takes it down when the test ends. It is no client of Kubernetes: tests use kubectl, or a program that
// runs on the cluster's client network.
//
// A cluster needs root and the compiled programs; a test that wants one is skipped where either is missing.
package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// Cluster is a running local Kubernetes. Its methods may be called by several goroutines.
type Cluster struct {
	name string
}

// Start starts a cluster of 1 to 3 nodes and waits until pods can run on it. The cluster ends with the test. One of
// that name which an earlier test left behind is removed first.
func Start(tb testing.TB, name string, nodes int) *Cluster {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("a local cluster needs root: it makes namespaces, mounts and containers")
	}
	c := &Cluster{name: name}
	if err := c.Command(tb.Context(), "built").Run(); err != nil {
		tb.Skip("the local cluster's programs are not compiled: run 'make cluster-build' (about 15 minutes, once)")
	}
	c.Run(tb, "down")
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("the cluster when the test failed:\n%s", c.describe())
		}
		c.Run(tb, "down")
	})
	c.Run(tb, "up", strconv.Itoa(nodes))
	return c
}

// Name is the cluster's name.
func (c *Cluster) Name() string { return c.name }

// Command prepares a command of cluster.sh for this cluster. What it starts on the client network (`client COMMAND`)
// is the process itself, so that a signal reaches it.
func (c *Cluster) Command(ctx context.Context, arguments ...string) *exec.Cmd {
	return exec.CommandContext(ctx, script(), append([]string{"--name", c.name}, arguments...)...)
}

// Run runs a command of cluster.sh to its end and returns what it printed, without white space around it. The test
// fails at once if the command does.
func (c *Cluster) Run(tb testing.TB, arguments ...string) string {
	tb.Helper()
	return run(tb, c.Command(context.WithoutCancel(tb.Context()), arguments...))
}

// Kubectl runs kubectl as the cluster's administrator, as Run does.
func (c *Cluster) Kubectl(tb testing.TB, arguments ...string) string {
	tb.Helper()
	return c.Run(tb, append([]string{"kubectl"}, arguments...)...)
}

// Apply applies a manifest.
func (c *Cluster) Apply(tb testing.TB, manifest string) {
	tb.Helper()
	apply := c.Command(tb.Context(), "kubectl", "apply", "--server-side", "--filename", "-")
	apply.Stdin = strings.NewReader(manifest)
	run(tb, apply)
}

func (c *Cluster) describe() string {
	var text strings.Builder
	for _, arguments := range [][]string{
		{"kubectl", "get", "--all-namespaces", "--output", "wide", "nodes,pods,persistentvolumeclaims"},
		{"kubectl", "events", "--all-namespaces", "--types", "Warning"},
	} {
		output, err := c.Command(context.Background(), arguments...).CombinedOutput()
		text.Write(output)
		if err != nil {
			fmt.Fprintln(&text, err)
		}
	}
	return text.String()
}

func run(tb testing.TB, command *exec.Cmd) string {
	tb.Helper()
	var stderr strings.Builder
	command.Stderr = &stderr
	stdout, err := command.Output()
	if err != nil {
		tb.Fatalf("%s: %v\n%s%s", strings.Join(command.Args[1:], " "), err, stdout, stderr.String())
	}
	return strings.TrimSpace(string(stdout))
}

// Root is the repository's directory.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

func script() string { return filepath.Join(Root(), "hack", "cluster", "cluster.sh") }
