package core_test

import (
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

// JMS 1.1 §6.2: who is there gets it, and nobody else.
func TestATopicKeepsNothing(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.send(prices, "to nobody")
	one, two := c.consume(prices, 10), b.connect("ID:d").consume(prices, 10)
	c.send(prices, "to two")
	one.expect("to two")
	two.expect("to two")
	one.Close(core.NoneDelivered)
	c.send(prices, "to one")
	one.expect()
	two.expect("to one")
	c.consume(prices, 10).expect()
}

func TestATopicsPrefetch(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(prices, 2)
	for _, text := range []string{"one", "two", "three", "four", "five", "six"} {
		c.send(prices, text)
	}
	s := consumer.expect("one", "two")
	consumer.ack(core.Ack{Kind: core.Delivered, Last: s[0], Count: 1}, nil)
	consumer.expect("three")
	consumer.ack(core.Ack{Kind: core.Standard, Last: s[1], Count: 2}, nil) // one of them made its room before
	consumer.expect("four")
	consumer.SetPrefetch(3)
	consumer.expect("five")
	consumer.ack(core.Ack{Kind: core.Redelivered, Last: s[1], Count: 1}, nil)
	consumer.expect()
	consumer.ack(core.Ack{Kind: core.Standard, Last: s[1], Count: 99}, nil)
	consumer.expect("six")
}

func TestPullsFromATopic(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(prices, 0)
	consumer.Pull(false)
	consumer.expect("-")
	late := consumer.Pull(true)
	consumer.expect()
	c.send(prices, "one")
	c.send(prices, "two")
	consumer.expect("one")
	consumer.CancelPull(late)
	consumer.expect()
	consumer.Pull(false)
	consumer.expect("two")
	consumer.CancelPull(consumer.Pull(true))
	consumer.expect("-")
}

// JMS 1.1 §6.11.
func TestNoLocal(t *testing.T) {
	b := newBroker(t, 0)
	c, d := b.connect("ID:c"), b.connect("ID:d")
	deaf := c.subscribe(core.ConsumerSpec{Destination: prices, Prefetch: 10, NoLocal: true})
	c.send(prices, "own")
	tx := c.begin()
	tx.send(prices, "own too")
	tx.commit()
	d.send(prices, "another's")
	deaf.expect("another's")
}

func TestATopicsSelector(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	picky := c.subscribe(core.ConsumerSpec{Destination: prices, Prefetch: 10, Selector: "JMSPriority > 5"})
	c.send(prices, "low", message.SetPriority(4))
	c.send(prices, "high", message.SetPriority(6))
	picky.expect("high")
}

// A consumer of several topics has one prefetch for them.
func TestAConsumerOfSeveralTopics(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	wages := destination.Destination{Kind: destination.Topic, Name: "WAGES"}
	consumer := c.consume(destination.Destination{Kind: destination.Topic, Name: "PRICES,WAGES"}, 2)
	c.send(prices, "one")
	c.send(wages, "two")
	c.send(prices, "three")
	s := consumer.expect("one", "two")
	consumer.consumed(s[1], nil)
	consumer.expect("three")
	consumer.Close(core.NoneDelivered)
	c.send(wages, "four")
	consumer.expect()
}

// Whoever comes and goes, each subscriber that is there gets a message once.
func TestManySubscribersComeAndGo(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	var all []*consumer
	for i := range 200 {
		all = append(all, c.consume(prices, 10))
		if i%3 == 2 { // one from the middle goes
			gone := all[len(all)/2]
			all = append(all[:len(all)/2], all[len(all)/2+1:]...)
			gone.Close(core.NoneDelivered)
			gone.Close(core.NoneDelivered)
		}
	}
	c.send(prices, "one")
	for _, consumer := range all {
		consumer.expect("one")
	}
	for len(all) > 1 {
		all[0].Close(core.NoneDelivered)
		all = all[1:]
	}
	c.send(prices, "two")
	all[0].expect("two")
}
