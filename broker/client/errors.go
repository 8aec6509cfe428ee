package client

import (
	"errors"
	"fmt"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

var (
	// ErrClosed is for what was asked of a connection, session, producer or consumer after its Close.
	ErrClosed = errors.New("closed")
	// ErrDisconnected is for what a link could not do because it broke.
	ErrDisconnected = errors.New("the connection to the broker is lost")
	// ErrStale is for acknowledging a message that came before the connection was lost. It will be delivered again.
	ErrStale = errors.New("the connection was lost since this message came; it will be delivered again")
	// ErrInDoubt is for a commit whose answer was lost: the broker may have done it, or not.
	ErrInDoubt = errors.New("the connection was lost during the commit; whether it happened is not known")
)

// Error is what a broker answers to a command that failed.
type Error struct {
	Class   openwire.ExceptionClass // the Java class; brokers may send others than those that package openwire names
	Message string
}

func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("the broker answers with %s", e.Class)
	}
	return fmt.Sprintf("the broker answers: %s (%s)", e.Message, e.Class)
}

// IsClass tells whether err is a broker's answer of that class.
func IsClass(err error, class openwire.ExceptionClass) bool {
	var e *Error
	return errors.As(err, &e) && e.Class == class
}

func fromThrowable(t *openwire.Throwable) *Error {
	if t == nil {
		return &Error{Class: openwire.JMSException}
	}
	return &Error{Class: openwire.ExceptionClass(t.Class.String()), Message: t.Message.String()}
}

// rolledBack is how a transaction ends that a failover cut off from what it had received.
func rolledBack() *Error {
	return &Error{Class: openwire.TransactionRolledBackException,
		Message: "the connection was lost after messages were received in the transaction: it was rolled back; do all of it again"}
}
