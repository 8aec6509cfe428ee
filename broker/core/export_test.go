package core

import "github.com/twinmesh/twinmesh/broker/destination"

// InMemory is the bytes of stored messages in the windows of queues, and in flight.
func (b *Broker) InMemory() (windows, flight int64) { return b.cached.Load(), b.flying.used.Load() }

// DeadLetters is where dead letters go by default.
var DeadLetters = destination.Destination{Kind: destination.Queue, Name: "ActiveMQ.DLQ"}

// SetMaxUncommitted is Options.MaxUncommittedCount.
func (b *Broker) SetMaxUncommitted(most int) { b.maxUncommitted = most }

// Topics is how many topics there are.
func (b *Broker) Topics() int { return len(b.allTopics()) }
