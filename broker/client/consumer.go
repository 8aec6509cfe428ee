package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

const (
	// noneDelivered is what a consumer says that closes and has shown its program nothing.
	noneDelivered = -1
	// maximumRedeliveries is how often a message comes back after a rollback before it is a dead letter, as in ActiveMQ.
	maximumRedeliveries = 6
)

// Consumer receives messages.
type Consumer struct {
	session     *Session
	id          *openwire.ConsumerID
	destination openwire.Destination
	prefetch    int32
	entry       *entry
	arrived     chan struct{} // holds one when there may be something to receive

	mu        sync.Mutex
	waiting   []*delivery // not received yet
	again     []*delivery // before these, what was received and rolled back, or could not be taken
	received  []*delivery // and not acknowledged, or in the open transaction
	counted   int         // of those received, how many the broker was told of, so that it sends more
	asked     int         // how many messages the broker was asked for over this link
	answered  int         // and has sent, or said that there is none
	delivered int64       // the broker's number of the last one received
	err       error       // why there is nothing more
}

// delivery is a message as it came.
type delivery struct {
	consumer *Consumer
	link     *Link
	id       *openwire.MessageID
	dispatch *openwire.MessageDispatch
	again    int // times that it was received and rolled back here
}

// deliver takes a dispatch. One without a message answers a pull.
func (c *Consumer) deliver(l *Link, d *openwire.MessageDispatch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.signal()
	c.answered++
	if d.Message == nil || d.Message.Fields().MessageID == nil || c.err != nil {
		return
	}
	if len(c.waiting) > 2*int(c.prefetch)+1 {
		c.err = errors.New("the broker sends more than the prefetch allows")
		return
	}
	c.waiting = append(c.waiting, &delivery{consumer: c, link: l, id: d.Message.Fields().MessageID, dispatch: d})
}

func (c *Consumer) signal() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// fail ends the consumer.
func (c *Consumer) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	c.signal()
}

// lost forgets what came over a link that is lost: it will come again.
func (c *Consumer) lost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting, c.again, c.received, c.counted, c.asked, c.answered = nil, nil, nil, 0, 0, 0
	c.signal()
}

// Receive waits for a message, until ctx ends. Messages whose time is over are left out (JMS 1.1 §4.5.1).
func (c *Consumer) Receive(ctx context.Context) (*Message, error) {
	for {
		d, err := c.next(ctx)
		if err != nil {
			return nil, err
		}
		if expiry := d.dispatch.Message.Fields().Expiration; expiry > 0 && time.Now().UnixMilli() > expiry {
			err = c.tell(ctx, d.link, c.ack(openwire.AckExpired, d, d))
		} else {
			var m *Message
			if m, err = c.take(ctx, d); err == nil {
				return m, nil
			}
		}
		if err != nil && !errors.Is(err, ErrStale) { // a stale one comes again
			return nil, fmt.Errorf("receiving from %s: %w", fromWire(c.destination), err)
		}
	}
}

// next waits for a delivery.
func (c *Consumer) next(ctx context.Context) (*delivery, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		d, err := c.pop()
		if d != nil || err != nil {
			return d, err
		}
		if err := c.pull(ctx); err != nil {
			return nil, err
		}
		select {
		case <-c.arrived:
		case <-c.session.transport().stopped:
			c.fail(c.session.transport().end())
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (c *Consumer) pop() (*delivery, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := &c.waiting
	if len(c.again) > 0 {
		from = &c.again
	}
	if c.err != nil || len(*from) == 0 {
		return nil, c.err
	}
	d := (*from)[0]
	*from = (*from)[1:]
	return d, nil
}

// putBack has a delivery received again, unless it comes again by itself.
func (c *Consumer) putBack(d *delivery) {
	c.session.transport().onLink(d.link, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.again = append([]*delivery{d}, c.again...)
	})
}

// pull asks for a message if each is asked for, and none is on its way.
func (c *Consumer) pull(ctx context.Context) error {
	if c.prefetch > 0 {
		return nil
	}
	c.mu.Lock()
	asked := c.asked > c.answered
	c.mu.Unlock()
	if asked {
		return nil
	}
	pull := &openwire.MessagePull{ConsumerID: c.id, Destination: c.destination}
	if deadline, ok := ctx.Deadline(); ok {
		pull.Timeout = max(1, time.Until(deadline).Milliseconds())
	}
	return c.session.transport().tell(ctx, pull, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked++
	})
}

// take makes a message of a delivery, and acknowledges as the session does.
func (c *Consumer) take(ctx context.Context, d *delivery) (*Message, error) {
	m, err := decode(d.dispatch.Message, d.link.Format().MaxFrameSize)
	if err != nil {
		return nil, errors.Join(err, c.tell(ctx, d.link, c.ack(openwire.AckPoison, d, d)))
	}
	m.Redelivered = int(d.dispatch.RedeliveryCounter) + d.again
	m.origin = d
	switch c.session.mode {
	case AutoAck:
		err = c.tell(ctx, d.link, c.ack(openwire.AckStandard, d, d))
	case Transacted:
		err = c.takeTransacted(ctx, d)
	default:
		err = c.takeUnacknowledged(ctx, d)
	}
	if err != nil {
		c.putBack(d)
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delivered = d.id.BrokerSequenceID
	return m, nil
}

func (c *Consumer) takeTransacted(ctx context.Context, d *delivery) error {
	if err := c.session.begin(ctx); err != nil {
		return err
	}
	t := c.session.current
	ack := c.ack(openwire.AckStandard, d, d)
	ack.TransactionID = t.id
	return c.session.transport().tellOn(ctx, d.link, ack, func() {
		t.received = true
		c.keep(d)
	})
}

// takeUnacknowledged keeps the message until the program acknowledges it. The broker is told now and then that messages
// have been received, so that it sends more although they fill the prefetch.
func (c *Consumer) takeUnacknowledged(ctx context.Context, d *delivery) error {
	var told *openwire.MessageAck
	if !c.session.transport().onLink(d.link, func() { told = c.keepCounting(d) }) {
		return ErrStale
	}
	if told != nil && c.tell(ctx, d.link, told) != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.counted = max(0, c.counted-int(told.MessageCount)) // the next message tells of these, too
	}
	return nil
}

// keepCounting keeps the message, and returns what to tell the broker if it is time to.
func (c *Consumer) keepCounting(d *delivery) *openwire.MessageAck {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received = append(c.received, d)
	news := c.received[c.counted:]
	if len(news) < max(1, int(c.prefetch/2)) {
		return nil
	}
	c.counted = len(c.received)
	told := c.ack(openwire.AckDelivered, news[0], d)
	told.MessageCount = int32(len(news))
	return told
}

func (c *Consumer) keep(d *delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received = append(c.received, d)
}

// ack is an acknowledgement of the messages from first to last.
func (c *Consumer) ack(kind int8, first, last *delivery) *openwire.MessageAck {
	return &openwire.MessageAck{
		Destination: c.destination, ConsumerID: c.id, AckType: kind,
		FirstMessageID: first.id, LastMessageID: last.id, MessageCount: 1,
	}
}

func (c *Consumer) tell(ctx context.Context, l *Link, ack *openwire.MessageAck) error {
	return c.session.transport().tellOn(ctx, l, ack, nil)
}

// acknowledgeAll acknowledges all that was received.
func (c *Consumer) acknowledgeAll(ctx context.Context) error {
	c.mu.Lock()
	received := c.received
	c.mu.Unlock()
	if len(received) == 0 {
		return nil
	}
	last := received[len(received)-1]
	ack := c.ack(openwire.AckStandard, received[0], last)
	ack.MessageCount = int32(len(received))
	if err := c.tell(ctx, last.link, ack); err != nil {
		return err
	}
	c.committed()
	return nil
}

// acknowledgeOne acknowledges one message that was received.
func (c *Consumer) acknowledgeOne(ctx context.Context, d *delivery) error {
	ack := c.ack(openwire.AckIndividual, d, d)
	ack.FirstMessageID = nil
	if err := c.tell(ctx, d.link, ack); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, r := range c.received {
		if r == d {
			c.received = append(c.received[:i:i], c.received[i+1:]...)
			if i < c.counted {
				c.counted--
			}
			break
		}
	}
	return nil
}

// committed forgets what was received: the broker has it acknowledged.
func (c *Consumer) committed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received, c.counted = nil, 0
}

// rolledBack has what was received in a transaction received again. A message that came too often goes to the dead letters.
func (c *Consumer) rolledBack(ctx context.Context) {
	c.mu.Lock()
	received := c.received
	c.received = nil
	var again []*delivery
	var acks []*openwire.MessageAck
	for _, d := range received {
		kind := int8(openwire.AckRedelivered)
		if d.again++; int(d.dispatch.RedeliveryCounter)+d.again > maximumRedeliveries {
			kind = openwire.AckPoison
		} else {
			again = append(again, d)
		}
		acks = append(acks, c.ack(kind, d, d))
	}
	c.again = append(again, c.again...)
	c.mu.Unlock()
	c.signal()
	for i, ack := range acks {
		if c.tell(ctx, received[i].link, ack) != nil {
			return // the link is lost, and all of them come again
		}
	}
}

// Close ends the consumer. It does not wait. What it received and did not acknowledge is delivered to others.
func (c *Consumer) Close() {
	c.fail(ErrClosed)
	s := c.session
	s.consumers = slices.DeleteFunc(s.consumers, func(other *Consumer) bool { return other == c })
	connection := s.connection
	connection.mu.Lock()
	delete(connection.consumers, *c.id)
	connection.mu.Unlock()
	c.mu.Lock()
	last := c.delivered
	c.mu.Unlock()
	if last == 0 {
		last = noneDelivered
	}
	connection.transport.forget(c.entry, &openwire.RemoveInfo{ObjectID: c.id, LastDeliveredSequenceID: last})
}
