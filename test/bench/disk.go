package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/file"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

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
	record, at := make([]byte, size), int64(0)
	return together(1, duration, func(int) (step, error) {
		return func() error {
			if _, err := f.WriteAt(record, at); err != nil {
				return err
			}
			at = (at + int64(size)) % (length - int64(size))
			return f.Sync()
		}, nil
	})
}

// throughLog appends records from some goroutines, each of which waits until its record is applied.
func throughLog(dir string, size, goroutines int, duration time.Duration) (figures, error) {
	l, err := file.Open(file.Options{Directory: filepath.Join(dir, "log"), Broker: "bench",
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
	return together(goroutines, duration, func(int) (step, error) {
		record, done := make([]byte, size), make(chan struct{}, 1)
		return func() error {
			if _, err := l.Append(done, record); err != nil {
				return err
			}
			select {
			case <-done:
				return nil
			case <-l.Done():
				return l.Err()
			}
		}, nil
	})
}
