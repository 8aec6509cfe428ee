package openwire

import (
	"errors"
	"strings"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// maxText is the length in bytes of the longest text of an error. It may quote what the client sent, like a selector, and
// has to fit into a string of every encoding.
const maxText = 4 << 10

// reply answers one command. Exactly one of its methods is called, by any goroutine.
type reply struct {
	out    *writer
	id     int32
	wanted bool
	owner  *openwire.ConnectionID
	log    *complaints
}

func (s *session) reply(id int32, wanted bool) reply {
	return reply{s.out, id, wanted, s.id, &s.complaints}
}

func (r reply) done() {
	if r.wanted {
		r.out.command(&openwire.Response{CorrelationID: r.id})
	}
}

// fail tells the client of an error; of a one-way command's in a way that reaches its exception listener.
func (r reply) fail(err error) {
	var x *core.XAError
	if errors.As(err, &x) {
		r.raise(openwire.NewXAException(x.Code, x.Text))
		return
	}
	r.throw(classOf(err), err)
}

func (r reply) throw(class openwire.ExceptionClass, err error) {
	r.raise(openwire.NewThrowable(class, cut(err.Error(), maxText)))
}

// cut shortens a text to about so many bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

func (r reply) raise(t *openwire.Throwable) {
	r.log.tell(t)
	r.raiseQuietly(t)
}

// raiseQuietly is raise of what is logged elsewhere.
func (r reply) raiseQuietly(t *openwire.Throwable) {
	if r.wanted {
		r.out.command(&openwire.ExceptionResponse{CorrelationID: r.id, Exception: t})
		return
	}
	r.out.command(&openwire.ConnectionError{Exception: t, ConnectionID: r.owner})
}

// answer is for work that is done when it returns.
func (r reply) answer(err error) {
	if err != nil {
		r.fail(err)
		return
	}
	r.done()
}

// finish is for work that calls done by itself unless it fails.
func (r reply) finish(err error) {
	if err != nil {
		r.fail(err)
	}
}

// classOf is the Java class under which clients understand an error.
func classOf(err error) openwire.ExceptionClass {
	var e *core.Error
	if !errors.As(err, &e) {
		return openwire.JMSException
	}
	switch e.Kind {
	case core.InvalidDestination:
		return openwire.InvalidDestinationException
	case core.InvalidClientID:
		return openwire.InvalidClientIDException
	case core.InvalidSelector:
		return openwire.InvalidSelectorException
	case core.IllegalState:
		return openwire.IllegalStateException
	case core.ResourceAllocation:
		return openwire.ResourceAllocationException
	case core.TransactionRolledBack:
		return openwire.TransactionRolledBackException
	case core.Security:
		return openwire.SecurityException // of which clients make a JMSSecurityException with it as the cause
	}
	return openwire.JMSException
}
