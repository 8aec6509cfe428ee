package core

// stores tells whether a message is to be stored with the transaction. What is said of a topic's first message holds for all of them,
// until the commit: else two of them could change places.
func (t *work) stores(s send) bool {
	if s.topic == nil {
		return stored(s.message)
	}
	if !s.message.Persistent() {
		return false
	}
	kept, said := t.topics[s.topic]
	if !said {
		if t.topics == nil {
			t.topics = map[*topic]bool{}
		}
		kept = s.topic.keeps(s.message)
		t.topics[s.topic] = kept
	}
	return kept
}

// put stores a message with the transaction.
func (t *work) put(s *send) error {
	s.place, s.left = t.stored, s.queue != nil && !t.keeps(s.message)
	put := t.storeTx().Add
	if s.left {
		put = t.store.Leave
	}
	return put(s.message)
}

// keepLate stores what goes to topics that have durable subscriptions now, and had none when it was sent, or were others.
func (t *work) keepLate() error {
	for i := range t.sends {
		s := &t.sends[i]
		if s.topic == nil {
			continue
		}
		if s.topic = s.topic.present(); s.place >= 0 || !s.topic.keeps(s.message) {
			continue
		}
		if err := t.put(s); err != nil {
			return err
		}
		t.stored++
	}
	return nil
}
