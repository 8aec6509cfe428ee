package store

// Full returns nil if there are fewer bytes of messages pending than the limit, else a channel that is closed when that is so again.
// What is on its way does not count yet.
func (s *Store) Full() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hasRoom() {
		return nil
	}
	if s.freed == nil {
		s.freed = make(chan struct{})
	}
	return s.freed
}

// Usage is the bytes of messages that are pending.
func (s *Store) Usage() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.bytes
}

// Limit is the bytes of messages from which on the store is full, 0 if it never is.
func (s *Store) Limit() int64 { return s.options.Limit }

// hasRoom is called with mu held.
func (s *Store) hasRoom() bool { return s.options.Limit == 0 || s.state.bytes < s.options.Limit }

// wake tells who waits for room, if there is some. Called with mu held.
func (s *Store) wake() {
	if s.freed != nil && s.hasRoom() {
		close(s.freed)
		s.freed = nil
	}
}
