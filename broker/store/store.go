package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/message"
)

// A broker sequence is the holder's term and a count that starts with it. So sequences grow over takeovers, and an
// acknowledgement that comes late never hits another message.
const (
	counterBits = 40
	maxCounter  = 1<<counterBits - 1
	maxTerm     = 1<<(63-counterBits) - 1 // a sequence is a positive long to clients
	maxSequence = 1<<63 - 1
)

const (
	// maxWhole is the longest message that is one record; a longer one is cut into parts of this length.
	maxWhole = log.MaxRecord / 2
	// maxSequences is how many sequences fit in a record for certain.
	maxSequences = log.MaxRecord / 32
)

// ErrSequences means that a holder has numbered as many messages as it can.
var ErrSequences = errors.New("no broker sequences are left in this term: restart the broker, which starts a new one")

// Options are the tunables of a Store.
type Options struct {
	// MinBytes is the length of log that Clean leaves alone, in bytes: a few segments.
	MinBytes int64
	// Limit is the bytes of pending messages from which on Full says so; 0 is no limit. The log is up to twice as long.
	Limit int64
}

// Store is the durable state of one broker.
type Store struct {
	log     log.Log
	options Options
	whole   int // maxWhole, but for tests

	mu         sync.Mutex
	state      state
	failed     error                   // why a record could not be applied
	stop       context.CancelCauseFunc // ends Lead
	term       uint64
	counter    uint64                               // of sequences
	txs        uint64                               // transactions begun
	building   map[log.Position]struct{}            // first parts of messages whose envelopes are not applied yet
	deleting   map[destination.Destination]deletion // on their way
	newcomers  map[string]uint64                    // the last entry with a message on its way, of destinations that the state may not have by then
	freed      chan struct{}                        // closed when there is room below the limit; nil while nobody waits
	cleaned    uint64                               // Drop was told this entry
	subscribed int                                  // durable subscriptions, with those on their way
	head       []byte                               // buffers of write
	pieces     [2][]byte
}

// New returns a Store on l, which is not in use yet and which the Store closes.
func New(l log.Log, o Options) *Store {
	return &Store{log: l, options: o, whole: maxWhole, state: newState(), building: map[log.Position]struct{}{}}
}

// Lead follows the log until this process has the right to append, and returns its term. From then on the state is whole and
// may be changed. It is called once. When ctx ends it returns ctx's error; when the log holds what this version cannot
// read it says so, having changed nothing.
func (s *Store) Lead(ctx context.Context) (term uint64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	s.stop = cancel
	s.mu.Unlock()
	term, err = s.log.Lead(ctx, s.apply)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.failed != nil:
		return 0, s.failed
	case err != nil:
		return 0, fmt.Errorf("lead: %w", err)
	case term > maxTerm:
		return 0, fmt.Errorf("lead: term %d: only %d are possible", term, maxTerm)
	}
	s.term = term
	s.state.countNeeds()
	s.subscribed = len(s.state.subs.byID)
	return term, nil
}

// apply is log.Apply: first the state, then those who wait for it.
func (s *Store) apply(e log.Entry) {
	if err := s.applyRecords(e); err != nil {
		return
	}
	for i := range e.Records {
		if done, ok := e.Records[i].Note.(func()); ok {
			done()
		}
	}
}

func (s *Store) applyRecords(e log.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	for _, r := range e.Records {
		if len(r.Data) == 0 {
			continue // a barrier
		}
		if err := s.state.apply(e.Term, r.Position, r.Data); err != nil {
			s.failed = fmt.Errorf("apply the record at %v: %w", r.Position, err)
			s.stop(s.failed)
			return s.failed
		}
		if s.state.record.kind == kindDelete {
			s.deleted(r.Position)
		}
		if parts := s.state.record.parts; len(parts) > 0 {
			delete(s.building, parts[0])
		}
	}
	s.state.applied = e.Number
	s.arrived()
	s.wake()
	if s.state.subs.waste >= wasteAtOnce {
		return s.dispose()
	}
	return nil
}

// Add stores a message. It sets the message's broker sequence; done is called once the message is pending.
func (s *Store) Add(m *message.Message, done func()) error {
	parts, err := s.writeParts(m)
	if err != nil {
		return fmt.Errorf("store a message: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sequence, err := s.take(1)
	if err != nil {
		s.abandon(parts)
		return err
	}
	m.SetBrokerSequence(sequence)
	at, err := s.writeMessage(done, record{kind: kindMessage, sequence: sequence}, m, parts)
	if err != nil {
		return fmt.Errorf("store a message: %w", err)
	}
	s.state.producers.append(m.RawProducer(), m.ProducerSequence(), at)
	s.comes(m.RawDestination(), at)
	return nil
}

// Fresh tells whether a message is not known from its producer: neither stored nor on its way there, not even if it is
// gone since. Of a producer unheard of for long nothing is known. What an open transaction holds counts from its commit on.
func (s *Store) Fresh(m *message.Message) bool {
	id := m.RawProducer()
	if len(id) == 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	last, known := s.state.producers.last(id)
	return !known || m.ProducerSequence() > last
}

// Remove forgets messages of a queue, each of them one that Add or Commit said is done, or that Page returned. Those that
// are not pending any more are ignored. done is called once the others are gone, too.
func (s *Store) Remove(queue destination.Destination, sequences []uint64, done func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writeRemoval(done, record{kind: kindRemove}, queue, sequences); err != nil {
		return fmt.Errorf("remove messages of %v: %w", queue, err)
	}
	s.leave(queue, sequences)
	return nil
}

// Horizon records that messages of the queue with sequences below that given may have been dispatched. It replaces the
// horizon before it, also with a lower one; 0 forgets it.
func (s *Store) Horizon(queue destination.Destination, sequence uint64, done func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, err := s.write(done, record{kind: kindHorizon, destination: s.raw(queue), sequence: sequence}, nil)
	if err != nil {
		return fmt.Errorf("move the horizon of %v: %w", queue, err)
	}
	if q := s.state.names[queue]; q != nil {
		q.horizonAppended = at
	}
	return nil
}

// Barrier calls done once everything asked for before is durable.
func (s *Store) Barrier(done func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	if _, err := s.log.Append(note(done)); err != nil {
		return fmt.Errorf("wait for the log: %w", err)
	}
	return nil
}

// NextSequence numbers a message that is not stored. When the term has no more, it repeats the last one, and Add fails.
func (s *Store) NextSequence() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counter = min(s.counter+1, maxCounter)
	return s.term<<counterBits | s.counter
}

// Room waits while more is appended than may stand unsynced. Whoever adds on behalf of a client calls it before, holding no
// lock that a done function needs.
func (s *Store) Room(ctx context.Context) error { return s.log.Room(ctx) }

// Done is closed when nothing will be stored any more; Err tells why, and is nil until then.
func (s *Store) Done() <-chan struct{} { return s.log.Done() }

// Err tells why Done is closed.
func (s *Store) Err() error { return s.log.Err() }

// Close makes durable what was asked for and gives the right to append to whoever waits for it.
func (s *Store) Close() error { return s.log.Close() }

// take reserves n sequences and returns the first. Called with mu held.
func (s *Store) take(n int) (uint64, error) {
	if uint64(n) > maxCounter-s.counter {
		return 0, ErrSequences
	}
	first := s.counter + 1
	s.counter += uint64(n)
	return s.term<<counterBits | first, nil
}

// leave notes that the removal of messages is on its way. Called with mu held.
func (s *Store) leave(queue destination.Destination, sequences []uint64) {
	q := s.state.names[queue]
	if q == nil {
		return
	}
	for _, sequence := range sequences {
		if it := q.get(sequence); it != nil {
			it.bits |= leaving
		}
	}
}

// raw is a queue's name in records. Called with mu held.
func (s *Store) raw(queue destination.Destination) []byte {
	if q := s.state.names[queue]; q != nil {
		return q.raw
	}
	return message.RawDestination(queue)
}

// writeRemoval appends records of r's kind that remove messages; done goes with the last. Called with mu held.
func (s *Store) writeRemoval(done func(), r record, queue destination.Destination, sequences []uint64) error {
	r.destination = s.raw(queue)
	for len(sequences) > maxSequences {
		r.sequences, sequences = sequences[:maxSequences], sequences[maxSequences:]
		if _, err := s.write(nil, r, nil); err != nil {
			return err
		}
	}
	r.sequences = sequences
	_, err := s.write(done, r, nil)
	return err
}

// write appends a record, with body behind it. Called with mu held.
func (s *Store) write(done func(), r record, body []byte) (log.Position, error) {
	if s.failed != nil {
		return log.Position{}, s.failed
	}
	s.head = r.append(s.head[:0])
	s.pieces = [2][]byte{s.head, body}
	at, err := s.log.Append(note(done), s.pieces[:]...)
	s.pieces[1] = nil
	return at, err
}

// note is what apply finds done in.
func note(done func()) any {
	if done == nil {
		return nil
	}
	return done
}
