package security

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/twinmesh/twinmesh/broker/config"
)

// write makes a file with a text and returns its path.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "file.properties")
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newGuard(t *testing.T, users string, change func(*config.Config)) (*Guard, *bytes.Buffer) {
	t.Helper()
	c := config.Default()
	if change != nil {
		change(&c)
	}
	var logged bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&logged, nil))
	u, err := Open(users, logger)
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewGuard(u, c, logger)
	if err != nil {
		t.Fatal(err)
	}
	return g, &logged
}

// refused tells of a login that is let in.
func refused(t *testing.T, g *Guard, name, password string) {
	t.Helper()
	_, err := g.Authenticate(t.Context(), Login{"10.0.0.1", name, password})
	if want := fmt.Sprintf("User name [%s] or password is invalid.", name); err == nil || err.Error() != want {
		t.Errorf("%s, %s: got %v", name, password, err)
	}
}

func admitted(t *testing.T, g *Guard, name, password string) *User {
	t.Helper()
	u, err := g.Authenticate(t.Context(), Login{"10.0.0.1", name, password})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAuthenticate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.properties")
	password, err := Generate(path)
	if err != nil || password == "" {
		t.Fatal(password, err)
	}
	if again, err := Generate(path); again != "" || err != nil {
		t.Errorf("a second password: %q, %v", again, err)
	}
	if text, _ := os.ReadFile(path); strings.Contains(string(text), password) || !strings.HasPrefix(string(text), "admin=$argon2id$") {
		t.Errorf("the file should hold a hash, and only that: %s", text)
	}
	g, _ := newGuard(t, path, nil)
	for range 2 { // the second time from memory
		admitted(t, g, "admin", password)
	}
	for _, wrong := range [][2]string{{"admin", "x"}, {"admin", ""}, {"nobody", password}, {"", ""}} {
		refused(t, g, wrong[0], wrong[1])
	}
	write(t, path, "# now plain\nother = secret\n")
	admitted(t, g, "other", "secret")
	refused(t, g, "admin", password)
}

func TestEachFormOfPassword(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("of b"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("a=%s\nb=%s\nc=of c\n", Hash("of a"), hash)
	// As the reference implementation of argon2 hashes it.
	text += "d=$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$ZVrRXqxlLcWfcXCnMyv0m4Rpvh/bnCi7\n"
	g, logged := newGuard(t, write(t, "", text), nil)
	for _, name := range []string{"a", "b", "c"} {
		admitted(t, g, name, "of "+name)
		refused(t, g, name, "of "+name+"!")
	}
	admitted(t, g, "d", "password")
	if got := strings.Count(logged.String(), "not hashed"); got != 1 || !strings.Contains(logged.String(), "users=1") {
		t.Errorf("a plain password is to be warned of once: %s", logged)
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	salt, hash := "c29tZXNhbHQ", "RdescudvJCsgt3ub+b4dWRWJTmaaJObG"
	for line, want := range map[string]string{
		"nonsense":                            "line 2: write name=password",
		"b=$2a$31$abc":                        "line 2: no hash by bcrypt",
		"b=$2a$16$" + strings.Repeat("a", 53): "cost of at most 15",
		"b=$argon2i$v=19$m=64,t=1,p=1$" + salt + "$" + hash:          "no hash by argon2id",
		"b=$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + hash:         "another version",
		"b=$argon2id$v=19$m=4000000,t=1,p=1$" + salt + "$" + hash:    "parameters",
		"b=$argon2id$v=19$m=64,t=99,p=1$" + salt + "$" + hash:        "parameters",
		"b=$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + hash:         "parameters",
		"b=$argon2id$v=19$m=64,t=1,p=1$c29t$" + hash:                 "salt and hash",
		"b=$argon2id$v=19$m=64,t=1,p=1$" + salt + "$c29tZXNhbHQ":     "salt and hash",
		"b=$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + hash + "===": "salt and hash",
	} {
		if _, err := Open(write(t, "", "a=b\n"+line+"\n"), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", line, err)
		}
	}
	path := write(t, "", "# nobody\n")
	if _, err := Open(path, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), path+": it has no user") {
		t.Errorf("got %v", err)
	}
}

func FuzzParseSecret(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG")
	f.Add("$2a$10$abc")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSecret(text)
		if a, ok := s.(argonSecret); ok && err == nil {
			again, err := parseSecret(a.String())
			if err != nil || again.(argonSecret).String() != a.String() {
				t.Errorf("%s: read back as %v, %v", text, again, err)
			}
		}
	})
}

// TestAnUnknownUserCostsAHash: whatever its name, what is computed for it is what is computed for somebody else.
func TestAnUnknownUserCostsAHash(t *testing.T) {
	u, err := Open(write(t, "", "a="+Hash("a")+"\nb="+Hash("b")+"\n"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		name := fmt.Sprint("unknown ", n)
		first, _ := u.find(name, "a")
		second, _ := u.find(name, "b")
		if first.known || first.secret != second.secret || !strings.HasPrefix(first.secret, "$argon2id$") {
			t.Fatalf("got %v, then %v", first, second)
		}
		if u.secrets["a"] == first.secret && n%50 == 0 && u.verify(first, "a") {
			t.Error("an unknown user got in by the password of another")
		}
	}
}

func TestAnonymousClients(t *testing.T) {
	path := write(t, "", "a=b\n")
	g, _ := newGuard(t, path, nil)
	refused(t, g, "", "")
	g, _ = newGuard(t, path, func(c *config.Config) { c.Auth.AnonymousAccessAllowed = true })
	if u := admitted(t, g, "", ""); u.Name() != "anonymous" {
		t.Errorf("it is %q", u.Name())
	}
	refused(t, g, "", "x")
}

func TestALoginEndsWithItsConnection(t *testing.T) {
	g, _ := newGuard(t, write(t, "", "a=b\n"), nil)
	for range cap(g.throttle.places) {
		g.throttle.places <- struct{}{}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if _, err := g.Authenticate(ctx, Login{"10.0.0.1", "a", "b"}); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}

// TestClientsThatComeAtOnceCostOneHash: after a takeover thousands log in, and most of them as the same user.
func TestClientsThatComeAtOnceCostOneHash(t *testing.T) {
	g, _ := newGuard(t, write(t, "", "a="+Hash("x")+"\n"), nil)
	first, _ := g.users.find("a", "x")
	second, remembered := g.users.find("a", "x")
	if remembered || !g.users.verify(first, "x") {
		t.Fatal("it is right, and nobody knew")
	}
	second.secret = "which nobody computes"
	if !g.users.verify(second, "x") {
		t.Error("it was computed again")
	}
}
