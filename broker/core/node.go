package core

import (
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/message"
)

// node is a message's place in a queue: in the window, or in flight at a consumer.
type node struct {
	message *message.Message
	order   uint64 // of the queue: what is lower goes first
	group   string // message group, "" for none
	seat    *seat  // where it is in flight
	stored  bool   // the store has it
	hollow  bool   // body and properties are only there
	after   uint64 // the sequence of the stored message that came into the queue before it
	suspect bool   // another holder of the store may have delivered it

	gone atomic.Bool // of one that is not stored: it is consumed, or dropped

	redeliveries int
	state        flight
	returned     bool // the program gave it back, which is counted, and is not known to have got it again
	previous     *node
	next         *node
}

// flight is what a consumer has said of a message in flight.
type flight uint8

const (
	outstanding flight = iota // nothing yet; counts against the prefetch
	delivered                 // it reached the program
	consumed                  // acknowledged in a transaction that is open
)

// placed tells whether the node has had a place in the window. One that somebody took ahead of its turn has none yet.
func (n *node) placed() bool { return n.order != 0 }

// redelivered is the count to send with the message: how often it was delivered before, for all that is known.
func (n *node) redelivered() int {
	if n.suspect {
		return max(1, n.redeliveries)
	}
	return n.redeliveries
}

// list is what a consumer has in flight, in the order of dispatch.
type list struct {
	first, last *node
	length      int
}

func (l *list) pushBack(n *node) {
	n.previous, n.next = l.last, nil
	if l.last == nil {
		l.first = n
	} else {
		l.last.next = n
	}
	l.last = n
	l.length++
}

func (l *list) remove(n *node) {
	if n.previous == nil {
		l.first = n.next
	} else {
		n.previous.next = n.next
	}
	if n.next == nil {
		l.last = n.previous
	} else {
		n.next.previous = n.previous
	}
	n.previous, n.next = nil, nil
	l.length--
}

// storedOf returns those of some nodes that are stored.
func storedOf(nodes []*node) []*node {
	var stored []*node
	for _, n := range nodes {
		if n.stored {
			stored = append(stored, n)
		}
	}
	return stored
}

// sequencesOf are the broker sequences of some nodes.
func sequencesOf(nodes []*node) []uint64 {
	sequences := make([]uint64, len(nodes))
	for i, n := range nodes {
		sequences[i] = n.message.BrokerSequence()
	}
	return sequences
}
