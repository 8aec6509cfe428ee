package core

// Spool keeps what waits for slow topic consumers out of memory. It may forget all of it when the broker ends. Any goroutine may
// call it, under any lock.
type Spool interface {
	// Put keeps bytes, or returns an error if it has no room. Of bytes that it was given just before, which is a message for
	// another consumer, it keeps one copy.
	Put(b []byte) (Spooled, error)
	// Get returns what was put.
	Get(Spooled) ([]byte, error)
	// Drop forgets what was put. It is called once for each Put.
	Drop(Spooled)
}

// Spooled says where a spool has something.
type Spooled struct {
	Segment        uint64
	Offset, Length int64
}

// noSpool is a spool without room.
type noSpool struct{}

func (noSpool) Put([]byte) (Spooled, error) {
	return Spooled{}, errorf(ResourceAllocation, "this broker has no spool")
}
func (noSpool) Get(Spooled) ([]byte, error) { return nil, nil }
func (noSpool) Drop(Spooled)                {}
