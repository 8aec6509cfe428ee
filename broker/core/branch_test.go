package core_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
)

var branch = message.XID{Format: 86, Global: "g", Branch: "b"}

func (c *client) join(x message.XID) *transaction {
	c.broker.t.Helper()
	tx, err := c.BeginBranch(x)
	c.broker.must(err)
	return &transaction{tx, c}
}

// prepare prepares the branch and waits until that is durable; it tells whether it was read-only.
func (c *client) prepare(x message.XID) (readOnly bool) {
	c.broker.t.Helper()
	done := false
	c.broker.must(c.Prepare(x, func(r bool) { done, readOnly = true, r }))
	c.broker.settle()
	if !done {
		c.broker.t.Fatalf("the broker does not say that %v is prepared", x)
	}
	return readOnly
}

// outcome is how a prepared transaction ends.
type outcome struct {
	end       func(b *broker, c *client, done func()) error
	sent      string // the contents of orders afterwards
	consumed  string // of bills
	heuristic int    // the code that a transaction manager gets then, 0 if it is not an administrator's
}

var outcomes = map[string]outcome{
	"commit":   {end: func(_ *broker, c *client, done func()) error { return c.CommitBranch(branch, false, done) }, sent: "one two"},
	"rollback": {end: func(_ *broker, c *client, done func()) error { return c.RollbackBranch(branch, done) }, consumed: "consumed"},
	"an administrator's commit": {end: func(b *broker, _ *client, done func()) error { return b.DecideBranch(branch, true, "admin", done) },
		sent: "one two", heuristic: 7},
	"an administrator's rollback": {end: func(b *broker, _ *client, done func()) error { return b.DecideBranch(branch, false, "admin", done) },
		consumed: "consumed", heuristic: 6},
}

// work sends two messages and consumes one in the branch.
func work(c *client) {
	c.send(bills, "consumed")
	c.send(bills, "kept")
	consumer := c.consume(bills, 1)
	tx := c.join(branch)
	tx.send(orders, "one")
	tx.send(orders, "two")
	consumer.consumed(consumer.expect("consumed")[0], tx)
}

func TestAPreparedBranch(t *testing.T) {
	for name, o := range outcomes {
		for where, between := range map[string]func(*broker, *client) *broker{
			"at once":                   func(b *broker, _ *client) *broker { return b },
			"after the connection":      func(b *broker, c *client) *broker { c.Close(core.AllUnknown); return b },
			"at the next broker":        func(b *broker, _ *client) *broker { return b.crash(0) },
			"at the next broker's next": func(b *broker, _ *client) *broker { return b.handOver().handOver() },
		} {
			t.Run(name+" "+where, func(t *testing.T) {
				b := newBroker(t, 0)
				c := b.connect("ID:c")
				work(c)
				c.prepare(branch)
				b = between(b, c)
				watcher := b.connect("ID:w")
				watcher.consume(orders, 10).expect()
				other := watcher.consume(bills, 10)
				if where != "at once" { // where the first consumer has it
					other.expect("kept+1")
				}
				if got := watcher.RecoverBranches(); !gocmp.Equal(got, []message.XID{branch}) {
					t.Fatalf("recovered are %v", got)
				}
				end(t, b, b.connect("ID:m"), o)
				watcher.Close(core.NoneDelivered)
				if where == "at once" {
					c.Close(core.NoneDelivered)
				}
				wantLeft(t, b, o)
				wantLeft(t, b.handOver(), outcome{})
			})
		}
	}
}

// end ends the branch, and asks once more.
func end(t *testing.T, b *broker, c *client, o outcome) {
	t.Helper()
	done := false
	b.must(o.end(b, c, func() { done = true }))
	b.settle()
	if !done {
		t.Fatal("the broker does not say that the outcome is durable")
	}
	code := -4
	if o.heuristic != 0 {
		code = o.heuristic
		if got := c.RecoverBranches(); !gocmp.Equal(got, []message.XID{branch}) {
			t.Errorf("a transaction manager does not learn of the decision: %v", got)
		}
	}
	wantCode(t, c.CommitBranch(branch, false, nil), code)
	wantCode(t, c.RollbackBranch(branch, nil), code)
	if o.heuristic != 0 {
		b.must(c.ForgetBranch(branch, nil))
	}
	wantCode(t, c.ForgetBranch(branch, nil), -4)
	if got := c.RecoverBranches(); len(got) > 0 {
		t.Errorf("still there: %v", got)
	}
	if got := b.Branches(); len(got) > 0 {
		t.Errorf("still listed: %v", got)
	}
}

func wantCode(t *testing.T, err error, code int) {
	t.Helper()
	var x *core.XAError
	if !errors.As(err, &x) || x.Code != code {
		t.Errorf("got %v, want an XA error of code %d", err, code)
	}
}

// wantLeft compares and takes what is in the queues.
func wantLeft(t *testing.T, b *broker, o outcome) {
	t.Helper()
	if got := b.rest(orders); got != o.sent {
		t.Errorf("sent is %q, want %q", got, o.sent)
	}
	kept := ""
	if o.end != nil {
		kept = "kept"
	}
	if got := b.rest(bills); got != strings.TrimSpace(o.consumed+" "+kept) {
		t.Errorf("left is %q, want %q", got, o.consumed)
	}
}

// With whatever of the records in the log: a branch is prepared whole or gone, and has its outcome whole or waits for it.
func TestABranchIsWholeOverACrash(t *testing.T) {
	wholeOverACrash(t, "|consumed kept", "|kept", func(_ *broker, c *client) func(func()) {
		work(c)
		return func(done func()) { c.broker.must(c.Prepare(branch, func(bool) { done() })) }
	}, orders, bills)
	for name, o := range outcomes {
		t.Run(name, func(t *testing.T) {
			after := o.sent + "|" + strings.TrimSpace(o.consumed+" kept")
			wholeOverACrash(t, "|kept", after, func(b *broker, c *client) func(func()) {
				work(c)
				c.prepare(branch)
				return func(done func()) { b.must(o.end(b, b.connect("ID:m"), done)) }
			}, orders, bills)
		})
	}
}

// A client may commit before it has the answer to the preparation.
func TestAnOutcomeWaitsForThePreparation(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	work(c)
	b.log.Hold()
	var told []string
	b.must(c.Prepare(branch, func(bool) { told = append(told, "prepared") }))
	b.must(c.CommitBranch(branch, false, func() { told = append(told, "committed") }))
	wantCode(t, c.RollbackBranch(branch, nil), -6)
	if got := c.RecoverBranches(); !gocmp.Equal(got, []message.XID{branch}) {
		t.Errorf("recovered are %v", got)
	}
	b.log.Release()
	b.settle()
	if got := strings.Join(told, ", "); got != "prepared, committed" {
		t.Errorf("told is %q", got)
	}
	c.Close(core.NoneDelivered)
	wantLeft(t, b, outcomes["commit"])
}

func TestHeuristicOutcomesSurviveTheBroker(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	work(c)
	c.prepare(branch)
	b.now = b.now.Add(1)
	b.must(b.DecideBranch(branch, true, "admin", nil))
	b.settle()
	b = b.handOver()
	manager := b.connect("ID:m")
	want := []core.Branch{{XID: branch, State: "heuristically committed", Since: b.now.UnixMilli()}}
	if diff := gocmp.Diff(want, b.Branches()); diff != "" {
		t.Errorf("branches (-want +got):\n%s", diff)
	}
	wantCode(t, manager.CommitBranch(branch, false, nil), 7)
	_, err := manager.BeginBranch(branch)
	wantCode(t, err, 7)
	b.must(b.ForgetBranch(branch, nil))
	wantCode(t, b.ForgetBranch(branch, nil), -4)
	if left := b.handOver().Branches(); len(left) > 0 {
		t.Errorf("forgotten, and there again: %v", left)
	}
}

// Others' messages of the same queue come in order around those that are prepared, and so do these when they come back.
func TestWhatIsRolledBackComesBackInItsPlace(t *testing.T) {
	for name, next := range map[string]func(*broker) *broker{
		"here": func(b *broker) *broker { return b }, "at the next broker": func(b *broker) *broker { return b.crash(0) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c := b.connect("ID:c")
			for _, text := range []string{"1", "2", "3", "4", "5"} {
				c.send(orders, text)
			}
			consumer := c.consume(orders, 10)
			s := consumer.expect("1", "2", "3", "4", "5")
			tx := c.join(branch)
			for _, i := range []int{1, 3} {
				consumer.ack(core.Ack{Kind: core.Individual, Last: s[i], Count: 1}, tx)
			}
			c.prepare(branch)
			c.Close(core.NoneDelivered)
			b = next(b)
			watcher := b.connect("ID:w")
			one := watcher.consume(orders, 1) // so that all of them are looked at
			one.take()
			b.must(watcher.RollbackBranch(branch, nil))
			b.settle()
			watcher.Close(core.NoneDelivered)
			if got := b.rest(orders); got != "1 2 3 4 5" {
				t.Errorf("left is %q", got)
			}
		})
	}
}

func TestWhatIsPreparedIsKnownToAnAdministrator(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	work(c)
	want := []core.Branch{{XID: branch, State: "active", Connection: "ID:c", Sent: 2, Consumed: 1}}
	if diff := gocmp.Diff(want, b.Branches()); diff != "" {
		t.Errorf("before it is prepared (-want +got):\n%s", diff)
	}
	wantCode(t, b.DecideBranch(branch, true, "admin", nil), -6)
	wantCode(t, b.DecideBranch(message.XID{Global: "other"}, true, "admin", nil), -4)
	c.prepare(branch)
	want[0].State, want[0].Since = "prepared", b.now.UnixMilli()
	if diff := gocmp.Diff(want, b.Branches()); diff != "" {
		t.Errorf("once it is (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(want, b.handOver().Branches()); diff != "" {
		t.Errorf("at the next broker (-want +got):\n%s", diff)
	}
}

// What is prepared for a delayed delivery is scheduled by the commit, also at the broker that takes over.
func TestAPreparedJobIsScheduledByItsCommit(t *testing.T) {
	for name, next := range map[string]func(*broker) *broker{
		"here": func(b *broker) *broker { return b }, "at the next broker": func(b *broker) *broker { return b.handOver() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c := b.connect("ID:c")
			c.join(branch).send(orders, "later", later(t, "AMQ_SCHEDULED_DELAY", 1000))
			c.prepare(branch)
			b = next(b)
			b.must(b.connect("ID:m").CommitBranch(branch, false, nil))
			b.settle()
			if got := b.rest(orders); got != "" {
				t.Errorf("at once there is %q", got)
			}
			b.pass(2 * time.Second)
			if got := b.rest(orders); got != "later" {
				t.Errorf("later there is %q", got)
			}
		})
	}
}

func TestCommitsAreOnRecord(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	for _, end := range []func(*transaction){(*transaction).commit, func(tx *transaction) { tx.Rollback() }, (*transaction).commit} {
		tx := c.begin()
		tx.send(orders, "one")
		end(tx)
	}
	tx := c.join(branch)
	tx.send(orders, "one")
	b.must(c.CommitBranch(branch, true, nil))
	b.settle()
	var names []string
	for _, k := range b.handOver().Commits() {
		names = append(names, k.Name)
	}
	want := []string{"TX:ID:c:0", "TX:ID:c:2", "XID:[86,globalId=67,branchId=62]"}
	if diff := gocmp.Diff(want, names); diff != "" {
		t.Errorf("on record (-want +got):\n%s", diff)
	}
}

// A durable subscription does not get what is prepared, and gets it again when that is rolled back, wherever it is then.
func TestAPreparedAcknowledgementOfADurableSubscription(t *testing.T) {
	for name, next := range map[string]func(*broker) *broker{
		"here": func(b *broker) *broker { return b }, "at the next broker": func(b *broker) *broker { return b.crash(0) },
	} {
		for _, online := range []bool{false, true} {
			for _, commit := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, online %v, commit %v", name, online, commit), func(t *testing.T) {
					b := newBroker(t, 0)
					c := b.connectAs("ID:1", "client")
					s := c.durably(prices, "s")
					c.durably(prices, "t").Close(core.NoneDelivered)
					for _, text := range []string{"1", "2", "3"} {
						c.send(prices, text)
					}
					sequences := s.expect("1", "2", "3")
					tx := c.join(branch)
					s.ack(core.Ack{Kind: core.Individual, Last: sequences[1], Count: 1}, tx)
					tx.send(prices, "4")
					c.prepare(branch)
					c.leave(core.NoneDelivered)
					b = next(b)
					c = b.connectAs("ID:2", "client")
					s = c.durably(prices, "s")
					got := s.take()
					if len(got) != 2 {
						t.Fatalf("%d deliveries while it is prepared", len(got))
					}
					s.ack(core.Ack{Kind: core.Standard, Last: got[1].Message.BrokerSequence(), Count: 2}, nil) // not the one between
					if !online {
						c.leave(core.NoneDelivered)
						c = b.connectAs("ID:3", "client")
					}
					if commit {
						b.must(c.CommitBranch(branch, false, nil))
					} else {
						b.must(c.RollbackBranch(branch, nil))
					}
					b.settle()
					if !online {
						s = c.durably(prices, "s")
					}
					want := map[bool]string{true: "4", false: "2"}[commit]
					if got := s.take(); len(got) != 1 || string(got[0].Message.Content()) != want {
						t.Errorf("got %d deliveries, want %s", len(got), want)
					}
					c.leave(core.NoneDelivered)
					if got := b.backlog("s") + "|" + b.backlog("t"); got != want+"|1 2 3"+map[bool]string{true: " 4"}[commit] {
						t.Errorf("in the end %q", got)
					}
				})
			}
		}
	}
}

// Whoever removes a queue does not remove what a rollback is to give back.
func TestAQueueOfWhichSomethingIsPreparedIsNotRemoved(t *testing.T) {
	for name, next := range map[string]func(*broker) *broker{
		"here": func(b *broker) *broker { return b }, "at the next broker": func(b *broker) *broker { return b.crash(0) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, 0)
			c := b.connect("ID:c")
			work(c)
			c.prepare(branch)
			c.Close(core.NoneDelivered)
			b = next(b)
			c = b.connect("ID:m")
			refused(t, c.RemoveDestination(bills, nil), core.General,
				"Destination: queue://BILLS has messages that a prepared transaction has consumed: that has to end first")
			c.remove(orders) // to which it has only sent
			b.must(c.RollbackBranch(branch, nil))
			b.settle()
			if got := b.rest(bills); got != "consumed kept" {
				t.Errorf("left is %q", got)
			}
			c.remove(bills)
		})
	}
}

func TestACommitBringsBackAQueueThatWasRemoved(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	tx := c.join(branch)
	for range 3 {
		tx.send(orders, strings.Repeat("x", 500_000))
	}
	c.prepare(branch)
	c.remove(orders)
	b.must(c.CommitBranch(branch, false, nil))
	b.settle()
	if got := b.rest(orders); len(got) != 1_500_002 {
		t.Errorf("there are %d bytes", len(got))
	}
}

// TestWhatIsRolledBackComesBackOnce has a consumer read messages back between the moment that the store has a rollback and the moment
// that the queue learns of it.
func TestWhatIsRolledBackComesBackOnce(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connect("ID:c")
	work(c)
	c.prepare(branch)
	b = b.crash(0)
	c = b.connect("ID:d")
	consumer := &consumer{broker: b, to: bills}
	b.log.Hold()
	b.must(b.store.Barrier(func() {
		var err error
		consumer.Consumer, err = c.Subscribe(core.ConsumerSpec{Destination: bills, Prefetch: 10}, consumer)
		b.must(err)
	}))
	b.must(b.connect("ID:m").RollbackBranch(branch, nil))
	b.log.Release()
	consumer.expectAll("consumed+1", "kept+1")
}

// expectAll is expect in whatever order: a consumer that comes while the rollback does may get first what was not rolled back.
func (c *consumer) expectAll(texts ...string) {
	c.broker.t.Helper()
	var got []string
	for _, d := range c.take() {
		got = append(got, fmt.Sprintf("%s+%d", d.Message.Content(), d.Redelivered))
	}
	slices.Sort(got)
	if !slices.Equal(got, texts) {
		c.broker.t.Fatalf("delivered %q, want %q", got, texts)
	}
}

// TestWhatIsRolledBackComesBackOnceToADurableSubscription is that for a durable subscription.
func TestWhatIsRolledBackComesBackOnceToADurableSubscription(t *testing.T) {
	b := newBroker(t, 0)
	c := b.connectAs("ID:1", "client")
	s := c.durably(prices, "s")
	c.send(prices, "1")
	c.send(prices, "2")
	s.consumed(s.expect("1", "2")[0], c.join(branch))
	c.prepare(branch)
	b = b.crash(0)
	c = b.connectAs("ID:2", "client")
	s = &consumer{broker: b, to: prices}
	b.log.Hold()
	b.must(b.store.Barrier(func() {
		var err error
		s.Consumer, err = c.Subscribe(core.ConsumerSpec{Destination: prices, Prefetch: 10, Subscription: "s"}, s)
		b.must(err)
	}))
	b.must(b.connect("ID:m").RollbackBranch(branch, nil))
	b.log.Release()
	s.expectAll("1+1", "2+1")
}
