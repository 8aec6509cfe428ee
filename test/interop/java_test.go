package interop

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// generation is a generation of ActiveMQ's client, with the JMS programs compiled for it.
type generation struct {
	name    string // of its JMS package
	classes string // class path
}

func compile(t *testing.T, name string) generation {
	t.Helper()
	return generation{name, compileAll(t, name, "java/*.java")}
}

// older returns the same programs with another version of the client.
func (g generation) older(t *testing.T, version string) generation {
	t.Helper()
	t.Setenv("JMS_CLIENT", version)
	programs := g.classes[strings.LastIndex(g.classes, ":"):]
	return generation{g.name, compileAll(t, g.name, "no sources") + programs}
}

// compileAll compiles programs for what hack/jms.sh knows, and returns their class path.
func compileAll(t *testing.T, name, pattern string) string {
	t.Helper()
	sources, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("../../hack/jms.sh", append([]string{name, t.TempDir()}, sources...)...)
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
	in      io.WriteCloser
	lines   *bufio.Scanner
	errors  bytes.Buffer
}

// start runs a program, which knows the user of a locked broker.
func (g generation) start(t *testing.T, program string, args ...string) *java {
	t.Helper()
	return startJava(t, g.classes, "", append([]string{program}, args...)...)
}

// startJava runs a program of a class path, which may ask for the URL of a broker.
func startJava(t *testing.T, classes, url string, args ...string) *java {
	t.Helper()
	options := []string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-cp", classes}
	j := &java{command: exec.CommandContext(t.Context(), "java", append(options, args...)...)}
	j.command.Env = append(os.Environ(), "JMS_USERNAME="+user, "JMS_PASSWORD="+password, "JMS_URL="+url)
	j.command.Stderr = &j.errors
	in, err := j.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := j.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := j.command.Start(); err != nil {
		t.Fatal(err)
	}
	j.in, j.lines = in, bufio.NewScanner(out)
	j.lines.Buffer(nil, 1<<20)
	return j
}

// next returns the next line that the program says, false at its end.
func (j *java) next(t *testing.T) (string, bool) {
	t.Helper()
	if j.lines.Scan() {
		return j.lines.Text(), true
	}
	if err := j.lines.Err(); err != nil {
		t.Fatal(err)
	}
	if err := j.command.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", j.command.Args[6], err, j.errors.String())
	}
	return "", false
}

// answer tells the program that what it asked for is done.
func (j *java) answer(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(j.in, "done\n"); err != nil {
		t.Fatal(err)
	}
}

// await returns what the program says, once that is so many lines.
func (j *java) await(t *testing.T, count int) []string {
	t.Helper()
	var lines []string
	for len(lines) < count {
		line, ok := j.next(t)
		if !ok {
			t.Fatalf("the program ended after %q", lines)
		}
		lines = append(lines, line)
	}
	return lines
}

// kill ends the program as kill -9 does, and returns what it has said and nobody read yet.
func (j *java) kill(t *testing.T) []string {
	t.Helper()
	if err := j.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for j.lines.Scan() {
		lines = append(lines, j.lines.Text())
	}
	_ = j.command.Wait() // it was killed
	return lines
}

// rest returns what the program says from here to its end.
func (j *java) rest(t *testing.T) []string {
	t.Helper()
	var lines []string
	for line, ok := j.next(t); ok; line, ok = j.next(t) {
		lines = append(lines, line)
	}
	return lines
}

// run runs a program and returns what it says.
func (g generation) run(t *testing.T, program string, args ...string) []string {
	t.Helper()
	return g.start(t, program, args...).rest(t)
}
