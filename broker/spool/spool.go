// Package spool keeps messages out of memory that wait for slow consumers of topics. It is a file's worth of memory and
// nothing more: nothing is synced, and its files have no names, so that they are gone with the process, however that ends.
//
// It is written in segments. One is given back when nothing in it is needed any more, so a single message that waits for long
// keeps a segment.
package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// errFull is the answer when the limit is reached.
var errFull = errors.New("the spool is full")

// Options are what a spool is made of.
type Options struct {
	FS vfs.FS
	// Directory is where its files are, which it makes when it needs it. No other spool may use it at the same time: what is
	// left there by a process that died is removed.
	Directory string
	// Limit is how many bytes its files may have.
	Limit int64
	// Segment is the size in bytes at which a file gets nothing more; 0 is 16 MiB.
	Segment int64
}

// Spool implements core.Spool.
type Spool struct {
	options Options

	mu       sync.Mutex
	segments map[uint64]*segment
	current  *segment // nil if there is none to write to
	number   uint64   // of the last segment made
	used     int64    // bytes of all segments
	last     []byte   // what was put last
	place    core.Spooled
	closed   bool
}

type segment struct {
	number uint64
	file   vfs.File
	size   int64
	needed int // how many messages
}

// New returns a spool. It opens nothing yet.
func New(o Options) *Spool {
	if o.Segment == 0 {
		o.Segment = 16 << 20
	}
	return &Spool{options: o, segments: map[uint64]*segment{}}
}

// Close gives all of it back. Afterwards it takes nothing.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, g := range s.segments {
		errs = append(errs, g.file.Close())
	}
	s.segments, s.current, s.last, s.used = nil, nil, nil, 0
	return errors.Join(errs...)
}

// Put implements core.Spool.
func (s *Spool) Put(b []byte) (core.Spooled, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.segments[s.place.Segment]; g != nil && len(b) > 0 && len(s.last) == len(b) && &s.last[0] == &b[0] {
		g.needed++
		return s.place, nil
	}
	g, err := s.writable(int64(len(b)))
	if err != nil {
		return core.Spooled{}, err
	}
	if _, err := g.file.WriteAt(b, g.size); err != nil {
		return core.Spooled{}, fmt.Errorf("writing to the spool: %w", err)
	}
	s.last, s.place = b, core.Spooled{Segment: g.number, Offset: g.size, Length: int64(len(b))}
	g.size += int64(len(b))
	s.used += int64(len(b))
	g.needed++
	return s.place, nil
}

// writable returns a segment to write so many bytes to.
func (s *Spool) writable(n int64) (*segment, error) {
	if s.closed || s.used+n > s.options.Limit {
		return nil, errFull
	}
	if s.current != nil && s.current.size < s.options.Segment {
		return s.current, nil
	}
	file, err := s.open()
	if err != nil {
		return nil, fmt.Errorf("making a file of the spool: %w", err)
	}
	full := s.current
	s.current = &segment{number: s.number, file: file}
	s.segments[s.number] = s.current
	if full != nil && full.needed == 0 {
		s.giveBack(full)
	}
	return s.current, nil
}

// open makes a file without a name.
func (s *Spool) open() (vfs.File, error) {
	fs, dir := s.options.FS, s.options.Directory
	if s.number++; s.number == 1 {
		if err := s.clear(); err != nil {
			return nil, err
		}
	}
	name := filepath.Join(dir, fmt.Sprintf("%s%d", prefix, s.number))
	file, err := fs.Open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	return file, errors.Join(fs.Remove(name))
}

// prefix begins the names of the files while they have one.
const prefix = "spool-"

// clear makes the directory and removes what a process has left there that died between giving a file its name and taking it.
func (s *Spool) clear() error {
	fs, dir := s.options.FS, s.options.Directory
	if err := fs.MkdirAll(dir); err != nil {
		return err
	}
	names, err := fs.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, ".nfs") { // the name of a file without one, on NFS; while a process still has it, it stays
			_ = fs.Remove(filepath.Join(dir, name))
		}
		if strings.HasPrefix(name, prefix) {
			if err := fs.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Get implements core.Spool.
func (s *Spool) Get(p core.Spooled) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.segments[p.Segment]
	if g == nil {
		return nil, errors.New("the spool has it no longer")
	}
	b := make([]byte, p.Length)
	if _, err := g.file.ReadAt(b, p.Offset); err != nil {
		return nil, fmt.Errorf("reading from the spool: %w", err)
	}
	return b, nil
}

// Drop implements core.Spool.
func (s *Spool) Drop(p core.Spooled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.segments[p.Segment]
	if g == nil {
		return
	}
	if g.needed--; g.needed > 0 {
		return
	}
	if g != s.current {
		s.giveBack(g)
		return
	}
	s.used -= g.size // and what was in it is written over
	g.size, s.last = 0, nil
}

func (s *Spool) giveBack(g *segment) {
	delete(s.segments, g.number)
	s.used -= g.size
	_ = g.file.Close() // it has no name, and nothing in it is needed
}
