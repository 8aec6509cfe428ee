package security

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// SetPassword changes a user's password in a users file, of which it keeps the hash, or adds the user; create says which of the two is
// meant. Other lines stay as they are. Whoever reads the file meanwhile sees it before or after.
func SetPassword(path, name, password string, create bool) error {
	if name != strings.TrimSpace(name) || name == "" || name[0] == '#' || strings.ContainsAny(name, "=\n\r") {
		return fmt.Errorf("the user name %q: it must not be empty, begin with #, have spaces around it, or hold = or line ends", name)
	}
	if password == "" {
		return errors.New("the password is empty")
	}
	return editUsers(path, create, func(lines []string) ([]string, error) {
		at := lineOf(lines, name)
		switch {
		case create && at >= 0:
			return nil, fmt.Errorf("%s has the user %s already", path, name)
		case create:
			return append(lines, name+"="+Hash(password)), nil
		case at < 0:
			return nil, fmt.Errorf("%s has no user %s", path, name)
		}
		lines[at] = name + "=" + Hash(password)
		return lines, nil
	})
}

// RemoveUser takes a user out of a users file.
func RemoveUser(path, name string) error {
	return editUsers(path, false, func(lines []string) ([]string, error) {
		at := lineOf(lines, name)
		if at < 0 {
			return nil, fmt.Errorf("%s has no user %s", path, name)
		}
		return append(lines[:at], lines[at+1:]...), nil
	})
}

func lineOf(lines []string, name string) int {
	for i, line := range lines {
		if key, _, found := strings.Cut(line, "="); found && strings.TrimSpace(key) == name {
			return i
		}
	}
	return -1
}

// editUsers replaces the file by what edit makes of its lines. A file that there is not is an empty one, if it may be created.
func editUsers(path string, create bool, edit func([]string) ([]string, error)) error {
	mode := os.FileMode(0o600)
	text, err := os.ReadFile(path)
	switch {
	case err != nil && !(create && errors.Is(err, os.ErrNotExist)):
		return fmt.Errorf("reading the users: %w", err)
	case err == nil:
		if info, err := os.Stat(path); err == nil {
			mode = info.Mode().Perm()
		}
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(text) == 0 {
		lines = nil
	}
	if lines, err = edit(lines); err != nil {
		return err
	}
	return replace(path, strings.Join(append(lines, ""), "\n"), mode)
}

// replace writes a file beside it and moves that into its place.
func replace(path, text string, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".users-*")
	if err != nil {
		return fmt.Errorf("writing the users: %w", err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("writing the users: %w", err), os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return errors.Join(fmt.Errorf("writing the users: %w", err), os.Remove(f.Name()))
	}
	return nil
}
