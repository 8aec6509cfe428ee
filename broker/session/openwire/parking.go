package openwire

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
)

const (
	// parkedBytes is the size of what may be parked; the last message parked may exceed it.
	parkedBytes = 1 << 20
	// parkedPatience is how long a connection that also consumes is held when no more may be parked.
	parkedPatience = 10 * time.Second
)

// errNoMemory is what becomes of a send that can neither be taken nor parked.
var errNoMemory = &core.Error{Kind: core.ResourceAllocation, Text: "the broker's memory for messages that are not persistent is full, and this connection has sent far ahead: " +
	"consume over another connection than the one that produces, set jms.producerWindowSize, or send persistent messages"}

// parking holds what needs memory while the broker has none, in order: sends, and the ends of transactions that send. The
// session goes on reading, so that a client that produces and consumes over one connection has its acknowledgements heard,
// which are what makes room.
//
// What is parked is bounded. At the bound a connection that only produces is held by its socket, for as long as it takes.
// One that also consumes is held for parkedPatience; if nothing moved by then, the acknowledgement that would make room may be
// behind the sends, and these are refused until the parking is empty. So no connection waits for itself for ever.
type parking struct {
	ctx     context.Context
	full    func() <-chan struct{} // as core.Broker's
	logger  *slog.Logger
	running sync.WaitGroup

	mu       sync.Mutex
	waiting  []parked // the first one may be under way
	bytes    int
	refusing bool
	freed    chan struct{} // closed when bytes gets smaller; nil while nobody waits
}

// parked is work that waits for its turn, and if it needs memory for that.
type parked struct {
	size        int
	needsMemory bool
	do          func()
}

// newParking returns a parking whose goroutine runs while something is parked, until ctx ends.
func newParking(ctx context.Context, full func() <-chan struct{}, logger *slog.Logger) *parking {
	return &parking{ctx: ctx, full: full, logger: logger}
}

// stop waits for the goroutine, after ctx has ended. What is parked then is dropped.
func (k *parking) stop() { k.running.Wait() }

// drain waits until nothing is parked. Only who reads the connection may call it, once nothing can be freed by reading on.
func (k *parking) drain() { k.running.Wait() }

// pass does the work, now if nothing is in its way, else when its turn comes. It is called by one goroutine.
func (k *parking) pass(p parked) {
	if k.park(p) {
		return
	}
	p.do()
}

// park parks the work if it has to wait.
func (k *parking) park(p parked) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.waiting) == 0 && (!p.needsMemory || k.full() == nil) {
		return false
	}
	k.waiting = append(k.waiting, p)
	k.bytes += p.size
	if len(k.waiting) == 1 {
		k.running.Go(k.run)
	}
	return true
}

// run does what is parked, one after another, until nothing is.
func (k *parking) run() {
	k.logger.Warn("a sender waits: the memory for messages that are not persistent is full")
	began := time.Now()
	for p, more := k.first(); more; p, more = k.next() {
		if p.needsMemory && !k.awaitMemory() {
			return
		}
		p.do()
	}
	k.logger.Info("the sender goes on", "waited", time.Since(began).Round(time.Millisecond))
}

// awaitMemory tells whether there is memory now; not if the conversation ended.
func (k *parking) awaitMemory() bool {
	for freed := k.full(); freed != nil; freed = k.full() {
		select {
		case <-freed:
		case <-k.ctx.Done():
			return false
		}
	}
	return k.ctx.Err() == nil
}

func (k *parking) first() (parked, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.waiting[0], true
}

// next takes the first work out, which is done, and returns the one behind it.
func (k *parking) next() (parked, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bytes -= k.waiting[0].size
	k.waiting[0] = parked{}
	k.waiting = k.waiting[1:]
	if k.freed != nil {
		close(k.freed)
		k.freed = nil
	}
	if len(k.waiting) == 0 {
		k.waiting, k.refusing = nil, false
		return parked{}, false
	}
	return k.waiting[0], true
}

// room waits until more may be parked. Of a connection that also consumes it returns errNoMemory after a while.
func (k *parking) room(consumes bool) error {
	for {
		freed, err := k.blocked(consumes)
		if freed == nil || err != nil {
			return err
		}
		var patience <-chan time.Time
		if consumes {
			patience = time.After(parkedPatience)
		}
		select {
		case <-freed:
		case <-patience:
			k.refuse()
		case <-k.ctx.Done():
			return context.Cause(k.ctx)
		}
	}
}

// blocked returns nil if more may be parked, else what to wait for, or that waiting is no use.
func (k *parking) blocked(consumes bool) (<-chan struct{}, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.bytes < parkedBytes:
		return nil, nil
	case consumes && k.refusing:
		return nil, errNoMemory
	case k.freed == nil:
		k.freed = make(chan struct{})
	}
	return k.freed, nil
}

func (k *parking) refuse() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refusing = true
	k.logger.Warn("refusing the sends of a connection that also consumes until what it sent before has found room")
}
