package client_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

var prices = destination.Destination{Kind: destination.Topic, Name: "prices"}

// durableSession is a session of a connection with a client id.
func (p *pair) durableSession(url string) (*client.Connection, *client.Session) {
	p.t.Helper()
	c, err := client.Connect(p.ctx, client.Options{URL: url, ClientID: "me", Dial: p.dial})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close(p.ctx) })
	return c, p.session(c, client.AutoAck)
}

func TestADurableSubscription(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		producer := p.producer(p.session(p.connect(failover), client.AutoAck), prices)
		c, s := p.durableSession(failover)
		p.consumer(s, prices, client.ConsumerOptions{Subscription: "s"}).Close()
		p.send(producer, "1")
		consumer := p.consumer(s, prices, client.ConsumerOptions{Subscription: "s"})
		p.want(consumer, "1 x0")
		if err := s.Unsubscribe(p.ctx, "s"); !client.IsClass(err, openwire.JMSException) {
			t.Errorf("while somebody consumes: %v", err)
		}
		if err := c.Close(p.ctx); err != nil {
			t.Fatal(err)
		}
		p.send(producer, "2")
		_, s = p.durableSession(failover)
		consumer = p.consumer(s, prices, client.ConsumerOptions{Subscription: "s"})
		p.want(consumer, "2 x0")
		consumer.Close()
		if err := s.Unsubscribe(p.ctx, "s"); err != nil {
			t.Error(err)
		}
		if err := s.Unsubscribe(p.ctx, "s"); !client.IsClass(err, openwire.InvalidDestinationException) {
			t.Errorf("of what is gone: %v", err)
		}
	})
}

// What is sent around a takeover comes to who was there before, and once.
func TestADurableSubscriptionOverATakeover(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		producer := p.producer(p.session(p.connect(failover), client.AutoAck), prices)
		_, s := p.durableSession(failover)
		consumer := p.consumer(s, prices, client.ConsumerOptions{Subscription: "s"})
		p.send(producer, "1")
		p.want(consumer, "1 x0")
		synctest.Wait() // until the acknowledgement is durable
		p.takeOver()
		p.send(producer, "2")
		p.want(consumer, "2 x0")
		p.none(consumer)
	})
}

func TestADurableSubscriptionNeedsAClientID(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		s := p.session(p.connect(failover), client.AutoAck)
		if _, err := s.Consumer(p.ctx, prices, client.ConsumerOptions{Subscription: "s"}); err == nil || !strings.Contains(err.Error(), "set a client id") {
			t.Errorf("got %v", err)
		}
	})
}
