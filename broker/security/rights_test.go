package security

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/destination"
)

func queue(name string) destination.Destination {
	return destination.Destination{Kind: destination.Queue, Name: name}
}

// example is the authorization of ActiveMQ's documentation.
func example(c *config.Config) {
	c.Auth.Groups = map[string]config.Names{"admins": {"system"}, "users": {"system", "user"}, "guests": {"guest"}}
	grant := func(read, write, admin string) config.Grant {
		return config.Grant{Read: strings.Split(read, ","), Write: strings.Split(write, ","), Admin: strings.Split(admin, ",")}
	}
	c.Authorization = &config.Authorization{
		Entries: []config.AuthorizationEntry{
			{Queue: ">", Grant: grant("admins", "admins", "admins")},
			{Queue: "USERS.>", Grant: grant("users", "users", "users")},
			{Queue: "USERS.A.>", Grant: grant("guests", "", "")},
			{Queue: "GUEST.>", Grant: grant("guests", "guests,users", "guests,users")},
			{Queue: "OPEN", Grant: grant("*", "", "")},
			{Topic: ">", Grant: grant("admins", "admins", "admins")},
			{Topic: "A,B", Grant: grant("users", "", "")},
		},
		TempDestinations: &config.Grant{Read: config.Names{"users"}, Write: config.Names{"users", "guests"}, Admin: config.Names{"users"}},
	}
}

func TestRightsAreActiveMQs(t *testing.T) {
	g, _ := newGuard(t, write(t, "", "system=x\nuser=x\nguest=x\n"), example)
	users := map[string]*User{}
	for _, name := range []string{"system", "user", "guest"} {
		users[name] = admitted(t, g, name, "x")
	}
	topic := func(name string) destination.Destination {
		return destination.Destination{Kind: destination.Topic, Name: name}
	}
	for _, c := range []struct {
		right Right
		d     destination.Destination
		who   string // who has the right
	}{
		{Read, queue("TEST"), "system"},
		{Read, queue("USERS.FOO"), "system user"},
		{Read, queue("USERS"), "system user"},
		{Write, queue("USERS.FOO"), "system user"},
		{Read, queue("GUEST.BAR"), "system guest"},
		{Write, queue("GUEST.BAR"), "system user guest"},
		{Read, queue("USERS.A.B"), "system user guest"}, // of all entries that cover it
		{Write, queue("USERS.A.B"), "system user"},
		{Read, queue("OPEN"), "system user guest"},
		{Write, queue("OPEN"), "system"},
		{Read, queue(">"), "system"}, // of a wildcard: of entries that cover all of it
		{Read, queue("USERS.>"), "system user"},
		{Read, queue("USERS.FOO.>"), "system user"},
		{Read, queue("USERS.A.>"), "system user guest"},
		{Read, queue("USERS.FOO,USERS.BAR"), "system user"}, // of a composite: to each member
		{Read, queue("USERS.FOO,TEST"), "system"},
		{Write, queue("USERS.FOO,topic://A"), "system"},
		{Read, queue("USERS.FOO,topic://A"), "system user"},
		{Read, topic("B"), "system user"},
		{Write, topic("B"), "system"},
		{Read, topic("USERS.FOO"), "system"}, // which is for queues
		{Read, topic("ActiveMQ.Advisory.TempQueue,ActiveMQ.Advisory.TempTopic"), "system user guest"},
		{Write, topic("ActiveMQ.Advisory.TempQueue"), "system"},
		{Read, topic("ActiveMQ.Advisory.Connection"), "system"},
		{Read, destination.Destination{Kind: destination.TempQueue, Name: "ID:a:1"}, "system user"},
		{Write, destination.Destination{Kind: destination.TempTopic, Name: "ID:a:1"}, "system user guest"},
	} {
		for name, u := range users {
			want := strings.Contains(" "+c.who+" ", " "+name+" ")
			for range 2 { // the second time from memory
				if got := u.May(c.right, c.d); got != want {
					t.Errorf("right %d of %s to %v: got %t", c.right, name, c.d, got)
				}
			}
		}
	}
}

func TestWithoutAnAuthorizationEverybodyMay(t *testing.T) {
	g, _ := newGuard(t, write(t, "", "a=x\n"), nil)
	u := admitted(t, g, "a", "x")
	if !u.May(Admin, queue("X")) || u.Restricted() || !(*User)(nil).May(Admin, queue("X")) || (*User)(nil).Restricted() {
		t.Error("somebody may not do everything")
	}
}

func TestWithAnAuthorizationWhatIsNotGrantedIsForbidden(t *testing.T) {
	g, _ := newGuard(t, write(t, "", "a=x\n"), func(c *config.Config) { c.Authorization = &config.Authorization{} })
	u := admitted(t, g, "a", "x")
	temporary := destination.Destination{Kind: destination.TempQueue, Name: "ID:a:1"}
	if u.May(Read, queue("X")) || !u.Restricted() || !u.May(Admin, temporary) || !u.May(Write, temporary) {
		t.Error("only temporary destinations should be free")
	}
}

func TestADefaultEntryIsForAll(t *testing.T) {
	g, _ := newGuard(t, write(t, "", "a=x\n"), func(c *config.Config) {
		c.Auth.Groups = map[string]config.Names{"g": {"a"}}
		c.Authorization = &config.Authorization{Entries: []config.AuthorizationEntry{{Default: true, Grant: config.Grant{Read: config.Names{"g"}}}}}
	})
	if u := admitted(t, g, "a", "x"); !u.May(Read, queue("X")) || u.May(Write, queue("X")) {
		t.Error("it should grant to read")
	}
}

// TestChangesHoldAtOnce: for clients that are there, also of the groups file.
func TestChangesHoldAtOnce(t *testing.T) {
	groups := write(t, "", "users=a\n")
	synctest.Test(t, func(t *testing.T) {
		change := func(c *config.Config) {
			c.Auth.GroupsFile = groups
			c.Authorization = &config.Authorization{Entries: []config.AuthorizationEntry{{Queue: "X", Grant: config.Grant{Read: config.Names{"users"}}}}}
		}
		g, logged := newGuard(t, write(t, "", "a=x\n"), change)
		u := admitted(t, g, "a", "x")
		may := func(read, written bool) {
			t.Helper()
			<-time.After(groupsInterval)
			g.Refresh()
			if u.May(Read, queue("X")) != read || u.May(Write, queue("X")) != written {
				t.Errorf("read %t, write %t", !read, !written)
			}
		}
		may(true, false)
		write(t, groups, "users=b\n")
		may(false, false)
		write(t, groups, "users=b, a\nothers=c")
		may(true, false)
		write(t, groups, "nonsense\n")
		may(true, false)
		may(true, false)
		if strings.Count(logged.String(), "line 1: write group=user,user") != 1 {
			t.Errorf("a mistake is to be told once: %s", logged)
		}
		write(t, groups, "users=a\n")
		c := config.Default()
		change(&c)
		c.Authorization.Entries[0].Write = config.Names{"users"}
		if err := g.Apply(c); err != nil {
			t.Fatal(err)
		}
		may(true, true)
		if err := os.Remove(groups); err != nil {
			t.Fatal(err)
		}
		if err := g.Apply(c); err == nil {
			t.Error("a configuration was taken whose groups cannot be read")
		}
		may(true, true)
	})
}
