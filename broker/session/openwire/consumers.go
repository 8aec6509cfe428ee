package openwire

import (
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

	mu    sync.Mutex
	pulls map[*time.Timer]struct{}
}

// Deliver implements core.Receiver.
func (c *consumer) Deliver(d core.Delivery) { c.out.deliver(c, d) }

func (s *session) subscribe(c *openwire.ConsumerInfo) error {
	if c.ConsumerID == nil || c.Destination == nil {
		return &core.Error{Kind: core.InvalidDestination, Text: "a consumer needs an id and a destination"}
	}
	if s.consumers[*c.ConsumerID] != nil {
		return nil // said again after a failover
	}
	if what := beyond(c); what != "" {
		return notYet(what)
	}
	own := &consumer{out: s.out, id: c.ConsumerID, pulls: map[*time.Timer]struct{}{}}
	own.head, _ = openwire.AppendLoose([]byte{1}, c.ConsumerID, openwire.NewestVersion) // an id that was read can be written
	var err error
	own.Consumer, err = s.connection.Subscribe(core.ConsumerSpec{
		Destination: toDestination(c.Destination), Selector: c.Selector.String(), Prefetch: int(max(0, c.PrefetchSize)),
		Priority: c.Priority, NoLocal: c.NoLocal,
	}, own)
	if err == nil {
		s.consumers[*c.ConsumerID] = own
	}
	return err
}

// beyond names what the consumer wants and the core cannot do.
func beyond(c *openwire.ConsumerInfo) string {
	switch {
	case c.SubscriptionName.String() != "":
		return "durable subscriptions"
	case c.Browser:
		return "queue browsers"
	case c.Exclusive:
		return "exclusive consumers"
	case c.Retroactive:
		return "retroactive consumers"
	case c.NetworkSubscription:
		return "network connectors"
	}
	return ""
}

func (s *session) unsubscribe(id openwire.ConsumerID, last core.LastDelivered) {
	if c := s.consumers[id]; c != nil {
		delete(s.consumers, id)
		c.stopPulls()
		c.Close(last)
	}
}

// acknowledge passes an acknowledgement on. One of an unknown consumer is of messages from before a failover.
func (s *session) acknowledge(a *openwire.MessageAck, done func()) error {
	if a.ConsumerID == nil || s.consumers[*a.ConsumerID] == nil {
		done()
		return nil
	}
	var t *core.Transaction
	if a.TransactionID != nil {
		id, local := a.TransactionID.(*openwire.LocalTransactionID)
		if !local {
			return notYet("XA transactions")
		}
		var err error
		if t, err = s.open(id.Value); err != nil {
			return err
		}
	}
	ack := core.Ack{
		Kind: core.AckKind(a.AckType), First: sequence(a.FirstMessageID), Last: sequence(a.LastMessageID), Count: int(a.MessageCount),
	}
	if a.PoisonCause != nil {
		ack.Cause = &core.Error{Text: a.PoisonCause.Class.String() + ": " + a.PoisonCause.Message.String()}
	}
	return s.consumers[*a.ConsumerID].Acknowledge(ack, t, done)
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
	c.Pull(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		c.mu.Lock()
		delete(c.pulls, timer)
		c.mu.Unlock()
		c.CancelPull()
	})
	c.pulls[timer] = struct{}{}
}

func (c *consumer) stopPulls() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for timer := range c.pulls {
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
