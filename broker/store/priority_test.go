package store

import (
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// Messages of one priority are found, those that lie in parts too, by whoever has the store next as well.
func TestMessagesOfOnePriority(t *testing.T) {
	shared := mem.New(1 << 20)
	first := shared.Open()
	s := lead(t, first)
	s.whole = 300
	for i, priority := range []byte{4, 9, 4, 0, 9} {
		add(t, s, newMessage(orders, "p", int64(i+1), string(rune('a'+i))).With(message.SetPriority(priority)))
	}
	add(t, s, newMessage(orders, "p", 6, "f"+strings.Repeat("x", 1000)).With(message.SetPriority(9)))
	flush(t, s)
	check := func(s *Store) {
		t.Helper()
		for priority, want := range map[byte]string{9: "bef", 4: "ac", 0: "d", 5: ""} {
			var got string
			for after, page := uint64(0), 2; ; {
				found, err := s.PagePriority(orders, priority, after, page, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				if len(found) == 0 {
					break
				}
				for _, m := range found {
					got += string(m.Content()[:1])
					after = m.BrokerSequence()
				}
			}
			if got != want {
				t.Errorf("of priority %d: %q, want %q", priority, got, want)
			}
		}
	}
	check(s)
	_ = s.Close()
	next := lead(t, shared.Open())
	check(next)
	_ = next.Close()
}

// An envelope from before there were priorities is of an ordinary one.
func TestAnEnvelopeWithoutPriority(t *testing.T) {
	written := record{kind: kindLargeMessage, sequence: 7, destination: message.RawDestination(orders), size: 9, priority: 255, parts: []log.Position{{Entry: 1}}}
	var r record
	if err := r.decode(written.append(nil)); err != nil || r.priority != 4 || r.size != 9 {
		t.Errorf("%+v, %v", r, err)
	}
	d := wire.NewReader([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}) // a size that no message has
	if r.decodeSize(&d); d.Err() == nil {
		t.Error("it takes a size with its highest bit set")
	}
}
