package openwire_test

import (
	"fmt"
	"testing"

	"github.com/twinmesh/twinmesh/broker/openwire"
	session "github.com/twinmesh/twinmesh/broker/session/openwire"
)

// manage connects a client that wants to be told which brokers there are, and returns what it is told.
func (w *world) manage(name string, again bool) (*client, string) {
	w.t.Helper()
	c := w.offering(clientOffer())
	c.take()
	c.name = name
	c.ok(&openwire.ConnectionInfo{ConnectionID: c.connectionID(), Manageable: true, FailoverReconnect: again})
	return c, c.controls()
}

func (c *client) controls() (told string) {
	for _, v := range c.take() {
		if control, ok := v.(*openwire.ConnectionControl); ok {
			told += fmt.Sprintf("%s rebalance=%t;", control.ConnectedBrokers, control.RebalanceConnection)
		}
	}
	return told
}

func TestClientsAreToldOfTheCluster(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Cluster = session.NewCluster([]string{"tcp://a:1", "tcp://b:1"})
		_, told := w.manage("not told", false)
		if told != " rebalance=false;" {
			t.Errorf("without updateClusterClients: %q", told)
		}
		w.options.Connector.UpdateClusterClients = true
		c, told := w.manage("told", false)
		if told != "tcp://a:1,tcp://b:1 rebalance=false;" {
			t.Errorf("got %q", told)
		}
		gone, _ := w.manage("gone", false)
		gone.cut()
		w.options.Cluster.Set([]string{"tcp://b:1", "tcp://a:1"})
		if told := c.controls(); told != "" {
			t.Errorf("nothing has changed, and it was told %q", told)
		}
		w.options.Cluster.Set([]string{"tcp://c:1"})
		if told := c.controls(); told != "tcp://c:1 rebalance=false;" {
			t.Errorf("after a change: %q", told)
		}
	})
}

// TestClientsAreSpread: each new one to another broker, and not who just came by a failover.
func TestClientsAreSpread(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Cluster = session.NewCluster([]string{"tcp://a:1", "tcp://b:1"})
		w.options.Connector.UpdateClusterClients, w.options.Connector.RebalanceClusterClients = true, true
		for n, want := range []string{"tcp://a:1,tcp://b:1 rebalance=true;", "tcp://b:1,tcp://a:1 rebalance=true;", "tcp://a:1,tcp://b:1 rebalance=false;"} {
			if _, told := w.manage(fmt.Sprint(n), n == 2); told != want {
				t.Errorf("client %d: got %q, want %q", n, told, want)
			}
		}
	})
}
