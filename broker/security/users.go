// Package security says who a client is. What a client may do is not decided here yet: who is known may do everything.
package security

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"
)

// ErrRefused is the answer to an unknown user and to a wrong password alike.
var ErrRefused = errors.New("user name or password is wrong")

// maxVerdicts bounds how many right passwords are remembered, so that bcrypt is not run for each connection.
const maxVerdicts = 1024

// Users are the users of a file with a line name=password for each, the password plain or as a bcrypt hash. The file is
// read again when it has changed. Its methods may be called by many goroutines.
type Users struct {
	path string

	mu        sync.Mutex
	text      []byte
	passwords map[string]string
	verdicts  map[[sha256.Size]byte]struct{}
}

// Open reads the file.
func Open(path string) (*Users, error) {
	u := &Users{path: path}
	return u, u.reload()
}

// reload reads the file if it has changed; u.mu is held, or u not shared.
func (u *Users) reload() error {
	text, err := os.ReadFile(u.path)
	if err != nil {
		return fmt.Errorf("reading the users: %w", err)
	}
	if u.passwords != nil && bytes.Equal(text, u.text) {
		return nil
	}
	passwords, err := parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", u.path, err)
	}
	u.text, u.passwords, u.verdicts = text, passwords, map[[sha256.Size]byte]struct{}{}
	return nil
}

func parse(text []byte) (map[string]string, error) {
	passwords := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, password, found := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !found || name == "" || strings.TrimSpace(password) == "" {
			return nil, fmt.Errorf("line %d: write name=password", n)
		}
		passwords[name] = strings.TrimSpace(password)
	}
	if len(passwords) == 0 && lines.Err() == nil {
		return nil, errors.New("it has no user, so nobody could connect: write a line name=password")
	}
	return passwords, lines.Err()
}

// Authenticate returns ErrRefused unless the password is the user's. When the file cannot be read any more, the users
// last read stand.
func (u *Users) Authenticate(user, password string) error {
	u.mu.Lock()
	_ = u.reload() // a file in the middle of being replaced is read the next time
	wanted, known := u.passwords[user]
	key := sha256.Sum256(fmt.Appendf(nil, "%d %s %s %s", len(user), user, wanted, password))
	_, remembered := u.verdicts[key]
	u.mu.Unlock()
	if remembered && known {
		return nil
	}
	if !known || !matches(wanted, password) {
		return ErrRefused
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.verdicts) < maxVerdicts {
		u.verdicts[key] = struct{}{}
	}
	return nil
}

func matches(wanted, password string) bool {
	if strings.HasPrefix(wanted, "$2") {
		return bcrypt.CompareHashAndPassword([]byte(wanted), []byte(password)) == nil
	}
	return subtle.ConstantTimeCompare([]byte(wanted), []byte(password)) == 1
}

// Generate makes a file with one user, admin, and returns the password, of which only the hash is kept. A file that is
// there already is left alone, and the password is "".
func Generate(path string) (password string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("making the users: %w", err)
	}
	if _, err := os.Stat(path); err == nil {
		return "", nil // which spares the hash
	}
	password = rand.Text()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		return "", fmt.Errorf("making the users: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("making the users: %w", err)
	}
	_, err = fmt.Fprintf(f, "admin=%s\n", hash)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("making the users: %w", err), os.Remove(path)) // or nobody would ever get in
	}
	return password, nil
}
