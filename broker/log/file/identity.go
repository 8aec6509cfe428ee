package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinmesh/twinmesh/broker/vfs"
)

const (
	identityFile = "broker"
	identityHead = "twinmesh log, format 1, of broker "
)

// checkIdentity refuses a directory that holds the messages of a Java broker or of another broker of ours.
func checkIdentity(fsys vfs.FS, dir, broker string) error {
	names, err := fsys.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, "db-") && strings.HasSuffix(name, ".log") {
			return fmt.Errorf("%s holds the store of an ActiveMQ broker (%s), which is not read here: give this broker a directory "+
				"of its own, start ActiveMQ on %s again, and let a JMS program receive its messages there and send them here", dir, name, dir)
		}
	}
	owner, err := readIdentity(fsys, dir)
	if err != nil || owner == "" || owner == broker {
		return err
	}
	return errOtherBroker(dir, owner, broker)
}

func errOtherBroker(dir, owner, broker string) error {
	return fmt.Errorf("%s belongs to broker %q and this is %q: give this broker a directory of its own, or start it under the "+
		"name %q", dir, owner, broker, owner)
}

// readIdentity returns the name of the broker that a directory belongs to; "" if it belongs to none yet.
func readIdentity(fsys vfs.FS, dir string) (string, error) {
	name := filepath.Join(dir, identityFile)
	f, err := fsys.Open(name, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	b := make([]byte, len(identityHead)+maxBroker+2)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	owner, ok := strings.CutPrefix(string(b[:n]), identityHead)
	if !ok || !strings.HasSuffix(owner, "\n") {
		return "", fmt.Errorf("%s does not say whose directory it is: it is damaged or of a newer version; if the messages are "+
			"this broker's, remove that file and start again", name)
	}
	return strings.TrimSuffix(owner, "\n"), nil
}

// writeIdentity makes a new directory the broker's. Called by who has the right: late or twice, it writes the same.
func writeIdentity(fsys vfs.FS, dir, broker string) error {
	if owner, err := readIdentity(fsys, dir); err != nil || owner != "" {
		return err
	}
	name := filepath.Join(dir, identityFile)
	f, err := fsys.Open(name+newSuffix, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.WriteAt([]byte(identityHead+broker+"\n"), 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := fsys.Rename(name+newSuffix, name); err != nil {
		return err
	}
	return fsys.SyncDir(dir)
}
