// Package store is the durable state of a broker: which persistent messages each queue holds, how far queues may have
// dispatched, and what each producer sent last. It keeps it as records on a log.Log, of whatever form, and in memory as a
// small index; bodies are read from the log when they are asked for.
//
// It is not a broker: it knows no consumers, decides nothing about a message and reads no clock. It starts no goroutine.
//
// # One function changes the state
//
// Every change is a record, and the state changes only when the log applies it: on a standby as it reads, on the holder when
// the record is durable. Both go through the same function with the same bytes, so they come to the same state, and
// who loses the right to append has nothing to undo. What the holder needs to know of records on their way (that a
// message is leaving, that a producer has sent more) is noted beside the state and means nothing once they are applied.
//
// # Topics
//
// A topic's message is stored once. A durable subscription is the spans of sequences that it is through with, and so costs the same
// whatever its backlog is; there is nothing for each message and each subscription. The holder counts how many subscriptions need
// a message, and removes it when none does. What a subscription is through with only grows, so the holder notes that
// already when it appends the record, and applying it again changes nothing.
//
// # Concurrency
//
// All methods of a Store may be called by several goroutines; one mutex orders them, and it is not held while anything
// is read from the log. The order of broker sequences is the order of records. The functions given as done are called in
// the order of the log by its own goroutine, without the mutex; they may call the Store. If the log fails they are
// never called: whoever waits for one also watches Done.
package store
