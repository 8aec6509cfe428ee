package security

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// The bounds of what a hash in the users file may cost, so that no line of it makes a login take minutes or gigabytes.
const (
	maxBcryptCost  = 15
	maxArgonMemory = 256 << 10 // KiB
	maxArgonTime   = 16
	maxArgonLanes  = 16
	minSalt        = 8
	minHash        = 16
	maxText        = 64 // of a salt or a hash
)

// What Hash makes: 19 MiB and two passes, which OWASP recommends at least.
const (
	argonMemory = 19 << 10
	argonTime   = 2
	argonLanes  = 1
)

// secret is what a password is compared with.
type secret interface {
	matches(password string) bool
}

type plainSecret [sha256.Size]byte

func (s plainSecret) matches(password string) bool {
	given := sha256.Sum256([]byte(password)) // so that the time does not tell the length
	return subtle.ConstantTimeCompare(s[:], given[:]) == 1
}

type bcryptSecret string

func (s bcryptSecret) matches(password string) bool {
	return bcrypt.CompareHashAndPassword([]byte(s), []byte(password)) == nil
}

// argonSecret is a hash by argon2id.
type argonSecret struct {
	memory, time uint32
	lanes        uint8
	salt, hash   []byte
}

func (s argonSecret) matches(password string) bool {
	return subtle.ConstantTimeCompare(s.hash, s.of(password)) == 1
}

func (s argonSecret) of(password string) []byte {
	return argon2.IDKey([]byte(password), s.salt, s.time, s.memory, s.lanes, uint32(len(s.hash)))
}

func (s argonSecret) String() string {
	text := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, s.memory, s.time, s.lanes,
		text.EncodeToString(s.salt), text.EncodeToString(s.hash))
}

// parseSecret reads a password as it stands in the users file: a hash by bcrypt or argon2id, else the password itself.
func parseSecret(text string) (secret, error) {
	switch {
	case strings.HasPrefix(text, "$2"):
		cost, err := bcrypt.Cost([]byte(text))
		if err != nil || cost > maxBcryptCost {
			return nil, fmt.Errorf("no hash by bcrypt with a cost of at most %d", maxBcryptCost)
		}
		return bcryptSecret(text), nil
	case strings.HasPrefix(text, "$argon2"):
		return parseArgon(text)
	}
	return plainSecret(sha256.Sum256([]byte(text))), nil
}

func parseArgon(text string) (secret, error) {
	var s argonSecret
	var version int
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return nil, errors.New("no hash by argon2id: write $argon2id$v=19$m=KiB,t=PASSES,p=LANES$SALT$HASH")
	}
	if n, err := fmt.Sscanf(parts[2], "v=%d", &version); n != 1 || err != nil || version != argon2.Version {
		return nil, fmt.Errorf("a hash by another version of argon2id than %d", argon2.Version)
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &s.memory, &s.time, &s.lanes); n != 3 || err != nil ||
		s.memory < 8*uint32(s.lanes) || s.memory > maxArgonMemory || s.time < 1 || s.time > maxArgonTime || s.lanes < 1 || s.lanes > maxArgonLanes {
		return nil, fmt.Errorf("the parameters of a hash by argon2id are at most m=%d,t=%d,p=%d", maxArgonMemory, maxArgonTime, maxArgonLanes)
	}
	var errSalt, errHash error
	s.salt, errSalt = base64.RawStdEncoding.DecodeString(parts[4])
	s.hash, errHash = base64.RawStdEncoding.DecodeString(parts[5])
	if errSalt != nil || errHash != nil || len(s.salt) < minSalt || len(s.salt) > maxText || len(s.hash) < minHash || len(s.hash) > maxText {
		return nil, fmt.Errorf("salt and hash of argon2id are %d and %d to %d bytes in base64 without padding", minSalt, minHash, maxText)
	}
	return s, nil
}

// Hash returns what stands for a password in a users file: its hash by argon2id.
func Hash(password string) string {
	s := argonSecret{memory: argonMemory, time: argonTime, lanes: argonLanes, salt: make([]byte, 16), hash: make([]byte, 32)}
	_, _ = rand.Read(s.salt) // it never fails
	s.hash = s.of(password)
	return s.String()
}
