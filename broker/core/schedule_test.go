package core_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

var management = destination.Destination{Kind: destination.Topic, Name: "ActiveMQ.Scheduler.Management"}

// later makes properties of keys and values.
func later(t fatal, pairs ...any) message.Set {
	t.Helper()
	var entries []wire.Entry
	for i := 0; i < len(pairs); i += 2 {
		var v wire.Value
		switch p := pairs[i+1].(type) {
		case int:
			v = wire.LongValue(int64(p))
		case string:
			v = wire.TextValue(p)
		default:
			t.Fatalf("%T", p)
		}
		entries = append(entries, wire.Entry{Key: pairs[i].(string), Value: v})
	}
	return message.SetProperties(wire.AppendMap(nil, entries))
}

// pass lets time go by, and scheduled messages be delivered.
func (b *broker) pass(d time.Duration) {
	b.t.Helper()
	for end := b.now.Add(d); ; {
		next, err := b.RunScheduled(context.Background())
		b.must(err)
		b.settle()
		select {
		case <-b.Scheduled():
			continue
		default:
		}
		if next.IsZero() || next.After(end) {
			b.now = end
			return
		}
		b.now = next
	}
}

func textOf(d core.Delivery, name string) string {
	return property(d.Message, name).Text()
}

// TestScheduled tells for plans which messages come, after how many seconds; the clock stands at 22:13:20.
func TestScheduled(t *testing.T) {
	for _, test := range []struct {
		plan []any
		want string
	}{
		{[]any{"AMQ_SCHEDULED_DELAY", 5000}, "5"},
		{[]any{"AMQ_SCHEDULED_DELAY", "5000"}, "5"},
		{[]any{"AMQ_SCHEDULED_PERIOD", 3000}, "3"},
		{[]any{"AMQ_SCHEDULED_DELAY", 5000, "AMQ_SCHEDULED_PERIOD", 2000, "AMQ_SCHEDULED_REPEAT", 2}, "5 7 9"},
		{[]any{"AMQ_SCHEDULED_PERIOD", 2000, "AMQ_SCHEDULED_REPEAT", "1"}, "2 4"},
		{[]any{"AMQ_SCHEDULED_PERIOD", 30_000, "AMQ_SCHEDULED_REPEAT", -1}, "30 60 90 120 150 180"},
		{[]any{"AMQ_SCHEDULED_CRON", "* * * * *"}, "40 100 160"},
		{[]any{"AMQ_SCHEDULED_CRON", "15 * * * *", "AMQ_SCHEDULED_DELAY", 1000, "AMQ_SCHEDULED_PERIOD", 10_000, "AMQ_SCHEDULED_REPEAT", 1}, "101 111"},
		{[]any{"AMQ_SCHEDULED_DELAY", -5}, "0"},
		{[]any{"AMQ_SCHEDULED_REPEAT", 3}, "now"},
		{[]any{"AMQ_SCHEDULED_DELAY", 5000, "scheduledJobId", "seen"}, "now"},
	} {
		t.Run(fmt.Sprint(test.plan...), func(t *testing.T) {
			b := newBroker(t, 0)
			c := b.connect("ID:c")
			consumer := c.consume(orders, 1000)
			start := b.now
			c.send(orders, "m", later(t, test.plan...))
			if got := consumer.take(); (len(got) > 0) != (test.want == "now") {
				t.Fatalf("at once came %d", len(got))
			}
			var came []string
			for range 190 {
				b.pass(0)
				for range consumer.take() {
					came = append(came, fmt.Sprint(b.now.Sub(start).Seconds()))
				}
				b.now = b.now.Add(time.Second)
			}
			if got := strings.Join(came, " "); got != test.want && test.want != "now" {
				t.Errorf("after %s s, want %s", got, test.want)
			}
		})
	}
}

// TestScheduledMessage is what is told of a message that was scheduled, and what is not told any more.
func TestScheduledMessage(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(orders, 1000)
	before := b.now.UnixMilli()
	c.send(orders, "once", later(t, "AMQ_SCHEDULED_DELAY", 60_000, "color", "red"), message.SetOriginalDestination(bills),
		message.SetTimestamp(before), message.SetExpiration(before+1000))
	c.send(orders, "twice", later(t, "AMQ_SCHEDULED_PERIOD", 90_000, "AMQ_SCHEDULED_REPEAT", 1))
	b.pass(time.Hour)
	got := consumer.take()
	if len(got) != 3 {
		t.Fatalf("%d came", len(got))
	}
	once, ids := got[0].Message, map[string]bool{}
	if d, _ := once.OriginalDestination(); once.Destination() != orders || d != bills {
		t.Errorf("on %v, before on %v", once.Destination(), d)
	}
	if once.ID() != "ID:c:1:1:1" || once.Timestamp() != before+60_000 || once.Expiration() != before+61_000 || once.Arrival() != 0 {
		t.Errorf("id %s, timestamp %d, expiration %d, arrival %d", once.ID(), once.Timestamp(), once.Expiration(), once.Arrival())
	}
	for _, d := range got {
		ids[d.Message.ID()] = true
		if strings.Contains(string(d.Message.Properties()), "AMQ_SCHEDULED") || textOf(d, "scheduledJobId") == "" {
			t.Errorf("properties %q", d.Message.Properties())
		}
	}
	if len(ids) != 3 || textOf(got[0], "color") != "red" || textOf(got[1], "scheduledJobId") != textOf(got[2], "scheduledJobId") {
		t.Errorf("ids %v, color %q, jobs %q and %q", ids, textOf(got[0], "color"), textOf(got[1], "scheduledJobId"), textOf(got[2], "scheduledJobId"))
	}
}

func TestScheduledRefusals(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for _, test := range []struct {
		plan []any
		says string
	}{
		{[]any{"AMQ_SCHEDULED_CRON", "* * *"}, "3 fields"},
		{[]any{"AMQ_SCHEDULED_CRON", "0 0 30 2 *"}, "never due"},
		{[]any{"AMQ_SCHEDULED_DELAY", math.MaxInt64}, "milliseconds at most"},
		{[]any{"AMQ_SCHEDULED_DELAY", "soon"}, "AMQ_SCHEDULED_DELAY must be a whole number"},
		{[]any{"AMQ_SCHEDULED_PERIOD", 1, "AMQ_SCHEDULED_REPEAT", 1001}, "at most 1000"},
		{[]any{"AMQ_SCHEDULED_DELAY", 1, "AMQ_SCHEDULED_REPEAT", -1}, "AMQ_SCHEDULED_PERIOD must say"},
	} {
		if err := c.Send(c.make(orders, "m", later(t, test.plan...)), nil); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: %v, want %q in it", test.plan, err, test.says)
		}
	}
	tx := c.begin()
	if err := tx.Send(c.make(orders, "m", later(t, "AMQ_SCHEDULED_CRON", "*"))); err == nil {
		t.Error("taken in a transaction")
	}
	c.send(orders, "next")
	if got := b.rest(orders); got != "next" {
		t.Errorf("there is %q", got)
	}
}

// TestScheduledInTransaction: it is scheduled with the commit.
func TestScheduledInTransaction(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	gone, kept := c.begin(), c.begin()
	gone.send(orders, "gone", later(t, "AMQ_SCHEDULED_DELAY", 1000))
	kept.send(orders, "kept", later(t, "AMQ_SCHEDULED_DELAY", 1000))
	gone.Rollback()
	b.pass(time.Minute)
	if got := b.rest(orders); got != "" {
		t.Errorf("before the commit there is %q", got)
	}
	kept.commit()
	b.pass(0)
	if got := b.rest(orders); got != "kept" {
		t.Errorf("after the commit there is %q", got)
	}
}

// TestScheduledOverACrash: a job, its delivery and what is left of it are whole, wherever the broker ends.
func TestScheduledOverACrash(t *testing.T) {
	work := func(b *broker, c *client) func(func()) {
		c.send(orders, "m", later(b.t, "AMQ_SCHEDULED_PERIOD", 1000, "AMQ_SCHEDULED_REPEAT", 1))
		c.send(prices, "not persistent", later(b.t, "AMQ_SCHEDULED_DELAY", 1000), message.SetPersistent(false))
		return func(func()) {
			b.now = b.now.Add(time.Second)
			_, err := b.RunScheduled(context.Background())
			b.must(err)
		}
	}
	for reached, inFlight := 0, 0; reached <= inFlight; reached++ {
		b := newBroker(t, 0)
		run := work(b, b.connect("ID:c"))
		b.log.Hold()
		run(nil)
		inFlight = b.log.InFlight()
		next := b.crash(reached)
		next.now = b.now
		topic := next.connect("ID:topic").consume(prices, 10)
		next.pass(time.Minute)
		if got := next.rest(orders); got != "m m" {
			t.Errorf("with %d of %d records: %q", reached, inFlight, got)
		}
		topic.take()
		next.must(next.store.Close())
	}
}

// TestSchedulerManagement lists jobs and removes them.
func TestSchedulerManagement(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	now := int(b.now.UnixMilli())
	list := func(pairs ...any) map[string]core.Delivery {
		t.Helper()
		consumer := c.consume(bills, 1000)
		defer consumer.Close(core.NoneDelivered)
		c.send(management, "", later(t, append(pairs, "AMQ_SCHEDULER_ACTION", "BROWSE")...), message.SetReplyTo(bills))
		found := map[string]core.Delivery{}
		for _, d := range consumer.take() {
			found[string(d.Message.Content())] = d
			consumer.consumed(d.Message.BrokerSequence(), nil)
		}
		return found
	}
	for i, text := range []string{"one", "two", "three"} {
		c.send(orders, text, later(t, "AMQ_SCHEDULED_DELAY", 1000*(i+1), "AMQ_SCHEDULED_PERIOD", 5000, "AMQ_SCHEDULED_REPEAT", -1))
	}
	all := list()
	if len(all) != 3 || textOf(all["two"], "scheduledJobId") == "" {
		t.Fatalf("listed %v", all)
	}
	if d, _ := all["two"].Message.OriginalDestination(); d != orders {
		t.Errorf("it is for %v", d)
	}
	if some := list("ACTION_START_TIME", now+1001, "ACTION_END_TIME", fmt.Sprint(now+2000)); len(some) != 1 || some["two"].Message == nil {
		t.Errorf("listed %v", some)
	}
	c.send(management, "", later(t, "AMQ_SCHEDULER_ACTION", "REMOVE", "scheduledJobId", textOf(all["two"], "scheduledJobId")))
	b.pass(4 * time.Second)
	if got := b.rest(orders); got != "one three" {
		t.Errorf("delivered %q", got)
	}
	c.send(management, "", later(t, "AMQ_SCHEDULER_ACTION", "REMOVEALL", "ACTION_START_TIME", now+7000, "ACTION_END_TIME", now+9000))
	if left := list(); len(left) != 1 || left["one"].Message == nil {
		t.Errorf("left are %v", left)
	}
	c.send(management, "", later(t, "AMQ_SCHEDULER_ACTION", "REMOVEALL"))
	b.pass(time.Hour)
	if got, left := b.rest(orders), list(); got != "" || len(left) > 0 {
		t.Errorf("delivered %q, left are %v", got, left)
	}
}

// TestScheduledIsFor checks that what cannot be delivered any more does not come again and again.
func TestScheduledForNobody(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	temporary := destination.Destination{Kind: destination.TempQueue, Name: "ID:c:1"}
	b.must(c.AddTemporary(temporary))
	c.send(temporary, "lost", later(t, "AMQ_SCHEDULED_DELAY", 1000))
	c.send(orders, "next", later(t, "AMQ_SCHEDULED_DELAY", 1000))
	b.must(c.RemoveTemporary(temporary))
	b.pass(time.Minute)
	if got := b.rest(orders); got != "next" {
		t.Errorf("delivered %q", got)
	}
	if next, err := b.RunScheduled(context.Background()); err != nil || !next.IsZero() {
		t.Errorf("next at %v: %v", next, err)
	}
}
