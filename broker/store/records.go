package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// kind is a record's first byte and says what follows. The layout of a kind never changes and its number is never used
// again: what has to be different gets a new kind. So a version that meets a kind that it does not know meets the log
// of a newer one.
type kind byte

// The layouts. Numbers are varints as encoding/binary has them; (s) marks signed ones. A name is its length and its bytes:
// destination and producer ids as in a message. body is a message's bytes up to the record's end; its broker sequence
// is the record's, whatever the bytes say. An envelope is what applying needs to know of a message that lies in parts:
//
//	destination, producer, producerSequence (s), expiration (s), size, with the priority and one above its 32 bits and nothing
//	there in the first logs, where it counts as ordinary, then for each part up to the record's end:
//	the difference of its entry to that of the part before, and its offset
//
// sequences are differences (s) to the one before, up to the record's end. spans are in order, each the difference of its
// first sequence to the last one of the span before, and its length less one, up to the record's end.
const (
	// kindMessage: sequence, body. A message exists.
	kindMessage kind = 1
	// kindMoved: sequence, body. The message of that sequence lies here now, since its older record is to be dropped.
	kindMoved kind = 2
	// kindTxMessage: tx, place, body. A message that will exist with its transaction; place counts them from 0.
	kindTxMessage kind = 3

	// kindPart: bytes. A piece of a message too long for one record. It is nothing until an envelope names it.
	kindPart kind = 4
	// kindLargeMessage, kindLargeMoved and kindLargeTxMessage are like the three above with an envelope in place of the body.
	kindLargeMessage   kind = 5
	kindLargeMoved     kind = 6
	kindLargeTxMessage kind = 7

	// kindRemove: destination, sequences. These messages are gone.
	kindRemove kind = 8
	// kindTxRemove: tx, destination, sequences. They will be gone with the transaction.
	kindTxRemove kind = 9
	// kindCommit: tx, base. The transaction is done; the message at place i has sequence base+i.
	kindCommit kind = 10
	// kindRollback: tx. The transaction never was.
	kindRollback kind = 11

	// kindHorizon: destination, sequence. Messages below sequence may have been dispatched. It replaces the one before.
	kindHorizon kind = 12
	// kindProducers: to the end, producer and its last sequence (s). Restates what only dropped records would say.
	kindProducers kind = 13

	// kindSubscription: sequence, destination, client, name, flags, selector, horizon, spans. There is a durable subscription, in
	// place of an older one of that client and name, to what is sent after sequence, which also is its id. Of one that exists
	// it restates all that the records before said.
	kindSubscription kind = 20
	// kindUnsubscribe: id. The subscription is gone.
	kindUnsubscribe kind = 21
	// kindAcknowledge: id, spans. The subscription is through with all of its messages in the spans.
	kindAcknowledge kind = 22
	// kindTxAcknowledge: tx, id, spans. It will be with the transaction.
	kindTxAcknowledge kind = 23
	// kindSubscriptionHorizon: id, sequence. Like kindHorizon, for one subscription.
	kindSubscriptionHorizon kind = 24

	// kindCreate: destination. The queue is there, though nothing may be in it.
	kindCreate kind = 28
	// kindDelete: destination. The queue is not there any more, with its messages and its horizon.
	kindDelete kind = 29
)

// noLocal is a flag of a subscription; the others are 0.
const noLocal = 1

// Transactions belong to a term: their numbers are used again in later ones, and what is open and not prepared when a record
// of a newer term comes is discarded.

var (
	errNewer   = errors.New("a newer version of the broker wrote it: run that version")
	errInvalid = errors.New("impossible value")
)

// record is any record, decoded; which fields count is told by its kind. Its slices are parts of the bytes it was
// decoded from, but for sequences, parts and producers, which a later decode uses again.
type record struct {
	kind      kind
	tx, place uint64
	sequence  uint64 // a commit's base
	sequences []uint64
	body      []byte
	producers []lastSequence

	// A destination, or a whole envelope.
	destination      []byte
	producer         []byte
	producerSequence int64
	expiration       int64
	priority         byte
	size             uint32
	parts            []log.Position

	subscription uint64 // the id
	client, name []byte
	selector     []byte
	flags        byte
	horizon      uint64
	spans        []Span

	outcome // of a named transaction; flags and name are shared
}

// lastSequence is the last of a producer's sequences.
type lastSequence struct {
	producer []byte
	sequence int64
}

// append appends the record without its body.
func (r *record) append(b []byte) []byte {
	b = append(b, byte(r.kind))
	switch r.kind {
	case kindMessage, kindMoved:
		b = binary.AppendUvarint(b, r.sequence)
	case kindTxMessage:
		b = r.appendPlace(b)
	case kindLargeMessage, kindLargeMoved:
		b = r.appendEnvelope(binary.AppendUvarint(b, r.sequence))
	case kindLargeTxMessage:
		b = r.appendEnvelope(r.appendPlace(b))
	case kindRemove:
		b = appendSequences(appendName(b, r.destination), r.sequences)
	case kindTxRemove:
		b = binary.AppendUvarint(b, r.tx)
		b = appendSequences(appendName(b, r.destination), r.sequences)
	case kindCommit:
		b = binary.AppendUvarint(b, r.tx)
		b = binary.AppendUvarint(b, r.sequence)
	case kindRollback:
		b = binary.AppendUvarint(b, r.tx)
	case kindHorizon:
		b = binary.AppendUvarint(appendName(b, r.destination), r.sequence)
	case kindCreate, kindDelete:
		b = appendName(b, r.destination)
	case kindProducers:
		for _, p := range r.producers {
			b = binary.AppendVarint(appendName(b, p.producer), p.sequence)
		}
	case kindSubscription, kindUnsubscribe, kindAcknowledge, kindTxAcknowledge, kindSubscriptionHorizon:
		b = r.appendSubscription(b)
	default:
		b = r.appendOutcome(b)
	}
	return b
}

func (r *record) appendPlace(b []byte) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, r.tx), r.place)
}

func (r *record) appendEnvelope(b []byte) []byte {
	b = appendName(appendName(b, r.destination), r.producer)
	b = binary.AppendVarint(b, r.producerSequence)
	b = binary.AppendVarint(b, r.expiration)
	b = binary.AppendUvarint(b, uint64(r.size)|uint64(r.priority+1)<<32)
	entry := uint64(0)
	for _, p := range r.parts {
		b = binary.AppendUvarint(b, p.Entry-entry)
		b = binary.AppendUvarint(b, uint64(p.Offset))
		entry = p.Entry
	}
	return b
}

func appendName(b, name []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(name))), name...)
}

func appendSequences(b []byte, sequences []uint64) []byte {
	last := uint64(0)
	for _, s := range sequences {
		b = binary.AppendVarint(b, int64(s-last))
		last = s
	}
	return b
}

// decode makes r the record that data is.
func (r *record) decode(data []byte) error {
	*r = record{sequences: r.sequences[:0], parts: r.parts[:0], producers: r.producers[:0], spans: r.spans[:0]}
	d := wire.NewReader(data)
	r.kind = kind(d.Byte())
	switch r.kind {
	case kindMessage, kindMoved:
		r.sequence = uvarint(&d)
		r.body = d.Take(d.Len())
	case kindTxMessage:
		r.decodePlace(&d)
		r.body = d.Take(d.Len())
	case kindPart:
		r.body = d.Take(d.Len())
	case kindLargeMessage, kindLargeMoved:
		r.sequence = uvarint(&d)
		r.decodeEnvelope(&d)
	case kindLargeTxMessage:
		r.decodePlace(&d)
		r.decodeEnvelope(&d)
	case kindTxRemove:
		r.tx = uvarint(&d)
		r.decodeRemoval(&d)
	case kindRemove:
		r.decodeRemoval(&d)
	case kindCommit:
		r.tx, r.sequence = uvarint(&d), uvarint(&d)
	case kindRollback:
		r.tx = uvarint(&d)
	case kindHorizon:
		r.destination, r.sequence = name(&d), uvarint(&d)
	case kindCreate, kindDelete:
		r.destination = name(&d)
	case kindProducers:
		r.decodeProducers(&d)
	case kindSubscription, kindUnsubscribe, kindAcknowledge, kindTxAcknowledge, kindSubscriptionHorizon:
		r.decodeSubscription(&d)
	case kindPrepare, kindDecide, kindHeuristic, kindForget, kindCommitAs, kindCommits:
		r.decodeOutcome(&d)
	default:
		return fmt.Errorf("a record of kind %d: %w", r.kind, errNewer)
	}
	if d.Len() > 0 {
		d.Fail(errInvalid)
	}
	return d.Err()
}

func (r *record) decodePlace(d *wire.Reader) { r.tx, r.place = uvarint(d), uvarint(d) }

func (r *record) decodeRemoval(d *wire.Reader) {
	r.destination = name(d)
	last := uint64(0)
	for d.Err() == nil && d.Len() > 0 {
		last += uint64(varint(d))
		r.sequences = append(r.sequences, last)
	}
}

func (r *record) decodeProducers(d *wire.Reader) {
	for d.Err() == nil && d.Len() > 0 {
		r.producers = append(r.producers, lastSequence{producer: name(d), sequence: varint(d)})
	}
}

func (r *record) decodeEnvelope(d *wire.Reader) {
	r.destination, r.producer = name(d), name(d)
	r.producerSequence, r.expiration = varint(d), varint(d)
	r.decodeSize(d)
	entry := uint64(0)
	for d.Err() == nil && d.Len() > 0 {
		entry += uvarint(d)
		r.parts = append(r.parts, log.Position{Entry: entry, Offset: uint32(limited(d, math.MaxUint32))})
	}
	if len(r.parts) == 0 {
		d.Fail(wire.ErrTruncated)
	}
}

// decodeSize reads the size and the priority of what an envelope is for.
func (r *record) decodeSize(d *wire.Reader) {
	const ordinary = 4 // JMS 1.1 §3.4.10
	n := limited(d, 10<<32|maxSize)
	r.size, r.priority = uint32(n), ordinary
	if n>>32 > 0 {
		r.priority = byte(n>>32) - 1
	}
	if r.size > maxSize {
		d.Fail(wire.ErrTruncated)
	}
}

func name(d *wire.Reader) []byte { return d.Take(int(limited(d, log.MaxRecord))) }

func limited(d *wire.Reader, most uint64) uint64 {
	v := uvarint(d)
	if v > most {
		d.Fail(errInvalid)
		return 0
	}
	return v
}

func uvarint(d *wire.Reader) uint64 {
	v := uint64(0)
	for shift := 0; shift < 64; shift += 7 {
		c := d.Byte()
		v |= uint64(c&0x7F) << shift
		if c < 0x80 {
			return v
		}
	}
	d.Fail(errInvalid)
	return 0
}

func varint(d *wire.Reader) int64 {
	v := uvarint(d)
	return int64(v>>1) ^ -int64(v&1)
}
