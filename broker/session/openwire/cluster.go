package openwire

import (
	"slices"
	"strings"
	"sync"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// Cluster tells clients which brokers there are, and whenever that changes, so that a failover: transport knows where to go. Its methods
// may be called by many goroutines.
type Cluster struct {
	mu      sync.Mutex
	brokers []string
	told    map[*session]struct{}
}

// NewCluster returns a cluster of the brokers with these URLs.
func NewCluster(brokers []string) *Cluster {
	return &Cluster{brokers: slices.Clone(brokers), told: map[*session]struct{}{}}
}

// Set changes the brokers and tells those who were told before.
func (c *Cluster) Set(brokers []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Equal(slices.Sorted(slices.Values(c.brokers)), slices.Sorted(slices.Values(brokers))) {
		return
	}
	c.brokers = slices.Clone(brokers)
	for s := range c.told {
		c.tell(s, false)
	}
}

// join tells a client of the brokers, from now on. One that came back over a failover is not sent elsewhere.
func (c *Cluster) join(s *session, again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told[s] = struct{}{}
	c.tell(s, again)
}

func (c *Cluster) leave(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.told, s)
}

// tell tells one client. Where clients are to rebalance, each gets the list from another broker on: it goes to the first. c.mu is held.
func (c *Cluster) tell(s *session, again bool) {
	rebalance := s.options.Connector.RebalanceClusterClients
	s.out.command(control(strings.Join(c.brokers, ","), rebalance && !again))
	if rebalance && len(c.brokers) > 1 {
		c.brokers = append(c.brokers[1:], c.brokers[0])
	}
}

func control(brokers string, rebalance bool) *openwire.ConnectionControl {
	return &openwire.ConnectionControl{ConnectedBrokers: openwire.S(brokers), ReconnectTo: openwire.S(""), RebalanceConnection: rebalance}
}
