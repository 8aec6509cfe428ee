package core

import (
	"slices"

	"github.com/twinmesh/twinmesh/broker/message"
)

// waiting is a message that waits for a topic consumer, in memory or in the spool.
type waiting struct {
	message    *message.Message // nil: it is in the spool
	spooled    Spooled
	order      uint64 // of arrival
	expiration int64
	size       int
	priority   byte
}

// waitingCost is what a waiting message costs beside its bytes.
const waitingCost = 96

// cost is what it takes of the memory.
func (w *waiting) cost() int {
	if w.message == nil {
		return waitingCost
	}
	return waitingCost + w.size
}

// pending is what waits for a topic consumer, in the order of arrival.
type pending struct {
	levels   []level // by priority if that counts for something, else one
	count    int
	arrivals uint64
	soonest  int64 // none of them expires before; 0 if none ever does
}

// level is a queue whose first entries are taken already.
type level struct {
	items []waiting
	taken int
}

func (l *level) waiting() []waiting { return l.items[l.taken:] }

func (l *level) pop() waiting {
	w := l.items[l.taken]
	l.items[l.taken] = waiting{}
	l.taken++
	if 2*l.taken >= len(l.items) && (l.taken >= 64 || l.taken == len(l.items)) {
		n := copy(l.items, l.items[l.taken:])
		clear(l.items[n:])
		l.items, l.taken = l.items[:n], 0
		if n == 0 && cap(l.items) > 64 {
			l.items = nil
		}
	}
	return w
}

// push adds a message at the end. ranked has the messages of each priority apart; it only counts while nothing waits.
func (p *pending) push(w waiting, ranked bool) {
	if p.count == 0 && (p.levels == nil || ranked != (len(p.levels) > 1)) {
		p.levels = make([]level, 1)
		if ranked {
			p.levels = make([]level, 10)
		}
	}
	p.arrivals++
	w.order = p.arrivals
	if w.expiration > 0 && (p.soonest == 0 || w.expiration < p.soonest) {
		p.soonest = w.expiration
	}
	l := &p.levels[min(int(w.priority), len(p.levels)-1)]
	l.items = append(l.items, w)
	p.count++
}

// next takes the message that is due: the oldest, or with byPriority the oldest of the highest priority. There is one.
func (p *pending) next(byPriority bool) waiting {
	best := -1
	for i := range p.levels {
		w := p.levels[i].waiting()
		if len(w) > 0 && (best < 0 || byPriority || w[0].order < p.levels[best].waiting()[0].order) {
			best = i
		}
	}
	return p.pop(best)
}

// lowest takes the oldest message of the lowest priority. There is one.
func (p *pending) lowest() waiting {
	return p.pop(slices.IndexFunc(p.levels, func(l level) bool { return len(l.waiting()) > 0 }))
}

func (p *pending) pop(i int) waiting {
	p.count--
	if p.count == 0 {
		p.soonest = 0
	}
	return p.levels[i].pop()
}

// take takes out the messages that the function says, which sees each once, those of the lowest level first.
func (p *pending) take(which func(*waiting) bool) (taken []waiting) {
	for i := range p.levels {
		l := &p.levels[i]
		kept := l.items[:0]
		for j := range l.waiting() {
			if w := &l.waiting()[j]; which(w) {
				taken = append(taken, *w)
			} else {
				kept = append(kept, *w)
			}
		}
		clear(l.items[len(kept):])
		l.items, l.taken = kept, 0
	}
	p.count -= len(taken)
	return taken
}

// expired takes out what has expired at now.
func (p *pending) expired(now int64) []waiting {
	if p.soonest == 0 || p.soonest > now {
		return nil
	}
	p.soonest = 0
	return p.take(func(w *waiting) bool {
		if w.expiration > 0 && w.expiration <= now {
			return true
		}
		if w.expiration > 0 && (p.soonest == 0 || w.expiration < p.soonest) {
			p.soonest = w.expiration
		}
		return false
	})
}
