package security

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// maxVerdicts bounds how many right passwords are remembered, so that no hash is computed for each connection.
const maxVerdicts = 1024

// Users are the users of a file with a line name=password for each, the password plain or as a hash. The file is read again
// when it has changed. Its methods may be called by many goroutines.
type Users struct {
	path   string
	logger *slog.Logger
	warned bool // that passwords are plain

	mu       sync.Mutex
	text     []byte
	secrets  map[string]string
	standIns []string // each password once, for users that there are not
	verdicts map[[sha256.Size]byte]struct{}
}

// Open reads the file.
func Open(path string, logger *slog.Logger) (*Users, error) {
	u := &Users{path: path, logger: logger}
	return u, u.reload()
}

// reload reads the file if it has changed; u.mu is held, or u not shared.
func (u *Users) reload() error {
	text, err := os.ReadFile(u.path)
	if err != nil {
		return fmt.Errorf("reading the users: %w", err)
	}
	if u.secrets != nil && bytes.Equal(text, u.text) {
		return nil
	}
	secrets, err := parseUsers(text)
	if err != nil {
		return fmt.Errorf("%s: %w", u.path, err)
	}
	u.text, u.secrets, u.verdicts = text, secrets, map[[sha256.Size]byte]struct{}{}
	u.standIns = u.standIns[:0]
	plain := 0
	for _, s := range secrets {
		u.standIns = append(u.standIns, s)
		if !strings.HasPrefix(s, "$2") && !strings.HasPrefix(s, "$argon2") {
			plain++
		}
	}
	slices.Sort(u.standIns)
	if plain > 0 && !u.warned {
		u.warned = true
		u.logger.Warn("the users file has passwords that are not hashed: make hashes with twinmesh-broker user hash", "file", u.path, "users", plain)
	}
	return nil
}

// parseUsers returns the passwords, as they are written, by the users' names.
func parseUsers(text []byte) (map[string]string, error) {
	secrets := map[string]string{}
	err := eachLine(text, "name=password", func(name, password string) error {
		secrets[name] = password
		_, err := parseSecret(password)
		return err
	})
	if err == nil && len(secrets) == 0 {
		err = errors.New("it has no user, so nobody could connect: write a line name=password")
	}
	return secrets, err
}

// eachLine goes over the lines of a properties file that say something.
func eachLine(text []byte, form string, do func(key, value string) error) error {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, found := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !found || key == "" || value == "" {
			return fmt.Errorf("line %d: write %s", n, form)
		}
		if err := do(key, value); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// check is what has to be computed to know whether a password is right.
type check struct {
	key    [sha256.Size]byte // under which the verdict is remembered
	secret string
	known  bool // else the answer is no, whatever is computed
}

// find returns what to check a user's password with, and whether it is known to be right. For a user that there is not it is another
// one's, always the same, so that the time tells nothing. When the file cannot be read any more, the users last read stand.
func (u *Users) find(name, password string) (c check, remembered bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	_ = u.reload() // a file in the middle of being replaced is read the next time
	c.secret, c.known = u.secrets[name]
	if !c.known {
		h := sha256.Sum256([]byte(name))
		c.secret = u.standIns[binary.BigEndian.Uint64(h[:])%uint64(len(u.standIns))]
	}
	c.key = sha256.Sum256(fmt.Appendf(nil, "%d %s %s %s", len(name), name, c.secret, password))
	_, remembered = u.verdicts[c.key]
	return c, remembered && c.known
}

// verify computes whether the password is right, and remembers it if so. Of many clients that come at once with the same one, as after
// a takeover, one has it computed, and the others find it remembered.
func (u *Users) verify(c check, password string) bool {
	if u.remembers(c) {
		return true
	}
	s, err := parseSecret(c.secret)
	if err != nil || !s.matches(password) || !c.known {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.verdicts) < maxVerdicts {
		u.verdicts[c.key] = struct{}{}
	}
	return true
}

func (u *Users) remembers(c check) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, remembered := u.verdicts[c.key]
	return remembered && c.known
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
	hash := Hash(password)
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
