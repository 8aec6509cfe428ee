package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// A Java broker locks the file as a process does. It keeps ours out, and ours keeps it out.
func TestAJavaBrokerHasTheLock(t *testing.T) {
	data := t.TempDir()
	file, err := os.Create(filepath.Join(data, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	lock := func(kind int16) error {
		return unix.FcntlFlock(file.Fd(), unix.F_SETLK, &unix.Flock_t{Type: kind})
	}
	if err := lock(unix.F_WRLCK); err != nil {
		t.Fatal(err)
	}
	p := startServe(t, "--auth", "off", "--data", data)
	p.await(fmt.Sprintf(`(waiting for the lock.*locked_by_pid=%d)`, os.Getpid()))
	if role := p.get("/role"); role != `{"name":"localhost","role":"standby","term":0}` {
		t.Errorf("/role is %s", role)
	}
	if err := lock(unix.F_UNLCK); err != nil {
		t.Fatal(err)
	}
	p.listening().greet()
	if err := lock(unix.F_WRLCK); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("to lock the directory of an active broker: %v", err)
	}
	p.terminate()
}

// Somebody removes the lock of a broker that is asleep, and another one takes over. The first, awake, answers nobody any more.
func TestAStolenLock(t *testing.T) {
	data := t.TempDir()
	first := startServe(t, "--auth", "off", "--data", data).listening()
	sender := first.join()
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(data, "lock")); err != nil {
		t.Fatal(err)
	}
	second := startServe(t, "--auth", "off", "--data", data).listening()
	answer := make(chan error, 1)
	err := sender.Start(sender.message(1), func(_ openwire.Command, err error) { answer <- err }) // is there when it wakes
	if err = errors.Join(err, first.Process.Signal(syscall.SIGCONT)); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; !errors.Is(err, client.ErrDisconnected) {
		t.Errorf("the broker whose term is over said: %v", err)
	}
	first.failed("the right to append was lost", "term")
	if again := second.join(); !again.ask(again.message(1)) {
		t.Error("the new broker is gone")
	}
	second.terminate()
}
