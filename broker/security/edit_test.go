package security

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsersAreEdited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	fails := func(want string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	fails("no such file", SetPassword(path, "a", "x", false))
	must(SetPassword(path, "a", "x", true))
	write(t, path, "# ours\n"+readFile(t, path)+"other = y")
	must(os.Chmod(path, 0o640))
	must(SetPassword(path, "b", "z", true))
	must(SetPassword(path, "other", "new", false))
	fails("has the user a already", SetPassword(path, "a", "x", true))
	fails("has no user nobody", SetPassword(path, "nobody", "x", false))
	fails("the password is empty", SetPassword(path, "c", "", true))
	for _, name := range []string{"", "a=b", "#a", " a", "a\nb"} {
		fails("the user name", SetPassword(path, name, "x", true))
	}
	g, _ := newGuard(t, path, nil)
	admitted(t, g, "a", "x")
	admitted(t, g, "b", "z")
	admitted(t, g, "other", "new")
	must(RemoveUser(path, "a"))
	fails("has no user a", RemoveUser(path, "a"))
	refused(t, g, "a", "x")
	admitted(t, g, "b", "z")
	info, err := os.Stat(path)
	must(err)
	if text := readFile(t, path); !strings.HasPrefix(text, "# ours\nother=$argon2id$") || strings.Count(text, "\n") != 3 || info.Mode().Perm() != 0o640 {
		t.Errorf("%v: %s", info.Mode(), text)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
