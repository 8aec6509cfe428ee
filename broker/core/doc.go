// Package core is what a broker is, apart from any protocol, disk or network: queues and topics, consumers with
// their prefetch and acknowledgements, local and distributed transactions, redelivery, dead letters, temporary destinations.
//
// It starts no goroutine and reads no clock. Whoever calls does the work to its end: a send, or the store's word that a
// message is durable, runs through to handing the message to consumers' Receivers, under the lock of its one destination.
// So it can be stepped by a test in any order.
//
// # Locks
//
// A Connection has a lock, a queue or topic has one, and a consumer of queues has one. They are taken in this order and never in
// another, and no two destinations' at a time. A consumer's own is for what it has in flight and how much more it may have, since
// both can be of several queues: whoever ends messages takes them out of flight under it, lets go, and then goes to each queue. So
// what is on its way between flight and window is in the hands of one goroutine. The store is called under any of them; the
// functions handed to it run under none. A Receiver is called under a destination's lock, or a consumer's, so it must neither
// block nor call back.
//
// # What is certain
//
// A persistent message for a queue exists from the moment that the store says so, and only then is its sender told and is it
// dispatched. It is gone when the removal is durable; until then a crash brings it back. Persistent messages are dispatched
// only below the queue's horizon, which the store keeps thousands of messages ahead: after a takeover everything below it may
// have been delivered before and says so (JMS 1.1 §4.4.11), everything above it has not.
package core
