// Package vfs is what the broker needs of a file system, as an interface: the operating system's, one in memory that can
// crash, and a wrapper that fails on demand. It is no general file system; files are few, large, and written by one.
//
// Several machines may have mounted the same directory, each with caches of its own, so the interface says where a
// cache may answer and where it may not.
package vfs

import (
	"io"
	"os"
)

// FS is a file system as one process on one mount sees it. It may be used by several goroutines.
type FS interface {
	// Open opens a file; flag is as for os.OpenFile. A file that is made gets the mode 0640.
	Open(name string, flag int) (File, error)
	// OpenUncached opens a file to be read as it is at its home and not as this machine remembers it. See File.ReadAt.
	OpenUncached(name string) (File, error)
	// MkdirAll makes a directory and those above it, with mode 0750, unless they are there. When it returns, their names are
	// durable.
	MkdirAll(dir string) error
	// Rename gives a file another name in one step, in place of a file that has the name.
	Rename(from, to string) error
	// Link gives a file a second name, which must not be there yet. Not all file systems can; the error is then
	// errors.ErrUnsupported or fs.ErrPermission.
	Link(from, to string) error
	Remove(name string) error
	// List returns the names in a directory, sorted.
	List(dir string) ([]string, error)
	Stat(name string) (Info, error)
	// SyncDir makes the names in a directory durable. Until then a file that was made, renamed or removed may be back under
	// its old name after a crash, however often the file itself was synced.
	SyncDir(dir string) error
	// Local tells that all who can reach the directory share one cache, because they run on one kernel. Where it is not
	// known, it says no.
	Local(dir string) (bool, error)
	// Free is how many bytes may still be written below a directory, by us.
	Free(dir string) (int64, error)
}

// File is an open file: what POSIX calls an open file description, which is also what holds a lock.
type File interface {
	// ReadAt is io.ReaderAt's. On a file from OpenUncached, offset and length are multiples of BlockSize.
	io.ReaderAt
	// WriteAt is io.WriterAt's.
	io.WriterAt
	// Truncate sets the length; what a file grows by reads as zero.
	Truncate(size int64) error
	// Sync makes what was written durable, and the length as far as that is needed to read it back. After an error
	// nobody can say what is durable, and syncing again will not tell: the caller must not go on.
	Sync() error
	Stat() (Info, error)
	// TryLock locks the whole file for this open file, or says that another open file or process (a Java broker's FileLock,
	// too) has locked some of it. It does not wait. Called by who has the lock, it tells whether that is still so.
	TryLock() (bool, error)
	// LockOwner is the id of the process whose lock is in our way; 0 if there is none or it cannot be told, as for a lock
	// of an open file or one of another machine.
	LockOwner() (pid int, err error)
	// Close also gives up the lock.
	Close() error
}

// BlockSize is the unit of reads past caches, in bytes.
const BlockSize = 4096

// Info describes a file or directory.
type Info struct {
	Size     int64
	Mode     os.FileMode
	UID, GID uint32
	ID       ID
}

// ID tells files apart whatever their names.
type ID struct{ Device, Inode uint64 }
