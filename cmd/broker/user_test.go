package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsersFromTheCommandLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	run := func(in string, args ...string) (string, error) {
		c := userCommand()
		var out bytes.Buffer
		c.SetIn(strings.NewReader(in))
		c.SetOut(&out)
		c.SetErr(&out)
		c.SetArgs(append(args, "--file", file))
		err := c.Execute()
		return out.String(), err
	}
	hash, err := run("secret\n", "hash")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$") || strings.Contains(hash, "secret") {
		t.Fatalf("got %q, %v", hash, err)
	}
	for _, step := range []struct {
		in   string
		args []string
		want string // of the error; "" is none
	}{
		{"", []string{"add", "a"}, "no password came in"},
		{"x\r\n", []string{"add", "a"}, ""},
		{"x", []string{"add", "a"}, "has the user a already"},
		{"y", []string{"passwd", "a"}, ""},
		{"y", []string{"passwd", "b"}, "has no user b"},
		{"z", []string{"add", "b"}, ""},
		{"", []string{"remove", "a"}, ""},
	} {
		if _, err := run(step.in, step.args...); (err == nil) != (step.want == "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("%v: got %v, want %q", step.args, err, step.want)
		}
	}
	if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(text), "b=$argon2id$") {
		t.Errorf("got %s, %v", text, err)
	}
}
