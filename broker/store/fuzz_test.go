package store

import (
	"reflect"
	"testing"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/message"
)

// FuzzRecord reads anything as a record, and applies it twice in different places, as it is after what may follow it.
func FuzzRecord(f *testing.F) {
	queue := message.RawDestination(destination.Destination{Kind: destination.Queue, Name: "orders"})
	topic := message.RawDestination(destination.Destination{Kind: destination.Topic, Name: "prices.>"})
	m := message.New(message.Plain, message.SetDestination(destination.Destination{Kind: destination.Queue, Name: "orders"}))
	named := outcome{format: -1, global: []byte("g"), branch: []byte("b"), time: 9, connection: []byte("ID:c")}
	for _, r := range []record{
		{kind: kindMessage, sequence: 7, body: m.Bytes()},
		{kind: kindTxMessage, tx: 1, place: 2, body: m.Bytes()},
		{kind: kindPart, body: []byte("a piece")},
		{kind: kindLargeMessage, sequence: 7, destination: queue, producer: []byte("p"), size: 9, parts: []log.Position{{Entry: 1}, {Entry: 3, Offset: 8}}},
		{kind: kindRemove, destination: queue, sequences: []uint64{7, 9, 8}},
		{kind: kindTxRemove, tx: 1, destination: queue, sequences: []uint64{7}},
		{kind: kindCommit, tx: 1, sequence: 10},
		{kind: kindRollback, tx: 1},
		{kind: kindHorizon, destination: queue, sequence: 99},
		{kind: kindProducers, producers: []lastSequence{{[]byte("p"), 3}}},
		{kind: kindSubscription, subscription: 5, destination: topic, client: []byte("c"), name: []byte("n"), flags: noLocal,
			selector: []byte("a = 1"), horizon: 9, spans: []Span{{1, 7}, {9, 9}}},
		{kind: kindUnsubscribe, subscription: 5},
		{kind: kindAcknowledge, subscription: 5, spans: []Span{{6, 8}}},
		{kind: kindTxAcknowledge, tx: 1, subscription: 5, spans: []Span{{6, 6}, {8, 10}}},
		{kind: kindSubscriptionHorizon, subscription: 5, horizon: 99},
		{kind: kindCreate, destination: queue},
		{kind: kindDelete, destination: queue},
		{kind: kindPrepare, tx: 1, outcome: named},
		{kind: kindDecide, tx: 2, sequence: 10, flags: flagCommitted, outcome: named},
		{kind: kindHeuristic, flags: flagHeuristic, outcome: named},
		{kind: kindForget, outcome: named},
		{kind: kindCommitAs, tx: 1, sequence: 10, name: []byte("5"), outcome: named},
		{kind: kindCommits, outcome: outcome{connection: []byte("ID:c"), commits: []restated{{log.Position{Entry: 3, Offset: 8}, 9, []byte("5")}}}},
	} {
		f.Add(append(r.append(nil), r.body...))
	}
	commit := (&record{kind: kindCommit, tx: 1, sequence: 10}).append(nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		var r, again record
		if r.decode(data) == nil {
			written := append(r.append(nil), r.body...)
			if err := again.decode(written); err != nil || !reflect.DeepEqual(r, again) {
				t.Fatalf("%+v is read back as %+v, %v", r, again, err)
			}
		}
		st := newState()
		for entry, record := range [][]byte{data, data, commit} {
			if st.apply(1, log.Position{Entry: uint64(entry) + 1}, record) != nil {
				break
			}
		}
		waiting := int64(0)
		for _, p := range st.prepared {
			waiting += p.bytes
		}
		if waiting != st.waiting || len(st.prepared) == 0 && len(st.hidden)+len(st.acked) > 0 {
			t.Errorf("%d bytes wait for an outcome, the sum is %d; %d messages are hidden by %d transactions",
				waiting, st.waiting, len(st.hidden), len(st.prepared))
		}
		count, bytes := 0, int64(0)
		for _, q := range st.queues {
			count, bytes = count+q.count, bytes+q.bytes
		}
		if count != st.count || bytes != st.bytes {
			t.Errorf("the queues have %d messages of %d bytes, the sums are %d and %d", count, bytes, st.count, st.bytes)
		}
	})
}
