package core_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

// wantError checks an error's kind and a part of its text.
func wantError(t *testing.T, err error, kind core.ErrorKind, text string) {
	t.Helper()
	var refused *core.Error
	if !errors.As(err, &refused) || refused.Kind != kind || !strings.Contains(refused.Text, text) {
		t.Errorf("got %v, want kind %d with %q", err, kind, text)
	}
}

// A client that comes back over another socket has its connection again, before the broker has missed the old one.
func TestAConnectionIsReplaced(t *testing.T) {
	b := newBroker(t, 0)
	replaced := 0
	old, err := b.Connect(core.ConnectionSpec{ID: "ID:c", ClientID: "payroll", Replaced: func() { replaced++ }})
	b.must(err)
	c := &client{Connection: old, broker: b, id: "ID:c"}
	q := destination.Destination{Kind: destination.TempQueue, Name: "ID:c:1"}
	b.must(c.AddTemporary(q))
	c.send(orders, "one")
	c.send(bills, "two")
	consumer := c.consume(orders, 1)
	consumer.expect("one")
	tx := c.begin()
	tx.send(orders, "never")
	other := c.consume(bills, 1)
	other.consumed(other.expect("two")[0], tx)

	again, err := b.Connect(core.ConnectionSpec{ID: "ID:c", ClientID: "payroll", Replaced: func() { replaced += 10 }})
	b.must(err)
	if replaced != 1 {
		t.Errorf("the old connection is told %d times", replaced)
	}
	d := &client{Connection: again, broker: b, id: "ID:c"}
	d.consume(orders, 10).expect("one+1")
	d.consume(bills, 10).expect("two+1")
	b.must(d.AddTemporary(q))

	for name, err := range map[string]error{
		"send": c.Send(c.make(orders, "late"), nil), "transaction": tx.Commit(nil), "temporary": c.AddTemporary(q), "removal": c.RemoveTemporary(q),
		"acknowledgement": consumer.Acknowledge(core.Ack{Kind: core.Standard}, nil, nil),
	} {
		t.Run(name, func(t *testing.T) { wantError(t, err, core.IllegalState, "closed") })
	}
	if _, err := c.Begin(1); err == nil {
		t.Error("a closed connection begins a transaction")
	}
	if _, err := c.Subscribe(core.ConsumerSpec{Destination: orders}, consumer); err == nil {
		t.Error("a closed connection subscribes")
	}
	c.Close(core.AllUnknown) // the old session ends later, and must not end the new one's
	consumer.Close(core.AllUnknown)
	d.send(q, "reply")
	d.consume(q, 1).expect("reply")
}

// JMS 1.1 §4.3.2.
func TestAClientIDIsTaken(t *testing.T) {
	b := newBroker(t, 0)
	connect := func(id, client string) (*core.Connection, error) {
		return b.Connect(core.ConnectionSpec{ID: id, ClientID: client, Replaced: func() {}})
	}
	first, err := connect("ID:a", "payroll")
	b.must(err)
	_, err = connect("ID:b", "payroll")
	wantError(t, err, core.InvalidClientID, "Client: payroll already connected from")
	for _, id := range []string{"ID:b", "ID:c"} {
		_, err := connect(id, "")
		b.must(err)
	}
	_, err = connect("ID:a", "payroll") // itself
	b.must(err)
	first.Close(core.AllUnknown)
	_, err = connect("ID:d", "payroll")
	wantError(t, err, core.InvalidClientID, "Client: payroll already connected from")
}

func TestAClientIDIsFreeAfterAClose(t *testing.T) {
	b := newBroker(t, 0)
	for range 2 {
		c, err := b.Connect(core.ConnectionSpec{ID: "ID:a", ClientID: "payroll"})
		b.must(err)
		c.Close(core.NoneDelivered)
	}
}

func TestWhatASendIsRefusedFor(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for name, test := range map[string]struct {
		message *message.Message
		kind    core.ErrorKind
		text    string
	}{
		"no name":           {c.make(destination.Destination{Kind: destination.Queue}, ""), core.InvalidDestination, "empty"},
		"a wildcard":        {c.make(destination.Destination{Kind: destination.Queue, Name: "A.>"}, ""), core.InvalidDestination, "wildcard"},
		"no such temporary": {c.make(destination.Destination{Kind: destination.TempTopic, Name: "ID:x:1"}, ""), core.InvalidDestination, "does not exist"},
		"a schedule":        {c.make(orders, "", later(t, "AMQ_SCHEDULED_CRON", "* *")), core.General, "2 fields"},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, c.Send(test.message, func() { t.Error("it says that it is done") }), test.kind, test.text)
		})
	}
}

func TestWhatASubscriptionIsRefusedFor(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	mine := destination.Destination{Kind: destination.TempQueue, Name: "ID:c:1"}
	topic := destination.Destination{Kind: destination.TempTopic, Name: "ID:c:2"}
	b.must(c.AddTemporary(mine))
	b.must(c.AddTemporary(topic))
	of := func(kind destination.Kind, name string) core.ConsumerSpec {
		return core.ConsumerSpec{Destination: destination.Destination{Kind: kind, Name: name}}
	}
	other := b.connect("ID:other")
	for name, test := range map[string]struct {
		spec core.ConsumerSpec
		kind core.ErrorKind
		text string
	}{
		"no name":                    {of(destination.Queue, ""), core.InvalidDestination, "empty"},
		"queues and topics":          {of(destination.Topic, "A,queue://B"), core.General, "queues and topics"},
		"another's temporary queue":  {core.ConsumerSpec{Destination: mine}, core.InvalidDestination, "a temporary queue created by another connection is not permitted"},
		"another's temporary topic":  {core.ConsumerSpec{Destination: topic}, core.InvalidDestination, "a temporary topic created by another connection is not permitted"},
		"no such temporary":          {of(destination.TempQueue, "ID:x:1"), core.InvalidDestination, "does not exist"},
		"a selector that is not one": {core.ConsumerSpec{Destination: orders, Selector: "a ="}, core.InvalidSelector, "position 3"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := other.Subscribe(test.spec, &consumer{})
			wantError(t, err, test.kind, test.text)
		})
	}
	b.setPolicy(func(p *policy.Policy) { p.AllowTempDestinationStealing = true })
	for _, d := range []destination.Destination{mine, topic} {
		shared := other.subscribe(core.ConsumerSpec{Destination: d, Prefetch: 10})
		c.send(d, "for whom it may concern", fleeting)
		shared.expect("for whom it may concern")
	}
}
