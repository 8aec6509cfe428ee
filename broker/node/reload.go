package node

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/security"
	"github.com/twinmesh/twinmesh/broker/session/openwire"
)

// watching is how often the configuration is looked at. A file that Kubernetes has replaced by moving a symbolic link is found
// so as any other.
const watching = 2 * time.Second

// live is the part of a node that a changed configuration changes while it runs.
type live struct {
	mu      sync.Mutex
	config  config.Config
	broker  *core.Broker // nil while another node is active
	guard   *security.Guard
	cluster *openwire.Cluster
	broken  string // why the configuration was not taken the last time
}

// begin makes the core, with the configuration of this moment.
func (l *live) begin(o core.Options) *core.Broker {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.Policies = l.config.Policies()
	l.broker = core.New(o)
	return l.broker
}

func (l *live) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broker = nil
}

// immediate has the keys of what changes while the broker runs.
var immediate = map[string]struct{}{
	"destinationPolicies": {}, "redeliveryPlugin": {}, "timeStampingBrokerPlugin": {},
	"virtualDestinations": {}, "useMirroredQueues": {}, "mirroredQueue": {},
	"clusterBrokers": {}, "authorization": {}, "auth.groupsFile": {}, "auth.groups": {},
	"auth.anonymousAccessAllowed": {}, "auth.anonymousUser": {}, "auth.anonymousGroup": {},
}

// apply takes a configuration and returns the keys that changed by what they need. What needs a restart is told once.
func (l *live) apply(c config.Config) (changed, restart []string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range l.config.Differences(c) {
		if _, ok := immediate[key]; ok {
			changed = append(changed, key)
		} else {
			restart = append(restart, key)
		}
	}
	if l.guard != nil && len(changed) > 0 {
		if err := l.guard.Apply(c); err != nil {
			return nil, nil, err
		}
	}
	l.config, l.broken = c, ""
	l.cluster.Set(c.ClusterBrokers)
	if l.broker != nil && len(changed) > 0 {
		l.broker.SetPolicies(c.Policies())
	}
	return changed, restart, nil
}

// refuse keeps what is, and tells whether this error is a new one.
func (l *live) refuse(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.broken == err.Error()
	l.broken = err.Error()
	return !known
}

// follow looks at the configuration until ctx ends, or what it returns is called.
func (n *Node) follow(ctx context.Context) (stop func()) {
	if n.options.Reload == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() {
		ticks := time.NewTicker(watching)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-n.options.Hangup:
				n.reload(true)
			case <-ticks.C:
				n.reload(false)
				if n.options.Guard != nil {
					n.options.Guard.Refresh()
				}
			}
		}
	})
	return func() {
		cancel()
		following.Wait()
	}
}

// reload takes the configuration as it is now. asked is whether someone wants to hear also that nothing has changed.
func (n *Node) reload(asked bool) {
	c, err := n.options.Reload()
	if err == nil {
		err = c.Validate()
	}
	var changed, restart []string
	if err == nil {
		changed, restart, err = n.live.apply(c)
	}
	logger := n.options.Logger
	if err != nil {
		if n.live.refuse(err) || asked {
			logger.Error("the configuration has changed and cannot be used; what was before goes on", "error", err)
		}
		return
	}
	if len(changed)+len(restart) > 0 || asked {
		logger.Info("configuration read again", "applied", list(changed), "needs a restart", list(restart))
	}
}

func list(keys []string) string {
	if len(keys) == 0 {
		return "nothing"
	}
	return strings.Join(keys, ", ")
}
