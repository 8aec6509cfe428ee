package vfs

import "os"

// Op says what is about to be done to a file system.
type Op struct {
	Kind   Kind
	Name   string // of the file or directory; of a rename or link, the new one
	Offset int64  // of a read or write
	Length int
}

// Kind is a kind of operation.
type Kind string

// The kinds of operations. Those that a Faulty does not name (closing, Stat, List, Local) never fail by it.
const (
	OpOpen     Kind = "open"
	OpRead     Kind = "read"
	OpWrite    Kind = "write"
	OpTruncate Kind = "truncate"
	OpSync     Kind = "sync"
	OpRename   Kind = "rename"
	OpLink     Kind = "link"
	OpRemove   Kind = "remove"
	OpSyncDir  Kind = "sync directory"
	OpLock     Kind = "lock"
)

// Faulty is a file system that asks before each operation: Before returns the error with which it fails instead (unix.EIO,
// unix.ENOSPC, unix.EROFS), or takes its time. A write that fails by it wrote nothing.
type Faulty struct {
	FS
	Before func(Op) error
}

var _ FS = (*Faulty)(nil)

// ask wraps what Before says as the operating system would.
func (f *Faulty) ask(op Op) error {
	if err := f.Before(op); err != nil {
		return &os.PathError{Op: string(op.Kind), Path: op.Name, Err: err}
	}
	return nil
}

func (f *Faulty) Open(name string, flag int) (File, error) {
	if err := f.ask(Op{Kind: OpOpen, Name: name}); err != nil {
		return nil, err
	}
	file, err := f.FS.Open(name, flag)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f, name}, nil
}

func (f *Faulty) OpenUncached(name string) (File, error) {
	if err := f.ask(Op{Kind: OpOpen, Name: name}); err != nil {
		return nil, err
	}
	file, err := f.FS.OpenUncached(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f, name}, nil
}

func (f *Faulty) Rename(from, to string) error {
	if err := f.ask(Op{Kind: OpRename, Name: to}); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

func (f *Faulty) Link(from, to string) error {
	if err := f.ask(Op{Kind: OpLink, Name: to}); err != nil {
		return err
	}
	return f.FS.Link(from, to)
}

func (f *Faulty) Remove(name string) error {
	if err := f.ask(Op{Kind: OpRemove, Name: name}); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f *Faulty) SyncDir(dir string) error {
	if err := f.ask(Op{Kind: OpSyncDir, Name: dir}); err != nil {
		return err
	}
	return f.FS.SyncDir(dir)
}

type faultyFile struct {
	File
	fs   *Faulty
	name string
}

func (f *faultyFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fs.ask(Op{Kind: OpRead, Name: f.name, Offset: off, Length: len(p)}); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.ask(Op{Kind: OpWrite, Name: f.name, Offset: off, Length: len(p)}); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.fs.ask(Op{Kind: OpTruncate, Name: f.name, Offset: size}); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultyFile) Sync() error {
	if err := f.fs.ask(Op{Kind: OpSync, Name: f.name}); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultyFile) TryLock() (bool, error) {
	if err := f.fs.ask(Op{Kind: OpLock, Name: f.name}); err != nil {
		return false, err
	}
	return f.File.TryLock()
}
