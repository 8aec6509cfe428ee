package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// refused starts a broker that cannot have its data directory, and returns the one line that it says before it ends.
func refused(t *testing.T, arguments ...string) string {
	t.Helper()
	return refusedTo(t, func(*exec.Cmd) {}, arguments...)
}

// refusedTo changes the command before.
func refusedTo(t *testing.T, change func(*exec.Cmd), arguments ...string) string {
	t.Helper()
	c := command(t, append([]string{"serve", "--openwire", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0"}, arguments...)...)
	change(c)
	out, err := c.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("it ended with %v, want exit code 1", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 1 {
		t.Errorf("it said %q, want one line", lines)
	}
	t.Log(lines[0])
	return lines[0]
}

func mentions(t *testing.T, line string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(line, part) {
			t.Errorf("%q does not mention %q", line, part)
		}
	}
}

func needRoot(t *testing.T, what string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may " + what)
	}
}

// onMount gives the test, and the processes that it starts, a mount of their own on the directory that it returns.
func onMount(t *testing.T, kind, options string) string {
	t.Helper()
	needRoot(t, "mount a file system")
	dir := t.TempDir()
	runtime.LockOSThread() // for ever: the thread ends with the test, and with it the mounts
	if err := errors.Join(unix.Unshare(unix.CLONE_NEWNS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("none", dir, kind, 0, options)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// A directory of somebody else is left as it was: not even a password is made there.
func TestDirectoryOfAnotherBroker(t *testing.T) {
	java := t.TempDir()
	if err := os.WriteFile(filepath.Join(java, "db-1.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mentions(t, refused(t, "--data", java), "ActiveMQ", "db-1.log", "directory of its own",
		"receive its messages there and send them here")
	if left, err := os.ReadDir(java); err != nil || len(left) != 1 {
		t.Errorf("left in the directory: %v, %v", left, err)
	}
	billing := t.TempDir()
	startServe(t, "--data", billing, "--name", "billing-1", "--auth", "off").listening().terminate()
	mentions(t, refused(t, "--data", billing, "--name", "orders-0"), `"billing-1"`, `"orders-0"`, "directory of its own")
}

// openDirectory returns a directory that all users may read and only this one may write, with a copy of the program in it.
func openDirectory(t *testing.T) (dir, program string) {
	t.Helper()
	dir = t.TempDir()
	program = filepath.Join(dir, "twinmesh-broker")
	text, err := os.ReadFile("/proc/self/exe")
	err = errors.Join(err, os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755), os.WriteFile(program, text, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	return dir, program
}

func TestDirectoryThatOurUserMayNotWrite(t *testing.T) {
	needRoot(t, "be another user")
	dir, program := openDirectory(t)
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	another := func(c *exec.Cmd) {
		c.Path = program
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
	}
	for _, data := range []string{filepath.Join(dir, "data"), filepath.Join(dir, "missing")} {
		for _, auth := range []string{"on", "off"} {
			mentions(t, refusedTo(t, another, "--data", data, "--auth", auth), dir, "permission denied", "belongs to uid 0, gid 0",
				"mode drwxr-xr-x", "uid 12345, gid 12345", "let it write", "fsGroup")
		}
	}
}

func TestVolumeThatIsReadOnly(t *testing.T) {
	dir := onMount(t, "tmpfs", "ro")
	for _, auth := range []string{"on", "off"} {
		mentions(t, refused(t, "--data", filepath.Join(dir, "data"), "--auth", auth), "read-only file system",
			"the volume of "+dir, "mount it to be written")
	}
}

// A volume fills up while a client sends. The broker ends, says why, and starts again only when there is room; then each
// message is there whose send was answered.
func TestVolumeThatIsFull(t *testing.T) {
	dir := onMount(t, "tmpfs", "size=4m")
	data := filepath.Join(dir, "data")
	p := startServe(t, "--auth", "off", "--data", data).listening()
	answered := p.sendUntilTheEnd(func(int) {})
	p.failed("write entry", "no space left on device", "the volume of "+data+" is full", "bytes are needed", "make room",
		"nothing that was acknowledged is lost")
	if answered == 0 {
		t.Fatal("no message was stored before the volume was full")
	}

	if err := unix.Mount("none", dir, "tmpfs", unix.MS_REMOUNT, "size=16m"); err != nil {
		t.Fatal(err)
	}
	p = startServe(t, "--auth", "off", "--data", data).listening()
	p.receiveAll(answered)
	p.terminate()
	t.Logf("%d messages were answered", answered)
}

// The disk below a file system fills up, which only the sync tells. The broker does not go on, whatever the next sync would say.
func TestSyncThatFails(t *testing.T) {
	below := onMount(t, "tmpfs", "size=40m")
	disk, filler, dir := filepath.Join(below, "disk"), filepath.Join(below, "filler"), filepath.Join(below, "dir")
	run(t, "truncate", "--size=200M", disk)
	run(t, "mkfs.ext4", "-q", disk) // with its journal: without one Linux does not tell of each block that was lost
	run(t, "mkdir", dir)
	run(t, "mount", "-o", "loop", disk, dir)
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	p := startServe(t, "--auth", "off", "--data", dir).listening()
	answered := p.sendUntilTheEnd(func(n int) {
		if n == 10 {
			_ = os.WriteFile(filler, make([]byte, 40<<20), 0o600) // as far as it goes
		}
	})
	p.failed("sync entry", "input/output error", "the disk or file server of "+dir+" failed", "what was not acknowledged")

	run(t, "umount", dir)
	run(t, "rm", filler)
	run(t, "mount", "-o", "loop", disk, dir)
	p = startServe(t, "--auth", "off", "--data", dir).listening()
	p.receiveAll(answered)
	p.terminate()
	t.Logf("%d messages were answered", answered)
}

func run(t *testing.T, name string, arguments ...string) {
	t.Helper()
	if out, err := exec.Command(name, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v: %s", name, arguments, err, out)
	}
}

// failed waits until the broker has ended by itself, with exit code 1 and a last line that says why.
func (p *process) failed(why ...string) {
	p.t.Helper()
	mentions(p.t, p.await(`msg="the log ended.*reason="(.*)"`), why...)
	last := ""
	for p.lines.Scan() {
		last = p.lines.Text()
	}
	mentions(p.t, last, append(why, "twinmesh-broker: ")...)
	if err := p.Wait(); err == nil || p.ProcessState.ExitCode() != 1 {
		p.t.Errorf("it ended with %v, want exit code 1", err)
	}
}

// A password that could not be kept is not shown; one is made when there is room.
func TestNoRoomForThePassword(t *testing.T) {
	dir := onMount(t, "tmpfs", "size=4k")
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 4<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	mentions(t, refused(t, "--data", dir), "users.properties", "no space left on device")
	if err := errors.Join(os.Remove(filler), unix.Mount("none", dir, "tmpfs", unix.MS_REMOUNT, "size=4m")); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	startServeTo(t, &out, "--data", dir).listening().terminate()
	mentions(t, out.String(), "password: ")
}
