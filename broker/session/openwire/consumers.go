package openwire

import (
	"errors"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// consumer is a client's consumer: where the core's deliveries become dispatches.
type consumer struct {
	*core.Consumer
	out  *writer
	id   *openwire.ConsumerID
	head []byte // of its dispatches, in loose encoding

	mu       sync.Mutex
	answered uint64                 // the number of the last pull that was answered
	pulls    map[uint64]*time.Timer // that end a pull, by its number
}

// Deliver implements core.Receiver.
func (c *consumer) Deliver(d core.Delivery) {
	if d.Pull != 0 {
		c.endPull(d.Pull)
	}
	c.out.deliver(c, d)
}

// consume adds a consumer. One with a durable subscription is answered when that is durable.
func (s *session) consume(c *openwire.ConsumerInfo, r reply) {
	err := s.subscribe(c)
	if err != nil || c.SubscriptionName.String() == "" {
		r.answer(err)
		return
	}
	r.finish(s.connection.WhenDurable(r.done))
}

func (s *session) subscribe(c *openwire.ConsumerInfo) error {
	if c.ConsumerID == nil || c.Destination == nil {
		return &core.Error{Kind: core.InvalidDestination, Text: "a consumer needs an id and a destination"}
	}
	if s.consumers[*c.ConsumerID] != nil {
		return nil // said again after a failover
	}
	if err := s.admitConsumer(toDestination(c.Destination)); err != nil {
		return err
	}
	if what := beyond(c); what != "" {
		return notYet(what)
	}
	own := &consumer{out: s.out, id: c.ConsumerID, pulls: map[uint64]*time.Timer{}}
	own.head, _ = openwire.AppendLoose([]byte{1}, c.ConsumerID, openwire.NewestVersion) // an id that was read can be written
	var err error
	own.Consumer, err = s.connection.Subscribe(core.ConsumerSpec{
		Destination: toDestination(c.Destination), Selector: c.Selector.String(), Prefetch: int(max(0, c.PrefetchSize)),
		Priority: c.Priority, Browser: c.Browser, Exclusive: c.Exclusive, NoLocal: c.NoLocal, Subscription: c.SubscriptionName.String(),
		Session: c.ConsumerID.SessionID, Subject: newSubject(c.ConsumerID, c),
		Readable: s.mayRead(),
		Abort:    s.abort(c.ConsumerID), Retroactive: c.Retroactive, MaximumPending: int(c.MaximumPendingMessageLimit),
	}, own)
	if err != nil {
		return err
	}
	s.consumers[*c.ConsumerID] = own
	s.consumersOf.add(c.ConsumerID.SessionID, *c.ConsumerID)
	if wait := own.Held(); wait > 0 {
		time.AfterFunc(wait, own.Resume)
	}
	if c.PrefetchSize > 0 && own.Prefetch() == 0 { // the client has to know that it must pull
		s.out.command(&openwire.ConsumerControl{ConsumerID: c.ConsumerID, Destination: c.Destination})
	}
	return nil
}

// abortTime is how long a client has to close a consumer that the broker wants closed.
const abortTime = time.Second

// abort returns what closes a consumer of the client, or all of the client.
func (s *session) abort(id *openwire.ConsumerID) func(*core.Consumer, bool, string) {
	return func(c *core.Consumer, connection bool, why string) {
		if connection {
			s.abandon(errors.New(why))
			return
		}
		s.out.command(&openwire.ConsumerControl{ConsumerID: id, Close: true})
		time.AfterFunc(abortTime, func() { c.Close(core.AllUnknown) })
	}
}

// beyond names what the consumer wants and the core cannot do.
func beyond(c *openwire.ConsumerInfo) string {
	switch {
	case c.NetworkSubscription:
		return "network connectors"
	}
	return ""
}

func (s *session) unsubscribe(id openwire.ConsumerID, last core.LastDelivered) {
	if c := s.consumers[id]; c != nil {
		s.strike(id)
		c.Close(last)
	}
}

// unsubscribeAll ends the consumers of some ids together.
func (s *session) unsubscribeAll(last core.LastDelivered, ids iter.Seq[openwire.ConsumerID]) {
	var ending []*core.Consumer
	for id := range ids {
		ending = append(ending, s.consumers[id].Consumer)
		s.strike(id)
	}
	s.connection.CloseConsumers(last, ending...)
}

// strike forgets a consumer that is about to be closed.
func (s *session) strike(id openwire.ConsumerID) {
	s.consumers[id].stopPulls()
	delete(s.consumers, id)
	s.consumersOf.remove(id.SessionID, id)
}

// acknowledge passes an acknowledgement on. One of an unknown consumer is of messages from before a failover. Whoever
// acknowledges in a transaction learns at the commit what went wrong.
func (s *session) acknowledge(a *openwire.MessageAck, r reply) {
	t, err := s.transactionOfAck(a)
	var c *consumer
	if a.ConsumerID != nil {
		c = s.consumers[*a.ConsumerID]
	}
	switch {
	case c == nil && t != nil && a.AckType != openwire.AckDelivered:
		err = core.NotInFlight()
		t.Fail(err)
	case c == nil:
		r.done()
		return
	case err == nil:
		err = c.Acknowledge(s.toAck(a), t, r.done)
	}
	switch {
	case errors.Is(err, core.ErrNotDispatched) && (!r.wanted || s.again):
		// It may be from before a failover, or said again since its answer was lost: no reason to alarm the program.
		r.log.tell(openwire.NewThrowable(openwire.JMSException, err.Error()))
		r.done()
	case r.wanted || a.TransactionID == nil:
		r.finish(err)
	}
}

func (s *session) toAck(a *openwire.MessageAck) core.Ack {
	ack := core.Ack{
		Kind: core.AckKind(a.AckType), First: sequence(a.FirstMessageID), Last: sequence(a.LastMessageID), Count: int(max(0, a.MessageCount)),
	}
	switch {
	case len(s.transactions)+len(s.branches) > 0 && suppressed(a):
		ack.Kind = core.Delivered
	case a.PoisonCause != nil:
		ack.Cause = &core.Error{Text: a.PoisonCause.String()}
	}
	return ack
}

// suppressed tells whether a client has only kept from its program a message that came twice. ActiveMQ's says so by a poison
// acknowledgement, also after a failover of a message that it has in an open transaction: what it will acknowledge there must
// not be a dead letter then.
func suppressed(a *openwire.MessageAck) bool {
	return a.AckType == openwire.AckPoison && a.PoisonCause != nil &&
		strings.HasPrefix(a.PoisonCause.Message.String(), "Suppressing duplicate delivery on connection")
}

// transactionOfAck returns the transaction that the acknowledgement is part of, nil if it is of none.
func (s *session) transactionOfAck(a *openwire.MessageAck) (*core.Transaction, error) {
	switch id := a.TransactionID.(type) {
	case *openwire.LocalTransactionID:
		return s.begun(id.Value)
	case *openwire.XATransactionID:
		return s.branch(toXID(id))
	}
	return nil, nil
}

func sequence(id *openwire.MessageID) uint64 {
	if id == nil {
		return 0
	}
	return uint64(id.BrokerSequenceID)
}

// pull asks for one message: at once with timeout -1, for ever with 0, else for so many milliseconds.
func (s *session) pull(p *openwire.MessagePull) {
	if p.ConsumerID == nil || s.consumers[*p.ConsumerID] == nil {
		return
	}
	c := s.consumers[*p.ConsumerID]
	if p.Timeout > 0 {
		c.pullFor(time.Duration(min(p.Timeout, int64(24*time.Hour/time.Millisecond))) * time.Millisecond)
		return
	}
	c.Pull(p.Timeout == 0)
}

func (c *consumer) pullFor(d time.Duration) {
	number := c.Pull(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	if number > c.answered {
		c.pulls[number] = time.AfterFunc(d, func() { c.CancelPull(number) })
	}
}

// endPull forgets a pull that is answered. They are answered in order.
func (c *consumer) endPull(number uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered = number
	if timer := c.pulls[number]; timer != nil {
		timer.Stop()
		delete(c.pulls, number)
	}
}

func (c *consumer) stopPulls() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, timer := range c.pulls {
		timer.Stop()
	}
	clear(c.pulls)
}

// control changes a consumer, as clients do after a failover.
func (s *session) control(c *openwire.ConsumerControl) {
	if c.ConsumerID == nil || s.consumers[*c.ConsumerID] == nil {
		return
	}
	switch {
	case c.Close:
		s.unsubscribe(*c.ConsumerID, core.NoneDelivered)
	case !c.Start && !c.Stop && !c.Flush:
		s.consumers[*c.ConsumerID].SetPrefetch(int(max(0, c.Prefetch)))
	}
}
