package core

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

const (
	// maxBranches is how many branches of distributed transactions there can be before they are prepared; afterwards it is not
	// looked at, so that no work is lost for it.
	maxBranches = 10_000
	// maxRecorded is the longest connection id, in bytes, whose commits are on record.
	maxRecorded = 255
)

// StoreBranches is what a broker needs of its store for distributed transactions, and for telling of outcomes.
type StoreBranches interface {
	// Prepared lists the prepared transactions that there are from before.
	Prepared() []Prepared
	// Decide ends a prepared transaction. The messages of a committed one are numbered from first on, in their order.
	Decide(d Decision, done func(first uint64)) error
	// Heuristics lists the decisions of administrators that are not forgotten.
	Heuristics() []Decision
	// Forget ends the record of one.
	Forget(x message.XID, done func()) error
	// Commits lists the commits on record.
	Commits() []Committed
	// CommitsOf lists those of one connection, the newest last.
	CommitsOf(connection string) []Committed
}

// Committed is a commit on record.
type Committed struct {
	Connection string // whose client was to be told
	Name       string // of the transaction, as ActiveMQ writes it
	Time       int64  // in milliseconds since 1970
}

// Preparation says of a transaction what is to be known while it is prepared.
type Preparation struct {
	XID        message.XID
	Connection string // whose client asked for it
	Time       int64  // in milliseconds since 1970
}

// Prepared is a prepared transaction as it was found.
type Prepared struct {
	Preparation
	Sent     []Recovered // how many messages to each destination
	Consumed []Consumed
	// Acknowledged is what it ends of durable subscriptions' backlogs.
	Acknowledged []Acknowledged
}

// Acknowledged is what a prepared transaction has consumed of a durable subscription.
type Acknowledged struct {
	Subscription uint64
	Sequences    []uint64
}

// Consumed is what a prepared transaction has consumed of a queue.
type Consumed struct {
	Queue     destination.Destination
	Sequences []uint64
}

// Decision is the outcome of a prepared transaction.
type Decision struct {
	XID        message.XID
	Committed  bool
	Heuristic  bool   // an administrator's
	Connection string // whose client is to be told of a commit
	Time       int64  // in milliseconds since 1970
}

// tellOfCommits logs what a client may have lost the answer to: ActiveMQ's tells its program that such a transaction was rolled
// back, and asks nobody.
func (c *Connection) tellOfCommits() {
	if !c.spec.Again {
		return
	}
	var names []string
	for _, k := range c.broker.store.CommitsOf(c.spec.ID) {
		names = append(names, k.Name)
	}
	if len(names) > 0 {
		c.broker.logger.Info("a client is back; these are the last transactions that it committed, whether it had the answer or not",
			"connection", c.spec.ID, "transactions", names)
	}
}

// branches are the branches of distributed transactions that the broker knows.
type branches struct {
	mu         sync.Mutex
	works      map[message.XID]*work
	owned      map[*Connection]map[*work]struct{} // what ends with a connection
	heuristics map[message.XID]Decision
	consumed   map[destination.Destination]int // how many prepared branches have consumed of a queue
}

// recoverBranches takes over what the store has prepared.
func (b *Broker) recoverBranches() {
	b.branches.works = map[message.XID]*work{}
	b.branches.owned = map[*Connection]map[*work]struct{}{}
	b.branches.heuristics = map[message.XID]Decision{}
	b.branches.consumed = map[destination.Destination]int{}
	for _, p := range b.store.Prepared() {
		w := &work{broker: b, branch: p.XID, phase: prepared, preparation: p.Preparation, recovered: &p}
		b.branches.works[p.XID] = w
		b.branches.count(w.consumedOf(), +1)
		for _, a := range p.Acknowledged {
			if d := b.durable(a.Subscription); d != nil {
				d.hide(a.Sequences)
			}
		}
		b.logger.Info("a transaction waits for its outcome", "transaction", p.XID.String(), "prepared by", p.Connection)
	}
	for _, d := range b.store.Heuristics() {
		b.branches.heuristics[d.XID] = d
	}
}

// find returns a branch, or what a transaction manager is told that asks for one that there is not.
func (s *branches) find(x message.XID) (*work, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.works[x]; w != nil {
		return w, nil
	}
	if d, decided := s.heuristics[x]; decided {
		return nil, heuristic(d)
	}
	return nil, xaErrorf(xaUnknownTransaction, "Transaction '%v' has not been started.", x)
}

func heuristic(d Decision) error {
	if d.Committed {
		return xaErrorf(xaHeuristicCommit, "Transaction '%v' was committed by an administrator.", d.XID)
	}
	return xaErrorf(xaHeuristicRollback, "Transaction '%v' was rolled back by an administrator.", d.XID)
}

// join returns the branch, a new one of the connection if there is none.
func (s *branches) join(x message.XID, c *Connection) (*work, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.works[x]; w != nil {
		return w, nil
	}
	if d, decided := s.heuristics[x]; decided {
		return nil, heuristic(d)
	}
	if len(s.works) >= maxBranches {
		return nil, xaErrorf(xaResourceManager, "%d transactions are under way or wait for their outcome, which is the most", len(s.works))
	}
	w := &work{broker: c.broker, branch: x, name: x.String(), owner: c}
	s.works[x] = w
	if s.owned[c] == nil {
		s.owned[c] = map[*work]struct{}{}
	}
	s.owned[c][w] = struct{}{}
	return w, nil
}

// remove forgets a branch that has ended.
func (s *branches) remove(w *work) {
	s.disown(w)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.works[w.branch] == w {
		delete(s.works, w.branch)
	}
}

// disown makes a branch one that outlives the connection that began it.
func (s *branches) disown(w *work) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if mine := s.owned[w.owner]; mine != nil {
		if delete(mine, w); len(mine) == 0 {
			delete(s.owned, w.owner)
		}
	}
}

// of lists the branches that end with a connection.
func (s *branches) of(c *Connection) []*work {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.owned[c]))
}

// count counts the queues of a branch that is prepared, or with by -1 of one that no longer is.
func (s *branches) count(queues []destination.Destination, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range queues {
		if s.consumed[q] += by; s.consumed[q] == 0 {
			delete(s.consumed, q)
		}
	}
}

// hold tells whether a prepared branch has consumed messages of a queue, which a rollback gives back.
func (s *branches) hold(queue destination.Destination) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.consumed[queue] > 0
}

// consumedOf lists the queues that the branch has consumed of.
func (t *work) consumedOf() []destination.Destination {
	var queues []destination.Destination
	for _, a := range t.acks {
		for _, nodes := range bySeat(a.nodes) {
			queues = append(queues, nodes[0].seat.queue.name)
		}
	}
	if t.recovered != nil {
		for _, c := range t.recovered.Consumed {
			queues = append(queues, c.Queue)
		}
	}
	return queues
}

// decided notes an administrator's decision, and forgotten that it need not be known any longer.
func (s *branches) decided(d Decision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heuristics[d.XID] = d
}

func (s *branches) forgotten(x message.XID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.heuristics[x]
	delete(s.heuristics, x)
	return known
}

// all lists the branches.
func (s *branches) all() (works []*work, decisions []Decision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.works {
		works = append(works, w)
	}
	for _, d := range s.heuristics {
		decisions = append(decisions, d)
	}
	slices.SortFunc(works, func(a, b *work) int { return strings.Compare(a.branch.String(), b.branch.String()) })
	slices.SortFunc(decisions, func(a, b Decision) int { return strings.Compare(a.XID.String(), b.XID.String()) })
	return works, decisions
}
