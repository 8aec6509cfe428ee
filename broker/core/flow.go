package core

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// Block is why a message cannot be taken now.
type Block struct {
	Destination destination.Destination
	Limit       string        // the limit that is reached, for the log
	Kept        bool          // the message is one for the store
	Fails       bool          // the send fails at once, else it waits
	Patience    time.Duration // after which the send fails; 0 is never
	text        string        // what becomes of it when it fails at once, in ActiveMQ's words
	late        string        // and when it has waited
	freed       <-chan struct{}
	polled      bool
	senders     *senders
}

// senders counts those that wait for room.
type senders struct{ waiting, ever atomic.Int64 }

// Wait counts a sender that waits, until it calls goOn.
func (b *Block) Wait() (goOn func()) {
	b.senders.waiting.Add(1)
	b.senders.ever.Add(1)
	return func() { b.senders.waiting.Add(-1) }
}

// WaitingSenders is how many senders wait for room, and how often one began to.
func (b *Broker) WaitingSenders() (now, ever int64) {
	return b.senders.waiting.Load(), b.senders.ever.Load()
}

// Freed is closed when it is worth to try again. If polled, that may be so without it, too.
func (b *Block) Freed() (freed <-chan struct{}, polled bool) { return b.freed, b.polled }

// Refused is the error of a send that fails at once.
func (b *Block) Refused() error { return &Error{ResourceAllocation, b.text} }

// TimedOut is the error of a send that has waited for as long as it may.
func (b *Block) TimedOut() error { return &Error{ResourceAllocation, b.late} }

const moreInfo = "See http://activemq.apache.org/producer-flow-control.html for more info"

// Blocked tells why a message cannot be taken now, nil if it can: some destination that it comes to is over its limit, or what
// it needs of the broker's memory or store is taken. What it waits for may be given back by acknowledgements of the same connection.
func (b *Broker) Blocked(m *message.Message) *Block {
	if p, err := planOf(m); p != nil || err != nil || isManagement(m.Destination()) {
		return nil
	}
	if d := m.Destination(); b.routes.Load().plain(d) {
		return b.blockedAt(m, d)
	}
	ends, err := b.ends(m)
	if err != nil {
		return nil // Send says why
	}
	for _, h := range ends {
		if block := b.blockedAt(m, h.to); block != nil {
			return block
		}
	}
	return nil
}

// blockedAt tells why a destination cannot take a message now.
func (b *Broker) blockedAt(m *message.Message, d destination.Destination) *Block {
	b.mu.RLock()
	q, t := b.queues[d], b.topics[d]
	b.mu.RUnlock()
	p := b.policyOf(q, t, d)
	kept := m.Persistent() && (d.Kind == destination.Queue || t != nil && t.keeps(m))
	if kept {
		if freed := b.store.Full(); freed != nil {
			return b.storeFull(m, d, p, freed)
		}
	}
	if block := b.overLimit(m, q, p, kept); block != nil {
		return block
	}
	if !inMemory(m, d, t) {
		return nil
	}
	if freed := b.memory.full(); freed != nil {
		return b.memoryFull(m, d, p, "the broker's memory for messages that are not persistent", freed)
	}
	return nil
}

// inMemory tells whether a queue or durable subscription keeps the message in memory alone. For a topic's other consumers nobody
// waits: one that does not keep up is no matter of the others'.
func inMemory(m *message.Message, d destination.Destination, t *topic) bool {
	if d.IsQueue() {
		return !m.Persistent() || d.IsTemp()
	}
	return t != nil && !m.Persistent() && !t.durables.empty()
}

// refuses tells whether a send to the destination would fail at once, as there is no room.
func (b *Broker) refuses(m *message.Message, d destination.Destination) bool {
	block := b.blockedAt(m, d)
	return block != nil && block.Fails
}

// overLimit tells why a queue cannot take a message now that is kept in the store, or is not. What the store keeps takes part in
// a queue's limit only where the policy has it in memory, as ActiveMQ counts it.
func (b *Broker) overLimit(m *message.Message, q *queue, p *policy.Policy, kept bool) *Block {
	if q == nil || p.MemoryLimit == 0 || !p.ProducerFlowControl || kept && !p.CountsStored() {
		return nil
	}
	elsewhere := int64(0)
	if p.CountsStored() {
		_, elsewhere = b.store.Pending(q.name)
	}
	freed := q.usage.full(int64(p.MemoryLimit), elsewhere)
	if freed == nil {
		return nil
	}
	block := b.memoryFull(m, q.name, p, fmt.Sprintf("memoryLimit of %d bytes", p.MemoryLimit), freed)
	block.polled, block.Kept = p.CountsStored(), kept
	return block
}

func (b *Broker) policyOf(q *queue, t *topic, d destination.Destination) *policy.Policy {
	switch {
	case q != nil:
		return q.policy.Load()
	case t != nil:
		return t.policy.Load()
	}
	return b.policy(d)
}

// block has what the policy, or else the broker, says of senders for whom there is no room.
func (b *Broker) block(d destination.Destination, p *policy.Policy, limit string, freed <-chan struct{}) *Block {
	fails, after := b.noSpace.Fail, b.noSpace.After
	if p.SendFailIfNoSpace != nil {
		fails = *p.SendFailIfNoSpace
	}
	if p.SendFailIfNoSpaceAfterTimeout != nil {
		after = *p.SendFailIfNoSpaceAfterTimeout
	}
	return &Block{Destination: d, Limit: limit, Fails: fails, Patience: time.Duration(after) * time.Millisecond, freed: freed,
		senders: &b.senders}
}

func (b *Broker) memoryFull(m *message.Message, d destination.Destination, p *policy.Policy, limit string, freed <-chan struct{}) *Block {
	block := b.block(d, p, limit, freed)
	block.text = fmt.Sprintf("Usage Manager Memory Limit reached on %s. %s", d, moreInfo)
	block.late = fmt.Sprintf("Usage Manager Memory Limit Wait Timeout. Stopping producer (%s) to prevent flooding %s. %s", m.Producer(), d, moreInfo)
	return block
}

func (b *Broker) storeFull(m *message.Message, d destination.Destination, p *policy.Policy, freed <-chan struct{}) *Block {
	block := b.block(d, p, "the store", freed)
	block.Kept = true
	block.text = fmt.Sprintf("Persistent store is Full, 100%% of %d. Stopping producer (%s) to prevent flooding %s. %s", b.store.Limit(), m.Producer(), d, moreInfo)
	block.late = block.text
	return block
}

// NoSpace says what becomes of senders for whom there is no room, where their destination's policy says nothing.
type NoSpace struct {
	Fail  bool  // their sends fail
	After int64 // or fail after so many milliseconds; 0 is never
}

// usage is how much of a queue's messages is in memory alone, in bytes. Its lock is taken last.
type usage struct {
	mu    sync.Mutex
	bytes int64
	count int64
	freed chan struct{} // closed when there is room; nil while nobody waits
	below int64         // of bytes, when there is, for some of those who wait
}

// add counts a message of so many bytes in, or with a negative number out.
func (u *usage) add(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.bytes += int64(n)
	if n > 0 {
		u.count++
	} else {
		u.count--
	}
	if u.bytes < u.below {
		u.tell()
	}
}

// wake tells all who wait that the limit is another one.
func (u *usage) wake() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tell()
}

// tell is wake with u.mu held.
func (u *usage) tell() {
	if u.freed != nil {
		close(u.freed)
		u.freed, u.below = nil, 0
	}
}

func (u *usage) now() (messages, bytes int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count, u.bytes
}

// full returns nil if there is less than the limit with so many bytes elsewhere, else a channel that is closed when so much is gone that
// there is.
func (u *usage) full(limit, elsewhere int64) <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.bytes+elsewhere < limit {
		return nil
	}
	if u.freed == nil {
		u.freed = make(chan struct{})
	}
	u.below = max(u.below, limit-elsewhere)
	return u.freed
}
