package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// ask asks for statistics and returns the answers: those of the keys that there are.
func (c *client) ask(name string, sets ...message.Set) (answers []map[string]any) {
	c.broker.t.Helper()
	to := destination.Destination{Kind: destination.TempQueue, Name: c.id + ":answers"}
	c.broker.must(c.AddTemporary(to))
	consumer := c.consume(to, 100)
	c.send(queueNamed(name), "", append(sets, message.SetReplyTo(to), message.SetCorrelationID("42"), fleeting)...)
	for _, d := range consumer.take() {
		m := d.Message
		if m.Kind() != message.Map || m.CorrelationID() != "42" || m.Type() != "Advisory" || m.Priority() != 4 || m.Timestamp() == 0 || m.Persistent() {
			c.broker.t.Errorf("not an answer: %v", m)
		}
		answer := map[string]any{}
		r := wire.NewMapReader(m.Content())
		for r.Next() {
			v := r.Value()
			if n, exact := v.Int(); exact {
				answer[r.Key()] = n
			} else if f, ok := v.Float(); ok {
				answer[r.Key()] = f
			} else {
				answer[r.Key()] = v.Text()
			}
		}
		c.broker.must(r.Err())
		answers = append(answers, answer)
	}
	consumer.Close(core.NoneDelivered)
	c.broker.must(c.RemoveTemporary(to))
	return answers
}

// some are the given keys of an answer.
func some(answer map[string]any, keys string) string {
	var got []string
	for key := range strings.FieldsSeq(keys) {
		got = append(got, fmt.Sprintf("%s=%v", key, answer[key]))
	}
	return strings.Join(got, " ")
}

const counts = "size enqueueCount dequeueCount dispatchCount inflightCount expiredCount consumerCount producerCount"

func TestStatisticsOfAQueue(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	if _, err := c.AddProducer(core.ProducerSpec{Destination: orders}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two", "three"} {
		c.send(orders, text)
	}
	c.send(orders, "fleeting", fleeting)
	c.send(orders, "expires", message.SetExpiration(b.now.Add(time.Second).UnixMilli()))
	b.now = b.now.Add(2 * time.Second)
	b.sweep()
	consumer := c.consume(orders, 2)
	consumer.consumed(consumer.expect("one", "two")[0], nil)
	for i, want := range []string{
		"size=3 enqueueCount=5 dequeueCount=2 dispatchCount=3 inflightCount=2 expiredCount=1 consumerCount=1 producerCount=1",
		"size=3 enqueueCount=5 dequeueCount=2 dispatchCount=3 inflightCount=0 expiredCount=1 consumerCount=0 producerCount=1",
	} {
		answers := c.ask("ActiveMQ.Statistics.Destination." + orders.Name)
		if len(answers) != 1 {
			t.Fatalf("got %d answers", len(answers))
		}
		if diff := cmp.Diff(want, some(answers[0], counts)); diff != "" {
			t.Errorf("%d (-want +got):\n%s", i, diff)
		}
		if got := some(answers[0], "destinationName brokerId averageEnqueueTime maxEnqueueTime minEnqueueTime"); got !=
			"destinationName=queue://ORDERS brokerId=ID:broker-1 averageEnqueueTime=2000 maxEnqueueTime=2000 minEnqueueTime=2000" {
			t.Errorf("got %s", got)
		}
		if size := answers[0]["averageMessageSize"].(int64); size < 10 || size > 1000 || answers[0]["memoryUsage"].(int64) < 10 {
			t.Errorf("got %v", answers[0])
		}
		if i == 0 {
			consumer.Close(core.NoneDelivered)
		}
	}
}

func TestStatisticsOfATopic(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	consumer := c.consume(prices, 1)
	c.send(prices, "one")
	c.send(prices, "two")
	consumer.consumed(consumer.expect("one")[0], nil)
	want := "size=0 enqueueCount=2 dequeueCount=1 dispatchCount=2 inflightCount=0 expiredCount=0 consumerCount=1 producerCount=0"
	if got := some(c.ask("ActiveMQ.Statistics.Destination.topic://PRICES")[0], counts); got != want {
		t.Errorf("got %s", got)
	}
}

// Questions in ActiveMQ's ways: by pattern, with an end, without a dot.
func TestQuestionsForStatistics(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for _, name := range []string{"A.one", "A.two", "B"} {
		c.send(queueNamed(name), "x")
	}
	yes := func(name string) message.Set {
		return message.SetProperties(wire.AppendMap(nil, []wire.Entry{{Key: name, Value: wire.BoolValue(true)}}))
	}
	const end = "ActiveMQ.Statistics.Destination.List.End.With.Null"
	for name, test := range map[string]struct {
		name string
		sets []message.Set
		want string
	}{
		"pattern":             {"ActiveMQ.Statistics.Destination.A.>", nil, "queue://A.one queue://A.two"},
		"composite":           {"ActiveMQ.Statistics.Destination.A.one,B", nil, "queue://A.one queue://B"},
		"no dot":              {"ActiveMQ.Statistics.DestinationB", nil, "queue://B"},
		"nothing there":       {"ActiveMQ.Statistics.Destination.C", nil, ""},
		"an end":              {"ActiveMQ.Statistics.Destination.B", []message.Set{yes(end)}, "queue://B <nil>"},
		"an end, by the name": {"ActiveMQ.Statistics.Destination." + end + "B", nil, "queue://B <nil>"},
	} {
		var got []string
		for _, answer := range c.ask(test.name, test.sets...) {
			got = append(got, fmt.Sprint(answer["destinationName"]))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	first := c.ask("ActiveMQ.Statistics.Destination.B", yes("ActiveMQ.Statistics.Destination.Include.First.Message.Timestamp"))[0]
	if first["firstMessageTimestamp"] != b.now.UnixMilli() {
		t.Errorf("got %v", first["firstMessageTimestamp"])
	}
	c.send(queueNamed("ActiveMQ.Statistics.Broker"), "not a question")
	c.consume(queueNamed("ActiveMQ.Statistics.Broker"), 1).expect("not a question")
}

func TestStatisticsOfTheBroker(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.send(orders, "one")
	c.send(bills, "two")
	c.remove(bills)
	answer := c.ask("ActiveMQ.Statistics.Broker")[0]
	if got := some(answer, "size enqueueCount"); got != "size=1 enqueueCount=2" || answer["storeUsage"].(int64) == 0 {
		t.Errorf("got %v", answer)
	}
	answer = c.ask("ActiveMQ.Statistics.Broker", message.SetProperties(wire.AppendMap(nil, []wire.Entry{
		{Key: "ActiveMQ.Statistics.Broker.Reset", Value: wire.BoolValue(true)}})))[0]
	if got := some(answer, "size enqueueCount"); got != "size=1 enqueueCount=0" {
		t.Errorf("after a reset: %s", got)
	}
}

func TestStatisticsOfSubscriptions(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	c.send(orders, "one")
	consumer := b.connect("ID:d").subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 7, Selector: "1 = 1", Session: 3})
	consumer.consumed(consumer.expect("one")[0], nil)
	c.send(orders, "two")
	var got []string
	for _, answer := range c.ask("ActiveMQ.Statistics.Subscription") {
		if answer["connectionId"] == "ID:d" {
			got = append(got, some(answer, "destinationName sessionId selector prefetchSize dequeueCounter dispatchedCounter dispatchedQueueSize"))
		}
	}
	if diff := cmp.Diff([]string{"destinationName=ORDERS sessionId=3 selector=1 = 1 prefetchSize=7 dequeueCounter=1 dispatchedCounter=2 dispatchedQueueSize=1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
