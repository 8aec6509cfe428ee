package core

// InMemory is the bytes of stored messages in the windows of queues, and in flight.
func (b *Broker) InMemory() (windows, flight int64) { return b.cached.Load(), b.flying.used.Load() }
