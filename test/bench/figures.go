package main

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

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

// print prints the row of what n did at the same time, beside the bare loop.
func (f *figures) print(what string, bare *figures) {
	slices.Sort(f.each)
	at := func(share float64) time.Duration {
		return f.each[int(share*float64(len(f.each)-1))].Round(time.Microsecond)
	}
	fmt.Printf("%-28s %10.0f %12v %12v %9.2f\n", what, f.rate(), at(0.5), at(0.99), f.rate()/bare.rate())
}

// step does one record and returns when it is safe.
type step func() error

// together has some goroutines do one step after another for a time. prepare makes each one's step before the time begins.
func together(goroutines int, duration time.Duration, prepare func(i int) (step, error)) (figures, error) {
	steps := make([]step, goroutines)
	for i := range steps {
		var err error
		if steps[i], err = prepare(i); err != nil {
			return figures{}, err
		}
	}
	var all figures
	var failed error
	var mu sync.Mutex
	var wg sync.WaitGroup
	begin := time.Now()
	for _, do := range steps {
		wg.Go(func() {
			each, err := repeat(do, begin.Add(duration))
			mu.Lock()
			defer mu.Unlock()
			all.each = append(all.each, each...)
			if err != nil {
				failed = err
			}
		})
	}
	wg.Wait()
	all.total = time.Since(begin)
	return all, failed
}

func repeat(do step, until time.Time) (each []time.Duration, err error) {
	for {
		before := time.Now()
		if before.After(until) {
			return each, nil
		}
		if err := do(); err != nil {
			return each, err
		}
		each = append(each, time.Since(before))
	}
}
