package core

import (
	"time"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// populations counts the queues and the topics that a policy is for, but temporary ones and advisory topics. b.mu is held.
type populations map[population]int

type population struct {
	policy *policy.Policy
	topics bool
}

func (p populations) count(d destination.Destination, of *policy.Policy, n int) {
	if d.IsTemp() || d.IsAdvisory() || of.MaxDestinations < 0 {
		return
	}
	key := population{of, d.IsTopic()}
	if p[key] += n; p[key] == 0 {
		delete(p, key)
	}
}

// admits tells whether one more may be made; b.mu is held.
func (b *Broker) admits(d destination.Destination) error {
	p := b.policies.Find(d)
	if d.IsTemp() || d.IsAdvisory() || p.MaxDestinations < 0 || b.populations[population{p, d.IsTopic()}] < p.MaxDestinations {
		return nil
	}
	return errorf(IllegalState, "The maximum number of destinations allowed (%d) for the policy of %s has already been reached.", p.MaxDestinations, d)
}

// recount is for when destinations have other policies; b.mu is held.
func (b *Broker) recount() {
	b.populations = populations{}
	for d := range b.queues {
		b.populations.count(d, b.policies.Find(d), +1)
	}
	for d := range b.topics {
		b.populations.count(d, b.policies.Find(d), +1)
	}
}

// idle is since when nobody uses a destination.
type idle struct {
	since    int64 // milliseconds since 1970; 0 while somebody does
	enqueued int64 // then
}

// lasts tells whether a destination with such figures was idle for as long as its policy has it. One who looks holds no lock, and
// nobody else looks.
func (i *idle) lasts(f figures, p *policy.Policy, now int64) bool {
	if !p.GCInactiveDestinations || f.consumers+f.producers+f.messages > 0 {
		i.since = 0
		return false
	}
	if i.since == 0 || i.enqueued != f.enqueued {
		*i = idle{now, f.enqueued}
	}
	return now-i.since >= p.InactiveTimeoutBeforeGC
}

// CollectInactive removes queues and topics that nobody has used for as long as their policies say, at most so many of them; 0 is
// all. One goroutine at a time calls it, once in a while.
func (b *Broker) CollectInactive(most int) {
	now, removed := b.millis(), 0
	collect := func(d destination.Destination, i *idle, f figures, p *policy.Policy) {
		if d.IsTemp() || d.IsAdvisory() || most > 0 && removed == most || !i.lasts(f, p, now) {
			return
		}
		if err := b.removeBy(d, (*queue).retireEmpty, nil); err != nil {
			b.logger.Debug("an inactive destination stays", "destination", d.String(), "reason", err)
			return
		}
		removed++
		b.logger.Info("removed an inactive destination", "destination", d.String(), "idle", time.Duration(now-i.since)*time.Millisecond)
	}
	for _, q := range b.allQueues() {
		if p := q.policy.Load(); p.GCInactiveDestinations {
			collect(q.name, &q.idle, q.figures(), p)
		}
	}
	for _, t := range b.allTopics() {
		if p := t.policy.Load(); p.GCInactiveDestinations {
			collect(t.name, &t.idle, t.figures(), p)
		}
	}
}
