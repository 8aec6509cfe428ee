// Package interop runs ActiveMQ's own Java clients against brokers: the real thing on both sides.
package interop

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// generation is a generation of ActiveMQ's client.
type generation struct {
	name    string   // of its package
	formats []string // wire formats to try; before version 12 nothing translates exceptions' names for jakarta
	classes string   // class path, once compiled
}

func generations(t *testing.T) []generation {
	t.Helper()
	all := []generation{
		{name: "javax", formats: []string{"", "&nested.wireFormat.version=9"}},
		{name: "jakarta", formats: []string{""}},
	}
	for i := range all {
		all[i].classes = compile(t, all[i])
	}
	return all
}

// compile compiles the JMS programs for one generation and returns the class path to run them with.
func compile(t *testing.T, g generation) string {
	t.Helper()
	command := exec.Command("../../hack/jms.sh", g.name, t.TempDir(), "java/Sender.java", "java/Receive.java", "java/Tour.java")
	command.Stderr = os.Stderr
	classes, err := command.Output()
	if err != nil {
		t.Fatalf("compiling the JMS programs: %v", err)
	}
	return strings.TrimSpace(string(classes))
}

// java is a running JMS program.
type java struct {
	command *exec.Cmd
	lines   *bufio.Scanner
}

func (g generation) start(t *testing.T, program string, args ...string) *java {
	t.Helper()
	c := exec.CommandContext(t.Context(), "java", append([]string{"-cp", g.classes, program}, args...)...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return &java{c, bufio.NewScanner(out)}
}

// rest returns what the program says from here to its end.
func (j *java) rest(t *testing.T) []string {
	t.Helper()
	var lines []string
	for j.lines.Scan() {
		lines = append(lines, j.lines.Text())
	}
	if err := j.command.Wait(); err != nil {
		t.Fatalf("%v: %v", j.command.Args[3:], err)
	}
	return lines
}

// broker is a running broker process.
type broker struct {
	command *exec.Cmd
	url     string
}

func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "twinmesh-broker")
	build := exec.Command("go", "build", "-o", program, "github.com/twinmesh/twinmesh/cmd/broker")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build.Args, err, out)
	}
	return program
}

// start starts a broker on a directory, active or standby, and returns when it says which.
func start(t *testing.T, program, dir string) *broker {
	t.Helper()
	b := &broker{url: "tcp://" + freeAddress(t)}
	b.command = exec.Command(program, "serve", "--name", "pair", "--data", dir, "--auth", "off", "--openwire", b.url, "--http", freeAddress(t))
	logs, err := b.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.kill)
	ready := make(chan struct{})
	go func() {
		told := false
		for lines := bufio.NewScanner(logs); lines.Scan(); {
			if line := lines.Text(); !told && (strings.Contains(line, "msg=active") || strings.Contains(line, "following the log")) {
				told = true
				close(ready)
			}
		}
	}()
	select {
	case <-ready:
	case <-time.After(20 * time.Second):
		t.Fatal("the broker says neither active nor standby")
	}
	return b
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (b *broker) kill() {
	_ = b.command.Process.Kill()
	_ = b.command.Wait()
}

func pairOf(a, b *broker) string {
	return fmt.Sprintf("failover:(%s,%s)?maxReconnectDelay=200", a.url, b.url)
}

func TestAJMSProgramFindsWhatItExpects(t *testing.T) {
	program := build(t)
	for _, g := range generations(t) {
		t.Run(g.name, func(t *testing.T) {
			b := start(t, program, t.TempDir())
			url := "failover:(" + b.url + ")?jms.redeliveryPolicy.initialRedeliveryDelay=10&jms.redeliveryPolicy.maximumRedeliveries=2"
			for _, format := range g.formats {
				if got := g.start(t, "Tour", url+format).rest(t); len(got) != 1 || got[0] != "OK" {
					t.Errorf("%q: got %q", format, got)
				}
			}
		})
	}
}

func TestMessagesOutliveTheirBroker(t *testing.T) {
	program := build(t)
	for _, g := range generations(t) {
		t.Run(g.name+" between send and receive", func(t *testing.T) {
			dir := t.TempDir()
			active := start(t, program, dir)
			standby := start(t, program, dir)
			g.start(t, "Sender", pairOf(active, standby), "5", "PERSISTENT", "TRANSACTED").rest(t)
			active.kill()
			got := g.start(t, "Receive", pairOf(active, standby), "3000").rest(t)
			if want := "received 1,received 2,received 3,received 4,received 5"; strings.Join(got, ",") != want {
				t.Errorf("got %q", got)
			}
		})
		t.Run(g.name+" amid 10,000 sends", func(t *testing.T) {
			dir := t.TempDir()
			active := start(t, program, dir)
			standby := start(t, program, dir)
			sender := g.start(t, "Sender", pairOf(active, standby), "10000", "PERSISTENT", "SYNC")
			for sender.lines.Scan() && sender.lines.Text() != "sent 3000" {
			}
			active.kill()
			sender.rest(t)
			checkDeliveries(t, g.start(t, "Receive", pairOf(active, standby), "3000").rest(t), 10000)
		})
	}
}

// checkDeliveries tells of messages that are missing, out of order, or there twice without saying so.
func checkDeliveries(t *testing.T, lines []string, count int) {
	t.Helper()
	next := 1
	for _, line := range lines {
		var how string
		var n int
		if _, err := fmt.Sscan(line, &how, &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		switch {
		case n == next:
			next++
		case n > next:
			t.Fatalf("message %d after %d: some are lost or late", n, next-1)
		case how != "again":
			t.Errorf("message %d twice, the second time not marked as redelivered", n)
		}
	}
	if next != count+1 {
		t.Errorf("%d messages, want %d", next-1, count)
	}
}
