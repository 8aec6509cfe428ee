package vfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func open(t *testing.T, fsys FS, name string) File {
	t.Helper()
	f, err := fsys.Open(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t *testing.T, f File, off int64, b []byte) {
	t.Helper()
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, fsys FS, name string) []byte {
	t.Helper()
	f, err := fsys.Open(name, os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, info.Size)
	if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return b
}

// both runs a test on the operating system's file system and on the one in memory: they have to agree.
func both(t *testing.T, test func(t *testing.T, fsys FS, dir string)) {
	t.Run("OS", func(t *testing.T) { test(t, OS{}, t.TempDir()) })
	t.Run("Mem", func(t *testing.T) {
		p := NewMem().Process()
		if err := p.MkdirAll("/d"); err != nil {
			t.Fatal(err)
		}
		test(t, p, "/d")
	})
}

func TestNames(t *testing.T) {
	both(t, func(t *testing.T, fsys FS, dir string) {
		a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		if _, err := fsys.Open(a, os.O_RDWR); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open what is not there: %v", err)
		}
		first := open(t, fsys, a)
		put(t, first, 0, []byte("one"))
		if _, err := fsys.Open(a, os.O_RDWR|os.O_CREATE|os.O_EXCL); !errors.Is(err, fs.ErrExist) {
			t.Errorf("make it a second time: %v", err)
		}
		put(t, open(t, fsys, b), 0, []byte("two"))
		if err := fsys.Rename(a, b); err != nil {
			t.Fatal(err)
		}
		if err := fsys.Rename(a, b); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("rename it a second time: %v", err)
		}
		if got := content(t, fsys, b); string(got) != "one" {
			t.Errorf("after the rename: %q", got)
		}
		put(t, first, 3, []byte(" more")) // a descriptor follows the file
		if got := content(t, fsys, b); string(got) != "one more" {
			t.Errorf("written through the old descriptor: %q", got)
		}
		if names, err := fsys.List(dir); err != nil || len(names) != 1 || names[0] != "b" {
			t.Errorf("names %q, %v", names, err)
		}
		named, errNamed := fsys.Stat(b)
		opened, errOpened := first.Stat()
		if errors.Join(errNamed, errOpened) != nil || named.ID != opened.ID {
			t.Errorf("by name %+v, by descriptor %+v", named, opened)
		}
		if err := fsys.SyncDir(dir); err != nil {
			t.Error(err)
		}
	})
}

func TestLinkTakesTheNameOfNoOther(t *testing.T) {
	both(t, func(t *testing.T, fsys FS, dir string) {
		a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		if err := fsys.Link(a, b); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("of what is not there: %v", err)
		}
		put(t, open(t, fsys, a), 0, []byte("one"))
		if err := fsys.Link(a, b); err != nil {
			t.Fatal(err)
		}
		if err := fsys.Link(a, b); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a second time: %v", err)
		}
		if err := fsys.Remove(a); err != nil {
			t.Fatal(err)
		}
		if got := content(t, fsys, b); string(got) != "one" {
			t.Errorf("by its second name: %q", got)
		}
	})
}

func TestLockBelongsToTheOpenFile(t *testing.T) {
	both(t, func(t *testing.T, fsys FS, dir string) {
		name := filepath.Join(dir, "lock")
		one, two := open(t, fsys, name), open(t, fsys, name)
		try := func(f File, want bool) {
			t.Helper()
			if got, err := f.TryLock(); err != nil || got != want {
				t.Errorf("TryLock: %v, %v, want %v", got, err, want)
			}
		}
		try(one, true)
		try(two, false)
		try(one, true) // again, as a holder does to make sure
		if err := open(t, fsys, name).Close(); err != nil {
			t.Fatal(err) // a lock of the process would be lost by this
		}
		try(two, false)
		if err := one.Close(); err != nil {
			t.Fatal(err)
		}
		try(two, true)
	})
}

// TestLockOfAProcess: a lock as Java takes it excludes ours, and we learn whose it is.
func TestLockOfAProcess(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	f := open(t, OS{}, name)
	java, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK, Len: 1}
	if err := unix.FcntlFlock(java.Fd(), unix.F_SETLK, &lock); err != nil {
		t.Fatal(err)
	}
	if locked, err := f.TryLock(); err != nil || locked {
		t.Errorf("TryLock: %v, %v", locked, err)
	}
	if owner, err := f.LockOwner(); err != nil || owner != os.Getpid() {
		t.Errorf("LockOwner: %d, %v, want %d", owner, err, os.Getpid())
	}
}

// TestReadsPastCaches reads what another descriptor wrote by each of the ways that OpenUncached chooses from.
func TestReadsPastCaches(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	w := open(t, OS{}, name)
	for _, way := range []struct {
		name string
		flag int
		wrap func(osFile) File
	}{
		{"direct", unix.O_DIRECT, func(f osFile) File { return directFile{f} }},
		{"forgetful", 0, func(f osFile) File { return forgetfulFile{f} }},
		{"plain", 0, func(f osFile) File { return f }},
	} {
		f, err := os.OpenFile(name, os.O_RDONLY|way.flag, 0)
		if err != nil {
			t.Skipf("no O_DIRECT here: %v", err)
		}
		r := way.wrap(osFile{f})
		for round := range byte(3) {
			want := bytes.Repeat([]byte{round}, 2*BlockSize)
			put(t, w, 0, want)
			if err := w.Sync(); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, BlockSize)
			if _, err := r.ReadAt(got, BlockSize); err != nil || !bytes.Equal(got, want[:BlockSize]) {
				t.Errorf("%s, round %d: read %d..., %v", way.name, round, got[0], err)
			}
		}
	}
}

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	m := NewMem()
	p := m.Process()
	if err := p.MkdirAll("/d"); err != nil {
		t.Fatal(err)
	}
	f := open(t, p, "/d/synced")
	put(t, f, 0, bytes.Repeat([]byte("a"), 4*BlockSize))
	if err := errors.Join(f.Sync(), p.SyncDir("/d")); err != nil {
		t.Fatal(err)
	}
	put(t, f, 2*BlockSize, bytes.Repeat([]byte("b"), 4*BlockSize))
	open(t, p, "/d/new")
	seen := map[string]bool{}
	for seed := range uint64(200) {
		after := m.CrashClone(seed).Process()
		got := content(t, after, "/d/synced")
		if len(got) < 4*BlockSize || !bytes.Equal(got[:2*BlockSize], bytes.Repeat([]byte("a"), 2*BlockSize)) {
			t.Fatalf("seed %d: what was synced is not there", seed)
		}
		page := got[2*BlockSize : 3*BlockSize]
		switch b := bytes.Count(page, []byte("b")); b {
		case 0:
			seen["old page"] = true
		case BlockSize:
			seen["new page"] = true
		default:
			seen["torn page"] = true
		}
		if bytes.Contains(got[4*BlockSize:], []byte{0}) {
			seen["lost page"] = true
		}
		if len(got) < 6*BlockSize {
			seen["shorter"] = true
		}
		_, err := after.Stat("/d/new")
		seen[map[bool]string{true: "name", false: "no name"}[err == nil]] = true
		if lock, err := open(t, after, "/d/synced").TryLock(); err != nil || !lock {
			t.Fatal("a lock survived")
		}
	}
	for _, what := range []string{"old page", "new page", "torn page", "lost page", "shorter", "name", "no name"} {
		if !seen[what] {
			t.Errorf("no seed gave: %s", what)
		}
	}
}

func TestKilledProcess(t *testing.T) {
	m := NewMem()
	p, other := m.Process(), m.Process()
	if err := p.MkdirAll("/d"); err != nil {
		t.Fatal(err)
	}
	f := open(t, p, "/d/f")
	put(t, f, 0, []byte("written"))
	if locked, err := f.TryLock(); err != nil || !locked {
		t.Fatal(locked, err)
	}
	p.Kill()
	if _, err := f.WriteAt([]byte("late"), 0); !errors.Is(err, errKilled) {
		t.Errorf("write: %v", err)
	}
	if err := p.Rename("/d/f", "/d/g"); !errors.Is(err, errKilled) {
		t.Errorf("rename: %v", err)
	}
	if got := content(t, other, "/d/f"); string(got) != "written" {
		t.Errorf("content %q", got)
	}
	if locked, err := open(t, other, "/d/f").TryLock(); err != nil || !locked {
		t.Errorf("the lock outlived its process: %v", err)
	}
}

// TestCachesOfAMount: what one machine wrote, another sees who opens the file after the sync, or reads past its cache.
func TestCachesOfAMount(t *testing.T) {
	m := NewMem()
	here, there := m.Process(), m.Process()
	here.Cached, there.Cached = true, true
	if err := here.MkdirAll("/d"); err != nil {
		t.Fatal(err)
	}
	w := open(t, here, "/d/f")
	put(t, w, 0, make([]byte, BlockSize))
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	before := open(t, there, "/d/f")
	fresh, err := there.OpenUncached("/d/f")
	if err != nil {
		t.Fatal(err)
	}
	put(t, w, 0, []byte{1})
	if got := content(t, there, "/d/f"); got[0] != 0 {
		t.Error("a write was seen before its sync")
	}
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	read := func(f File) byte {
		b := make([]byte, BlockSize)
		if _, err := f.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		return b[0]
	}
	if read(before) != 0 {
		t.Error("a file that was opened before the sync shows what came after")
	}
	if read(fresh) != 1 || content(t, there, "/d/f")[0] != 1 {
		t.Error("what was synced is not seen")
	}
}

func TestFaulty(t *testing.T) {
	p := NewMem().Process()
	if err := p.MkdirAll("/d"); err != nil {
		t.Fatal(err)
	}
	var asked []Kind
	var fail error
	fsys := &Faulty{FS: p, Before: func(op Op) error { asked = append(asked, op.Kind); return fail }}
	f := open(t, fsys, "/d/f")
	put(t, f, 0, []byte("kept"))
	fail = unix.ENOSPC
	if _, err := f.WriteAt([]byte("lost"), 0); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("write: %v", err)
	}
	if err := f.Sync(); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("sync: %v", err)
	}
	if got := content(t, p, "/d/f"); string(got) != "kept" {
		t.Errorf("content %q", got)
	}
	if len(asked) != 4 {
		t.Errorf("asked for %v", asked)
	}
}

// TestMkdirAll makes directories, finds them, and says why it cannot.
func TestMkdirAll(t *testing.T) {
	above := t.TempDir()
	if err := os.WriteFile(filepath.Join(above, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]error{"a/b/c": nil, "a": nil, "file": unix.ENOTDIR, "file/a/b": unix.ENOTDIR, "a\x00": unix.EINVAL} {
		name := filepath.Join(above, dir)
		for range 2 {
			if err := (OS{}).MkdirAll(name); !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", dir, err, want)
			}
		}
		if info, err := os.Stat(name); want == nil && (err != nil || !info.IsDir()) {
			t.Errorf("%q is not there: %v", dir, err)
		}
	}
}
