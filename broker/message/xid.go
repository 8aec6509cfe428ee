package message

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"

	"github.com/twinmesh/twinmesh/broker/wire"
)

// maxXID is the length in bytes that X/Open's XA allows for either part of a branch's name.
const maxXID = 64

// XID names a branch of a distributed transaction (X/Open XA, javax.transaction.xa.Xid). Its parts are bytes.
type XID struct {
	Format int32
	Global string // names the transaction
	Branch string // the branch in it
}

// Validate tells what is wrong with a name.
func (x XID) Validate() error {
	if len(x.Global) == 0 || len(x.Global) > maxXID || len(x.Branch) > maxXID {
		return fmt.Errorf("%d and %d bytes name a transaction and its branch: XA allows 1 to %d and 0 to %d",
			len(x.Global), len(x.Branch), maxXID, maxXID)
	}
	return nil
}

// String shows the name as ActiveMQ does, its parts in hexadecimal. ParseXID reads it.
func (x XID) String() string {
	return fmt.Sprintf("XID:[%d,globalId=%x,branchId=%x]", x.Format, x.Global, x.Branch)
}

var xidForm = regexp.MustCompile(`^XID:\[(-?\d+),globalId=([0-9a-f]*),branchId=([0-9a-f]*)\]$`)

// ParseXID is the inverse of String.
func ParseXID(s string) (XID, error) {
	parts := xidForm.FindStringSubmatch(s)
	if parts == nil {
		return XID{}, fmt.Errorf("%q is no transaction's name, which is like XID:[1,globalId=0a0b,branchId=01]", s)
	}
	format, err := strconv.ParseInt(parts[1], 10, 32)
	if err != nil {
		return XID{}, fmt.Errorf("the format in %q: %w", s, err)
	}
	global, err := hex.DecodeString(parts[2])
	if err != nil {
		return XID{}, fmt.Errorf("the globalId in %q: %w", s, err)
	}
	branch, err := hex.DecodeString(parts[3])
	if err != nil {
		return XID{}, fmt.Errorf("the branchId in %q: %w", s, err)
	}
	x := XID{Format: int32(format), Global: string(global), Branch: string(branch)}
	return x, x.Validate()
}

// XATransaction is the branch of a distributed transaction that it was sent in; false for none, or a local one.
func (m *Message) XATransaction() (XID, bool) {
	r := wire.NewReader(m.field(transactionID))
	if !r.Bool() || r.Byte() != typeXATx {
		return XID{}, false
	}
	x := XID{Format: r.Int()}
	x.Global, x.Branch = blobOf(&r), blobOf(&r)
	return x, true
}

func blobOf(r *wire.Reader) string {
	if !r.Bool() {
		return ""
	}
	return string(r.Take(int(r.Int())))
}
