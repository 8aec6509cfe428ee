// Command bench measures a broker process beside the disk that it is on: persistent messages a second, memory, and the time to
// start.
//
//	go run ./test/bench --broker bin/twinmesh-broker --dir D --size 1024 --seconds 3
//	go run ./test/bench --broker bin/twinmesh-broker --scale
//
// The measure is a bare loop that overwrites a file of zeros and calls fdatasync after each write, which is the best that
// one producer can have. The rows of the log say what the store's log makes of it without a network, for goroutines that
// each wait for every record. Those of the broker are of producers of our own client that wait for every answer. All take
// turns, because a disk that others use is not the same from one second to the next.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

// rounds is how often each measurement takes its turn.
const rounds = 4

// idleTime is how long a broker is left alone before its memory is looked at.
const idleTime = 2 * time.Second

func main() {
	program := flag.String("broker", "bin/twinmesh-broker", "the broker's program")
	dir := flag.String("dir", ".", "directory on the disk to measure; what is written there is removed again")
	size := flag.Int("size", 1024, "bytes a message")
	seconds := flag.Float64("seconds", 3, "how long each measurement takes")
	scale := flag.Bool("scale", false, "measure what ten thousand connections and queues and a hundred thousand consumers cost, instead")
	flag.Parse()
	measure := func() error {
		return run(context.Background(), *program, *dir, *size, time.Duration(*seconds*float64(time.Second)))
	}
	if *scale {
		measure = func() error { return runScale(context.Background(), *program, *dir) }
	}
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, program, dir string, size int, duration time.Duration) error {
	scratch, err := os.MkdirTemp(dir, "bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	started, err := measureStart(ctx, program, scratch)
	if err != nil {
		return err
	}
	p, err := start(ctx, program, scratch)
	if err != nil {
		return err
	}
	defer p.stop()
	time.Sleep(idleTime)
	idle, err := p.resident()
	if err != nil {
		return err
	}
	if err := measureSends(ctx, p, scratch, size, duration); err != nil {
		return err
	}
	time.Sleep(idleTime)
	after, err := p.resident()
	if err != nil {
		return err
	}
	fmt.Printf("\n%-44s %v to %v\n", "start to the first accepted connection", started[0], started[len(started)-1])
	fmt.Printf("%-44s %.1f MB\n", "broker's memory (RSS) when it has done nothing", float64(idle)/1e6)
	fmt.Printf("%-44s %.1f MB\n", "and after all of the above, unconsumed", float64(after)/1e6)
	return nil
}

// measureStart starts brokers on empty directories, and returns how long each took, the shortest first.
func measureStart(ctx context.Context, program, scratch string) ([]time.Duration, error) {
	var all []time.Duration
	for range 5 {
		empty, err := os.MkdirTemp(scratch, "start-")
		if err != nil {
			return nil, err
		}
		p, err := start(ctx, program, empty)
		if err != nil {
			return nil, err
		}
		p.stop()
		all = append(all, p.started.Round(100*time.Microsecond))
	}
	slices.Sort(all)
	return all, nil
}

// measureSends prints the table of rates.
func measureSends(ctx context.Context, p *process, scratch string, size int, duration time.Duration) error {
	log := func(n int) func(time.Duration) (figures, error) {
		return func(d time.Duration) (figures, error) { return throughLog(scratch, size, n, d) }
	}
	broker := func(n int) func(time.Duration) (figures, error) {
		return func(d time.Duration) (figures, error) { return p.throughBroker(ctx, size, n, d) }
	}
	rows := []struct {
		name    string
		measure func(time.Duration) (figures, error)
		figures
	}{
		{name: "bare write and fdatasync", measure: func(d time.Duration) (figures, error) { return bareLoop(scratch, size, d) }},
		{name: "log, 1 goroutine", measure: log(1)},
		{name: "broker, 1 producer", measure: broker(1)},
		{name: "log, 16 goroutines", measure: log(16)},
		{name: "broker, 16 producers", measure: broker(16)},
		{name: "log, 64 goroutines", measure: log(64)},
	}
	for range rounds {
		for i := range rows {
			if err := rows[i].add(rows[i].measure(duration / rounds)); err != nil {
				return fmt.Errorf("%s: %w", rows[i].name, err)
			}
		}
	}
	fmt.Printf("%-28s %10s %12s %12s %9s\n", fmt.Sprintf("%d bytes each", size), "a second", "half within", "99% within", "of bare")
	for i := range rows {
		rows[i].print(rows[i].name, &rows[0].figures)
	}
	return nil
}
