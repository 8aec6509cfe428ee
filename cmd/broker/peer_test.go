package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// peer is a client that stays with one broker.
type peer struct {
	*client.Link
	t        *testing.T
	received chan openwire.Command // what was not asked for
}

// join connects without a user and says who it is.
func (p *process) join() *peer {
	p.t.Helper()
	c := &peer{t: p.t, received: make(chan openwire.Command, 1000)}
	var err error
	c.Link, err = client.Dial(p.t.Context(), p.address, client.LinkOptions{
		Offer: openwire.BrokerOffer(), Handle: func(_ *client.Link, v openwire.Command) { c.received <- v },
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	if !c.ask(&openwire.ConnectionInfo{ConnectionID: &openwire.ConnectionID{Value: openwire.S("ID:test")}}) {
		p.t.Fatal("the broker is gone")
	}
	return c
}

// ask sends a command and tells whether it was answered; otherwise the broker is gone.
func (c *peer) ask(v openwire.Command) bool {
	c.t.Helper()
	_, err := c.Ask(c.t.Context(), v)
	if err != nil && !errors.Is(err, client.ErrDisconnected) {
		c.t.Fatal(err)
	}
	return err == nil
}

// message is a persistent one on the queue orders.
func (c *peer) message(n int) *openwire.BytesMessage {
	producer := &openwire.ProducerID{ConnectionID: openwire.S("ID:test"), SessionID: 1, Value: 1}
	m := &openwire.BytesMessage{}
	m.ProducerID, m.Persistent, m.Content = producer, true, bytes.Repeat([]byte{1}, 40_000) // zeros may be there though nothing was written
	m.Destination = &openwire.Queue{PhysicalName: openwire.S("orders")}
	m.MessageID = &openwire.MessageID{ProducerID: producer, ProducerSequenceID: int64(n)}
	return m
}

// sendUntilTheEnd sends messages until the broker is gone, and tells how many were answered, also before each.
func (p *process) sendUntilTheEnd(before func(answered int)) int {
	c := p.join()
	for n := 0; ; n++ {
		before(n)
		if !c.ask(c.message(n + 1)) {
			return n
		}
	}
}

// receiveAll receives so many messages, in the order in which they were sent.
func (p *process) receiveAll(want int) {
	p.t.Helper()
	c := p.join()
	if !c.ask(&openwire.ConsumerInfo{
		ConsumerID:  &openwire.ConsumerID{ConnectionID: openwire.S("ID:test"), SessionID: 1, Value: 1},
		Destination: &openwire.Queue{PhysicalName: openwire.S("orders")}, PrefetchSize: int32(want),
	}) {
		p.t.Fatal("the broker is gone")
	}
	for n := 1; n <= want; {
		select {
		case v := <-c.received:
			dispatch, ok := v.(*openwire.MessageDispatch)
			if !ok {
				continue
			}
			if got := dispatch.Message.Fields().MessageID.ProducerSequenceID; got != int64(n) {
				p.t.Fatalf("message %d came, want %d of %d", got, n, want)
			}
			n++
		case <-c.Done():
			p.t.Fatalf("the connection ended before message %d of %d: %v", n, want, c.Err())
		}
	}
}
