package vfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// OS is the operating system's file system.
type OS struct{}

var _ FS = OS{}

func (OS) Open(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o640)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// OpenUncached is FS's. On a local file system the page cache is the truth, and a plain read is as good and far cheaper.
// Elsewhere the file is opened with O_DIRECT, which NFS (each read is a READ to the server), FUSE (the daemon is asked: GlusterFS,
// CephFS's and others' user-space clients), CephFS, Lustre, GPFS and SMB pass on to where the file is. What refuses O_DIRECT
// (9p and FUSE daemons that opt out) has its clean pages dropped before each read instead.
func (fs OS) OpenUncached(name string) (File, error) {
	if local, err := fs.Local(name); err == nil && local {
		return fs.Open(name, os.O_RDONLY)
	}
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_DIRECT, 0)
	if err == nil {
		return directFile{osFile{f}}, nil
	}
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) {
		return nil, err
	}
	if f, err = os.Open(name); err != nil {
		return nil, err
	}
	return forgetfulFile{osFile{f}}, nil
}

func (o OS) MkdirAll(dir string) error {
	err := os.Mkdir(dir, 0o750)
	switch {
	case err == nil:
		return o.syncAbove(dir)
	case errors.Is(err, os.ErrNotExist) && filepath.Dir(dir) != dir:
		if err := o.MkdirAll(filepath.Dir(dir)); err != nil {
			return err
		}
		return o.MkdirAll(dir)
	}
	return os.MkdirAll(dir, 0o750) // it is there, or this says why not
}

// syncAbove makes a new directory's name durable. Where we may make names but not read them, the file system has to do without.
func (o OS) syncAbove(dir string) error {
	if err := o.SyncDir(filepath.Dir(dir)); !errors.Is(err, os.ErrPermission) {
		return err
	}
	return nil
}

func (OS) Rename(from, to string) error { return os.Rename(from, to) }
func (OS) Link(from, to string) error   { return os.Link(from, to) }
func (OS) Remove(name string) error     { return os.Remove(name) }

func (OS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (OS) Stat(name string) (Info, error) {
	info, err := os.Stat(name)
	if err != nil {
		return Info{}, err
	}
	return describe(info), nil
}

func (OS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Magic numbers of local file systems that x/sys/unix does not name.
const zfsMagic = 0x2fc12fc1

func (OS) Local(dir string) (bool, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return false, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	switch uint32(s.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, unix.TMPFS_MAGIC,
		unix.RAMFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, zfsMagic:
		return true, nil
	}
	return false, nil
}

func (OS) Free(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(s.Bavail) * s.Bsize, nil
}

func describe(info os.FileInfo) Info {
	d := Info{Size: info.Size(), Mode: info.Mode()}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		d.UID, d.GID, d.ID = s.Uid, s.Gid, ID{s.Dev, s.Ino}
	}
	return d
}

type osFile struct{ *os.File }

// Sync is fdatasync: the times of change need not be durable, and leaving them out saves a write of the inode.
func (f osFile) Sync() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if err != unix.EINTR {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}

func (f osFile) Stat() (Info, error) {
	info, err := f.File.Stat()
	if err != nil {
		return Info{}, err
	}
	return describe(info), nil
}

// TryLock is File's. The lock belongs to the open file description, not to the process: a lock of the process is lost
// as soon as any of its descriptors of the file is closed. Both kinds exclude each other, and Java's is of the
// second. flock is no choice: NFS maps it onto these, and other clients may not see it.
func (f osFile) TryLock() (bool, error) {
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, wholeFile())
	switch err {
	case nil:
		return true, nil
	case unix.EAGAIN, unix.EACCES:
		return false, nil
	}
	return false, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
}

func (f osFile) LockOwner() (int, error) {
	lock := wholeFile()
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, lock); err != nil {
		return 0, &os.PathError{Op: "ask who locks", Path: f.Name(), Err: err}
	}
	if lock.Type == unix.F_UNLCK || lock.Pid < 0 {
		return 0, nil
	}
	return int(lock.Pid), nil
}

func wholeFile() *unix.Flock_t { return &unix.Flock_t{Type: unix.F_WRLCK} }

// directFile reads with O_DIRECT, which wants memory, offset and length aligned.
type directFile struct{ osFile }

func (f directFile) ReadAt(p []byte, off int64) (int, error) {
	buf := aligned(len(p))
	n, err := f.osFile.ReadAt(buf, off)
	return copy(p, buf[:n]), err
}

func aligned(n int) []byte {
	buf := make([]byte, n+BlockSize)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(buf)))) & (BlockSize - 1)
	return buf[skip : skip+n : skip+n]
}

// forgetfulFile drops the pages it is about to read from the page cache.
type forgetfulFile struct{ osFile }

func (f forgetfulFile) ReadAt(p []byte, off int64) (int, error) {
	if err := unix.Fadvise(int(f.Fd()), off, int64(len(p)), unix.FADV_DONTNEED); err != nil {
		return 0, fmt.Errorf("drop %s from the cache: %w", f.Name(), err)
	}
	return f.osFile.ReadAt(p, off)
}
