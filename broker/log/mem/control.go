package mem

// Hold keeps what is appended from now on in flight: written nowhere and not applied, each record an entry of its own.
// What was appended before goes on.
func (l *Log) Hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held {
		return
	}
	l.held = true
	if l.queue != nil {
		l.queue.Cut()
	}
}

// Release ends Hold: what is in flight becomes durable and is applied.
func (l *Log) Release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held {
		return
	}
	l.held, l.flying = false, nil
	close(l.gate)
	l.gate = make(chan struct{})
}

// InFlight is how many records Hold keeps.
func (l *Log) InFlight() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.flying)
}

// Lose ends this holder with err: log.ErrRightLost for a right that was taken, another for a write or sync that failed.
// Nothing held by Hold is applied here, but the first reached of those records did reach the log, where the next holder
// finds them.
func (l *Log) Lose(err error, reached int) {
	l.mu.Lock()
	q, flying := l.queue, l.flying
	l.mu.Unlock()
	q.Fail(err)
	for _, f := range flying[:reached] {
		if err := l.shared.write(l.term, f.number, f.body); err != nil {
			panic(err) // a test said that entries of a lost term reached the log after a higher one
		}
	}
	l.shared.release(l)
}

// Expire frees the right without telling its holder, as when a lock is lost: another may take it, and the holder learns
// of that from its next append.
func (l *Log) Expire() { l.shared.release(l) }
