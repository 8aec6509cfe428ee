package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// How often progress is shown: on a terminal in one line that changes, else in lines of a log.
const (
	terminalEvery = 500 * time.Millisecond
	logEvery      = 10 * time.Second
)

// meter counts messages and shows the progress, until stop.
type meter struct {
	verb     string
	total    int // 0 if there is no end
	out      *os.File
	terminal bool
	began    time.Time
	ended    time.Time
	count    atomic.Int64
	bytes    atomic.Int64
	again    atomic.Int64 // messages that had been delivered before

	stopping chan struct{}
	showing  sync.WaitGroup
}

func startMeter(verb string, total int, out *os.File) *meter {
	_, err := unix.IoctlGetTermios(int(out.Fd()), unix.TCGETS)
	m := &meter{verb: verb, total: total, out: out, terminal: err == nil, began: time.Now(), stopping: make(chan struct{})}
	m.showing.Go(m.show)
	return m
}

// add counts messages of so many bytes together.
func (m *meter) add(messages, bytes int) {
	m.count.Add(int64(messages))
	m.bytes.Add(int64(bytes))
}

func (m *meter) show() {
	every, format := logEvery, "%s\n"
	if m.terminal {
		every, format = terminalEvery, "\r%s\x1b[K"
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var before int64
	last := m.began
	for {
		select {
		case <-m.stopping:
			if m.terminal {
				_, _ = fmt.Fprint(m.out, "\r\x1b[K")
			}
			return
		case now := <-ticker.C:
			count := m.count.Load()
			_, _ = fmt.Fprintf(m.out, format, m.progress(count, float64(count-before)/now.Sub(last).Seconds()))
			before, last = count, now
		}
	}
}

func (m *meter) progress(count int64, rate float64) string {
	of := ""
	if m.total > 0 {
		of = fmt.Sprintf(" of %d", m.total)
	}
	return fmt.Sprintf("%s %d%s messages, %.0f/s now", m.verb, count, of, rate)
}

func (m *meter) stop() {
	close(m.stopping)
	m.showing.Wait()
	m.ended = time.Now()
}

// summary is the run's one line, after stop.
func (m *meter) summary() string {
	took := m.ended.Sub(m.began)
	s := fmt.Sprintf("%s %d messages in %.3f s: %.0f messages/s, %.2f MB/s", m.verb, m.count.Load(), took.Seconds(),
		float64(m.count.Load())/took.Seconds(), float64(m.bytes.Load())/took.Seconds()/1e6)
	if again := m.again.Load(); again > 0 {
		s += fmt.Sprintf("; %d were marked as redelivered", again)
	}
	return s
}
