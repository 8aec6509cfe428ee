package store

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// state is what the records say.
type state struct {
	term      uint64 // of the last record
	applied   uint64 // the last entry
	queues    map[string]*queue
	names     map[destination.Destination]*queue // the same ones
	large     map[uint64][]log.Position          // the parts of messages that lie in parts, by sequence
	open      map[uint64]*openTx
	producers *producers
	subs      subscriptions
	count     int // pending messages of all queues
	bytes     int64

	named

	record record // the one being applied
}

// queue is a queue or a topic. It is there while it has pending messages, a horizon or subscriptions, or is said to be.
type queue struct {
	index
	name destination.Destination
	raw  []byte

	horizon  uint64
	recorded uint64 // the entry of the horizon's record
	created  uint64 // the entry that says that it is there whatever it has; 0 if none does

	horizonAppended log.Position // of the last one, which may be on its way
	arriving        uint64       // the last entry with a message for it, which may be on its way

	subs map[*subscription]struct{} // of a topic
}

// openTx is what is known of a transaction that is not committed.
type openTx struct {
	first    uint64 // no record of it, and no part of a message, is in an older entry
	messages []arrival
	removals []removal
	acks     []acknowledged
}

// acknowledged is what a subscription is through with.
type acknowledged struct {
	subscription uint64
	done         []Span
}

type removal struct {
	destination []byte
	sequences   []uint64
}

// arrival is a message as its record tells it. In a transaction it has no sequence yet.
type arrival struct {
	destination      []byte
	producer         []byte
	producerSequence int64
	recorded         uint64 // the entry of the record
	place            uint64
	item             item
	parts            []log.Position // nil for a message that is whole in its record
}

func newState() state {
	return state{queues: map[string]*queue{}, names: map[destination.Destination]*queue{},
		large: map[uint64][]log.Position{}, open: map[uint64]*openTx{}, producers: newProducers(),
		subs: newSubscriptions(), named: newNamed()}
}

// apply does what a record of an entry of term says. The record is left in st.record, good as long as data.
func (st *state) apply(term uint64, at log.Position, data []byte) error {
	if term > st.term {
		st.term = term
		clear(st.open)
	}
	r := &st.record
	if err := r.decode(data); err != nil {
		return err
	}
	switch r.kind {
	case kindMessage, kindMoved, kindTxMessage, kindLargeMessage, kindLargeMoved, kindLargeTxMessage:
		return st.applyMessage(r, at)
	case kindRemove:
		st.remove(r.destination, r.sequences)
	case kindTxRemove:
		tx := st.transaction(r.tx, at.Entry)
		tx.removals = append(tx.removals, removal{bytes.Clone(r.destination), slices.Clone(r.sequences)})
	case kindCommit:
		return st.commit(r.tx, r.sequence, at)
	case kindRollback:
		delete(st.open, r.tx)
	case kindHorizon:
		return st.setHorizon(r.destination, r.sequence, at)
	case kindCreate:
		return st.create(r.destination, at)
	case kindDelete:
		st.delete(r.destination)
	case kindProducers:
		for _, p := range r.producers {
			st.producers.apply(p.producer, p.sequence, at.Entry, at)
		}
	case kindSubscription, kindUnsubscribe, kindAcknowledge, kindTxAcknowledge, kindSubscriptionHorizon:
		return st.applySubscription(r, at)
	case kindPart: // nothing until an envelope names it
	default:
		return st.applyOutcome(r, at)
	}
	return nil
}

func (st *state) applyMessage(r *record, at log.Position) error {
	a, err := arrivalOf(r, at)
	if err != nil {
		return err
	}
	switch r.kind {
	case kindTxMessage, kindLargeTxMessage:
		tx := st.transaction(r.tx, a.item.entry)
		a.destination, a.producer = bytes.Clone(a.destination), bytes.Clone(a.producer)
		tx.messages = append(tx.messages, a)
		return nil
	case kindMessage, kindLargeMessage:
		st.producers.apply(a.producer, a.producerSequence, a.recorded, at)
	}
	return st.put(a, r.sequence)
}

func arrivalOf(r *record, at log.Position) (arrival, error) {
	a := arrival{destination: r.destination, producer: r.producer, producerSequence: r.producerSequence,
		recorded: at.Entry, place: r.place}
	if r.body == nil {
		a.parts = slices.Clone(r.parts)
		at = a.parts[0]
		a.item = newItem(at, r.size, r.expiration, r.priority)
		return a, nil
	}
	m, err := message.Parse(r.body)
	if err != nil {
		return arrival{}, err
	}
	a.destination, a.producer, a.producerSequence = m.RawDestination(), m.RawProducer(), m.ProducerSequence()
	a.item = newItem(at, uint32(m.Size()), m.Expiration(), m.Priority())
	return a, nil
}

// put makes a message pending, or, if it is, says where it lies now.
func (st *state) put(a arrival, sequence uint64) error {
	q, err := st.queueOf(a.destination)
	if err != nil {
		return err
	}
	before := q.count
	st.count -= q.count
	st.bytes -= q.bytes
	a.item.sequence = sequence
	q.put(a.item)
	if q.count > before {
		st.need(q, sequence)
	}
	st.count += q.count
	st.bytes += q.bytes
	if a.parts != nil {
		st.large[sequence] = a.parts
	}
	return nil
}

// remove takes messages out of a queue. What is not there was removed before.
func (st *state) remove(raw []byte, sequences []uint64) {
	q := st.queues[string(raw)]
	if q == nil {
		return
	}
	for _, sequence := range sequences {
		if it, ok := q.remove(sequence); ok {
			st.count--
			st.bytes -= int64(it.size())
			delete(st.large, sequence)
		}
	}
	st.forgetIdle(q)
}

// transaction returns an open transaction, which now has something in entry.
func (st *state) transaction(number, entry uint64) *openTx {
	tx := st.open[number]
	if tx == nil {
		tx = &openTx{first: entry}
		st.open[number] = tx
	}
	tx.first = min(tx.first, entry)
	return tx
}

// commit ends a transaction. If the log was dropped up to its middle, the dropped messages were moved or removed since.
func (st *state) commit(number, base uint64, at log.Position) error {
	tx := st.open[number]
	if tx == nil {
		return nil
	}
	delete(st.open, number)
	slices.SortFunc(tx.messages, func(a, b arrival) int { return cmp.Compare(a.place, b.place) })
	for _, a := range tx.messages {
		st.producers.apply(a.producer, a.producerSequence, a.recorded, at)
	}
	return st.perform(tx, base)
}

// perform makes what a transaction consists of happen.
func (st *state) perform(tx *openTx, base uint64) error {
	for _, a := range tx.messages {
		if err := st.put(a, base+a.place); err != nil {
			return err
		}
	}
	for _, r := range tx.removals {
		st.remove(r.destination, r.sequences)
	}
	for _, a := range tx.acks {
		if sub := st.subs.byID[a.subscription]; sub != nil {
			st.acknowledge(sub, a.done)
		}
	}
	return nil
}

func (st *state) setHorizon(raw []byte, sequence uint64, at log.Position) error {
	q, err := st.queueOf(raw)
	if err != nil {
		return err
	}
	q.horizon, q.recorded = sequence, at.Entry
	if sequence == 0 {
		q.recorded = 0 // forgotten: older records of it are dropped no later than this one, which need not be kept either
	}
	st.forgetIdle(q)
	return nil
}

// queueOf returns the queue of an encoded destination, a new one if need be.
func (st *state) queueOf(raw []byte) (*queue, error) {
	if q := st.queues[string(raw)]; q != nil {
		return q, nil
	}
	name, err := decodeDestination(raw)
	if err != nil {
		return nil, err
	}
	q := &queue{name: name, raw: bytes.Clone(raw)}
	st.queues[string(raw)] = q
	st.names[q.name] = q
	st.link(q)
	return q, nil
}

func (st *state) forgetIdle(q *queue) {
	if q.count == 0 && q.horizon == 0 && q.created == 0 && len(q.subs) == 0 {
		delete(st.queues, string(q.raw))
		delete(st.names, q.name)
	}
}

// decodeDestination is the inverse of message.RawDestination.
func decodeDestination(raw []byte) (destination.Destination, error) {
	r := wire.NewReader(raw)
	present := r.Bool()
	d := destination.Destination{Kind: destination.Kind(r.Byte())}
	if r.Bool() {
		d.Name = r.Text()
	}
	if err := r.Err(); err != nil || !present || r.Len() > 0 {
		return d, fmt.Errorf("not a destination: % x", raw)
	}
	return d, nil
}
