package openwire_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/security"
)

// restrict lets system, who may do everything, and user into the broker, who may do what the entries say.
func (w *world) restrict(entries ...config.AuthorizationEntry) (*security.Guard, config.Config) {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "users")
	if err := os.WriteFile(path, []byte("system=manager\nuser=password\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	users, err := security.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	c := config.Default()
	c.Auth.Groups = map[string]config.Names{"admins": {"system"}, "users": {"user"}}
	all := config.Grant{Read: config.Names{"admins"}, Write: config.Names{"admins"}, Admin: config.Names{"admins"}}
	c.Authorization = &config.Authorization{Entries: append(entries, config.AuthorizationEntry{Default: true, Grant: all})}
	guard, err := security.NewGuard(users, c, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	w.options.Authenticator = guard
	return guard, c
}

// login is join of a user.
func (w *world) login(name, user, password string) *client {
	w.t.Helper()
	c := w.offering(clientOffer())
	c.name = name
	c.ok(&openwire.ConnectionInfo{
		ConnectionID: c.connectionID(), ClientID: openwire.S("client-" + name), UserName: openwire.S(user), Password: openwire.S(password),
	})
	c.take()
	return c
}

func grants(queue, read, write, admin string) config.AuthorizationEntry {
	e := config.AuthorizationEntry{Queue: queue}
	for right, groups := range map[*config.Names]string{&e.Read: read, &e.Write: write, &e.Admin: admin} {
		if groups != "" {
			*right = config.Names{groups}
		}
	}
	return e
}

func TestWhoMayWhat(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.restrict(grants("READ", "users", "", "users"), grants("WRITE", "", "users", "users"), grants("OLD", "users", "users", ""), grants("NEW", "users", "users", ""))
		system := w.login("system", "system", "manager")
		system.ok(system.message(1, queue("OLD"), "a"))
		c := w.login("user", "user", "password")
		denied := func(v openwire.Command, text string) {
			t.Helper()
			c.refused(v, openwire.SecurityException, "User user is not authorized to "+text)
		}
		c.ok(c.consumer(1, queue("READ")))
		c.ok(c.consumer(2, queue("OLD"))) // it is there
		c.ok(c.message(1, queue("WRITE"), "a"))
		c.ok(c.message(2, queue("WRITE"), "b"))
		c.ok(&openwire.ProducerInfo{ProducerID: c.producerID(1, 2), Destination: queue("WRITE,OLD")})
		c.ok(&openwire.ProducerInfo{ProducerID: c.producerID(1, 3)})

		denied(c.consumer(3, queue("WRITE")), "read from: queue://WRITE")
		denied(c.consumer(3, queue("NEW")), "create: queue://NEW")
		denied(c.consumer(3, topic("T")), "read from: topic://T")
		denied(c.message(3, queue("READ"), "c"), "write to: queue://READ")
		denied(c.message(3, queue("WRITE,READ"), "c"), "write to: WRITE,READ")
		denied(c.message(3, queue("NEW"), "c"), "create: queue://NEW")
		denied(&openwire.ProducerInfo{ProducerID: c.producerID(1, 4), Destination: queue("READ")}, "write to: queue://READ")
		denied(&openwire.DestinationInfo{ConnectionID: c.connectionID(), Destination: queue("NEW"), OperationType: openwire.DestinationAdd}, "create: queue://NEW")
		denied(&openwire.DestinationInfo{ConnectionID: c.connectionID(), Destination: queue("OLD"), OperationType: openwire.DestinationRemove}, "remove: queue://OLD")
		c.ok(&openwire.DestinationInfo{ConnectionID: c.connectionID(), Destination: queue("NONE"), OperationType: openwire.DestinationRemove})
		temporary := &openwire.TempQueue{PhysicalName: openwire.S("ID:user:1")}
		c.ok(&openwire.DestinationInfo{ConnectionID: c.connectionID(), Destination: temporary, OperationType: openwire.DestinationAdd})
		c.ok(c.consumer(4, temporary))
		c.ok(c.message(4, temporary, "d"))
		c.listenForTemporaries()
		if got := w.remainingOf(system, queue("WRITE")); got != "a x0, b x0" {
			t.Errorf("in the queue: %s", got)
		}
		w.wantLogged("user=user")
	})
}

// remainingOf is remaining for a client that is let in.
func (w *world) remainingOf(c *client, d openwire.Destination) string {
	w.t.Helper()
	c.take()
	c.ok(c.consumer(100, d))
	return describeAll(c.take())
}

// TestAForbiddenSendFailsItsTransaction: nobody waits for the answer, so the commit has to tell.
func TestAForbiddenSendFailsItsTransaction(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.restrict(grants("WRITE", "", "users", "users"))
		c := w.login("user", "user", "password")
		c.ok(c.transact(openwire.TransactionBegin, 1))
		for n, name := range []string{"WRITE", "OTHER"} {
			m := c.message(int64(n+1), queue(name), "a")
			m.TransactionID = c.transactionID(1)
			c.tell(m)
		}
		wantException(t, c.takeOne(), openwire.SecurityException, "write to: queue://OTHER")
		if answer := c.call(c.transact(openwire.TransactionCommitOnePhase, 1)); isDone(answer) {
			t.Error("the transaction committed")
		}
		system := w.login("system", "system", "manager")
		if got := w.remainingOf(system, queue("WRITE")); got != "" {
			t.Errorf("in the queue: %s", got)
		}
	})
}

// TestRightsChangeWhileConnected: also what was allowed before and is remembered.
func TestRightsChangeWhileConnected(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		guard, c := w.restrict(grants("WRITE", "", "users", "users"))
		client := w.login("user", "user", "password")
		client.ok(client.message(1, queue("WRITE"), "a"))
		c.Authorization = &config.Authorization{}
		if err := guard.Apply(c); err != nil {
			t.Fatal(err)
		}
		client.refused(client.message(2, queue("WRITE"), "b"), openwire.SecurityException, "not authorized to write to: queue://WRITE")
		c.Authorization = nil
		if err := guard.Apply(c); err != nil {
			t.Fatal(err)
		}
		client.ok(client.message(2, queue("OTHER"), "b"))
	})
}

func TestMessagesSayWhoSentThem(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.restrict(grants("Q", "users", "users", "users"))
		w.options.PopulateUserID = true
		c := w.login("user", "user", "password")
		m := c.message(1, queue("Q"), "a")
		m.UserID = openwire.S("somebody else")
		c.ok(m)
		c.ok(c.consumer(1, queue("Q")))
		if got := dispatch(t, c.takeOne()).Message.Fields().UserID.String(); got != "user" {
			t.Errorf("JMSXUserID is %q", got)
		}
	})
}

// TestALoudClientFillsNoLog: what it is refused is logged some times a minute, then counted.
func TestALoudClientFillsNoLog(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.restrict()
		c := w.login("user", "user", "password")
		for n := range 50 {
			c.refused(c.message(int64(n), queue("Q"), "a"), openwire.SecurityException, "not authorized")
		}
		const line = `level=WARN msg="refused what a client asked for" remote=pipe client=client-user connection=ID:user user=user exception=java.lang.SecurityException`
		if got := strings.Count(w.logged.String(), line); got != 10 {
			t.Errorf("%d lines:\n%s", got, w.logged)
		}
		w.elapse(time.Minute)
		c.refused(c.message(50, queue("Q"), "a"), openwire.SecurityException, "not authorized")
		w.wantLogged(`"and more before"=40`)
	})
}

// TestAWildcardConsumerGetsWhatItMayRead: it needs the right to its pattern, and what is beyond that it does not see.
func TestAWildcardConsumerGetsWhatItMayRead(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		guard, conf := w.restrict(grants("A.>", "users", "", ""))
		system := w.login("system", "system", "manager")
		system.ok(system.message(1, queue("A.old"), "old"))
		c := w.login("user", "user", "password")
		c.refused(c.consumer(1, queue(">")), openwire.SecurityException, "not authorized to read from: queue://>")
		c.ok(c.consumer(1, queue("A.>")))
		c.want("old x0")
		conf.Authorization.Entries[0] = grants("A.*.>", "users", "", "") // any more
		if err := guard.Apply(conf); err != nil {
			t.Fatal(err)
		}
		system.ok(system.message(2, queue("A"), "not for it"))
		system.ok(system.message(3, queue("A.new"), "new"))
		c.want("new x0")
	})
}
