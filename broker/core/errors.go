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

func errorf(kind ErrorKind, format string, args ...any) *Error {
	return &Error{kind, fmt.Sprintf(format, args...)}
}

// unsupported is the answer to what the broker does not do yet.
func unsupported(what string) *Error {
	return errorf(General, "this broker does not support %s yet", what)
}
