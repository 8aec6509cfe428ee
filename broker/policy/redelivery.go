package policy

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// Redelivery has the broker deliver again, after a delay, what a consumer has refused for good, as ActiveMQ's redeliveryPlugin does.
// It is filled, and then read by any number of goroutines.
type Redelivery struct {
	// FallbackToDeadLetter makes dead letters of what no policy is for; without it that is dropped.
	FallbackToDeadLetter bool
	// SendToDLQIfMaxRetriesExceeded makes dead letters of what was delivered again as often as its policy allows; without it that
	// is dropped.
	SendToDLQIfMaxRetriesExceeded bool

	entries destination.Map[*RedeliveryPolicy]
	others  *RedeliveryPolicy
}

// RedeliveryPolicy says how often and when a message is delivered again. Times are in milliseconds.
type RedeliveryPolicy struct {
	MaximumRedeliveries    int   `yaml:"maximumRedeliveries"` // -1 is without end
	InitialRedeliveryDelay int64 `yaml:"initialRedeliveryDelay"`
	// RedeliveryDelay is the time from the second redelivery on.
	RedeliveryDelay int64 `yaml:"redeliveryDelay"`
	// UseExponentialBackOff makes each time the one before multiplied.
	UseExponentialBackOff bool    `yaml:"useExponentialBackOff"`
	BackOffMultiplier     float64 `yaml:"backOffMultiplier"`
	// MaximumRedeliveryDelay is the longest time that multiplying makes; -1 is without limit.
	MaximumRedeliveryDelay int64 `yaml:"maximumRedeliveryDelay"`
	// UseCollisionAvoidance makes times longer or shorter by up to CollisionAvoidancePercent, for each message others.
	UseCollisionAvoidance     bool `yaml:"useCollisionAvoidance"`
	CollisionAvoidancePercent int  `yaml:"collisionAvoidancePercent"`
}

// DefaultRedelivery is a redelivery policy of which nothing is said.
func DefaultRedelivery() RedeliveryPolicy {
	return RedeliveryPolicy{
		MaximumRedeliveries: 6, InitialRedeliveryDelay: 1000, RedeliveryDelay: 1000, BackOffMultiplier: 5,
		MaximumRedeliveryDelay: -1, CollisionAvoidancePercent: 15,
	}
}

// Validate tells which value is out of its range.
func (p *RedeliveryPolicy) Validate() error {
	return check([]bound{
		{"maximumRedeliveries", int64(p.MaximumRedeliveries), -1, math.MaxInt32},
		{"initialRedeliveryDelay", p.InitialRedeliveryDelay, 0, longest},
		{"redeliveryDelay", p.RedeliveryDelay, 0, longest},
		{"maximumRedeliveryDelay", p.MaximumRedeliveryDelay, -1, longest},
		{"collisionAvoidancePercent", int64(p.CollisionAvoidancePercent), 0, 100},
	})
}

// Add sets the policy of what the pattern covers, unless a more specific one does.
func (r *Redelivery) Add(pattern destination.Destination, p *RedeliveryPolicy) {
	r.entries.Add(pattern, p)
}

// SetDefault sets the policy of what no pattern covers.
func (r *Redelivery) SetDefault(p *RedeliveryPolicy) { r.others = p }

// Find returns the policy of a destination, nil if there is none.
func (r *Redelivery) Find(d destination.Destination) *RedeliveryPolicy {
	if p, found := r.entries.Find(d); found {
		return p
	}
	return r.others
}

// Again tells whether a message that was delivered again so many times is to be once more, and after how many milliseconds. The id
// is the message's.
func (p *RedeliveryPolicy) Again(times int, id string) (delay int64, again bool) {
	if p.MaximumRedeliveries >= 0 && times >= p.MaximumRedeliveries {
		return 0, false
	}
	wait := float64(p.InitialRedeliveryDelay)
	switch {
	case times > 0 && p.multiplies() && wait > 0:
		wait = p.limit(wait * math.Pow(p.BackOffMultiplier, float64(times)))
	case times > 0 && p.multiplies(): // what was nothing becomes something before it is multiplied
		wait = p.limit(float64(p.RedeliveryDelay) * math.Pow(p.BackOffMultiplier, float64(times-1)))
	case times > 0:
		wait = float64(p.RedeliveryDelay)
	}
	if times > 0 && p.UseCollisionAvoidance {
		wait += wait * float64(p.CollisionAvoidancePercent) / 100 * spread(times, id)
	}
	return int64(min(wait, longest)), true
}

func (p *RedeliveryPolicy) multiplies() bool {
	return p.UseExponentialBackOff && p.BackOffMultiplier > 1
}

func (p *RedeliveryPolicy) limit(wait float64) float64 {
	if p.MaximumRedeliveryDelay >= 0 && wait > float64(p.MaximumRedeliveryDelay) {
		return float64(max(p.MaximumRedeliveryDelay, p.RedeliveryDelay))
	}
	return wait
}

// spread is a number from -1 to 1, the same for the same message and time.
func spread(times int, id string) float64 {
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(id)) // never fails
	return 2*rand.New(rand.NewPCG(seed.Sum64(), uint64(times))).Float64() - 1
}
