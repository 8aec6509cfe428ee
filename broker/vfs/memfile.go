package vfs

import (
	"io"
	"os"
)

// memFile is an open file of a Process.
type memFile struct {
	process *Process
	name    string
	node    *memNode
	cache   *memCache // nil when the file is read and written where it is
	closed  bool
}

// memCache is a machine's copy of a file.
type memCache struct {
	data   []byte
	unsent []memRange
}

type memRange struct{ from, to int64 }

// begin locks the volume and checks that the file can be used.
func (f *memFile) begin(op string) error {
	f.process.mem.mu.Lock()
	var err error
	switch {
	case f.process.dead:
		err = errKilled
	case f.closed:
		err = os.ErrClosed
	default:
		return nil
	}
	f.process.mem.mu.Unlock()
	return &os.PathError{Op: op, Path: f.name, Err: err}
}

func (f *memFile) end() { f.process.mem.mu.Unlock() }

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.begin("read"); err != nil {
		return 0, err
	}
	defer f.end()
	data := f.node.data
	if f.cache != nil {
		data = f.cache.data
	}
	if off >= int64(len(data)) {
		return 0, io.EOF
	}
	n := copy(p, data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.begin("write"); err != nil {
		return 0, err
	}
	defer f.end()
	if f.cache == nil {
		f.node.write(p, off)
		return len(p), nil
	}
	f.cache.data = grow(f.cache.data, off+int64(len(p)))
	copy(f.cache.data[off:], p)
	f.cache.unsent = append(f.cache.unsent, memRange{off, off + int64(len(p))})
	return len(p), nil
}

func (f *memFile) Truncate(size int64) error {
	if err := f.begin("truncate"); err != nil {
		return err
	}
	defer f.end()
	f.node.data = grow(f.node.data, size)[:size]
	if f.cache != nil {
		f.cache.data = grow(f.cache.data, size)[:size]
	}
	return nil
}

func (f *memFile) Sync() error {
	if err := f.begin("sync"); err != nil {
		return err
	}
	defer f.end()
	f.send()
	f.node.sync()
	return nil
}

// send brings what was written on this machine to the file. Called with mem.mu held.
func (f *memFile) send() {
	if f.cache == nil {
		return
	}
	for _, r := range f.cache.unsent {
		f.node.write(f.cache.data[r.from:r.to], r.from)
	}
	f.cache.unsent = nil
}

func (f *memFile) Stat() (Info, error) {
	if err := f.begin("stat"); err != nil {
		return Info{}, err
	}
	defer f.end()
	return f.node.info(), nil
}

func (f *memFile) TryLock() (bool, error) {
	if err := f.begin("lock"); err != nil {
		return false, err
	}
	defer f.end()
	if f.node.lock == nil {
		f.node.lock = f
	}
	return f.node.lock == f, nil
}

func (f *memFile) LockOwner() (int, error) { return 0, nil }

func (f *memFile) Close() error {
	if err := f.begin("close"); err != nil {
		return err
	}
	defer f.end()
	f.send()
	f.release()
	return nil
}

// release ends the open file without sending anything. Called with mem.mu held.
func (f *memFile) release() {
	f.closed = true
	f.unlock()
	delete(f.process.files, f)
}

func (f *memFile) unlock() {
	if f.node.lock == f {
		f.node.lock = nil
	}
}

func (n *memNode) write(p []byte, off int64) {
	n.data = grow(n.data, off+int64(len(p)))
	copy(n.data[off:], p)
	for page := off / BlockSize; page*BlockSize < off+int64(len(p)); page++ {
		n.dirty[page] = true
	}
}

func (n *memNode) sync() {
	n.synced = grow(n.synced, int64(len(n.data)))[:len(n.data)]
	for page := range n.dirty {
		from := page * BlockSize
		if from < int64(len(n.data)) {
			to := min(from+BlockSize, int64(len(n.data)))
			copy(n.synced[from:to], n.data[from:to])
		}
	}
	clear(n.dirty)
}

// grow makes data at least size long, with zeros.
func grow(data []byte, size int64) []byte {
	if missing := size - int64(len(data)); missing > 0 {
		return append(data, make([]byte, missing)...)
	}
	return data
}
