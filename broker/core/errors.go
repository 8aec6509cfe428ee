package core

import "fmt"

// ErrorKind says which exception of JMS an error is.
type ErrorKind int

// The kinds of errors, by the names of JMS's exceptions.
const (
	General ErrorKind = iota // JMSException
	InvalidDestination
	InvalidClientID
	InvalidSelector
	IllegalState
	ResourceAllocation
	TransactionRolledBack
	Security
)

// Error is an error for a client: its text says what to do, and is sent as it is.
type Error struct {
	Kind ErrorKind
	Text string
}

func (e *Error) Error() string { return e.Text }

// XAError is an error for the transaction manager of a distributed transaction.
type XAError struct {
	Code int // as in javax.transaction.xa.XAException
	Text string
}

func (e *XAError) Error() string { return e.Text }

// The codes of XAException.
const (
	xaRolledBack         = 100 // XA_RBROLLBACK
	xaHeuristicCommit    = 7   // XA_HEURCOM
	xaHeuristicRollback  = 6   // XA_HEURRB
	xaResourceManager    = -3  // XAER_RMERR
	xaUnknownTransaction = -4  // XAER_NOTA
	xaInvalid            = -5  // XAER_INVAL
	xaProtocol           = -6  // XAER_PROTO
)

func xaErrorf(code int, format string, args ...any) *XAError {
	return &XAError{code, fmt.Sprintf(format, args...)}
}

// ErrNotDispatched is the answer to an acknowledgement, outside of a transaction, of what its consumer does not have. Nothing is
// consumed by it.
var ErrNotDispatched = &Error{General, "Unmatched acknowledge: could not find its messages in the dispatched-list: they were acknowledged before, " +
	"or never sent to this consumer, or by another broker"}

func errorf(kind ErrorKind, format string, args ...any) *Error {
	return &Error{kind, fmt.Sprintf(format, args...)}
}

// unsupported is the answer to what the broker does not do yet.
func unsupported(what string) *Error {
	return errorf(General, "this broker does not support %s yet", what)
}
