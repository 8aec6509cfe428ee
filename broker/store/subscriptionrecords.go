package store

import (
	"encoding/binary"

	"github.com/twinmesh/twinmesh/broker/wire"
)

// appendSubscription appends what follows the kind of a record about a subscription.
func (r *record) appendSubscription(b []byte) []byte {
	if r.kind == kindTxAcknowledge {
		b = binary.AppendUvarint(b, r.tx)
	}
	b = binary.AppendUvarint(b, r.subscription)
	switch r.kind {
	case kindSubscription:
		b = appendName(appendName(appendName(b, r.destination), r.client), r.name)
		b = appendName(append(b, r.flags), r.selector)
		b = appendSpans(binary.AppendUvarint(b, r.horizon), r.spans)
	case kindAcknowledge, kindTxAcknowledge:
		b = appendSpans(b, r.spans)
	case kindSubscriptionHorizon:
		b = binary.AppendUvarint(b, r.horizon)
	}
	return b
}

func appendSpans(b []byte, spans []Span) []byte {
	last := uint64(0)
	for _, s := range spans {
		b = binary.AppendUvarint(b, s.From-last)
		b = binary.AppendUvarint(b, s.To-s.From)
		last = s.To
	}
	return b
}

func (r *record) decodeSubscription(d *wire.Reader) {
	if r.kind == kindTxAcknowledge {
		r.tx = uvarint(d)
	}
	r.subscription = uvarint(d)
	switch r.kind {
	case kindSubscription:
		r.destination, r.client, r.name = name(d), name(d), name(d)
		r.flags = d.Byte()
		r.selector, r.horizon = name(d), uvarint(d)
		r.decodeSpans(d)
	case kindAcknowledge, kindTxAcknowledge:
		r.decodeSpans(d)
	case kindSubscriptionHorizon:
		r.horizon = uvarint(d)
	}
	if r.flags&^noLocal != 0 {
		d.Fail(errInvalid)
	}
}

func (r *record) decodeSpans(d *wire.Reader) {
	last := uint64(0)
	for d.Err() == nil && d.Len() > 0 {
		from := last + uvarint(d)
		to := from + uvarint(d)
		if from < last || to < from || to > maxSequence {
			d.Fail(errInvalid)
		}
		r.spans = append(r.spans, Span{from, to})
		last = to
	}
}
