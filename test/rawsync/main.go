// Command rawsync measures what a directory's disk gives to a bare loop that appends and syncs, and what the file log makes
// of it for 1, 16 and 64 goroutines that each wait for every record:
//
//	go run ./test/rawsync --dir D --size 1024 --seconds 3
//
// The loop overwrites a file of zeros and calls fdatasync after each write, which is the best that a log can do for one
// producer. Loop and log take turns, because a disk that others use is not the same from one second to the next.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/file"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

func main() {
	dir := flag.String("dir", ".", "directory on the disk to measure; what is written there is removed again")
	size := flag.Int("size", 1024, "bytes a record")
	seconds := flag.Float64("seconds", 3, "how long each measurement takes")
	flag.Parse()
	if err := run(*dir, *size, time.Duration(*seconds*float64(time.Second))); err != nil {
		fmt.Fprintln(os.Stderr, "rawsync:", err)
		os.Exit(1)
	}
}

// rounds is how often loop and log take turns in the comparison for one producer.
const rounds = 4

func run(dir string, size int, duration time.Duration) error {
	scratch, err := os.MkdirTemp(dir, "rawsync-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	var raw, one figures
	for range rounds {
		if err := raw.add(bareLoop(scratch, size, duration/rounds)); err != nil {
			return err
		}
		if err := one.add(throughLog(scratch, size, 1, duration/rounds)); err != nil {
			return err
		}
	}
	raw.print("bare write and fdatasync")
	one.print("log, 1 goroutine")
	fmt.Printf("%-26s %8.0f %% of the bare loop\n", "", 100*one.rate()/raw.rate())
	for _, goroutines := range []int{16, 64} {
		var f figures
		if err := f.add(throughLog(scratch, size, goroutines, duration)); err != nil {
			return err
		}
		f.print(fmt.Sprintf("log, %d goroutines", goroutines))
	}
	return nil
}

// figures are how long each record took.
type figures struct {
	each  []time.Duration
	total time.Duration
}

func (f *figures) add(more figures, err error) error {
	f.each = append(f.each, more.each...)
	f.total += more.total
	return err
}

func (f *figures) rate() float64 { return float64(len(f.each)) / f.total.Seconds() }

func (f *figures) print(what string) {
	slices.Sort(f.each)
	at := func(share float64) time.Duration {
		return f.each[int(share*float64(len(f.each)-1))].Round(time.Microsecond)
	}
	fmt.Printf("%-26s %8.0f records/s   half within %v, 99 %% within %v\n", what, f.rate(), at(0.5), at(0.99))
}

// bareLoop writes and syncs one record after another in a file of zeros.
func bareLoop(dir string, size int, duration time.Duration) (figures, error) {
	const length = 16 << 20
	name := filepath.Join(dir, "raw")
	f, err := vfs.OS{}.Open(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return figures{}, err
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, length), 0); err != nil {
		return figures{}, err
	}
	if err := f.Sync(); err != nil {
		return figures{}, err
	}
	record := make([]byte, size)
	var all figures
	begin := time.Now()
	for at := int64(0); time.Since(begin) < duration; at = (at + int64(size)) % (length - int64(size)) {
		before := time.Now()
		if _, err := f.WriteAt(record, at); err != nil {
			return all, err
		}
		if err := f.Sync(); err != nil {
			return all, err
		}
		all.each = append(all.each, time.Since(before))
	}
	all.total = time.Since(begin)
	return all, nil
}

// throughLog appends records from some goroutines, each of which waits until its record is applied.
func throughLog(dir string, size, goroutines int, duration time.Duration) (figures, error) {
	l, err := file.Open(file.Options{Directory: filepath.Join(dir, "log"), Broker: "rawsync",
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return figures{}, err
	}
	defer l.Close()
	apply := func(e log.Entry) {
		for _, r := range e.Records {
			if done, ok := r.Note.(chan struct{}); ok {
				done <- struct{}{}
			}
		}
	}
	if _, err := l.Lead(context.Background(), apply); err != nil {
		return figures{}, err
	}
	var all figures
	var mu sync.Mutex
	var wg sync.WaitGroup
	begin := time.Now()
	for range goroutines {
		wg.Go(func() {
			each := produce(l, size, begin.Add(duration))
			mu.Lock()
			defer mu.Unlock()
			all.each = append(all.each, each...)
		})
	}
	wg.Wait()
	all.total = time.Since(begin)
	return all, l.Err()
}

func produce(l *file.Log, size int, until time.Time) []time.Duration {
	record, done := make([]byte, size), make(chan struct{}, 1)
	var each []time.Duration
	for {
		before := time.Now()
		if before.After(until) {
			return each
		}
		if _, err := l.Append(done, record); err != nil {
			return each
		}
		select {
		case <-done:
			each = append(each, time.Since(before))
		case <-l.Done():
			return each
		}
	}
}
