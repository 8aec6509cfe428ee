// Package security says who a client is, and what it may do: users with passwords, their groups, and the groups' rights to
// destinations.
package security

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
)

// Login is what a client says of itself.
type Login struct {
	Address        string // the host that it connects from
	Name, Password string
}

// RefusedError is the answer to an unknown user and to a wrong password alike, after the same time.
type RefusedError struct{ Name string }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("User name [%s] or password is invalid.", e.Name)
}

// Guard lets clients in. Its methods may be called by many goroutines.
type Guard struct {
	users    *Users
	logger   *slog.Logger
	throttle *throttle
	rules    atomic.Pointer[rules]

	mu     sync.Mutex
	file   *groupsFile // nil if groups are in the configuration
	looked time.Time   // at the file
	broken string      // what was wrong with it then
}

// rules are what the configuration says at one moment. They do not change.
type rules struct {
	rights    *rights // nil allows everything
	groups    map[string][]string
	anonymous *config.Auth // nil lets nobody in who has no name
}

// groupsInterval is how often the groups file is looked at, at most.
const groupsInterval = time.Second

// NewGuard returns what lets the users in, by the rules of a configuration.
func NewGuard(users *Users, c config.Config, logger *slog.Logger) (*Guard, error) {
	g := &Guard{users: users, logger: logger, throttle: newThrottle()}
	return g, g.Apply(c)
}

// Apply takes the rules of a changed configuration, which hold from then on, also for clients that are there. On an error those from
// before stand.
func (g *Guard) Apply(c config.Config) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := &rules{rights: newRights(c.Authorization), groups: map[string][]string{}}
	if c.Auth.AnonymousAccessAllowed {
		r.anonymous = &c.Auth
	}
	var file *groupsFile
	if c.Auth.GroupsFile != "" {
		file = &groupsFile{path: c.Auth.GroupsFile}
		if _, err := file.reload(); err != nil {
			return err
		}
		r.groups = file.groups
	}
	for group, members := range c.Auth.Groups {
		addMembers(r.groups, group, members)
	}
	g.file = file
	g.rules.Store(r)
	return nil
}

// Refresh takes the groups file as it is now. It is called now and then; what cannot be read is told once, and changes nothing.
func (g *Guard) Refresh() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.file == nil || time.Since(g.looked) < groupsInterval {
		return
	}
	g.looked = time.Now()
	changed, err := g.file.reload()
	if err != nil {
		if g.broken != err.Error() {
			g.broken = err.Error()
			g.logger.Error("the groups have changed and cannot be used; what was before goes on", "error", err)
		}
		return
	}
	g.broken = ""
	if changed {
		r := *g.rules.Load()
		r.groups = g.file.groups
		g.rules.Store(&r)
	}
}

// Authenticate lets a client in, or returns a RefusedError, or why ctx ended. It takes its time, the more so the more often the same
// user was refused from the same address lately.
func (g *Guard) Authenticate(ctx context.Context, l Login) (*User, error) {
	g.Refresh()
	if a := g.rules.Load().anonymous; a != nil && l.Name == "" && l.Password == "" {
		return &User{guard: g, name: a.AnonymousUser, own: []string{a.AnonymousGroup}}, nil
	}
	user := &User{guard: g, name: l.Name}
	check, remembered := g.users.find(l.Name, l.Password)
	if remembered {
		return user, nil
	}
	who := sha256.Sum256(fmt.Appendf(nil, "%s %s", l.Address, l.Name))
	right, err := g.throttle.run(ctx, who, func() bool { return g.users.verify(check, l.Password) })
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, &RefusedError{l.Name}
	}
	return user, nil
}
