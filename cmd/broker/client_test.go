package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// ended runs a command to its end, and returns its exit code and what it printed.
func ended(t *testing.T, c *exec.Cmd) (code int, stdout, stderr string) {
	t.Helper()
	var out, log strings.Builder
	c.Stdout, c.Stderr = &out, &log
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), log.String()
}

// want runs a command and compares its exit code and a pattern of what it prints.
func want(t *testing.T, code int, pattern string, arguments ...string) string {
	t.Helper()
	got, stdout, stderr := ended(t, command(t, arguments...))
	if got != code || !regexp.MustCompile(pattern).MatchString(stdout+stderr) {
		t.Errorf("%v: exit code %d, want %d; printed\n%s%s\nwant %s", arguments, got, code, stdout, stderr, pattern)
	}
	return stdout
}

func TestProducerAndConsumer(t *testing.T) {
	p := startServe(t, "--auth", "off", "--data", t.TempDir()).listening()
	url := "--url=tcp://" + p.address
	printed := func(text string, n int, arguments ...string) {
		t.Helper()
		out := want(t, 0, "received "+strconv.Itoa(n)+" messages", append([]string{"consumer", url, "--print"}, arguments...)...)
		if got := strings.Count(out, text+"\n"); got != n {
			t.Errorf("%v: printed %d messages, want %d: %s", arguments, got, n, out)
		}
	}
	want(t, 0, "sent 3 messages", "producer", url, "--messageCount", "3", "--message", "hello")
	printed("hello", 3, "--messageCount", "3")
	want(t, 0, "sent 20 messages", "producer", url, "--messageCount", "10", "--parallelThreads", "2", "--messageSize", "4",
		"--transactionBatchSize", "3", "--destination", "queue://Q")
	for _, mode := range []string{"SESSION_TRANSACTED", "CLIENT_ACKNOWLEDGE", "INDIVIDUAL_ACKNOWLEDGE"} {
		printed("xxxx", 5, "--messageCount", "5", "--ackMode", mode, "--batchSize", "2", "--destination", "queue://Q")
	}
	durable := []string{"--destination", "topic://T", "--durable", "--clientId", "me"}
	want(t, 2, "received 0 messages", append([]string{"consumer", url, "--receiveTimeout", "100"}, durable...)...)
	want(t, 0, "sent 2 messages", "producer", url, "--messageCount", "2", "--message", "kept", "--destination", "topic://T")
	printed("kept", 2, append(durable, "--messageCount", "2")...)
	want(t, 2, "received 5 messages", "consumer", url, "--messageCount", "10", "--receiveTimeout", "300", "--destination", "Q")
	p.terminate()
}

// A producer that is in the middle when its broker is killed goes on with the next, and all that it sent is there.
func TestProducerOutlivesItsBroker(t *testing.T) {
	data := t.TempDir()
	first := startServe(t, "--auth", "off", "--data", data).listening()
	next := freeAddress(t)
	second := startServe(t, "--auth", "off", "--data", data, "--openwire", "tcp://"+next)
	second.await(`(waiting for the lock)`)
	url := "--url=failover:(tcp://" + first.address + ",tcp://" + next + ")?maxReconnectDelay=100"
	sending := command(t, "producer", url, "--messageCount", "300", "--parallelThreads", "4", "--sleep", "2")
	var out, log strings.Builder
	sending.Stdout, sending.Stderr = &out, &log
	if err := sending.Start(); err != nil {
		t.Fatal(err)
	}
	lines := want(t, 0, "received 100", "consumer", url, "--messageCount", "100", "--print")
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	second.listening()
	if err := sending.Wait(); err != nil || !strings.Contains(out.String(), "sent 1200 messages") || !strings.Contains(log.String(), "lost the broker") {
		t.Errorf("%v, %s%s", err, out.String(), log.String())
	}
	lines += want(t, 2, "received", "consumer", url, "--messageCount", "2000", "--receiveTimeout", "1000", "--print")
	second.terminate()
	checkAllThere(t, lines, 300, 4)
}

// checkAllThere tells of messages that are missing, each of so many numbers being sent so many times; and of more than there
// should be, but for those that are marked as redelivered: the broker may have died before an acknowledgement was on its disk.
func checkAllThere(t *testing.T, lines string, numbers, times int) {
	t.Helper()
	for n := range numbers {
		if got := strings.Count(lines, fmt.Sprintf("test message: %d\n", n)); got < times {
			t.Errorf("message %d came %d times, want %d", n, got, times)
		}
	}
	marked := 0
	if found := regexp.MustCompile(`(\d+) were marked`).FindStringSubmatch(lines); found != nil {
		marked, _ = strconv.Atoi(found[1])
	}
	if got := strings.Count(lines, "test message: "); got > numbers*times+marked {
		t.Errorf("%d messages came, %d of them marked, want %d", got, marked, numbers*times)
	}
}

// freeAddress is one that nobody listens on yet: a standby tells its own only when it serves.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestInterrupting(t *testing.T) {
	p := startServe(t, "--auth", "off", "--data", t.TempDir()).listening()
	c := command(t, "consumer", "--url=tcp://"+p.address)
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := stderr.Read(b[:]); err != nil { // it is connected
		t.Fatal(err)
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != 2 {
		t.Errorf("exit code %d", code)
	}
	p.terminate()
}

func TestPasswords(t *testing.T) {
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "password")
	var shown strings.Builder
	p := startServeTo(t, &shown, "--data", data).listening()
	want(t, 1, "SecurityException", "producer", "--url=tcp://"+p.address)
	p.terminate() // so that all that it printed is there
	password := regexp.MustCompile(`password: (\S+)`).FindStringSubmatch(shown.String())[1]
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p = startServe(t, "--data", data).listening()
	want(t, 0, "sent 1 ", "producer", "--url=tcp://"+p.address, "--user=admin", "--password-file", file, "--messageCount=1")
	c := command(t, "consumer", "--url=tcp://"+p.address, "--user=admin", "--messageCount=1")
	c.Env = append(c.Env, passwordVariable+"="+password)
	if code, out, log := ended(t, c); code != 0 {
		t.Errorf("exit code %d: %s%s", code, out, log)
	}
	p.terminate()
}

func TestClientMistakes(t *testing.T) {
	for want, arguments := range map[string][]string{
		`--ackMode "X": use one of AUTO_ACKNOWLEDGE`:  {"consumer", "--ackMode", "X"},
		"--batchSize is a number of 1 or more":        {"consumer", "--batchSize", "0"},
		"--parallelThreads is a number from 1":        {"consumer", "--parallelThreads", "0"},
		"--destination: the destination \"queue://\"": {"producer", "--destination", "queue://"},
		"give one of them":                            {"producer", "--messageSize", "1", "--message", "x"},
		"reading the password":                        {"producer", "--password-file", "/nowhere/at/all"},
		"write tcp://HOST:PORT":                       {"producer", "--url", "localhost"},
		`did you mean "maxReconnectDelay"`:            {"producer", "--url", "failover:(tcp://a:1)?maxReconnectDela=1"},
		"connecting to 127.0.0.1:1: dial tcp":         {"producer", "--url", "tcp://127.0.0.1:1"},
	} {
		code, out, log := ended(t, command(t, arguments...))
		if code != 1 || !strings.Contains(log, want) {
			t.Errorf("%v: exit code %d, %s%s", arguments, code, out, log)
		}
	}
}
