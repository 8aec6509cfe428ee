package node

import (
	"net"
	"os"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/session/openwire"
)

// advisor returns what makes the broker's advisories, nil if it has none.
func (n *Node) advisor(id string) core.Advisor {
	if !n.options.Config.AdvisorySupport {
		return nil
	}
	return openwire.NewAdvisor(id, n.options.Config.Name, n.url())
}

// url is where clients reach the broker, as far as it can tell: its first connector.
func (n *Node) url() string {
	host, port, err := net.SplitHostPort(n.connectors[0].Address)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return "tcp://" + net.JoinHostPort(host, port)
}
