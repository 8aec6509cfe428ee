package file

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/log"
)

// childDirectory tells the test binary to be a broker on that directory instead.
const childDirectory = "TWINMESH_TEST_LOG_DIRECTORY"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDirectory); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child leads when it can, says so with the number of records that it found, and then appends the numbers from there on, saying
// each when it is applied.
func child(dir string) error {
	l, err := Open(Options{Directory: dir, Broker: "orders-0", SegmentBytes: 64 << 10,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	found := 0
	applied := make(chan string, 1)
	apply := func(e log.Entry) {
		for _, r := range e.Records {
			found++
			if r.Note != nil {
				applied <- string(r.Data)
			}
		}
	}
	term, err := l.Lead(context.Background(), apply)
	if err != nil {
		return err
	}
	fmt.Println("leads", term, found)
	for n := found; ; n++ {
		if _, err := l.Append("said", fmt.Append(nil, n)); err != nil {
			return err
		}
		select {
		case data := <-applied:
			fmt.Println("applied", data)
		case <-l.Done():
			return l.Err()
		}
	}
}

// broker is a child process.
type broker struct {
	t       *testing.T
	command *exec.Cmd
	lines   chan string
}

func startBroker(t *testing.T, dir string) *broker {
	t.Helper()
	b := &broker{t: t, command: exec.Command(os.Args[0]), lines: make(chan string, 1<<16)}
	b.command.Env = append(os.Environ(), childDirectory+"="+dir)
	b.command.Stderr = t.Output()
	out, err := b.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.kill)
	go func() {
		defer close(b.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			b.lines <- s.Text()
		}
	}()
	return b
}

func (b *broker) kill() {
	_ = b.command.Process.Kill() // it may have ended
	_ = b.command.Wait()
}

// awaitLead returns the number of records that the broker found when it took over.
func (b *broker) awaitLead() (term uint64, found int) {
	b.t.Helper()
	line, ok := <-b.lines
	if !ok {
		b.t.Fatal("the broker ended instead of taking over")
	}
	if _, err := fmt.Sscanf(line, "leads %d %d", &term, &found); err != nil {
		b.t.Fatalf("%q: %v", line, err)
	}
	return term, found
}

// killAfter kills the broker when it has said some records, and returns how many it said that were applied, at least.
func (b *broker) killAfter(records int) (last int) {
	b.t.Helper()
	for line := range b.lines {
		if _, err := fmt.Sscanf(line, "applied %d", &last); err != nil {
			b.t.Fatalf("%q: %v", line, err)
		}
		if records--; records == 0 {
			b.kill()
		}
	}
	return last + 1
}

// TestKillNine kills one broker after the other, each at any moment, while a standby waits.
func TestKillNine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	leader, term := startBroker(t, dir), uint64(0)
	higher, _ := leader.awaitLead()
	for round := range 8 {
		if higher <= term {
			t.Fatalf("term %d after term %d", higher, term)
		}
		term = higher
		standby := startBroker(t, dir)
		applied := leader.killAfter(1 + rand.IntN(300))
		killed := time.Now()
		var found int
		higher, found = standby.awaitLead()
		t.Logf("round %d: took over in %v with %d records, of which %d were said to be applied", round,
			time.Since(killed).Round(time.Millisecond), found, applied)
		if found < applied || found > applied+1 {
			t.Fatalf("%d records were found, of %d said to be applied and one in flight", found, applied)
		}
		leader = standby
	}
	leader.kill()
	checkNumbers(t, dir)
}

// checkNumbers expects each number once and in order.
func checkNumbers(t *testing.T, dir string) {
	got, err := recoverAll(t, options(t, nil, dir))
	if err != nil {
		t.Fatal(err)
	}
	for i, data := range got {
		if data != fmt.Sprint(i) {
			t.Fatalf("record %d is %q", i, data)
		}
	}
}

// TestOneOfTwoProcessesLeads has a second process wait until the first ends in order.
func TestOneOfTwoProcessesLeads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	l, err := Open(options(t, nil, dir))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	term, err := l.Lead(t.Context(), func(log.Entry) {})
	if err != nil {
		t.Fatal(err)
	}
	other := startBroker(t, dir)
	if _, err := l.Append(nil, []byte(strings.Repeat("x", 100))); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if higher, found := other.awaitLead(); higher <= term || found != 1 {
		t.Errorf("the other process took over in term %d with %d records", higher, found)
	}
}
