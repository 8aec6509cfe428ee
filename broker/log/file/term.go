package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

// The term file is one file for the life of the directory; only its name changes. It has a ring of pages, of which page
// N % termPages is for the claimant of term N. Its length never changes: a reader's idea of a file's length may be old.
//
// Term N is claimed by giving term.M the name term.N, see rename, which one of several candidates wins. The winner
// writes N into all pages above the highest written one, up to its own, and syncs. More than one page is above it only if
// claimants ended, or sleep, between their rename and their page. So the holder of any term sees in the one page after
// its own whether there is a higher term; and a claimant that was asleep overwrites nothing that counts when it wakes:
// its late page only tells the truth about itself, and the page after its own tells it that it is late.
const (
	termPrefix = "term."
	termPages  = 256
	termBytes  = termPages * vfs.BlockSize
	termMagic  = "twinterm"
	maxHolder  = 255
)

// claim is a term that was won, with the term file held open to look for a higher one.
type claim struct {
	fs    vfs.FS
	name  string
	term  uint64
	file  vfs.File // the claimant wrote its page through it
	fresh vfs.File // reads past caches

	mu   sync.Mutex
	page []byte // read by check
	seen []byte // the page after the claim's own when it was found to be of no higher term
}

// page is what a claimant writes.
type page struct {
	term   uint64
	holder string
}

// A page on the disk, big endian: magic 8, term 8, length of holder 1, holder; CRC32C of it all in the last 4 of pageBytes,
// zeros behind. It lies within one sector, which disks write whole.
const pageBytes = 512

func (p page) encode() []byte {
	holder := p.holder[:min(len(p.holder), maxHolder)]
	b := make([]byte, 0, vfs.BlockSize)
	b = append(b, termMagic...)
	b = binary.BigEndian.AppendUint64(b, p.term)
	b = append(append(b, byte(len(holder))), holder...)
	b = b[:vfs.BlockSize]
	binary.BigEndian.PutUint32(b[pageBytes-4:], crc32.Checksum(b[:pageBytes-4], castagnoli()))
	return b
}

var errPageBroken = errors.New("a page of the term file is damaged")

// parsePage reads a page; one of zeros was never written and has term 0.
func parsePage(b []byte) (page, error) {
	if len(b) < pageBytes {
		return page{}, errPageBroken
	}
	b = b[:pageBytes]
	if len(bytes.Trim(b, "\x00")) == 0 {
		return page{}, nil
	}
	if string(b[:8]) != termMagic ||
		binary.BigEndian.Uint32(b[pageBytes-4:]) != crc32.Checksum(b[:pageBytes-4], castagnoli()) {
		return page{}, errPageBroken
	}
	return page{term: binary.BigEndian.Uint64(b[8:]), holder: string(b[17 : 17+int(b[16])])}, nil
}

// claimTerm claims the next term for holder, which has the directory's lock. It returns what the last holder wrote, too. The
// error wraps log.ErrRightLost if another candidate was faster.
func claimTerm(fsys vfs.FS, dir, holder string) (*claim, page, error) {
	named, err := currentTerm(fsys, dir)
	if err != nil {
		return nil, page{}, err
	}
	last, err := highestPage(fsys, termFile(dir, named))
	if err != nil {
		return nil, page{}, lostRace(err)
	}
	// A crash may undo the rename but not the page, and then the page is ahead of the name.
	term := max(named, last.term) + 1
	if err := rename(fsys, dir, named, term); err != nil {
		return nil, page{}, lostRace(err)
	}
	c, err := openClaim(fsys, termFile(dir, term), term)
	if err != nil {
		return nil, page{}, lostRace(err)
	}
	if err := c.write(last.term+1, holder); err != nil {
		c.close()
		return nil, page{}, err
	}
	return c, last, nil
}

// rename gives the term file a new name. A second name is made first, which takes the place of no other; then whoever sees a
// higher one has lost, and who sees none removes those below. So a candidate that began with an empty directory and slept,
// and finds a second term file made there meanwhile, wins nothing with it: some name of the first is always above.
func rename(fsys vfs.FS, dir string, from, to uint64) error {
	err := fsys.Link(termFile(dir, from), termFile(dir, to))
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		return fsys.Rename(termFile(dir, from), termFile(dir, to)) // the lock alone keeps two term files from being made
	}
	if err != nil {
		return err
	}
	terms, _, err := names(fsys, dir)
	if err != nil {
		return err
	}
	if highest(terms) > to {
		return fs.ErrExist
	}
	if err := fsys.SyncDir(dir); err != nil {
		return err
	}
	for _, term := range terms {
		if term < to {
			err = errors.Join(err, removed(fsys.Remove(termFile(dir, term))))
		}
	}
	return err
}

// removed is the error of a removal, if what was to be removed is still there.
func removed(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// lostRace says that another candidate renamed the term file first, if err is that it is not there, or that its new name is.
func lostRace(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("claim a term: another was faster: %w", log.ErrRightLost)
	}
	return err
}

func openClaim(fsys vfs.FS, name string, term uint64) (*claim, error) {
	file, err := fsys.Open(name, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	fresh, err := fsys.OpenUncached(name)
	if err != nil {
		file.Close()
		return nil, err
	}
	return &claim{fs: fsys, name: name, term: term, file: file, fresh: fresh, page: make([]byte, vfs.BlockSize)}, nil
}

// write fills the pages from that of term from up to the claim's own, syncs them and looks for a higher term.
func (c *claim) write(from uint64, holder string) error {
	b := page{c.term, holder}.encode()
	for n := max(from, c.term-min(c.term, termPages-2)); n <= c.term; n++ {
		if _, err := c.file.WriteAt(b, pageOffset(n)); err != nil {
			return err
		}
	}
	if err := c.file.Sync(); err != nil {
		return err
	}
	return c.check()
}

// check reads past all caches whether there is a higher term; the error wraps log.ErrRightLost then, and also if it
// cannot be told.
func (c *claim) check() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.fresh.ReadAt(c.page, pageOffset(c.term+1)); err != nil {
		return fmt.Errorf("%w: cannot read whether there is a term above %d: %w", log.ErrRightLost, c.term, err)
	}
	if bytes.Equal(c.page, c.seen) {
		return nil
	}
	p, err := parsePage(c.page)
	if err != nil {
		return fmt.Errorf("%w: cannot tell whether there is a term above %d: %w", log.ErrRightLost, c.term, err)
	}
	if p.term > c.term {
		return fmt.Errorf("%w: term %d ended when %s took over with term %d", log.ErrRightLost, c.term, p.holder, p.term)
	}
	c.seen = bytes.Clone(c.page)
	return nil
}

// watch is check for a holder that has nothing to write; it also notices that the term file was taken away, which would
// let terms begin anew.
func (c *claim) watch() error {
	if err := c.check(); err != nil {
		return err
	}
	info, err := c.fs.Stat(c.name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: cannot tell whether term %d still stands: %w", log.ErrRightLost, c.term, err)
	}
	if id, errID := identify(c.file); err != nil || errID != nil || id != info.ID {
		return fmt.Errorf("%w: %s was renamed or removed, by a new holder or by hand; never touch that file", log.ErrRightLost,
			c.name)
	}
	return nil
}

func (c *claim) close() {
	c.file.Close()
	c.fresh.Close()
}

func termFile(dir string, term uint64) string {
	return filepath.Join(dir, termPrefix+strconv.FormatUint(term, 10))
}

func pageOffset(term uint64) int64 { return int64(term%termPages) * vfs.BlockSize }

// currentTerm returns the term in the term file's name, and makes the file where there is none: term.0 in a new directory, and
// where somebody removed it, one that is not below what was written.
func currentTerm(fsys vfs.FS, dir string) (uint64, error) {
	for {
		terms, written, err := names(fsys, dir)
		if err != nil || len(terms) > 0 {
			return highest(terms), err
		}
		f, err := fsys.Open(termFile(dir, written), os.O_RDWR|os.O_CREATE|os.O_EXCL)
		switch {
		case err == nil:
			f.Close()
		case !errors.Is(err, fs.ErrExist):
			return 0, err
		}
	}
}

// names returns the terms that term files are named after, and the highest that a segment is. The highest of the terms counts:
// others are there for a moment, or were left by a crash.
func names(fsys vfs.FS, dir string) (terms []uint64, written uint64, err error) {
	all, err := fsys.List(dir)
	for _, name := range all {
		digits, ok := strings.CutPrefix(name, termPrefix)
		n, err := strconv.ParseUint(digits, 10, 64)
		if ok && err == nil && digits == strconv.FormatUint(n, 10) {
			terms = append(terms, n)
		}
		if n, _, ok := segmentName(name); ok {
			written = max(written, n)
		}
	}
	return terms, written, err
}

// highest returns the highest of some terms, 0 if there are none.
func highest(terms []uint64) uint64 { return slices.Max(append(terms, 0)) }

// highestPage returns the page with the highest term. It gives the file its length first: a crash may have come between
// its making and that.
func highestPage(fsys vfs.FS, name string) (page, error) {
	if err := presize(fsys, name); err != nil {
		return page{}, err
	}
	f, err := fsys.OpenUncached(name)
	if err != nil {
		return page{}, err
	}
	defer f.Close()
	all := make([]byte, termBytes)
	if _, err := f.ReadAt(all, 0); err != nil && !errors.Is(err, io.EOF) {
		return page{}, err
	}
	var last page
	for at := 0; at < termBytes; at += vfs.BlockSize {
		// A damaged page cannot be anybody's right: whoever looks there gives up.
		if p, err := parsePage(all[at:]); err == nil && p.term > last.term {
			last = p
		}
	}
	return last, nil
}

func presize(fsys vfs.FS, name string) error {
	f, err := fsys.Open(name, os.O_RDWR)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size >= termBytes {
		return err
	}
	if err := f.Truncate(termBytes); err != nil {
		return err
	}
	return f.Sync()
}
