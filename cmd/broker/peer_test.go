package main

import (
	"net"
	"testing"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// peer is a client at its simplest, on a connection that has read the broker's offer.
type peer struct {
	t       *testing.T
	conn    net.Conn
	frames  *openwire.FrameReader
	encoder *openwire.Encoder
	decoder *openwire.Decoder
	last    int32 // command
}

// handshake agrees on the format that the broker offers, and says who it is.
func (c *peer) handshake() {
	c.t.Helper()
	offer := openwire.BrokerOffer()
	c.encoder = openwire.NewEncoder(openwire.Handshake())
	if !c.send(offer.Info()) {
		c.t.Fatal("the broker is gone")
	}
	format, err := openwire.Negotiate(offer, offer)
	if err != nil {
		c.t.Fatal(err)
	}
	c.frames = openwire.NewFrameReader(c.conn, 1<<20)
	c.encoder, c.decoder = openwire.NewEncoder(format), openwire.NewDecoder(format)
	c.next() // BrokerInfo
	if !c.ask(&openwire.ConnectionInfo{ConnectionID: &openwire.ConnectionID{Value: openwire.S("ID:test")}}) {
		c.t.Fatal("the broker lets nobody in")
	}
	session := &openwire.SessionID{ConnectionID: openwire.S("ID:test"), Value: 1}
	c.send(&openwire.SessionInfo{SessionID: session})
}

// send tells whether the broker may have got it.
func (c *peer) send(v openwire.DataStructure) bool {
	c.t.Helper()
	b, err := c.encoder.AppendFrame(nil, v)
	if err != nil {
		c.t.Fatal(err)
	}
	_, err = c.conn.Write(b)
	return err == nil
}

// ask sends a command and tells whether it was answered well; otherwise the connection has ended.
func (c *peer) ask(v openwire.Command) bool {
	c.t.Helper()
	c.last++
	v.Base().CommandID, v.Base().ResponseRequired = c.last, true
	if !c.send(v) {
		return false
	}
	for {
		switch answer := c.next().(type) {
		case nil:
			return false
		case *openwire.Response:
			return answer.CorrelationID == c.last
		case *openwire.ExceptionResponse:
			c.t.Fatalf("%T was refused: %+v", v, answer.Exception)
		}
	}
}

// next returns what comes next, nil at the end of the connection.
func (c *peer) next() openwire.DataStructure {
	c.t.Helper()
	frame, err := c.frames.ReadFrame()
	if err != nil {
		return nil
	}
	v, err := c.decoder.Decode(frame)
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

// message is a persistent one on the queue orders.
func (c *peer) message(n int) *openwire.BytesMessage {
	producer := &openwire.ProducerID{ConnectionID: openwire.S("ID:test"), SessionID: 1, Value: 1}
	m := &openwire.BytesMessage{}
	m.ProducerID, m.Persistent, m.Content, m.ResponseRequired = producer, true, make([]byte, 40_000), true
	m.Destination = &openwire.Queue{PhysicalName: openwire.S("orders")}
	m.MessageID = &openwire.MessageID{ProducerID: producer, ProducerSequenceID: int64(n)}
	return m
}
