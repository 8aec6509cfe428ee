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
	// polling is how often is looked whether there is room, where nobody tells.
	polling = 100 * time.Millisecond
)

// errNoMemory is what becomes of a send that can neither be taken nor parked.
var errNoMemory = &core.Error{Kind: core.ResourceAllocation, Text: "the broker has no room for the messages of this connection, and this connection has sent far ahead: " +
	"consume over another connection than the one that produces, or set jms.producerWindowSize"}

// parking holds what the broker has no room for, in order for each destination: sends, and the ends of transactions that send. The
// session goes on reading, so that a client that produces and consumes over one connection has its acknowledgements heard,
// which are what makes room, and that a full destination is not in the way of another.
//
// What is parked is bounded. At the bound a connection that only produces is held by its socket, for as long as it takes.
// One that also consumes is held for parkedPatience; if nothing moved by then, the acknowledgement that would make room may be
// behind the sends, and these are refused until the parking is empty. So no connection waits for itself for ever.
type parking struct {
	ctx     context.Context
	logger  *slog.Logger
	running sync.WaitGroup

	mu       sync.Mutex
	lanes    map[string][]parked // by destination; the first of each may be under way
	last     []func()            // to do once nothing is parked
	bytes    int
	refusing bool
	freed    chan struct{} // closed when bytes gets smaller; nil while nobody waits
}

// parked is work that waits for its turn, and for room.
type parked struct {
	lane    string // what is in the same lane is done in order
	size    int
	since   time.Time
	blocked func() *core.Block
	do      func()
	fail    func(error) // in place of do
}

// newParking returns a parking whose goroutines run while something is parked, one for each lane, until ctx ends.
func newParking(ctx context.Context, logger *slog.Logger) *parking {
	return &parking{ctx: ctx, logger: logger, lanes: map[string][]parked{}}
}

// stop waits for the goroutines, after ctx has ended. What is parked then is dropped.
func (k *parking) stop() { k.running.Wait() }

// drain waits until nothing is parked. Only who reads the connection may call it, once nothing can be freed by reading on.
func (k *parking) drain() { k.running.Wait() }

// pass does the work, now if nothing is in its way, else when its turn comes; or it fails if it may not wait. It is called by
// one goroutine.
func (k *parking) pass(p parked) {
	block, behind := p.blocked(), k.busy(p.lane)
	switch {
	case block == nil && !behind:
		p.do()
	case block != nil && block.Fails && !behind:
		k.logger.Info("refused a send", "destination", block.Destination.String(), "limit", block.Limit)
		p.fail(block.Refused())
	default:
		p.since = time.Now()
		k.park(p)
	}
}

// idle tells whether nothing is parked.
func (k *parking) idle() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.lanes) == 0
}

func (k *parking) busy(lane string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.lanes[lane]) > 0
}

func (k *parking) park(p parked) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bytes += p.size
	k.lanes[p.lane] = append(k.lanes[p.lane], p)
	if len(k.lanes[p.lane]) == 1 {
		k.running.Go(func() { k.run(p) })
	}
}

// whenEmpty does the work once all that is parked now is done.
func (k *parking) whenEmpty(do func()) {
	k.mu.Lock()
	if len(k.lanes) > 0 {
		k.last = append(k.last, do)
		k.mu.Unlock()
		return
	}
	k.mu.Unlock()
	do()
}

// run does what is parked in a lane, one after another, until nothing is.
func (k *parking) run(p parked) {
	goOn := k.tell(p)
	defer goOn()
	for more := true; more; p, more = k.next(p.lane) {
		switch block := k.await(p); {
		case k.ctx.Err() != nil:
			return
		case block == nil:
			p.do()
		case block.Fails:
			p.fail(block.Refused())
		default:
			p.fail(block.TimedOut())
		}
	}
}

// tell says who waits for what, and when it goes on.
func (k *parking) tell(p parked) (goOn func()) {
	block := p.blocked()
	if block == nil {
		return func() {}
	}
	k.logger.Warn("a sender waits for room", "destination", block.Destination.String(), "limit", block.Limit)
	began, counted := time.Now(), block.Wait()
	return func() {
		counted()
		if k.ctx.Err() == nil {
			k.logger.Info("the sender goes on", "destination", block.Destination.String(), "waited", time.Since(began).Round(time.Millisecond))
		}
	}
}

// await waits until the work can be done, and returns nil then; or until it fails, and returns why.
func (k *parking) await(p parked) *core.Block {
	for block := p.blocked(); block != nil; block = p.blocked() {
		var late, again <-chan time.Time
		if block.Patience > 0 {
			late = time.After(time.Until(p.since.Add(block.Patience)))
		}
		freed, polled := block.Freed()
		if polled {
			again = time.After(polling)
		}
		if block.Fails {
			return block
		}
		select {
		case <-freed:
		case <-again:
		case <-late:
			return block
		case <-k.ctx.Done():
			return block
		}
	}
	return nil
}

// next takes the first work out of a lane, which is done, and returns the one behind it.
func (k *parking) next(lane string) (parked, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	waiting := k.lanes[lane]
	k.bytes -= waiting[0].size
	waiting[0] = parked{}
	k.lanes[lane] = waiting[1:]
	if k.freed != nil {
		close(k.freed)
		k.freed = nil
	}
	if len(waiting) > 1 {
		return waiting[1], true
	}
	delete(k.lanes, lane)
	if len(k.lanes) == 0 {
		k.finish()
	}
	return parked{}, false
}

// finish does what comes when nothing is parked. k.mu is held.
func (k *parking) finish() {
	k.refusing = false
	for _, do := range k.last {
		k.running.Go(do)
	}
	k.last = nil
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
