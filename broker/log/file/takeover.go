package file

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/twinmesh/twinmesh/broker/vfs"
)

// takeover is one candidate's way from the lock to the right to append.
type takeover struct {
	o      Options
	f      *follower
	began  time.Time
	claim  *claim
	from   page // what the last holder wrote
	end    end
	writer *writer
}

// run takes the right. When it returns, the log was applied to its end and all of that is durable in files that no other
// process writes. An error that wraps log.ErrRightLost means that another candidate was faster.
func (t *takeover) run() error {
	if err := checkIdentity(t.o.FS, t.o.Directory, t.o.Broker); err != nil {
		return err
	}
	var err error
	if t.claim, t.from, err = claimTerm(t.o.FS, t.o.Directory, t.o.Holder); err != nil {
		return explain(t.o.FS, t.o.Directory, termBytes, err)
	}
	if err := t.continueLog(); err != nil {
		t.claim.close()
		return err
	}
	t.report()
	return nil
}

// continueLog reads the end and begins the term's own segment.
func (t *takeover) continueLog() error {
	if err := t.readEnd(); err != nil {
		return err
	}
	if err := t.begin(); err != nil {
		return err
	}
	if err := t.settle(); err != nil {
		t.writer.close()
		return err
	}
	return nil
}

// readEnd applies everything that counts and judges what is behind it. The directory is listed anew: to rename the term file
// in it made this machine's view of it current.
func (t *takeover) readEnd() error {
	var err error
	if t.end, err = t.f.look(); err != nil {
		return err
	}
	if t.end.segment.first == 0 {
		return t.checkEmpty()
	}
	return t.judge()
}

// checkEmpty refuses a directory that lost its segments: the identity is written after the first segment.
func (t *takeover) checkEmpty() error {
	owner, err := readIdentity(t.o.FS, t.o.Directory)
	if err == nil && owner != "" {
		err = fmt.Errorf("%s is the directory of broker %q, but its segments (*%s) are gone: restore them from a copy, or remove "+
			"the file %q too to begin with no messages", t.o.Directory, owner, segmentSuffix, identityFile)
	}
	return err
}

// judge tells a torn end, which was never acknowledged and is left behind, from damage.
func (t *takeover) judge() error {
	name := filepath.Join(t.o.Directory, t.end.segment.name())
	file, err := t.o.FS.Open(name, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer file.Close()
	s := &scanner{file: file, seed: t.end.segment.seed(), offset: t.end.offset}
	later, found, err := s.later(t.end.number())
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if found {
		return fmt.Errorf("%w: %s cannot be read at offset %d, where entry %d is to be, but entry %d follows at offset %d: bytes "+
			"changed after they were durable; restore the file from a copy", errLacking, name, t.end.offset, t.end.number(),
			later.number, later.offset)
	}
	torn, err := s.torn(t.end.number())
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if torn {
		t.o.Logger.Info("the log's last entry was not written to its end, so it was never acknowledged; it is left out",
			"file", name, "offset", t.end.offset, "entry", t.end.number())
	}
	return nil
}

// begin writes the term's first segment, with a copy of the one entry that may not be on the disk.
func (t *takeover) begin() error {
	t.writer = &writer{
		fs: t.o.FS, dir: t.o.Directory, broker: t.o.Broker, capacity: t.o.SegmentBytes,
		claim: t.claim, table: t.f.table, start: t.end.next, keep: t.end.keep, next: t.end.number(),
	}
	if local, err := t.o.FS.Local(t.o.Directory); err == nil && local {
		t.writer.zeros = make([]byte, zeroAhead)
	}
	s, err := t.writer.create(t.end.next, t.end.tail)
	if err != nil {
		return err
	}
	t.writer.segment = s
	return nil
}

// settle makes sure that the term still stands, applies the last entry and removes what counts for nothing.
func (t *takeover) settle() error {
	if err := t.claim.check(); err != nil {
		return err
	}
	t.writer.begin(t.writer.segment)
	if tail := t.end.tail; tail != nil {
		t.writer.unsealed = tail.length > entryHeader
		e, err := tail.entry()
		if err != nil {
			return err
		}
		t.f.apply(e)
		t.f.next = tail.number + 1
		t.f.table.add(headerBytes, t.writer.segment.filled)
	}
	if err := writeIdentity(t.o.FS, t.o.Directory, t.o.Broker); err != nil {
		return explain(t.o.FS, t.o.Directory, vfs.BlockSize, err)
	}
	return t.tidy()
}

// tidy removes segments that do not count and unfinished files of lower terms. A late writer of a lower term may still
// add such files; the next takeover removes those.
func (t *takeover) tidy() error {
	names, err := t.o.FS.List(t.o.Directory)
	if err != nil {
		return err
	}
	for _, h := range t.end.left {
		names = append(names, h.name())
	}
	for _, name := range names {
		if !t.leftOver(name) {
			continue
		}
		if err := t.o.FS.Remove(filepath.Join(t.o.Directory, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (t *takeover) leftOver(name string) bool {
	for _, h := range t.end.left {
		if h.name() == name {
			return h.term < t.claim.term
		}
	}
	if !strings.HasSuffix(name, segmentSuffix+newSuffix) && !strings.HasSuffix(name, spareSuffix) {
		return false
	}
	digits, _, _ := strings.Cut(strings.TrimSuffix(name, spareSuffix), "-")
	term, err := strconv.ParseUint(digits, 10, 64)
	return err == nil && term < t.claim.term
}

func (t *takeover) report() {
	var again uint64
	if t.end.tail != nil {
		again = 1
	}
	t.o.Logger.Info("took over",
		slog.Uint64("term", t.claim.term), slog.Uint64("from_term", t.from.term), slog.String("from", t.from.holder),
		slog.Uint64("next_entry", t.writer.next), slog.Uint64("written_again", again),
		slog.Duration("after", time.Since(t.began)))
}
