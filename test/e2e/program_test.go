package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/test/cluster"
)

// compileJMS compiles the JMS program and returns the class path to run it with.
func compileJMS(t *testing.T) string {
	t.Helper()
	command := exec.Command(filepath.Join(cluster.Root(), "hack", "jms.sh"), "javax", t.TempDir(), "java/Stream.java")
	command.Stderr = os.Stderr
	classes, err := command.Output()
	if err != nil {
		t.Fatalf("compiling the JMS program: %v", err)
	}
	return strings.TrimSpace(string(classes))
}

// program is a running JMS program: a Stream that sends or receives.
type program struct {
	mode  string
	input io.Closer
	ended chan error
}

// startProgram runs a Stream on the client network and hands each line that it says to heed, from one goroutine.
func startProgram(t *testing.T, c *cluster.Cluster, classes, mode string, binding binding, heed func(line string)) *program {
	t.Helper()
	ctx, kill := context.WithCancel(context.WithoutCancel(t.Context()))
	command := c.Command(ctx, "client", "java", "-Xmx64m", "-XX:+UseSerialGC", "-cp", classes, "Stream", mode, "E2E")
	command.Env = append(os.Environ(), binding.environment()...)
	var log bytes.Buffer
	command.Stderr = &log
	command.WaitDelay = time.Second
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{mode: mode, input: input, ended: make(chan error, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.ended <- p.follow(command, output, heed)
	}()
	t.Cleanup(func() {
		kill()
		<-done
		if t.Failed() {
			t.Logf("what the program that should %s logged:\n%s", mode, log.String())
		}
	})
	return p
}

func (p *program) follow(command *exec.Cmd, output io.Reader, heed func(line string)) error {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		heed(lines.Text())
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading what the program that should %s says: %w", p.mode, err)
	}
	if err := command.Wait(); err != nil {
		return fmt.Errorf("the program that should %s: %w", p.mode, err)
	}
	return nil
}

// end tells the program to end, and waits until it did.
func (p *program) end(t *testing.T, within time.Duration) {
	t.Helper()
	if err := p.input.Close(); err != nil {
		t.Errorf("telling the program that should %s to end: %v", p.mode, err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(within):
		t.Errorf("the program that should %s does not end", p.mode)
	}
}
