package interop

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The one whom a broker lets in that is configured.
const (
	user     = "program"
	password = "of the program"
)

// broker is a running broker process.
type broker struct {
	command  *exec.Cmd
	active   chan struct{} // closed when it says that it is
	standing chan struct{} // closed when it says that it stands by
	done     chan struct{} // closed when it said its last
	mu       sync.Mutex
	log      strings.Builder
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

// start starts a broker on a directory and returns when it is active or stands by.
func start(t *testing.T, program, dir string, options ...string) *broker {
	t.Helper()
	b := &broker{active: make(chan struct{}), standing: make(chan struct{}), done: make(chan struct{})}
	b.command = exec.Command(program, append([]string{"serve", "--name", "pair", "--data", dir, "--http", freeAddress(t)}, options...)...)
	logs, err := b.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.command.Start(); err != nil {
		t.Fatal(err)
	}
	go b.follow(logs)
	t.Cleanup(func() {
		b.kill()
		if t.Failed() {
			t.Logf("broker %s said:\n%s", options, b.log.String())
		}
	})
	select {
	case <-b.active:
	case <-b.standing:
	case <-b.done:
		t.Fatal("the broker ended")
	case <-time.After(20 * time.Second):
		t.Fatal("the broker says neither active nor standby")
	}
	return b
}

func (b *broker) follow(logs io.Reader) {
	defer close(b.done)
	active := sync.OnceFunc(func() { close(b.active) })
	standing := sync.OnceFunc(func() { close(b.standing) })
	for lines := bufio.NewScanner(logs); lines.Scan(); {
		line := lines.Text()
		b.mu.Lock()
		b.log.WriteString(line + "\n")
		b.mu.Unlock()
		if strings.Contains(line, "msg=active") {
			active()
		}
		if strings.Contains(line, "following the log") {
			standing()
		}
	}
}

// kill ends the process as kill -9 does, and returns when it is gone.
func (b *broker) kill() {
	_ = b.command.Process.Kill()
	<-b.done
	_ = b.command.Wait()
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

// configured writes a configuration that lets only the user in if the text says nothing of rights, and returns the option
// that names it.
func configured(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	users, file := filepath.Join(dir, "users"), filepath.Join(dir, "broker.yaml")
	if !strings.Contains("\n"+text, "\nauth:") {
		text += "\nauth:\n  usersFile: " + users + "\n"
	}
	for path, text := range map[string]string{users: user + "=" + password + "\n", file: text} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return "--config=" + file
}
