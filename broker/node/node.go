// Package node is one running broker put together: the log and the store, and once it has the right to them the core, the
// listeners and their sessions.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"

	"github.com/twinmesh/twinmesh/broker/admin"
	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/file"
	codec "github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/security"
	"github.com/twinmesh/twinmesh/broker/session/openwire"
	"github.com/twinmesh/twinmesh/broker/store"
)

// keptLog is the size in bytes under which the log is not cleaned.
const keptLog = 256 << 20

// Options are what a broker is made of.
type Options struct {
	Config config.Config
	Guard  *security.Guard // nil lets everyone in, and do everything
	Logger *slog.Logger
	// Active is called, in a goroutine of its own, when the broker serves clients, with its term. When its context ends
	// the broker stops serving, and waits for it to return before it hands over: it has to be quick then. An error stops the
	// broker. It may be nil.
	Active func(ctx context.Context, term uint64) error
	// Reload reads the configuration again, with what the command line says instead of it. It is called every few seconds, and at
	// once when something comes from Hangup. Nil is a broker whose configuration does not change.
	Reload func() (config.Config, error)
	Hangup <-chan os.Signal
}

// Node is one broker.
type Node struct {
	options    Options
	connectors []connector
	state      atomic.Pointer[admin.State]
	broker     atomic.Pointer[core.Broker] // while it is the active one
	live       live
	inside     chan net.Conn // from Dial
}

// connector is where clients come in, and what they are offered.
type connector struct {
	config.Connector
	offer codec.Offer
}

// New checks the options. It opens nothing yet.
func New(o Options) (*Node, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	n := &Node{options: o, live: live{config: o.Config, guard: o.Guard, cluster: openwire.NewCluster(o.Config.ClusterBrokers)}, inside: make(chan net.Conn)}
	for _, raw := range o.Config.OpenWire {
		c, err := config.ParseConnector(raw)
		if err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		offer, err := codec.BrokerOffer().WithOptions(c.WireFormat)
		if err != nil {
			return nil, fmt.Errorf("configuration: the connector %q: %w", raw, err)
		}
		n.connectors = append(n.connectors, connector{c, offer})
	}
	n.enter(admin.Starting, 0)
	return n, nil
}

// Prepare makes the data directory, or tells why this broker cannot have it: it belongs to another one, or may not be
// written. To be called before anything else is written there.
func Prepare(c config.Config, logger *slog.Logger) error {
	l, err := open(c, logger)
	if err != nil {
		return err
	}
	return l.Close()
}

func open(c config.Config, logger *slog.Logger) (*file.Log, error) {
	return file.Open(file.Options{Directory: c.Data, Broker: c.Name, Logger: logger})
}

// State is what the broker is now. Any goroutine may ask.
func (n *Node) State() admin.State { return *n.state.Load() }

// Broker is the core of an active broker, nil if it is none. Any goroutine may ask.
func (n *Node) Broker() *core.Broker { return n.broker.Load() }

func (n *Node) enter(role admin.Role, term uint64) {
	n.state.Store(&admin.State{Name: n.options.Config.Name, Role: role, Term: term})
}

// Run is the broker's life: it waits for the right to the store, serves clients, and when ctx ends hands over. It returns
// nil then, and an error if the broker cannot go on, in which case another one may serve already. It is called once.
func (n *Node) Run(ctx context.Context) error {
	l, err := open(n.options.Config, n.options.Logger)
	if err != nil {
		return err
	}
	return n.run(ctx, l)
}

// run is Run on a log, which it closes.
func (n *Node) run(ctx context.Context, l log.Log) error {
	defer n.follow(ctx)()
	s := store.New(l, store.Options{MinBytes: keptLog, Limit: int64(n.options.Config.SystemUsage.StoreUsage.Limit)})
	n.enter(admin.Standby, 0)
	term, err := s.Lead(ctx)
	switch {
	case err == nil:
		err = n.serve(ctx, s, term)
	case ctx.Err() != nil:
		err = nil
	}
	n.enter(admin.Stopping, term)
	return errors.Join(err, s.Close())
}
