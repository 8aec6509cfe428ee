package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/policy"
)

func browserOf(d destination.Destination, prefetch int) core.ConsumerSpec {
	return core.ConsumerSpec{Destination: d, Prefetch: prefetch, Browser: true}
}

func TestABrowserSeesWhatThereIsAndTakesNothing(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.subscribe(browserOf(orders, 10)).expect("-")
	c.send(orders, "stored")
	c.send(orders, "fleeting", fleeting)
	c.send(orders, "stored too")
	browser := c.subscribe(browserOf(orders, 10))
	s := browser.expect("stored", "fleeting", "stored too", "-")
	c.send(orders, "later")
	browser.ack(core.Ack{Kind: core.Standard, First: s[0], Last: s[2], Count: 3}, nil)
	browser.ack(core.Ack{Kind: core.Poison, First: s[0], Last: s[2], Count: 3}, nil)
	browser.Close(core.AllUnknown)
	browser.expect()
	c.consume(orders, 10).expect("stored", "fleeting", "stored too", "later")
}

// A program that does not wait until what it sends is durable sees it all the same.
func TestABrowserSeesWhatIsNotDurableYet(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for _, text := range []string{"1", "2", "3"} {
		b.must(c.Send(c.make(orders, text), nil))
	}
	c.subscribe(browserOf(orders, 10)).expect("1", "2", "3", "-")
}

func TestABrowserSeesWhatOthersHaveInFlight(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for _, text := range []string{"1", "2", "3", "4"} {
		c.send(orders, text)
	}
	c.send(orders, "5", fleeting)
	consumer := c.consume(orders, 3)
	s := consumer.expect("1", "2", "3")
	consumer.consumed(s[0], nil)
	tx := c.begin()
	consumer.consumed(s[1], tx)
	c.subscribe(browserOf(orders, 10)).expect("2", "3", "4", "5", "-")
	tx.commit()
	c.subscribe(browserOf(orders, 10)).expect("3", "4", "5", "-")
	consumer.Close(core.AllUnknown)
	c.subscribe(browserOf(orders, 10)).expect("3+1", "4+1", "5+1", "-")
}

func TestABrowsersPrefetch(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for i := range 5 {
		c.send(orders, fmt.Sprint(i))
	}
	browser := c.subscribe(browserOf(orders, 2))
	s := browser.expect("0", "1")
	browser.ack(core.Ack{Kind: core.Delivered, First: s[0], Last: s[0], Count: 1}, nil)
	browser.expect("2")
	browser.ack(core.Ack{Kind: core.Standard, First: s[0], Last: s[1], Count: 2}, nil)
	browser.expect("3")
	browser.SetPrefetch(10)
	browser.expect("4", "-")
	puller := c.subscribe(browserOf(orders, 0))
	puller.expect()
	for i := range 5 {
		puller.Pull(false)
		puller.expect(fmt.Sprint(i))
	}
	puller.Pull(false)
	puller.expect("-")
	puller.Pull(true)
	puller.expect("-")
}

func TestWhatABrowserDoesNotSee(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.send(orders, "expires", message.SetExpiration(b.now.Add(time.Second).UnixMilli()))
	c.send(orders, "expires too", fleeting, message.SetExpiration(b.now.Add(time.Second).UnixMilli()))
	c.send(orders, "urgent", message.SetPriority(9))
	c.send(orders, "gone", fleeting)
	browser := c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 2, Browser: true, Selector: "JMSPriority < 9"})
	s := browser.expect("expires", "expires too")
	consumer := c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 10, Selector: "JMSExpiration = 0 AND JMSPriority < 9"})
	consumer.consumed(consumer.expect("gone")[0], nil)
	browser.ack(core.Ack{Kind: core.Standard, First: s[0], Last: s[1], Count: 2}, nil)
	browser.expect("-")
	b.now = b.now.Add(time.Minute)
	c.subscribe(browserOf(orders, 10)).expect("urgent", "-")
}

func TestABrowserOfADeepQueue(t *testing.T) {
	const messages = 1000
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	body := strings.Repeat("x", 5000)
	for i := range messages {
		b.must(c.Send(c.make(orders, fmt.Sprint(i, body)), nil))
	}
	b = b.handOver()
	defer func() { b.must(b.store.Close()) }()
	c = b.connect("ID:c")
	c.consume(orders, 10)
	browser := c.subscribe(browserOf(orders, 2000))
	next := 0
	for got := browser.take(); len(got) > 0; got = browser.take() {
		for _, d := range got {
			switch {
			case d.Message == nil && next == messages:
				return
			case d.Message == nil || !strings.HasPrefix(string(d.Message.Content()), fmt.Sprint(next, "x")):
				t.Fatalf("%v comes where %d was to", d, next)
			}
			next++
		}
	}
	t.Errorf("it stops after %d", next)
}

func TestABrowserOfSeveralQueues(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.send(queueNamed("q.a"), "a")
	c.send(queueNamed("q.b"), "b")
	c.send(orders, "order")
	if got := len(c.subscribe(browserOf(queueNamed("q.*,ORDERS"), 10)).take()); got != 4 {
		t.Errorf("%d messages with the end", got)
	}
}

func TestHowManyABrowserMaySee(t *testing.T) {
	b := newBroker(t, 0)
	policies, few := policy.NewMap(), policy.Default()
	few.MaxBrowsePageSize, few.QueueBrowserPrefetch = 3, 2
	policies.Add(orders, &few)
	b.SetPolicies(policies)
	c := b.connect("ID:c")
	for i := range 5 {
		c.send(orders, fmt.Sprint(i))
	}
	c.subscribe(browserOf(orders, 10)).expect("0", "1", "2", "-")
	c.subscribe(browserOf(orders, policy.ClientBrowserPrefetch)).expect("0", "1")
}
