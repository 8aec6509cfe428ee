package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// lockFile is ActiveMQ's name (SharedFileLocker), so that a Java broker that was given the same directory waits for ours
// and ours for it. Nothing is read from it or written to it: Java writes a time there.
const lockFile = "lock"

// dirLock is the directory's lock, held. It keeps two brokers from trying at the same time; that they do no harm if they do,
// because a lock was lost or its file replaced, is the term's part.
type dirLock struct {
	fs   vfs.FS
	name string
	file vfs.File
	id   vfs.ID
}

// tryLock takes the lock of a directory, or returns nil and the process that has it, if that is known.
func tryLock(fsys vfs.FS, dir string) (lock *dirLock, owner int, err error) {
	name := filepath.Join(dir, lockFile)
	f, err := fsys.Open(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, 0, err
	}
	locked, err := f.TryLock()
	if err == nil && locked {
		l := &dirLock{fs: fsys, name: name, file: f}
		if l.id, err = identify(f); err == nil {
			return l, 0, nil
		}
	}
	if err == nil {
		owner, err = f.LockOwner()
	}
	f.Close()
	return nil, owner, err
}

func identify(f vfs.File) (vfs.ID, error) {
	info, err := f.Stat()
	return info.ID, err
}

// check tells whether the lock is still ours and still what others would try to lock.
func (l *dirLock) check() error {
	info, err := l.fs.Stat(l.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: somebody removed %s, so another broker may start on the directory; never remove that file",
			log.ErrRightLost, l.name)
	case err != nil:
		return fmt.Errorf("%w: cannot tell whether the lock still holds: %w", log.ErrRightLost, err)
	case info.ID != l.id:
		return fmt.Errorf("%w: somebody replaced %s, so another broker may run on the directory; never touch that file",
			log.ErrRightLost, l.name)
	}
	held, err := l.file.TryLock()
	if err != nil {
		return fmt.Errorf("%w: cannot tell whether the lock still holds: %w", log.ErrRightLost, err)
	}
	if !held {
		return fmt.Errorf("%w: the lock on %s was lost and somebody else has it now", log.ErrRightLost, l.name)
	}
	return nil
}

func (l *dirLock) release() { l.file.Close() }
