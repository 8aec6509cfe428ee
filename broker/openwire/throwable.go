package openwire

import "fmt"

// Throwable is an exception. Class and messages are never more than text: nothing is looked up or made by them.
type Throwable struct {
	Class   Text
	Message Text
	Stack   []StackElement // only where stack traces were negotiated
	Cause   *Throwable     // likewise
}

// String is the class and the message, as Java's toString has them.
func (t *Throwable) String() string {
	if !t.Message.present {
		return t.Class.String()
	}
	return t.Class.String() + ": " + t.Message.String()
}

// StackElement is one line of a stack trace.
type StackElement struct {
	Class, Method, File Text
	Line                int32
}

// In these versions the Java client writes no more of an exception's message.
const (
	maxMessage = 1024
	cutMessage = 1021
)

func (e *encoder) throwable(t *Throwable) {
	if e.bool(t != nil); t == nil || !e.enter() {
		return
	}
	defer e.leave()
	e.text(t.Class)
	e.text(e.cut(t.Message))
	if !e.stackTraces {
		return
	}
	e.count(len(t.Stack))
	for _, s := range t.Stack {
		e.text(s.Class)
		e.text(s.Method)
		e.text(s.File)
		e.int(s.Line)
	}
	e.throwable(t.Cause)
}

// cut shortens a message in the versions in which the Java client does.
func (e *encoder) cut(message Text) Text {
	if (e.version == 1 || e.version == 10) && len(message.text) > maxMessage {
		if head, over := firstUnits(message.text, maxMessage, cutMessage); over {
			return S(head + "...")
		}
	}
	return message
}

// firstUnits returns the text up to cut UTF-16 units, and whether it has more than limit units.
func firstUnits(s string, limit, cut int) (head string, over bool) {
	units, end := 0, 0
	for i, r := range s {
		if units <= cut {
			end = i
		}
		if units++; r > 0xFFFF {
			units++
		}
	}
	return s[:end], units > limit
}

func (d *decoder) throwable() *Throwable {
	if !d.bool() || !d.enter() {
		return nil
	}
	defer d.leave()
	t := &Throwable{Class: d.text(), Message: d.text()}
	if !d.stackTraces {
		return t
	}
	n := d.count(minStackElement)
	for ; n > 0 && d.r.Err() == nil; n-- {
		t.Stack = append(t.Stack, StackElement{Class: d.text(), Method: d.text(), File: d.text(), Line: d.int()})
	}
	t.Cause = d.throwable()
	return t
}

// minStackElement is the least number of bytes that a line of a stack trace takes: its line number.
const minStackElement = 4

// ExceptionClass is the Java class under which a client gets an error.
//
// Clients of both generations know these: from version 12 on one of ActiveMQ 6 reads javax.jms as jakarta.jms. In older
// versions no client translates, so that one of ActiveMQ 6 makes a plain exception of a javax.jms class, its name in
// the text. Classes of the JDK are understood everywhere.
type ExceptionClass string

// The classes of the errors that a broker has reason to send.
const (
	JMSException                   ExceptionClass = "javax.jms.JMSException"
	IllegalStateException          ExceptionClass = "javax.jms.IllegalStateException"
	InvalidClientIDException       ExceptionClass = "javax.jms.InvalidClientIDException"
	InvalidDestinationException    ExceptionClass = "javax.jms.InvalidDestinationException"
	InvalidSelectorException       ExceptionClass = "javax.jms.InvalidSelectorException"
	JMSSecurityException           ExceptionClass = "javax.jms.JMSSecurityException"
	ResourceAllocationException    ExceptionClass = "javax.jms.ResourceAllocationException"
	TransactionRolledBackException ExceptionClass = "javax.jms.TransactionRolledBackException"
	SecurityException              ExceptionClass = "java.lang.SecurityException" // ends the client's connection attempts
	IOException                    ExceptionClass = "java.io.IOException"
	MaxFrameSizeExceededException  ExceptionClass = "org.apache.activemq.MaxFrameSizeExceededException" // clients before 5.17 make a plain exception of it
	XAException                    ExceptionClass = "javax.transaction.xa.XAException"                  // see NewXAException
)

// NewThrowable makes an exception to send.
func NewThrowable(class ExceptionClass, message string) *Throwable {
	return &Throwable{Class: S(string(class)), Message: S(message)}
}

// NewXAException makes an XAException with an error code of javax.transaction.xa, which clients read off the message's end.
func NewXAException(code int, message string) *Throwable {
	return NewThrowable(XAException, fmt.Sprintf("%s xaErrorCode:%d", message, code))
}
