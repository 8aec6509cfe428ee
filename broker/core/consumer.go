package core

import (
	"sync"
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/selector"
)

// ConsumerSpec describes a consumer. Prefetch 0 means that each message is pulled. The destination's policy may replace a
// client's default.
type ConsumerSpec struct {
	Destination destination.Destination
	Selector    string
	Prefetch    int
	Priority    int8 // among the consumers of a queue; the highest that can take a message gets it
	Browser     bool // looks at what is in queues, and takes nothing
	Exclusive   bool // gets all of a queue alone, while no other has it so
	// Subscription is the name of a durable subscription of the connection's client; "" for a consumer without. It is durable
	// once what was asked of the store is.
	Subscription string
	NoLocal      bool  // not what its own connection sends; topics only (JMS 1.1 §6.11)
	Session      int64 // the number of the JMS session
	Subject      any   // what advisories tell of it, for the Advisor
	// Readable tells whether the client may consume from what a pattern of the destination covers; nil is from all. It is called under
	// the broker's locks, and calls nothing of the core.
	Readable func(destination.Destination) bool
	// What only topics know. Retroactive wants what a topic keeps for those who come late. MaximumPending is how many messages may
	// wait for the consumer beside those on their way; 0 leaves that to the policy.
	Retroactive    bool
	MaximumPending int
	// Abort is called when the broker closes the consumer because it is slow, or its connection, and why. It tells the client, or
	// ends the connection, and sees to it that the consumer is closed if the client does not.
	Abort func(c *Consumer, connection bool, why string)
}

// Delivery is a message for a consumer.
type Delivery struct {
	Message     *message.Message // nil: a pull ends with none
	Redelivered int              // how often it was delivered before, 0 the first time
	Pull        uint64           // the number of the pull that it answers, 0 if none

	subscription *subscription // of a topic
	browser      *browser
}

// Written says that the message is kept no longer on its way to the client. Its memory counts until then. It may be left out
// once the consumer is closed, and is never called by a Receiver's Deliver.
func (d Delivery) Written() {
	if d.subscription != nil {
		d.subscription.written(d.Message.Size())
	}
	if d.browser != nil {
		d.browser.written(d.Message.Size())
	}
}

// Receiver takes deliveries on their way to a client. It is called under a destination's lock: it keeps the delivery and
// returns. What is on the way to one consumer is bounded by its prefetch.
type Receiver interface {
	Deliver(Delivery)
}

// Ack is a consumer's word on messages that it got.
type Ack struct {
	Kind AckKind
	// First and Last are broker sequences, and name messages in flight from First to Last in the order of their delivery. First 0 is
	// from the oldest. If First is not in flight, only Last is meant; but Delivered is from the oldest then, since others of its
	// range may have been acknowledged one by one.
	First, Last uint64
	Count       int   // of messages; what counts for topics. 0 is as many as there are
	Cause       error // why they are poison
}

// AckKind is what is said of the messages.
type AckKind uint8

// The kinds of acknowledgement, by OpenWire's numbers.
const (
	Delivered   AckKind = 0 // they reached the program: more may be sent
	Poison      AckKind = 1 // they cannot be consumed
	Standard    AckKind = 2 // they are consumed
	Redelivered AckKind = 3 // the client delivers them to the program once more
	Individual  AckKind = 4 // Last is consumed, whatever came before
	Unmatched   AckKind = 5 // a durable subscription's selector refused them
	Expired     AckKind = 6 // the client found that they have expired
)

// Consumer is one client's subscription to queues, to topics, or to both.
type Consumer struct {
	spec       ConsumerSpec
	connection *Connection
	receiver   Receiver
	selector   *selector.Selector // nil takes all
	source     source
	durable    *durable     // the subscription that it consumes from, if any
	ending     atomic.Bool  // it gets nothing more
	slow       atomic.Bool  // there was more for it than it could take
	heard      atomic.Int64 // when it acknowledged last, or came, in milliseconds since 1970
	place      place        // among what advisories tell of
	dispatched atomic.Int64 // messages
	dequeued   atomic.Int64 // of these, those acknowledged

	strict bool // all that is in flight counts against the prefetch

	// What a consumer of queues has in flight, and may have. The lock is taken when a queue's is held, never the reverse, and
	// the Receiver is called under it.
	mu          sync.Mutex
	flight      list             // dispatched and not done with, in the order of dispatch
	placed      map[uint64]*node // the same by sequence, when they are many
	outstanding int              // of these, how many count against the prefetch
	done        int              // of these, how many are acknowledged in open transactions
	pulls       pulls
	short       []*seat // the seats that found it full, first those that did so first
}

// source is what a consumer is attached to: queues, or a subscription to topics.
type source interface {
	acknowledge(c *Consumer, a Ack, tx *Transaction, done func()) error
	pull(c *Consumer, wait bool) (number uint64)
	cancelPull(c *Consumer, number uint64)
	setPrefetch(c *Consumer, n int)
	inFlight(c *Consumer) int
	close(c *Consumer, last LastDelivered)
}

// LastDelivered says up to which broker sequence a closing consumer's program saw its messages.
type LastDelivered int64

const (
	// AllUnknown is for a connection that broke: any message in flight may have been seen.
	AllUnknown LastDelivered = -2
	// NoneDelivered is for a consumer whose program saw none of what is in flight.
	NoneDelivered LastDelivered = -1
)

// covers tells whether n was delivered once more than is counted. A closing client that rolls back says so by an acknowledgement
// first, and by this number again.
func (l LastDelivered) covers(n *node) bool {
	return l == AllUnknown || l >= 0 && n.message.BrokerSequence() <= uint64(l) && !n.returned
}

// Acknowledge takes an acknowledgement; in a transaction if tx is not nil. done is called when it is durable. Messages
// that are not in flight at the consumer are ignored: a client that comes back after a failover acknowledges what another
// broker sent it. In a transaction they are an error, after which that can only be rolled back.
func (c *Consumer) Acknowledge(a Ack, tx *Transaction, done func()) error {
	if err := c.connection.enter(); err != nil {
		return err
	}
	defer c.connection.mu.Unlock()
	c.heard.Store(c.connection.broker.millis())
	if tx != nil {
		tx.mu.Lock()
		defer tx.mu.Unlock()
	}
	return c.source.acknowledge(c, a, tx, done)
}

// Pull asks for one message, for a consumer whose prefetch is 0, and returns the pull's number. Without wait it is answered
// as soon as what is in the queue can be dispatched, by a Delivery without message if there is nothing.
func (c *Consumer) Pull(wait bool) (number uint64) { return c.source.pull(c, wait) }

// CancelPull ends a pull that waits, by a Delivery without message. It does nothing if the pull was answered before.
func (c *Consumer) CancelPull(number uint64) { c.source.cancelPull(c, number) }

// Prefetch is how many messages the consumer gets ahead of its acknowledgements. Who calls SetPrefetch may ask.
func (c *Consumer) Prefetch() int { return c.spec.Prefetch }

// SetPrefetch changes the prefetch, as a client does after a failover.
func (c *Consumer) SetPrefetch(n int) { c.source.setPrefetch(c, n) }

// Close ends the consumer. What it has in flight goes back to its queue.
func (c *Consumer) Close(last LastDelivered) { c.connection.CloseConsumers(last, c) }

// close ends the consumer, on its connection's behalf.
func (c *Consumer) close(last LastDelivered) {
	if c.durable != nil {
		c.durable.setOnline(false)
		defer c.durable.vacate(c)
	}
	c.connection.broker.audience.remove(c)
	c.source.close(c, last)
	c.connection.broker.watch.forget(c)
	c.connection.broker.advisories.went(c.place)
}

// compile returns the selector of a consumer, nil for none.
func compile(text string) (*selector.Selector, error) {
	if text == "" {
		return nil, nil
	}
	s, err := selector.Parse(text)
	if err != nil {
		return nil, errorf(InvalidSelector, "the selector %q is not valid: %v", text, err)
	}
	return s, nil
}
