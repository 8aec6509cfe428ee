package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// beBroker in the environment makes the test's program the broker's.
const beBroker = "TWINMESH_TEST_BE_BROKER"

func TestMain(m *testing.M) {
	if os.Getenv(beBroker) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what has to happen.
const patience = 10 * time.Second

func command(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, arguments...)
	c.Env = append(os.Environ(), beBroker+"=1", "GORACE=atexit_sleep_ms=0") // a second of which would count as ours
	return c
}

// process is a broker in a process of its own.
type process struct {
	*exec.Cmd
	t       *testing.T
	began   time.Time
	lines   *bufio.Scanner // of its log
	address string
	web     string
}

// startServe starts a broker on free ports.
func startServe(t *testing.T, arguments ...string) *process {
	t.Helper()
	return startServeTo(t, io.Discard, arguments...)
}

// startServeTo also takes what the broker prints.
func startServeTo(t *testing.T, out io.Writer, arguments ...string) *process {
	t.Helper()
	p := &process{t: t, Cmd: command(t, append([]string{
		"serve", "--openwire", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0",
	}, arguments...)...)}
	p.Stdout = out
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(stderr)
	p.began = time.Now()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	p.web = p.await(`msg="listening for health checks" url=(\S+)`)
	return p
}

// await reads the log up to a line, and returns the group of its pattern.
func (p *process) await(pattern string) string {
	p.t.Helper()
	line := regexp.MustCompile(pattern)
	for p.lines.Scan() {
		if found := line.FindStringSubmatch(p.lines.Text()); found != nil {
			return found[1]
		}
	}
	p.t.Fatalf("not logged: %s", pattern)
	return ""
}

// greet connects and waits for the broker's offer.
func (p *process) greet() net.Conn {
	p.t.Helper()
	conn, err := net.DialTimeout("tcp", p.address, patience)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := openwire.NewFrameReader(conn, openwire.HandshakeLimit).ReadFrame(); err != nil {
		p.t.Fatal(err)
	}
	return conn
}

// listening waits until the broker takes clients.
func (p *process) listening() *process {
	p.t.Helper()
	p.address = p.await(`connector=tcp://(\S+)`)
	return p
}

// terminate ends the broker as Kubernetes does, and tells how long that took.
func (p *process) terminate() time.Duration {
	p.t.Helper()
	began := time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	for p.lines.Scan() { // to the log's end, as Wait wants it
		continue
	}
	if err := p.Wait(); err != nil {
		p.t.Errorf("ended with %v", err)
	}
	return time.Since(began)
}

func (p *process) get(path string) string {
	p.t.Helper()
	response, err := http.Get(p.web + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(string(body))
}

// A broker with an empty directory accepts clients within a tenth of a second. The best of a few counts: the machine may be
// busy.
func TestStartIsQuick(t *testing.T) {
	best := time.Hour
	for range 5 {
		p := startServe(t, "--auth", "off", "--data", t.TempDir()).listening()
		p.greet()
		best = min(best, time.Since(p.began))
		p.terminate()
	}
	t.Logf("from the start of the process to the first accepted connection: %v", best)
	if best > 100*time.Millisecond {
		t.Errorf("it took %v, at most 100ms are allowed", best)
	}
}

// Of two brokers on one directory one serves; when it is told to end it does so within a second, clients or not, and the
// other one serves.
func TestHandover(t *testing.T) {
	data := t.TempDir()
	first := startServe(t, "--auth", "off", "--data", data).listening()
	second := startServe(t, "--auth", "off", "--data", data)
	second.await(`(waiting for the lock)`)
	for p, want := range map[*process]string{first: `{"name":"localhost","role":"active","term":1}`, second: `{"name":"localhost","role":"standby","term":0}`} {
		if role := p.get("/role"); role != want {
			t.Errorf("/role is %s, want %s", role, want)
		}
		if health, ready := p.get("/healthz"), p.get("/readyz"); health != "ok" || ready != "ok" {
			t.Errorf("/healthz is %s, /readyz is %s", health, ready)
		}
	}
	for range 10 {
		first.greet()
	}
	if took := first.terminate(); took > time.Second {
		t.Errorf("it took %v", took)
	}
	second.listening().greet()
	second.terminate()
}

// A pod's address vanishes with its process. A broker that handed over stays for a while, to refuse clients meanwhile.
func TestAPodThatHandedOverRefuses(t *testing.T) {
	for name, value := range map[string]string{
		"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1", // nobody answers there
		"POD_NAMESPACE": "default", "POD_NAME": "orders-0-0", "POD_UID": "a1", "POD_IP": "127.0.0.1", "NODE_NAME": "node1",
	} {
		t.Setenv(name, value)
	}
	data := t.TempDir()
	first := startServe(t, "--auth", "off", "--data", data, "--publish-slice", "orders-0").listening()
	second := startServe(t, "--auth", "off", "--data", data)
	second.await(`(waiting for the lock)`)
	ended := make(chan time.Duration, 1)
	go func() { ended <- first.terminate() }()
	second.listening().greet()
	if conn, err := net.DialTimeout("tcp", first.address, patience); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connecting to the broker that handed over: %v, %v, want that it refuses", conn, err)
	}
	if role := first.get("/role"); !strings.Contains(role, `"role":"stopping"`) {
		t.Errorf("/role is %s", role)
	}
	if took := <-ended; took < refuseTime || took > refuseTime+time.Second {
		t.Errorf("it ended after %v, want %v and less than a second to hand over", took, refuseTime)
	}
	second.terminate()
}

// The password is shown when it is made, and never again.
func TestTheFirstPassword(t *testing.T) {
	data := t.TempDir()
	for i, shown := range []bool{true, false} {
		var out strings.Builder
		c := startServeTo(t, &out, "--data", data)
		c.listening()
		c.terminate()
		if strings.Contains(out.String(), "password: ") != shown {
			t.Errorf("start %d: printed %q", i+1, out.String())
		}
	}
}

func TestMistakes(t *testing.T) {
	config := t.TempDir() + "/broker.yaml"
	if err := os.WriteFile(config, []byte("name: a\nhtttp: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, arguments := range map[string][]string{
		`broker.yaml:2: unknown key "htttp"; did you mean "http"?`: {"--config", config},
		"can be reached from other machines":                       {"--auth", "off", "--openwire", "tcp://0.0.0.0:0"},
		`no such option; there are version`:                        {"--auth", "off", "--openwire", "tcp://127.0.0.1:0?wireFormat.x=1"},
		"listening for HTTP":                                       {"--auth", "off", "--http", "256.0.0.1:1"},
	} {
		c := command(t, append([]string{"serve", "--data", t.TempDir()}, arguments...)...)
		out, err := c.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v, %s", arguments, err, out)
		}
	}
}
