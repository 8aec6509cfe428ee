package core_test

import (
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	codec "github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/policy"
)

func TestTimeStamping(t *testing.T) {
	const hour = int64(time.Hour / time.Millisecond)
	for name, c := range map[string]struct {
		stamping          policy.TimeStamping
		sent, expires     int64 // before now, and after; 0 is without
		stamped, lifetime int64 // afterwards
	}{
		"a clock that is late":           {policy.TimeStamping{}, 2 * hour, 500 - 2*hour, 0, 500},
		"a clock that is early":          {policy.TimeStamping{}, -hour, hour + 500, 0, 500},
		"without expiration":             {policy.TimeStamping{}, hour, 0, 0, 0},
		"an expiration given to it":      {policy.TimeStamping{ZeroExpirationOverride: 700}, hour, 0, 0, 700},
		"a ceiling":                      {policy.TimeStamping{TTLCeiling: 300}, hour, 500 - hour, 0, 300},
		"under the ceiling":              {policy.TimeStamping{TTLCeiling: 800}, hour, 500 - hour, 0, 500},
		"a ceiling alone sets no time":   {policy.TimeStamping{TTLCeiling: 300}, hour, 0, 0, 0},
		"a future that is not shortened": {policy.TimeStamping{FutureOnly: true}, -hour, hour + 500, -hour, hour + 500},
		"a future that is longer":        {policy.TimeStamping{FutureOnly: true}, hour, 500 - hour, 0, 500},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			policies := policy.NewMap()
			policies.TimeStamping = &c.stamping
			b.SetPolicies(policies)
			now := b.now.UnixMilli()
			sets := []message.Set{message.SetTimestamp(now - c.sent)}
			if c.expires != 0 {
				sets = append(sets, message.SetExpiration(now+c.expires))
			}
			client := b.connect("ID:c")
			client.send(orders, "one", sets...)
			tx := client.begin()
			tx.send(orders, "two", sets...)
			tx.commit()
			want := int64(0)
			if c.lifetime != 0 {
				want = now + c.lifetime
			}
			got := client.consume(orders, 10).take()
			if len(got) != 2 {
				t.Fatalf("got %d messages", len(got))
			}
			for _, d := range got {
				if m := d.Message; m.Timestamp() != now-c.stamped || m.Expiration() != want {
					t.Errorf("of %d it expires at %d, want %d and %d", m.Timestamp()-now, m.Expiration()-now, -c.stamped, want-now)
				}
			}
		})
	}
}

// Whoever asks for no timestamp gets none, and a dead letter that is sent back to its queue lives as long as it did.
func TestWhatIsNotStamped(t *testing.T) {
	b := newBroker(t, 0)
	policies := policy.NewMap()
	policies.TimeStamping = &policy.TimeStamping{ZeroExpirationOverride: 700}
	b.SetPolicies(policies)
	c := b.connect("ID:c")
	c.send(orders, "without a time", message.SetTimestamp(0))
	c.send(core.DeadLetters, "a letter", message.SetTimestamp(5), message.SetOriginalDestination(orders))
	for _, d := range append(c.consume(orders, 1).take(), c.consume(core.DeadLetters, 1).take()...) {
		if m := d.Message; m.Timestamp() > 5 || m.Expiration() != 0 {
			t.Errorf("%s has the time %d, and expires at %d", m.Content(), m.Timestamp(), m.Expiration())
		}
	}
}

func TestMessagesOfOtherBrokersAreStampedOnlyIfAskedFor(t *testing.T) {
	for _, asked := range []bool{false, true} {
		b := newBroker(t, 0)
		policies := policy.NewMap()
		policies.TimeStamping = &policy.TimeStamping{ProcessNetworkMessages: asked}
		b.SetPolicies(policies)
		c := b.connect("ID:c")
		m := &codec.BytesMessage{}
		m.Destination = &codec.Queue{PhysicalName: codec.S(orders.Name)}
		m.MessageID = &codec.MessageID{ProducerID: &codec.ProducerID{ConnectionID: codec.S("ID:far")}}
		m.Timestamp, m.BrokerPath = 5, []*codec.BrokerID{{Value: codec.S("ID:other")}}
		bytes, err := codec.AppendLoose(nil, m, codec.NewestVersion)
		b.must(err)
		far, err := message.Parse(bytes)
		b.must(err)
		b.must(c.Send(far, nil))
		if got := c.consume(orders, 1).take()[0].Message.Timestamp(); (got != 5) != asked {
			t.Errorf("asked for: %t, and its time is %d", asked, got)
		}
	}
}
