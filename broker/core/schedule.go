package core

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// jobs is where scheduled messages are stored until they are due. No client can name it, since names have no NUL.
var jobs = destination.Destination{Kind: destination.Queue, Name: "scheduled\x00"}

// schedule knows when the jobs are due. Their messages are in the store.
type schedule struct {
	broker *Broker
	own    *Connection // whose sends the deliveries are

	changed chan struct{} // gets a value when the first one is another

	running sync.Mutex // held while a job runs, or while all are looked at
	flying  int        // runs that are not durable; under running

	mu  sync.Mutex
	due dues
}

// Due is a stored message with the time at which it expires, in milliseconds since 1970.
type Due struct {
	Sequence uint64
	At       int64
}

// dues is a heap, the earliest first.
type dues []Due

func (d dues) Len() int { return len(d) }
func (d dues) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(d[i].At, d[j].At), cmp.Compare(d[i].Sequence, d[j].Sequence)) < 0
}
func (d dues) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *dues) Push(x any)   { *d = append(*d, x.(Due)) }
func (d *dues) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

// newSchedule returns the schedule of the jobs that the store has.
func newSchedule(b *Broker) *schedule {
	s := &schedule{broker: b, own: &Connection{broker: b}, due: b.store.Expirations(jobs), changed: make(chan struct{}, 1)}
	heap.Init(&s.due)
	return s
}

// Scheduled gets a value when RunScheduled should be called earlier than it said.
func (b *Broker) Scheduled() <-chan struct{} { return b.schedule.changed }

// RunScheduled delivers the scheduled messages that are due, and returns when to call it again: when the next one is due, or the
// zero time if there is none. One caller may be in it at a time. It waits while too much is not yet durable.
func (b *Broker) RunScheduled(ctx context.Context) (time.Time, error) {
	s := b.schedule
	for {
		next, due := s.next()
		if !due {
			return next, nil
		}
		if err := b.store.Room(ctx); err != nil {
			return time.Time{}, err
		}
		if err := s.run(s.pop()); err != nil {
			return time.Time{}, fmt.Errorf("deliver a scheduled message: %w", err)
		}
	}
}

// next returns when the next job is due, the zero time if there is none, and whether that is now.
func (s *schedule) next() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.due) == 0 {
		return time.Time{}, false
	}
	at := s.due[0].At
	return time.UnixMilli(at), at <= s.broker.millis()
}

func (s *schedule) pop() Due {
	s.mu.Lock()
	defer s.mu.Unlock()
	return heap.Pop(&s.due).(Due)
}

// put stores a message that is to be delivered by plan p.
func (s *schedule) put(m *message.Message, p *plan, done func()) error {
	job, err := s.job(m, p)
	if err != nil {
		return err
	}
	return s.broker.store.Add(job, func() {
		s.add(job)
		call(done)
	})
}

// job makes the first job of a message.
func (s *schedule) job(m *message.Message, p *plan) (*message.Message, error) {
	at, err := p.first(s.broker.now())
	if err != nil {
		return nil, err
	}
	return newJob(m, at)
}

// add notes a job that is durable.
func (s *schedule) add(job *message.Message) {
	d := Due{job.BrokerSequence(), job.Expiration()}
	s.mu.Lock()
	defer s.mu.Unlock()
	heap.Push(&s.due, d)
	if s.due[0] == d {
		select {
		case s.changed <- struct{}{}:
		default:
		}
	}
}

// reload looks for jobs in the store that came there without the schedule's knowing. One that it knows twice runs once.
func (s *schedule) reload() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = s.broker.store.Expirations(jobs)
	heap.Init(&s.due)
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// forget takes jobs out that are removed.
func (s *schedule) forget(sequences []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = slices.DeleteFunc(s.due, func(d Due) bool {
		_, gone := slices.BinarySearch(sequences, d.Sequence)
		return gone
	})
	heap.Init(&s.due)
}

// run does what a job is due for: its message is delivered, and the job ends or goes on, as one.
func (s *schedule) run(d Due) error {
	s.running.Lock()
	defer s.running.Unlock()
	job, err := s.load(d.Sequence)
	if job == nil || err != nil {
		return err
	}
	t := s.own.work()
	if err := t.storeTx().Remove(jobs, []uint64{d.Sequence}); err != nil {
		return err
	}
	if err := s.fire(t, job, d.At); err != nil {
		t.undo()
		s.broker.logger.Warn("dropped a scheduled message that cannot be delivered", "message", job.ID(), "error", err)
		return s.broker.store.Remove(jobs, []uint64{d.Sequence}, nil)
	}
	s.flying++
	return t.commit(func() {
		s.running.Lock()
		defer s.running.Unlock()
		s.flying--
	})
}

// load reads a job, nil if it was removed.
func (s *schedule) load(sequence uint64) (*message.Message, error) {
	found, err := s.broker.store.Page(jobs, sequence-1, 1, 1)
	if err != nil || len(found) == 0 || found[0].BrokerSequence() != sequence {
		return nil, err
	}
	return found[0], nil
}

// fire adds to t what a job does that is due at a time: a delivery, or the beginning of one that is repeated, and what is left of
// the job.
func (s *schedule) fire(t *Transaction, job *message.Message, at int64) error {
	p, err := readPlan(job.Properties())
	if err != nil {
		return err
	}
	if p == nil || p.cron == "" {
		return s.fireOnce(t, job, p, at)
	}
	next, err := p.tick(s.broker.now())
	if err == nil {
		err = s.again(t, job, next)
	}
	switch {
	case err != nil:
		return err
	case p.repeat == 0:
		return t.addAll(s.delivery(job, true))
	}
	id, _ := s.newID()
	return s.again(t, job, p.start(at), wire.Entry{Key: cronProperty, Value: wire.NullValue()}, wire.Entry{Key: jobProperty, Value: wire.TextValue(id)})
}

// fireOnce adds a delivery of a plan without cron entry, and what is left of the job.
func (s *schedule) fireOnce(t *Transaction, job *message.Message, p *plan, at int64) error {
	if p == nil || p.repeat == 0 {
		return t.addAll(s.delivery(job, false))
	}
	if err := t.addAll(s.delivery(job, true)); err != nil {
		return err
	}
	left := wire.IntValue(int32(max(-1, p.repeat-1)))
	return s.again(t, job, max(at+p.period, s.broker.millis()), wire.Entry{Key: repeatProperty, Value: left})
}

// again adds a job that is due at a time, with some properties replaced.
func (s *schedule) again(t *Transaction, job *message.Message, at int64, changed ...wire.Entry) error {
	properties := job.Properties()
	for _, e := range changed {
		var err error
		if properties, err = wire.SetEntry(properties, e.Key, e.Value); err != nil {
			return err
		}
	}
	return t.addJob(job.With(message.SetExpiration(at), message.SetProperties(properties)))
}

// newID returns a message id that no other has.
func (s *schedule) newID() (string, message.Set) {
	const producer = 2 // the advisor has the others
	sequence := int64(s.broker.store.NextSequence())
	return fmt.Sprintf("%s:0:%d:%d", s.broker.id, producer, sequence), message.SetID(s.broker.id, 0, producer, sequence)
}
