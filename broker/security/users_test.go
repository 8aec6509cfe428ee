package security

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAuthenticate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.properties")
	password, err := Generate(path)
	if err != nil || password == "" {
		t.Fatal(password, err)
	}
	if again, err := Generate(path); again != "" || err != nil {
		t.Errorf("a second password: %q, %v", again, err)
	}
	text, _ := os.ReadFile(path)
	if strings.Contains(string(text), password) {
		t.Error("the password itself is in the file")
	}
	u, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from memory
		if err := u.Authenticate("admin", password); err != nil {
			t.Error(err)
		}
	}
	for _, wrong := range [][2]string{{"admin", "x"}, {"admin", ""}, {"nobody", password}, {"", ""}} {
		if err := u.Authenticate(wrong[0], wrong[1]); !errors.Is(err, ErrRefused) {
			t.Errorf("%v: got %v", wrong, err)
		}
	}
	if err := os.WriteFile(path, []byte("# now plain\nother = secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := u.Authenticate("other", "secret"); err != nil {
		t.Errorf("after the file changed: %v", err)
	}
	if err := u.Authenticate("admin", password); !errors.Is(err, ErrRefused) {
		t.Errorf("a removed user: got %v", err)
	}
}

func TestABadLineIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.properties")
	if err := os.WriteFile(path, []byte("a=b\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "line 2: write name=password") {
		t.Errorf("got %v", err)
	}
}

func TestAFileWithoutUsers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.properties")
	if err := os.WriteFile(path, []byte("# nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path+": it has no user") {
		t.Errorf("got %v", err)
	}
}
