package interop

import (
	"fmt"
	"strings"
	"testing"
)

func TestJavaClients(t *testing.T) {
	program := build(t)
	for _, name := range []string{"javax", "jakarta"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := compile(t, name)
			t.Run("checks on twinmesh", func(t *testing.T) { findWhatTheyExpect(t, g, program) })
			t.Run("checks on classic", func(t *testing.T) { findTheSameOnClassic(t, g) })
			t.Run("checks on a pair", func(t *testing.T) { goOnOverAFailover(t, g, program) })
			t.Run("send and receive", func(t *testing.T) { sendAndReceive(t, g, program) })
			t.Run("send, then receive from another broker", func(t *testing.T) { receiveFromAnother(t, g, program) })
			t.Run("send 10,000 messages over a failover", func(t *testing.T) { sendOverAFailover(t, g, program) })
			t.Run("send and receive over a failover", func(t *testing.T) { sendAndReceiveOverAFailover(t, g, program) })
			t.Run("understand our own client", func(t *testing.T) { understandOurClient(t, g, program) })
			t.Run("die together with their broker", func(t *testing.T) { dieWithTheirBroker(t, g, program) })
		})
	}
}

// TestOlderClients has clients of years ago find what has always been.
func TestOlderClients(t *testing.T) {
	g := compile(t, "javax")
	url := "tcp://" + freeAddress(t)
	start(t, build(t), t.TempDir(), configured(t, ""), "--openwire", url)
	for _, version := range []string{"5.15.16", "5.16.7", "5.18.6"} {
		t.Run(version, func(t *testing.T) {
			checks := "AcknowledgeChecks,RedeliveryChecks,TransactionChecks,TemporaryChecks,TopicChecks,ReceiveChecks,MessageChecks"
			for _, line := range g.older(t, version).run(t, "Checks", "twinmesh", "8", url, checks) {
				report(t, []string{"older"}, line)
			}
		})
	}
}

// sendAndReceive is the plain case: not persistent, in a transaction, one of the two addresses leads nowhere.
func sendAndReceive(t *testing.T, g generation, program string) {
	address := freeAddress(t)
	start(t, program, t.TempDir(), "--auth", "off", "--openwire", "tcp://"+address)
	url := fmt.Sprintf("failover:(tcp://%s,tcp://%s)", freeAddress(t), address)
	g.run(t, "Sender", url, "5", "NON_PERSISTENT", "TRANSACTED", "1")
	checkDeliveries(t, g.run(t, "Receive", url, "5"), 1, 5)
}

func receiveFromAnother(t *testing.T, g generation, program string) {
	p := startPair(t, program, "--auth=off")
	g.run(t, "Sender", p.url(), "5", "PERSISTENT", "TRANSACTED", "1")
	p.kill(t, func() {})
	lines := g.run(t, "Receive", p.candidURL(), "5")
	if want := "received 1 1,received 1 2,received 1 3,received 1 4,received 1 5"; strings.Join(lines, ",") != want {
		t.Errorf("got %q", lines) // nobody had them before, so none may be marked
	}
}

func sendOverAFailover(t *testing.T, g generation, program string) {
	p := startPair(t, program, "--auth=off")
	sender := g.start(t, "Sender", p.url(), "10000", "PERSISTENT", "SYNC", "1")
	sender.await(t, 3000)
	p.kill(t, func() {})
	sender.rest(t)
	checkDeliveries(t, g.run(t, "Receive", p.candidURL(), "10000"), 1, 10000)
}

// sendAndReceiveOverAFailover has several producers, and a consumer that goes on with them.
func sendAndReceiveOverAFailover(t *testing.T, g generation, program string) {
	const producers, count = 4, 2500
	p := startPair(t, program, "--auth=off")
	receiver := g.start(t, "Receive", p.candidURL(), fmt.Sprint(producers*count))
	sender := g.start(t, "Sender", p.url(), fmt.Sprint(count), "PERSISTENT", "SYNC", fmt.Sprint(producers))
	sender.await(t, producers*count/3)
	p.kill(t, func() {})
	sender.rest(t)
	checkDeliveries(t, receiver.rest(t), producers, count)
}

// dieWithTheirBroker has a consumer that dies, too: what it got and could not acknowledge is for another one, and marked.
func dieWithTheirBroker(t *testing.T, g generation, program string) {
	const count = 5000
	p := startPair(t, program, "--auth=off")
	g.run(t, "Sender", p.url(), fmt.Sprint(count), "PERSISTENT", "TRANSACTED", "1")
	first := g.start(t, "Receive", p.candidURL(), fmt.Sprint(count))
	lines := first.await(t, count/3)
	p.kill(t, func() { lines = append(lines, first.kill(t)...) })
	checkDeliveries(t, append(lines, g.run(t, "Receive", p.candidURL(), "0")...), 1, count)
}

// checkDeliveries tells of messages that are missing, out of their producer's order, or there twice without saying so.
func checkDeliveries(t *testing.T, lines []string, producers, count int) {
	t.Helper()
	last := make([]int, producers+1)
	marked, twice := 0, 0
	for _, line := range lines {
		var how string
		var producer, n int
		if _, err := fmt.Sscan(line, &how, &producer, &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if how == "again" {
			marked++
		}
		switch {
		case n == last[producer]+1:
			last[producer] = n
		case n > last[producer]:
			t.Fatalf("message %d of producer %d after %d: some are lost or late", n, producer, last[producer])
		case how != "again":
			t.Errorf("message %d of producer %d twice, the second time not marked as redelivered", n, producer)
		default:
			twice++
		}
	}
	for producer, n := range last[1:] {
		if n != count {
			t.Errorf("%d messages of producer %d, want %d", n, producer+1, count)
		}
	}
	t.Logf("%d messages; %d came marked as redelivered, %d of them for the second time", producers*count, marked, twice)
}
