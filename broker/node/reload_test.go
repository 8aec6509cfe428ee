package node

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/policy"
	"github.com/twinmesh/twinmesh/broker/security"
	session "github.com/twinmesh/twinmesh/broker/session/openwire"
)

// prefetching is a configuration in which queue consumers have a prefetch.
func prefetching(n int) config.Config {
	c := config.Default()
	entry := config.DestinationPolicy{Target: config.Target{Default: true}, Policy: policy.Default()}
	entry.QueuePrefetch = n
	c.DestinationPolicies = []config.DestinationPolicy{entry}
	return c
}

// reloading is a node whose configuration a test changes.
type reloading struct {
	*Node
	logged bytes.Buffer
	hangup chan os.Signal

	mu      sync.Mutex
	current config.Config
	err     error
}

// set changes what is read from now on.
func (r *reloading) set(c config.Config, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current, r.err = c, err
}

func (r *reloading) read() (config.Config, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current, r.err
}

func newReloading(t *testing.T) *reloading {
	t.Helper()
	r := &reloading{current: config.Default(), hangup: make(chan os.Signal)}
	var err error
	r.Node, err = New(Options{
		Config: r.current, Logger: slog.New(slog.NewTextHandler(&r.logged, nil)), Hangup: r.hangup,
		Reload: r.read,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// expect wants these words in the log's lines, one each, since it was asked last.
func (r *reloading) expect(t *testing.T, words ...string) {
	t.Helper()
	synctest.Wait()
	lines := strings.Split(strings.TrimSuffix(r.logged.String(), "\n"), "\n")
	r.logged.Reset()
	if len(words) == 0 && lines[0] == "" {
		return
	}
	if len(lines) != len(words) {
		t.Fatalf("logged %q, want %q", lines, words)
	}
	for i, word := range words {
		if !strings.Contains(lines[i], word) {
			t.Errorf("logged %q, want %q", lines[i], word)
		}
	}
}

func TestAChangedConfigurationIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloading(t)
		defer r.follow(context.Background())()
		time.Sleep(watching)
		r.expect(t)

		c := prefetching(3)
		c.HTTP = "127.0.0.1:1"
		r.set(c, nil)
		time.Sleep(watching)
		r.expect(t, `applied=destinationPolicies "needs a restart"=http`)
		time.Sleep(watching)
		r.expect(t)

		r.set(c, errors.New("broker.yaml:3: unknown key"))
		time.Sleep(3 * watching)
		r.expect(t, "broker.yaml:3: unknown key")
		c.Name = ""
		r.set(c, nil)
		time.Sleep(watching)
		r.expect(t, "needs a name")
		if r.live.config.Name != "localhost" {
			t.Errorf("a broken configuration was taken: %+v", r.live.config)
		}
		c.Name = "localhost"
		r.set(c, nil)
		time.Sleep(watching)
		r.expect(t)
	})
}

func TestAHangupReadsTheConfigurationAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloading(t)
		defer r.follow(context.Background())()
		r.hangup <- os.Interrupt
		r.expect(t, `applied=nothing "needs a restart"=nothing`)
		r.set(config.Default(), errors.New("broken"))
		r.hangup <- os.Interrupt
		r.hangup <- os.Interrupt
		r.expect(t, "broken", "broken")
	})
}

// A standby takes over with the policies that it has read meanwhile, and an active broker has those of now.
func TestPoliciesOfAnActiveBroker(t *testing.T) {
	hangup, current := make(chan os.Signal), make(chan config.Config, 1)
	r := start(t, mem.New(segment), func(o *Options) {
		o.Config.DestinationPolicies = prefetching(0).DestinationPolicies
		c := o.Config
		o.Hangup, o.Reload = hangup, func() (config.Config, error) {
			select {
			case c = <-current:
			default:
			}
			return c, nil
		}
	})
	c := join(t, r.active(), "consumer")
	subscribe := func(number int64) openwire.DataStructure {
		c.ask(&openwire.ConsumerInfo{
			ConsumerID:  &openwire.ConsumerID{ConnectionID: openwire.S("ID:consumer"), SessionID: 1, Value: number},
			Destination: &openwire.Queue{PhysicalName: openwire.S("orders")}, PrefetchSize: policy.ClientQueuePrefetch,
		})
		return c.read()
	}
	if told, ok := subscribe(1).(*openwire.ConsumerControl); !ok || told.Prefetch != 0 {
		t.Errorf("a consumer that has to pull is told %+v", told)
	}
	c.read()
	next := prefetching(1)
	next.OpenWire = r.options.Config.OpenWire
	current <- next
	hangup <- os.Interrupt
	if applied := r.logged.await(t, "configuration read again", "applied"); applied != "destinationPolicies" {
		t.Errorf("applied %s", applied)
	}
	if _, ok := subscribe(2).(*openwire.Response); !ok {
		t.Error("the new policy does not hold")
	}
	r.stop()
	if _, err := r.ended(); err != nil {
		t.Error(err)
	}
}

// TestAuthorizationChangesWhileTheBrokerRuns: unless what it needs cannot be read, when all stays as it was.
func TestAuthorizationChangesWhileTheBrokerRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(path, []byte("a=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	users, err := security.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	guard, err := security.NewGuard(users, c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l := live{config: c, guard: guard, cluster: session.NewCluster(nil)}
	user, err := guard.Authenticate(t.Context(), security.Login{Name: "a", Password: "x"})
	if err != nil {
		t.Fatal(err)
	}
	d := destination.Destination{Kind: destination.Queue, Name: "Q"}
	c.Authorization = &config.Authorization{}
	if changed, restart, err := l.apply(c); err != nil || list(changed) != "authorization" || len(restart) > 0 || user.May(security.Read, d) {
		t.Errorf("applied %v, %v, %v, may %t", changed, restart, err, user.May(security.Read, d))
	}
	c.Authorization, c.Auth.GroupsFile = nil, filepath.Join(t.TempDir(), "none")
	if _, _, err := l.apply(c); err == nil || user.May(security.Read, d) || l.config.Authorization == nil {
		t.Errorf("got %v", err)
	}
}
