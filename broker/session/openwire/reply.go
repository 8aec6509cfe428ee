package openwire

import (
	"errors"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// reply answers one command. Exactly one of its methods is called, by any goroutine.
type reply struct {
	out    *writer
	id     int32
	wanted bool
	owner  *openwire.ConnectionID
}

func (s *session) reply(id int32, wanted bool) reply {
	return reply{s.out, id, wanted, s.id}
}

func (r reply) done() {
	if r.wanted {
		r.out.command(&openwire.Response{CorrelationID: r.id})
	}
}

// fail tells the client of an error; of a one-way command's in a way that reaches its exception listener.
func (r reply) fail(err error) {
	r.throw(openwire.NewThrowable(classOf(err), err.Error()))
}

func (r reply) throw(t *openwire.Throwable) {
	if r.wanted {
		r.out.command(&openwire.ExceptionResponse{CorrelationID: r.id, Exception: t})
		return
	}
	r.out.command(&openwire.ConnectionError{Exception: t, ConnectionID: r.owner})
}

// finish is for work that calls done by itself unless it fails.
func (r reply) finish(err error) {
	if err != nil {
		r.fail(err)
	}
}

var classes = map[core.ErrorKind]openwire.ExceptionClass{
	core.General:               openwire.JMSException,
	core.InvalidDestination:    openwire.InvalidDestinationException,
	core.InvalidClientID:       openwire.InvalidClientIDException,
	core.InvalidSelector:       openwire.InvalidSelectorException,
	core.IllegalState:          openwire.IllegalStateException,
	core.ResourceAllocation:    openwire.ResourceAllocationException,
	core.TransactionRolledBack: openwire.TransactionRolledBackException,
	core.Security:              openwire.JMSSecurityException,
}

// classOf is the Java class under which clients understand an error.
func classOf(err error) openwire.ExceptionClass {
	var e *core.Error
	if errors.As(err, &e) {
		return classes[e.Kind]
	}
	return openwire.JMSException
}
