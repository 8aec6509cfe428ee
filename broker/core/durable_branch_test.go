package core_test

import (
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
)

// TestAPreparedBranchOfADurableSubscription ends it with the subscriber online and offline, at the broker that prepared it and at the next.
func TestAPreparedBranchOfADurableSubscription(t *testing.T) {
	for name, next := range map[string]func(*broker) *broker{
		"here": func(b *broker) *broker { return b }, "at the next broker": func(b *broker) *broker { return b.crash(0) },
	} {
		for _, online := range []bool{true, false} {
			for ending, o := range outcomes {
				t.Run(name+", "+ending, func(t *testing.T) { endWithASubscription(t, next, online, o) })
			}
		}
	}
}

func endWithASubscription(t *testing.T, next func(*broker) *broker, online bool, o outcome) {
	b := newBroker(t, 0)
	c := b.connectAs("ID:1", "client")
	c.durably(prices, "other").Close(core.NoneDelivered)
	s := c.durably(prices, "s")
	for _, text := range []string{"1", "2", "3"} {
		c.send(prices, text)
	}
	sequences := s.expect("1", "2", "3")
	tx := c.join(branch)
	s.ack(core.Ack{Kind: core.Individual, Last: sequences[1], Count: 1}, tx)
	tx.send(prices, "4")
	c.prepare(branch)
	c.Close(core.NoneDelivered)
	b = next(b)
	var again *client
	if online {
		again = b.connectAs("ID:2", "client")
		s = again.durably(prices, "s")
		s.take()
	}
	ender := b.connect("ID:e")
	b.must(o.end(b, ender, nil))
	b.settle()
	want, others, comes := "1 3 4", "1 2 3 4", "4"
	if o.consumed != "" {
		want, others, comes = "1 2 3", "1 2 3", "2"
	}
	if online {
		if got := s.take(); len(got) != 1 || string(got[0].Message.Content()) != comes {
			t.Errorf("the subscriber gets %v, want %s", got, comes)
		}
		again.leave(core.NoneDelivered)
	}
	if got := b.backlog("s"); got != want {
		t.Errorf("online %t: the subscription has %q, want %q", online, got, want)
	}
	if got := b.backlog("other"); got != others {
		t.Errorf("online %t: the other one has %q, want %q", online, got, others)
	}
}

// TestWhatIsRolledBackIsNotAcknowledgedWithItsNeighbours has a consumer get what came before and after a prepared acknowledgement, and
// acknowledge that when the branch is rolled back.
func TestWhatIsRolledBackIsNotAcknowledgedWithItsNeighbours(t *testing.T) {
	for name, next := range map[string]func(*broker) *broker{
		"here": func(b *broker) *broker { return b }, "at the next broker": func(b *broker) *broker { return b.crash(0) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c := b.connectAs("ID:1", "client")
			s := c.durably(prices, "s")
			for _, text := range []string{"1", "2", "3"} {
				c.send(prices, text)
			}
			sequences := s.expect("1", "2", "3")
			s.ack(core.Ack{Kind: core.Individual, Last: sequences[1], Count: 1}, c.join(branch))
			c.prepare(branch)
			c.Close(core.NoneDelivered)
			b = next(b)
			again := b.connectAs("ID:2", "client")
			s = again.durably(prices, "s")
			got := s.take()
			c = b.connect("ID:m")
			c.send(prices, "4")
			got = append(got, s.take()...)
			b.must(c.RollbackBranch(branch, nil))
			b.settle()
			for _, d := range got {
				if text := string(d.Message.Content()); text != "1" {
					s.ack(core.Ack{Kind: core.Individual, Last: d.Message.BrokerSequence(), Count: 1}, nil)
				}
			}
			again.leave(core.NoneDelivered)
			if got := b.backlog("s"); got != "1 2" {
				t.Errorf("the subscription has %q, want what was rolled back and what was not acknowledged", got)
			}
		})
	}
}
