package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// explain adds to an error of the file system what it means here and what to do. need is how many bytes were to be
// written, or 0.
func explain(fsys vfs.FS, dir string, need int64, err error) error {
	switch {
	case err == nil, errors.Is(err, log.ErrRightLost):
		return err
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %s; %s", err, whoOwns(fsys, dir), "make this user or one of its groups the owner and let it write, "+
			"in Kubernetes by the pod's securityContext.fsGroup")
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%w: the volume of %s is mounted read-only; mount it to be written, and look in the kernel's log whether "+
			"an error made it so", err, dir)
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return fmt.Errorf("%w: the volume of %s is full: %s; make room or enlarge it; nothing that was acknowledged is lost",
			err, dir, shortage(fsys, dir, need))
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ESTALE), errors.Is(err, unix.EBADFD):
		return fmt.Errorf("%w: the disk or file server of %s failed, and what was not acknowledged may be lost; look in the kernel's "+
			"log, then start the broker again", err, dir)
	}
	return err
}

// whoOwns describes a directory, or the next above it that is there and can be looked at.
func whoOwns(fsys vfs.FS, dir string) string {
	us := fmt.Sprintf("this process runs as uid %d, gid %d", os.Getuid(), os.Getgid())
	for {
		info, err := fsys.Stat(dir)
		if err == nil {
			return fmt.Sprintf("%s belongs to uid %d, gid %d with mode %v, and %s", dir, info.UID, info.GID, info.Mode, us)
		}
		above := filepath.Dir(dir)
		if above == dir {
			return us
		}
		dir = above
	}
}

// shortage tells how much room there is. A disk that is thin, or a file that is one, fills up below a file system that has room.
func shortage(fsys vfs.FS, dir string, need int64) string {
	free, err := fsys.Free(dir)
	switch {
	case err != nil:
		return fmt.Sprintf("%d bytes are needed", need)
	case free > need:
		return fmt.Sprintf("it says that %d bytes are free, so it is a quota or the disk below it", free)
	}
	return fmt.Sprintf("%d bytes are needed and %d are free", need, free)
}

// orEnd names the end of a file where an error is expected.
func orEnd(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
