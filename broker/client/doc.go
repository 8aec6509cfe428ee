// Package client is a client of brokers that speak OpenWire: Twinmesh's own, and ActiveMQ.
//
// It has two layers. A Link is one conversation over one socket: what is asked is answered or fails with the link. A Connection
// is what a program has: sessions, producers and consumers that outlive their link, as with ActiveMQ's failover transport.
//
//	c, err := client.Connect(ctx, client.Options{URL: "failover:(tcp://a:61616,tcp://b:61616)", User: "admin", Password: password})
//	s, err := c.Session(ctx, client.AutoAck)
//	p, err := s.Producer(ctx, destination.Destination{Kind: destination.Queue, Name: "orders"})
//	err = p.Send(ctx, client.NewText("hello"))
//
// # What outlives a broker
//
// When a link is lost, the connection finds the next broker, says again who it is and what it has, and goes on:
//
//   - A send or another request that had no answer is sent again, in the order of before and under the same number, by
//     which the broker knows a persistent message that it has already. Send returns nil once for one message in the queue.
//   - What needs no answer (messages that are not persistent, acknowledgements) is lost if it was on its way.
//   - Messages that were not acknowledged come again, marked as redelivered. An acknowledgement of such a message from before
//     the loss is ErrStale.
//   - A transaction that only sent goes on: its messages are sent again in it. One that received is rolled back, since the
//     messages will come again; Commit says so by a TransactionRolledBackException, and all of it is to be done again.
//   - A commit without an answer is repeated if all that was sent is persistent and goes to queues, and nothing was received:
//     the broker does not do it twice. Otherwise nobody knows whether it happened, and Commit returns ErrInDoubt.
//
// # Goroutines
//
// A Connection has one that looks after its link, and a Link two, one to read and one to write. They end with Close. A
// Session, with its producers and consumers, is for one goroutine at a time (JMS 1.1 §4.4.6); a Connection and a Link are for
// any number.
package client
