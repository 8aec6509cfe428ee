package openwire_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/security"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// Each command is answered once if an answer is wanted, and else not at all.
func TestEveryCommandIsAnsweredOnce(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		for _, command := range []func() openwire.Command{
			func() openwire.Command { return &openwire.SessionInfo{SessionID: c.sessionID(1)} },
			func() openwire.Command { return &openwire.ProducerInfo{ProducerID: c.producerID(1, 1)} },
			func() openwire.Command { return c.consumer(1, queue("q")) },
			func() openwire.Command { return c.transact(openwire.TransactionBegin, 1) },
			func() openwire.Command { return c.transact(openwire.TransactionRollback, 1) },
			func() openwire.Command { return c.transact(openwire.TransactionRollback, 2) },
			func() openwire.Command {
				return &openwire.MessageAck{ConsumerID: c.consumerID(1, 1), AckType: openwire.AckDelivered, MessageCount: 1}
			},
			func() openwire.Command {
				return &openwire.MessageAck{ConsumerID: c.consumerID(9, 9), AckType: openwire.AckStandard, MessageCount: 1}
			},
			func() openwire.Command { return &openwire.MessageAck{} },
			func() openwire.Command { return &openwire.ConsumerControl{ConsumerID: c.consumerID(1, 1), Prefetch: 1} },
			func() openwire.Command { return &openwire.ConsumerControl{} },
			func() openwire.Command { return &openwire.MessagePull{} },
			func() openwire.Command { return &openwire.DestinationInfo{Destination: queue("q")} },
			func() openwire.Command { return &openwire.FlushCommand{} },
			func() openwire.Command { return &openwire.ControlCommand{Command: openwire.S("shutdown")} },
			func() openwire.Command { return &openwire.ConnectionControl{Exit: true, Close: true} },
			func() openwire.Command { return &openwire.RemoveInfo{} },
			func() openwire.Command { return &openwire.RemoveInfo{ObjectID: c.producerID(1, 1)} },
			func() openwire.Command { return &openwire.RemoveInfo{ObjectID: c.consumerID(1, 1)} },
			func() openwire.Command { return &openwire.RemoveInfo{ObjectID: c.sessionID(1)} },
		} {
			c.tell(command())
			c.want("")
			c.ok(command())
			c.want("")
		}
		c.ok(c.message(1, queue("q"), "kept"))
		c.ok(c.fleeting(2, topic("t"), "to nobody"))
		c.tell(c.message(3, queue("q"), "no answer wanted"))
		c.want("")
	})
}

// refusalCase is a command that fails, as which exception, with what in its text.
type refusalCase struct {
	command func(*client) openwire.Command
	class   openwire.ExceptionClass
	text    string
}

// testRefusals: what fails is an ExceptionResponse to who waits for the answer, and else reaches the connection's exception
// listener. The connection goes on.
func testRefusals(t *testing.T, cases map[string]refusalCase) {
	t.Helper()
	for name, r := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				c := w.join("a")
				c.refused(r.command(c), r.class, r.text)
				c.want("")
				c.ok(c.message(2, queue("afterwards"), "x"))
				if name == "XA send" { // in a transaction the client learns at its end
					return
				}
				c.tell(r.command(c))
				wantException(t, c.takeOne(), r.class, r.text)
			})
		})
	}
}

func TestRefusedConsumers(t *testing.T) {
	with := func(change func(*openwire.ConsumerInfo)) func(*client) openwire.Command {
		return func(c *client) openwire.Command {
			info := c.consumer(7, queue("q"))
			change(info)
			return info
		}
	}
	testRefusals(t, map[string]refusalCase{
		"durable": {with(func(i *openwire.ConsumerInfo) {
			i.SubscriptionName, i.Destination = openwire.S("s"), &openwire.Topic{PhysicalName: openwire.S("ActiveMQ.Advisory.Connection")}
		}), openwire.JMSException, "Cannot create a durable subscription for an advisory Topic"},
		"bridge":   {with(func(i *openwire.ConsumerInfo) { i.NetworkSubscription = true }), openwire.JMSException, "does not support network connectors yet"},
		"selector": {with(func(i *openwire.ConsumerInfo) { i.Selector = openwire.S("a = ") }), openwire.InvalidSelectorException, `the selector "a = " is not valid`},
		"long selector": {with(func(i *openwire.ConsumerInfo) { i.Selector = openwire.S("= " + strings.Repeat("ö", 30000)) }),
			openwire.InvalidSelectorException, "öö..."},
		"no destination": {with(func(i *openwire.ConsumerInfo) { i.Destination = nil }), openwire.InvalidDestinationException, "needs an id and a destination"},
		"no id":          {with(func(i *openwire.ConsumerInfo) { i.ConsumerID = nil }), openwire.InvalidDestinationException, "needs an id and a destination"},
		"empty name":     {with(func(i *openwire.ConsumerInfo) { i.Destination = topic("") }), openwire.InvalidDestinationException, "the name is empty"},
	})
}

func TestRefusedTransactions(t *testing.T) {
	unknown := &openwire.XATransactionID{FormatID: 86, GlobalTransactionID: []byte("g"), BranchQualifier: []byte("b")}
	xa := func(kind int8, id *openwire.XATransactionID) func(*client) openwire.Command {
		return func(c *client) openwire.Command {
			return &openwire.TransactionInfo{ConnectionID: c.connectionID(), TransactionID: id, Type: kind}
		}
	}
	const notStarted = "Transaction 'XID:[86,globalId=67,branchId=62]' has not been started. xaErrorCode:-4"
	testRefusals(t, map[string]refusalCase{
		"XA begin without a name": {xa(openwire.TransactionBegin, &openwire.XATransactionID{}), openwire.XAException, "xaErrorCode:-5"},
		"XA begin with a long name": {xa(openwire.TransactionBegin, &openwire.XATransactionID{GlobalTransactionID: make([]byte, 65)}),
			openwire.XAException, "xaErrorCode:-5"},
		"XA prepare":          {xa(openwire.TransactionPrepare, unknown), openwire.XAException, notStarted},
		"XA commit":           {xa(openwire.TransactionCommitTwoPhase, unknown), openwire.XAException, notStarted},
		"XA one phase commit": {xa(openwire.TransactionCommitOnePhase, unknown), openwire.XAException, notStarted},
		"XA rollback":         {xa(openwire.TransactionRollback, unknown), openwire.XAException, notStarted},
		"XA forget":           {xa(openwire.TransactionForget, unknown), openwire.XAException, notStarted},
		"XA of no type":       {xa(77, unknown), openwire.IllegalStateException, "unknown type"},
		"no name": {func(c *client) openwire.Command {
			return &openwire.TransactionInfo{ConnectionID: c.connectionID(), Type: openwire.TransactionBegin}
		}, openwire.IllegalStateException, "has to be named"},
		"XA send": {func(c *client) openwire.Command {
			m := c.message(1, queue("q"), "x")
			m.TransactionID = unknown
			return m
		}, openwire.XAException, notStarted},
		"local end":      {func(c *client) openwire.Command { return c.transact(openwire.TransactionEnd, 1) }, openwire.IllegalStateException, "only begins, commits and rolls back"},
		"unknown commit": {func(c *client) openwire.Command { return c.transact(openwire.TransactionCommitOnePhase, 1) }, openwire.TransactionRolledBackException, "not begun on this connection"},
	})
}

func TestRefusedMessages(t *testing.T) {
	scheduled := func(c *client) openwire.Command {
		m := c.message(1, queue("q"), "x")
		m.MarshalledProperties = wire.AppendMap(nil, []wire.Entry{{Key: "AMQ_SCHEDULED_CRON", Value: wire.TextValue("* *")}})
		return m
	}
	testRefusals(t, map[string]refusalCase{
		"schedule":     {scheduled, openwire.JMSException, "has 2 fields"},
		"send to many": {func(c *client) openwire.Command { return c.message(1, queue("orders.*"), "x") }, openwire.InvalidDestinationException, "a wildcard is for consumers"},
		"gone": {func(c *client) openwire.Command {
			return c.fleeting(1, &openwire.TempQueue{PhysicalName: openwire.S("ID:gone:1")}, "x")
		}, openwire.InvalidDestinationException, "does not exist"},
	})
}

func TestOtherRefusals(t *testing.T) {
	testRefusals(t, map[string]refusalCase{
		"unsubscribe": {func(*client) openwire.Command { return &openwire.RemoveSubscriptionInfo{} }, openwire.InvalidDestinationException, "No durable subscription exists for clientID: "},
		"remove queue": {func(c *client) openwire.Command {
			c.ok(c.consumer(9, queue("used")))
			return &openwire.DestinationInfo{Destination: queue("used"), OperationType: openwire.DestinationRemove}
		}, openwire.JMSException, "Destination: queue://used still has an active subscription"},
		"create nothing": {func(*client) openwire.Command { return &openwire.DestinationInfo{} }, openwire.InvalidDestinationException, "no destination was given"},
		"create nameless": {func(*client) openwire.Command { return &openwire.DestinationInfo{Destination: queue("")} },
			openwire.InvalidDestinationException, "the name is empty"},
		"second connection": {func(*client) openwire.Command {
			return &openwire.ConnectionInfo{ConnectionID: &openwire.ConnectionID{Value: openwire.S("ID:other")}}
		}, openwire.IllegalStateException, "carries another connection already"},
	})
}

// refusing is an authenticator.
type refusing struct{}

func (refusing) Authenticate(_ context.Context, l security.Login) (*security.User, error) {
	if l.Name == "jack" && l.Password == "secret" {
		return nil, nil
	}
	return nil, errors.New("user name or password is wrong")
}

func TestAWrongPasswordEndsTheConnection(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Authenticator = refusing{}
		c := w.offering(clientOffer())
		c.take()
		info := &openwire.ConnectionInfo{
			ConnectionID: c.connectionID(), UserName: openwire.S("jack"), Password: openwire.S("guessed"),
		}
		c.refused(info, openwire.SecurityException, "user name or password is wrong")
		if !c.isOver() {
			t.Error("the connection goes on")
		}
		w.wantLogged(`level=WARN msg="refused a client"`)
		w.wantLogged("user=jack")
		if strings.Contains(w.logged.String(), "guessed") {
			t.Error("a password is in the log")
		}

		again := w.offering(clientOffer())
		again.take()
		info.Password = openwire.S("secret")
		again.ok(info)
	})
}

// A stranger is not heard, whatever it says (JMS 1.1 §4.3.1).
func TestNothingIsDoneForStrangers(t *testing.T) {
	for name, say := range map[string]func(*client){
		"SessionInfo":                    func(c *client) { c.tell(&openwire.SessionInfo{SessionID: c.sessionID(1)}) },
		"ConsumerInfo":                   func(c *client) { c.tell(c.consumer(1, queue("q"))) },
		"message":                        func(c *client) { c.tell(c.message(1, queue("q"), "x")) },
		"TransactionInfo":                func(c *client) { c.tell(c.transact(0, 1)) },
		"RemoveInfo":                     func(c *client) { c.tell(&openwire.RemoveInfo{ObjectID: c.connectionID()}) },
		"null frame":                     func(c *client) { c.frame(0) },
		"a ConnectionInfo without an id": func(c *client) { c.tell(&openwire.ConnectionInfo{}) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				c := w.offering(clientOffer())
				c.take()
				say(c)
				c.want("")
				if !c.isOver() {
					t.Error("the connection goes on")
				}
				w.wantLogged(name)
			})
		})
	}
}

// A bridge of another broker begins with a BrokerInfo and has to be told why it cannot stay.
func TestBridgesAreToldThatTheyAreEarly(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.offering(clientOffer())
		c.take()
		c.tell(&openwire.BrokerInfo{BrokerName: openwire.S("other"), NetworkConnection: true})
		wantException(t, c.takeOne(), openwire.JMSException, "does not support network connectors yet")
		if !c.isOver() {
			t.Error("the connection goes on")
		}
		w.wantLogged("does not support network connectors yet")
	})
}

func TestBadFramesOfKnownClients(t *testing.T) {
	for name, b := range map[string]struct {
		raw    []byte
		reason string
	}{
		"null":              {[]byte{0, 0, 0, 1, 0}, "a null frame where a command was expected"},
		"unknown type":      {[]byte{0, 0, 0, 1, 77}, "unknown type of structure"},
		"no command":        {[]byte{0, 0, 0, 4, 100, 1, 0, 0}, "a Queue where a command was expected"},
		"truncated":         {[]byte{0, 0, 0, 3, 10, 0, 0}, "KeepAliveInfo"},
		"trailing":          {[]byte{0, 0, 0, 8, 10, 0, 0, 0, 1, 0, 1, 2}, "bytes after the end of the body"},
		"too large":         {[]byte{127, 255, 255, 255, 24}, "frame size not allowed: 2147483647 bytes, 1 to 104857600 are allowed"},
		"truncated message": {[]byte{0, 0, 0, 3, 24, 0, 0}, "reading a message"},
		"empty message":     {append([]byte{0, 0, 0, 91, 24}, make([]byte, 90)...), "message"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				c := w.join("a")
				c.raw(b.raw)
				if !c.isOver() {
					t.Error("the connection goes on")
				}
				w.wantLogged("ended a connection")
				w.wantLogged(b.reason)
				w.wantLogged("connection=ID:a")
			})
		})
	}
}

func TestAConnectionThatEndsInTheMiddleOfAFrame(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.raw([]byte{0, 0, 1, 0, 24})
		c.cut()
		w.wantLogged("ended a connection")
		w.wantLogged("unexpected EOF")
	})
}

// A client id is one connection's at a time (JMS 1.1 §4.3.2), and free as soon as the client has the answer to its close; also
// for one that was refused before and tries again.
func TestClientIDs(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		first := w.join("a")
		second := w.offering(clientOffer())
		second.take()
		info := &openwire.ConnectionInfo{
			ConnectionID: &openwire.ConnectionID{Value: openwire.S("ID:b")}, ClientID: openwire.S("client-a"),
		}
		second.refused(info, openwire.InvalidClientIDException, "Broker: orders-0 - Client: client-a already connected from vm://orders-0")
		w.wantLogged("Client: client-a already connected from")

		first.ok(&openwire.RemoveInfo{ObjectID: first.connectionID()})
		second.ok(info)
		second.ok(second.consumer(1, queue("q")))
	})
}

// Who closed its connection may open another one over the same socket, with a client id that is its own or another.
func TestAnotherConnectionOverTheSameSocket(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.ok(c.consumer(1, queue("q")))
		c.ok(&openwire.RemoveInfo{ObjectID: c.connectionID()})
		c.ok(&openwire.ConnectionInfo{ConnectionID: c.connectionID(), ClientID: openwire.S("another")})
		c.ok(c.consumer(1, queue("q")))
		other := w.offering(clientOffer())
		other.take()
		info := &openwire.ConnectionInfo{ConnectionID: &openwire.ConnectionID{Value: openwire.S("ID:b")}, ClientID: openwire.S("another")}
		other.refused(info, openwire.InvalidClientIDException, "Client: another already connected from")
		w.wantLogged("Client: another already connected from")
		info.ClientID = openwire.S("client-a")
		other.ok(info)
	})
}

func TestShutdownInfoEndsTheConnectionAfterTheLastAnswers(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		c.deafen()
		flush := c.ask(&openwire.FlushCommand{})
		last := c.ask(&openwire.ShutdownInfo{})
		c.hear()
		if !isDone(c.answer(flush)) || !isDone(c.answer(last)) {
			t.Error("the last answers are lost")
		}
		if !c.isOver() {
			t.Error("the connection goes on")
		}
	})
}
