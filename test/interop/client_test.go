package interop

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/destination"
)

// understandOurClient has JMS programs answer messages of our own client, with all that they see of them: the answer is the
// question, and refers to it by its id.
func understandOurClient(t *testing.T, g generation, program string) {
	address := freeAddress(t)
	start(t, program, t.TempDir(), "--auth", "off", "--openwire", "tcp://"+address)
	questions := questions()
	for _, options := range []string{"", "?jms.useCompression=true", "?wireFormat.version=9"} {
		echo := g.start(t, "Echo", "tcp://"+address+options, "5")
		for i, answer := range ask(t, address, questions) {
			want := *questions[i]
			if diff := cmp.Diff(want.ID, answer.CorrelationID); diff != "" {
				t.Errorf("%q: the id of question %d: %s", options, i, diff)
			}
			want.Destination, want.CorrelationID, want.ID, want.ReplyTo = answer.Destination, answer.CorrelationID, answer.ID, answer.ReplyTo
			if diff := cmp.Diff(&want, answer, cmpopts.IgnoreUnexported(client.Message{}), cmpopts.EquateEmpty(),
				cmpopts.IgnoreFields(client.Message{}, "Timestamp"), cmpopts.EquateApproxTime(time.Second)); diff != "" {
				t.Errorf("%q: question %d and its answer differ: %s", options, i, diff)
			}
		}
		echo.rest(t)
	}
}

func questions() []*client.Message {
	rich := client.NewText("caf\u00e9 \u6d88\u606f \U0001F4E8 \x00")
	rich.Properties = map[string]any{
		"b": true, "byte": int8(-1), "short": int16(2), "int": int32(-3), "long": int64(1 << 40), "float": float32(1.5),
		"double": 2.25, "text": "\u00fc", "long_text": strings.Repeat("x", 70_000),
	}
	rich.Type, rich.Priority, rich.Expires = "kind", 9, time.Now().Add(time.Hour)
	quick := client.NewBytes([]byte{0, 1, 0xFF})
	quick.NonPersistent = true
	return []*client.Message{
		rich, quick, client.NewText(""), client.NewBytes(nil), client.NewBytes([]byte(strings.Repeat("0123456789", 100_000))),
	}
}

// ask sends the questions, and receives as many answers.
func ask(t *testing.T, address string, questions []*client.Message) []*client.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := client.Connect(ctx, client.Options{URL: "failover:(tcp://" + address + ")"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	s, err := c.Session(ctx, client.AutoAck)
	if err != nil {
		t.Fatal(err)
	}
	queue := func(name string) destination.Destination {
		return destination.Destination{Kind: destination.Queue, Name: name}
	}
	producer, err := s.Producer(ctx, queue("Echo"))
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := s.Consumer(ctx, queue("Answers"), client.ConsumerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var answers []*client.Message
	for _, m := range questions {
		m.ReplyTo = queue("Answers")
		if err := producer.Send(ctx, m); err != nil {
			t.Fatal(err)
		}
		answer, err := consumer.Receive(ctx)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	return answers
}
