package core_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
)

// bulk are messages that are together far more than a broker with little memory holds.
func bulk() (texts []string) {
	for n := range 60 {
		texts = append(texts, fmt.Sprintf("%d %s", n, strings.Repeat("x", 50_000)))
	}
	return texts
}

const little = 1 << 20

func TestATransactionSendsMoreThanTheMemory(t *testing.T) {
	b := newBroker(t, little)
	c := b.connect("ID:c")
	consumer := c.consume(orders, 1000)
	tx := c.begin()
	for n, text := range bulk() {
		tx.send(orders, text)
		if n%10 == 0 {
			tx.send(bills, "between")
		}
	}
	if kept, _ := b.InMemory(); kept > 1<<20 {
		t.Errorf("%d bytes of an open transaction are in memory", kept)
	}
	consumer.expect()
	tx.commit()
	consumeAll(t, consumer, nil, 0)
	if left := b.rest(bills); left != strings.TrimSpace(strings.Repeat("between ", 6)) {
		t.Errorf("between them there was %q", left)
	}
}

// consumeAll acknowledges everything in a transaction.
func consumeAll(t *testing.T, consumer *consumer, tx *transaction, redelivered int) (sequences []uint64) {
	t.Helper()
	texts := bulk()
	for len(sequences) < len(texts) {
		got := consumer.take()
		if len(got) == 0 {
			t.Fatalf("it stands still after %d messages", len(sequences))
		}
		for _, d := range got {
			if want := texts[len(sequences)]; string(d.Message.Content()) != want || d.Redelivered != redelivered {
				t.Fatalf("got %.3s, delivered before %d times, want %.3s, %d", d.Message.Content(), d.Redelivered, want, redelivered)
			}
			consumer.consumed(d.Message.BrokerSequence(), tx)
			sequences = append(sequences, d.Message.BrokerSequence())
		}
	}
	return sequences
}

func TestATransactionConsumesMoreThanTheMemory(t *testing.T) {
	b := newBroker(t, little)
	c := b.connect("ID:c")
	for _, text := range bulk() {
		c.send(orders, text)
	}
	consumer := c.consume(orders, 10)
	tx := c.begin()
	consumeAll(t, consumer, tx, 0)
	consumer.Close(core.AllUnknown)
	tx.Rollback()

	consumer = c.consume(orders, 10)
	tx = c.begin()
	sequences := consumeAll(t, consumer, tx, 1)
	tx.Rollback() // the client gives them to its program again, and refuses one
	consumer.ack(core.Ack{Kind: core.Poison, First: sequences[7], Last: sequences[7], Count: 1}, nil)
	consumer.Close(core.NoneDelivered)
	if letter := b.rest(core.DeadLetters); letter != bulk()[7] {
		t.Errorf("the dead letter is %.10q", letter)
	}
	if left := b.rest(orders); left != strings.Join(append(bulk()[:7:7], bulk()[8:]...), " ") {
		t.Errorf("left are %d bytes", len(left))
	}
	if kept, flight := b.InMemory(); kept != 0 || flight != 0 {
		t.Errorf("nothing is there, and counts %d and %d bytes", kept, flight)
	}
}

func TestATransactionGoesOnWhenOthersHaveTheMemory(t *testing.T) {
	b := newBroker(t, little)
	c := b.connect("ID:c")
	for _, text := range bulk() {
		c.send(orders, text)
		c.send(bills, text)
	}
	c.consume(bills, 1000) // and acknowledges none
	consumer := c.consume(orders, 10)
	tx := c.begin()
	consumeAll(t, consumer, tx, 0)
	tx.commit()
	if left := b.rest(orders); left != "" {
		t.Errorf("left are %d bytes", len(left))
	}
}

// A selector sees properties, which are in the store, too.
func TestWhatComesBackFromATransactionIsSelected(t *testing.T) {
	b := newBroker(t, little)
	c := b.connect("ID:c")
	for _, text := range bulk()[:20] {
		c.send(orders, text, message.SetProperties(nil), message.SetType(text[:1]))
	}
	consumer := c.consume(orders, 10)
	tx := c.begin()
	for range 20 {
		for _, d := range consumer.take() {
			consumer.consumed(d.Message.BrokerSequence(), tx)
		}
	}
	consumer.Close(core.NoneDelivered)
	tx.Rollback()
	selecting := c.subscribe(core.ConsumerSpec{Destination: orders, Prefetch: 1000, Selector: "JMSType = '3'"})
	selecting.expect(bulk()[3] + "+1")
}

func TestATransactionOfTooManyMessages(t *testing.T) {
	b := newBroker(t, 0)
	b.SetMaxUncommitted(3)
	c := b.connect("ID:c")
	c.send(bills, "consumed")
	consumer := c.consume(bills, 1)
	tx := c.begin()
	consumer.consumed(consumer.expect("consumed")[0], tx)
	tx.send(orders, "one")
	tx.send(orders, "two")
	refused(t, tx.Send(c.make(orders, "three")), core.ResourceAllocation, "Can not send message on transaction with id: 'TX:ID:c:1', "+
		"Transaction has reached the maximum allowed number of pending send operations before commit of '3'")
	for what, err := range map[string]error{"a send": tx.Send(c.make(orders, "four")), "the commit": tx.Commit(nil)} {
		if err == nil || !strings.Contains(err.Error(), "Transaction 'TX:ID:c:1' has not been started.") {
			t.Errorf("%s afterwards: %v", what, err)
		}
	}
	again := c.begin()
	again.send(orders, "again")
	again.commit()
	distributed := c.join(branch)
	for range 3 {
		distributed.send(orders, "never")
	}
	if err := distributed.Send(c.make(orders, "never")); err == nil {
		t.Error("a branch may have more")
	}
	wantCode(t, c.CommitBranch(branch, true, nil), -4)
	c.Close(core.NoneDelivered)
	if got := b.rest(orders) + "|" + b.rest(bills); got != "again|consumed" {
		t.Errorf("left is %q", got)
	}
}
