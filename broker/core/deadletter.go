package core

import (
	"fmt"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// The properties of dead letters, as in ActiveMQ.
const (
	causeProperty      = "dlqDeliveryFailureCause"
	expirationProperty = "originalExpiration"   // JMSExpiration as it was, 0 for never; of the first time if it dies again
	modeProperty       = "originalDeliveryMode" // of one that was not persistent
)

// death is why a message ends without having been consumed.
type death struct {
	expired bool
	cause   string // "" if it is not known
}

func deathOf(a Ack) death {
	switch {
	case a.Kind == Expired:
		return death{expired: true}
	case a.Cause != nil:
		return death{cause: a.Cause.Error()}
	}
	return death{}
}

// text is the cause as ActiveMQ writes it.
func (d death) text(m *message.Message) string {
	if d.expired {
		return fmt.Sprintf("java.lang.Throwable: Message Expired. Expiration:%d", m.Expiration())
	}
	return d.cause
}

// bury ends messages that are out of the window and out of flight: they are delivered again later, or become dead letters, if the
// policies want it. It happens as a whole, and done is called when it is durable. q.mu is held.
func (q *queue) bury(nodes []*node, d death, done func()) error {
	if d.expired {
		q.expired.Add(int64(len(nodes)))
	}
	t := q.broker.transaction()
	if err := q.fill(nodes); err != nil {
		return err
	}
	for _, n := range nodes {
		p, at, subscription := q.backing.origin(n.message)
		if err := t.succeed(n.message, p, at, subscription, d); err != nil {
			t.undo()
			return err
		}
	}
	if len(t.sends) == 0 {
		return q.drop(nodes, nil, done)
	}
	if err := q.drop(nodes, t.storeTx(), nil); err != nil {
		return err
	}
	return t.commit(done)
}

// mourn does for a message that no queue has what bury does for those of a queue. It was at a destination with a policy;
// subscription is the durable one that had it. done is called when it is durable. A destination's lock may be held.
func (b *Broker) mourn(m *message.Message, p *policy.Policy, at destination.Destination, subscription string, d death, done func()) error {
	t := b.transaction()
	if err := t.succeed(m, p, at, subscription, d); err != nil {
		t.undo()
		return err
	}
	if len(t.sends) == 0 {
		call(done)
		return nil
	}
	t.storeTx() // even if nothing is stored, the commit then comes when no lock is held
	return t.commit(done)
}

// succeed adds what comes after a message that ends: its next delivery, its dead letter, or nothing.
func (t *Transaction) succeed(m *message.Message, p *policy.Policy, at destination.Destination, subscription string, d death) error {
	b := t.connection.broker
	job, ends, err := b.redeliver(m, at, d)
	switch {
	case err != nil || ends:
		return err
	case job != nil:
		return t.addJob(job)
	}
	if letter := b.letter(m, p, at, subscription, d); letter != nil {
		return t.addAll(letter)
	}
	return nil
}

// transaction is one of the broker's own.
func (b *Broker) transaction() *Transaction { return b.own.work() }

// letter is the message as it becomes a dead letter of the destination that it was at, nil if it does not.
func (b *Broker) letter(m *message.Message, p *policy.Policy, at destination.Destination, subscription string, d death) *message.Message {
	now := b.millis()
	if d.expired {
		b.advisories.happened(Advice{Family: ExpiredAdvisory, Destination: at, Message: m})
	}
	to, options, some := p.DeadLetterStrategy.LettersOf(at, subscription)
	switch {
	case !some:
		return nil
	case to == m.Destination():
		b.reportLost(m, d)
		return nil
	case !m.Persistent() && !options.ProcessNonPersistent:
		return nil
	case (d.expired || m.Expired(now)) && !options.ProcessExpired:
		return nil
	case options.EnableAudit && b.audits.repeats(m, to, &p.DeadLetterStrategy, options):
		return nil
	}
	b.advisories.happened(Advice{Family: DeadLetterAdvisory, Destination: at, Message: m})
	sets := []message.Set{
		message.SetDestination(to), message.SetOriginalDestination(m.Destination()), message.NoTransaction(),
		message.SetArrival(now), message.SetPersistent(true), message.SetExpiration(0), message.SetRedeliveries(0),
	}
	if options.Expiration > 0 {
		sets = append(sets, message.SetExpiration(now+options.Expiration))
	}
	return withProperties(m, sets, deadProperties(m, options, d))
}

// reportLost tells of a dead letter that nobody could consume either, and that is lost for good though its sender wanted it kept.
func (b *Broker) reportLost(m *message.Message, d death) {
	if m.Persistent() && !d.expired {
		b.logger.Warn("dropped a message that could not be consumed from its dead letter queue either",
			"queue", m.Destination().String(), "message", m.ID(), "cause", fmt.Sprintf("%.500s", d.text(m)))
	}
}

// deadProperties are what a dead letter tells beside what it was.
func deadProperties(m *message.Message, o policy.DeadLetterOptions, d death) (entries []wire.Entry) {
	if cause := d.text(m); cause != "" {
		entries = append(entries, wire.Entry{Key: causeProperty, Value: wire.TextValue(cause)})
	}
	if _, stamped := wire.Lookup(m.Properties(), expirationProperty); !stamped && o.Expiration == 0 {
		entries = append(entries, wire.Entry{Key: expirationProperty, Value: wire.LongValue(m.Expiration())})
	}
	if !m.Persistent() {
		entries = append(entries, wire.Entry{Key: modeProperty, Value: wire.TextValue("NON_PERSISTENT")})
	}
	return entries
}

// withProperties is the message with some fields and properties set. Properties that cannot be read stay as they are.
func withProperties(m *message.Message, sets []message.Set, entries []wire.Entry) *message.Message {
	properties, err := m.Properties(), error(nil)
	for _, e := range entries {
		if properties, err = wire.SetEntry(properties, e.Key, e.Value); err != nil {
			return m.With(sets...)
		}
	}
	return m.With(append(sets, message.SetProperties(properties))...)
}
