package store

import (
	"encoding/binary"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// The records of transactions that are known by name. An xid is its format (s), and the two parts of the name as names. time (s)
// is in milliseconds since 1970, connection and name are names.
const (
	// kindPrepare: tx, xid, time, connection. The transaction waits for its outcome under that name, whatever becomes of its
	// term. It replaces the one of that name before, which is the same one lying in older records.
	kindPrepare kind = 14
	// kindDecide: tx, xid, base, flags, time, connection. The outcome of a prepared transaction. When it is committed, what tx removes and
	// acknowledges is, too: the same once more, since what it is about may be restated between the preparation and this.
	kindDecide kind = 15
	// kindHeuristic: xid, flags, time. Restates an outcome that an administrator decided.
	kindHeuristic kind = 16
	// kindForget: xid. Such an outcome need not be known any longer.
	kindForget kind = 17
	// kindCommitAs: tx, base, time, connection, name. A commit, and who has to know of it.
	kindCommitAs kind = 18
	// kindCommits: connection, then to the end, of commits: entry, offset, time, name. Restates the last ones of a connection.
	kindCommits kind = 19
)

// The flags of an outcome.
const (
	flagCommitted = 1 << iota
	flagHeuristic // an administrator decided
)

// outcome is what the records of named transactions have beside those of others.
type outcome struct {
	format         int32
	global, branch []byte
	time           int64
	connection     []byte
	commits        []restated
}

// restated is a commit as kindCommits has it: at is where it was recorded first.
type restated struct {
	at   log.Position
	time int64
	name []byte
}

func (o *outcome) xid() message.XID {
	return message.XID{Format: o.format, Global: string(o.global), Branch: string(o.branch)}
}

func (o *outcome) setXID(x message.XID) {
	o.format, o.global, o.branch = x.Format, []byte(x.Global), []byte(x.Branch)
}

func (r *record) appendOutcome(b []byte) []byte {
	switch r.kind {
	case kindPrepare:
		b = r.appendXID(binary.AppendUvarint(b, r.tx))
		b = appendName(binary.AppendVarint(b, r.time), r.connection)
	case kindDecide:
		b = r.appendXID(binary.AppendUvarint(b, r.tx))
		b = append(binary.AppendUvarint(b, r.sequence), r.flags)
		b = appendName(binary.AppendVarint(b, r.time), r.connection)
	case kindHeuristic:
		b = append(r.appendXID(b), r.flags)
		b = binary.AppendVarint(b, r.time)
	case kindForget:
		b = r.appendXID(b)
	case kindCommitAs:
		b = binary.AppendUvarint(binary.AppendUvarint(b, r.tx), r.sequence)
		b = appendName(appendName(binary.AppendVarint(b, r.time), r.connection), r.name)
	case kindCommits:
		b = appendName(b, r.connection)
		for _, c := range r.commits {
			b = binary.AppendUvarint(binary.AppendUvarint(b, c.at.Entry), uint64(c.at.Offset))
			b = appendName(binary.AppendVarint(b, c.time), c.name)
		}
	}
	return b
}

func (r *record) appendXID(b []byte) []byte {
	b = binary.AppendVarint(b, int64(r.format))
	return appendName(appendName(b, r.global), r.branch)
}

func (r *record) decodeOutcome(d *wire.Reader) {
	switch r.kind {
	case kindPrepare:
		r.tx = uvarint(d)
		r.decodeXID(d)
		r.time, r.connection = varint(d), name(d)
	case kindDecide:
		r.tx = uvarint(d)
		r.decodeXID(d)
		r.sequence, r.flags = uvarint(d), d.Byte()
		r.time, r.connection = varint(d), name(d)
	case kindHeuristic:
		r.decodeXID(d)
		r.flags, r.time = d.Byte(), varint(d)
	case kindForget:
		r.decodeXID(d)
	case kindCommitAs:
		r.tx, r.sequence = uvarint(d), uvarint(d)
		r.time, r.connection, r.name = varint(d), name(d), name(d)
	case kindCommits:
		r.connection = name(d)
		for d.Err() == nil && d.Len() > 0 {
			at := log.Position{Entry: uvarint(d), Offset: uint32(limited(d, 1<<32-1))}
			r.commits = append(r.commits, restated{at: at, time: varint(d), name: name(d)})
		}
	}
}

func (r *record) decodeXID(d *wire.Reader) {
	r.format = int32(varint(d))
	r.global, r.branch = name(d), name(d)
}
