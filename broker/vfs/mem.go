package vfs

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Mem is a volume in memory for tests. It remembers what was synced, so that CrashClone can tell what a power cut would
// leave. Several processes use it by FS each.
type Mem struct {
	mu    sync.Mutex
	dirs  map[string]*memDir
	inode uint64
}

// memDir is one directory: its names now, and as they were at the last SyncDir with what was done to them since.
type memDir struct {
	names  map[string]*memNode
	synced map[string]*memNode
	undone []memRename
}

// memRename is one change of a directory: a name that goes, one that comes, or both in one step.
type memRename struct {
	gone, come string
	node       *memNode
}

func (d *memDir) change(r memRename) {
	r.apply(d.names)
	d.undone = append(d.undone, r)
}

func (r memRename) apply(names map[string]*memNode) {
	if r.gone != "" {
		delete(names, r.gone)
	}
	if r.come != "" {
		names[r.come] = r.node
	}
}

// memNode is a file whatever its name.
type memNode struct {
	inode  uint64
	data   []byte
	synced []byte
	dirty  map[int64]bool // pages of data that differ from synced, by number
	lock   *memFile       // who holds the lock
}

// NewMem returns an empty volume.
func NewMem() *Mem { return &Mem{dirs: map[string]*memDir{}} }

// Process is one process's view of a Mem. With Cached it is alone on its machine, whose caches are those of NFS: a file's
// content is fetched when it is opened, and sent when it is synced or closed.
type Process struct {
	Cached bool

	mem   *Mem
	dead  bool
	files map[*memFile]bool
}

var _ FS = (*Process)(nil)

// Process returns the view of a new process.
func (m *Mem) Process() *Process { return &Process{mem: m, files: map[*memFile]bool{}} }

// Kill ends the process as kill -9 does: its locks are gone, what it wrote stays, and it can do nothing more.
func (p *Process) Kill() {
	p.mem.mu.Lock()
	defer p.mem.mu.Unlock()
	p.dead = true
	for f := range p.files {
		f.release()
	}
}

// LoseLocks takes all its locks from the process without its knowing, as a file server does that had no news of it.
func (p *Process) LoseLocks() {
	p.mem.mu.Lock()
	defer p.mem.mu.Unlock()
	for f := range p.files {
		f.unlock()
	}
}

var errKilled = errors.New("the process was killed")

// dir finds a directory. Called with mem.mu held, as are all methods below that do not lock it.
func (p *Process) dir(op, name string) (*memDir, string, error) {
	if p.dead {
		return nil, "", &os.PathError{Op: op, Path: name, Err: errKilled}
	}
	d := p.mem.dirs[filepath.Dir(name)]
	if d == nil {
		return nil, "", &os.PathError{Op: op, Path: name, Err: os.ErrNotExist}
	}
	return d, filepath.Base(name), nil
}

func (p *Process) node(op, name string) (*memDir, *memNode, error) {
	d, base, err := p.dir(op, name)
	if err != nil {
		return nil, nil, err
	}
	n := d.names[base]
	if n == nil {
		return d, nil, &os.PathError{Op: op, Path: name, Err: os.ErrNotExist}
	}
	return d, n, nil
}

func (p *Process) Open(name string, flag int) (File, error) {
	p.mem.mu.Lock()
	defer p.mem.mu.Unlock()
	d, n, err := p.node("open", name)
	switch {
	case d == nil:
		return nil, err
	case n == nil && flag&os.O_CREATE == 0:
		return nil, err
	case n == nil:
		p.mem.inode++
		n = &memNode{inode: p.mem.inode, dirty: map[int64]bool{}}
		d.change(memRename{come: filepath.Base(name), node: n})
	case flag&os.O_EXCL != 0:
		return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrExist}
	}
	return p.opened(name, n, p.Cached), nil
}

func (p *Process) OpenUncached(name string) (File, error) {
	p.mem.mu.Lock()
	defer p.mem.mu.Unlock()
	_, n, err := p.node("open", name)
	if err != nil {
		return nil, err
	}
	return p.opened(name, n, false), nil
}

func (p *Process) opened(name string, n *memNode, cached bool) *memFile {
	f := &memFile{process: p, name: name, node: n}
	if cached {
		f.cache = &memCache{data: slices.Clone(n.data)}
	}
	p.files[f] = true
	return f
}

func (p *Process) MkdirAll(dir string) error {
	p.mem.mu.Lock()
	defer p.mem.mu.Unlock()
	if p.mem.dirs[dir] == nil {
		p.mem.dirs[dir] = &memDir{names: map[string]*memNode{}, synced: map[string]*memNode{}}
	}
	return nil
}

func (p *Process) Rename(from, to string) error {
	p.mem.mu.Lock()
	defer p.mem.mu.Unlock()
	if filepath.Dir(from) != filepath.Dir(to) {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: unix.EXDEV}
	}
	d, n, err := p.node("rename", from)
	if err != nil {
		return err
	}
	d.change(memRename{gone: filepath.Base(from), come: filepath.Base(to), node: n})
	return nil
}

func (p *Process) Link(from, to string) error {
	p.mem.mu.Lock()
	defer p.mem.mu.Unlock()
	d, n, err := p.node("link", from)
	if err != nil {
		return err
	}
	if p.mem.dirs[filepath.Dir(to)] != d {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: unix.EXDEV}
	}
	if d.names[filepath.Base(to)] != nil {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: os.ErrExist}
	}
	d.change(memRename{come: filepath.Base(to), node: n})
	return nil
}

func (p *Process) Remove(name string) error {
	p.mem.mu.Lock()
	defer p.mem.mu.Unlock()
	d, _, err := p.node("remove", name)
	if err != nil {
		return err
	}
	d.change(memRename{gone: filepath.Base(name)})
	return nil
}

func (p *Process) List(dir string) ([]string, error) {
	p.mem.mu.Lock()
	defer p.mem.mu.Unlock()
	d, _, err := p.dir("list", filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(d.names)), nil
}

func (p *Process) Stat(name string) (Info, error) {
	p.mem.mu.Lock()
	defer p.mem.mu.Unlock()
	if p.mem.dirs[name] != nil {
		return Info{Mode: os.ModeDir | 0o750}, nil
	}
	_, n, err := p.node("stat", name)
	if err != nil {
		return Info{}, err
	}
	return n.info(), nil
}

func (n *memNode) info() Info {
	return Info{Size: int64(len(n.data)), Mode: 0o640, ID: ID{Inode: n.inode}}
}

func (p *Process) SyncDir(dir string) error {
	p.mem.mu.Lock()
	defer p.mem.mu.Unlock()
	d, _, err := p.dir("sync", filepath.Join(dir, "*"))
	if err != nil {
		return err
	}
	d.synced, d.undone = maps.Clone(d.names), nil
	return nil
}

func (p *Process) Local(string) (bool, error) { return !p.Cached, nil }

// Free is FS's: a Mem is never full; Faulty can say that it is.
func (p *Process) Free(string) (int64, error) { return 1 << 40, nil }

// Names returns what is in a directory with its size, a line each, for a test's messages.
func (m *Mem) Names(dir string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var s string
	for _, name := range slices.Sorted(maps.Keys(m.dirs[dir].names)) {
		s += fmt.Sprintf("%s %d\n", name, len(m.dirs[dir].names[name].data))
	}
	return s
}
