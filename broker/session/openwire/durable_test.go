package openwire_test

import (
	"testing"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// A client is told that its subscription began, or ended, only once that is durable.
func TestADurableSubscriptionIsAnsweredWhenItIsDurable(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		c := w.join("a")
		info := c.consumer(1, &openwire.Topic{PhysicalName: openwire.S("t")})
		info.SubscriptionName = openwire.S("s")
		c.whenDurable(w, info)
		c.ok(&openwire.RemoveInfo{ObjectID: c.consumerID(1, 1)})
		c.whenDurable(w, &openwire.RemoveSubscriptionInfo{SubscriptionName: openwire.S("s")})
		c.refused(&openwire.RemoveSubscriptionInfo{SubscriptionName: openwire.S("s")}, openwire.InvalidDestinationException,
			"No durable subscription exists for clientID: client-a and subscriptionName: s")
	})
}

// whenDurable wants a command to be answered when the log goes on.
func (c *client) whenDurable(w *world, command openwire.Command) {
	c.t.Helper()
	w.log.Hold()
	id := c.ask(command)
	if answer := c.answer(id); answer != nil {
		c.t.Errorf("%T was answered by %s before it was durable", command, describe(answer))
	}
	w.log.Release()
	if answer := c.answer(id); !isDone(answer) {
		c.t.Errorf("%T was answered by %s", command, describe(answer))
	}
}
