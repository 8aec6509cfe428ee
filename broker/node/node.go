// Package node is one running broker put together: the log and the store, and once it has the right to them the core, the
// listeners and their sessions.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinmesh/twinmesh/broker/admin"
	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/log/file"
	codec "github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/server"
	"github.com/twinmesh/twinmesh/broker/session/openwire"
	"github.com/twinmesh/twinmesh/broker/store"
)

const (
	// handover is how long clients have to go when the broker stops.
	handover = 700 * time.Millisecond
	// sweep is how often expired messages are looked for, as in ActiveMQ.
	sweep = 30 * time.Second
	// cleaning is how often the log's size is looked at.
	cleaning = time.Second
	// keptLog is the size in bytes under which the log is not cleaned.
	keptLog = 256 << 20
)

// Options are what a broker is made of.
type Options struct {
	Config        config.Config
	Authenticator openwire.Authenticator // nil lets everyone in
	Logger        *slog.Logger
	// Active is called, in a goroutine of its own, when the broker serves clients, with its term. When its context ends
	// the broker has stopped serving, and waits for it to return. An error stops the broker. It may be nil.
	Active func(ctx context.Context, term uint64) error
}

// Node is one broker.
type Node struct {
	options    Options
	connectors []connector
	state      atomic.Pointer[admin.State]
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
	n := &Node{options: o}
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

// State is what the broker is now. Any goroutine may ask.
func (n *Node) State() admin.State { return *n.state.Load() }

func (n *Node) enter(role admin.Role, term uint64) {
	n.state.Store(&admin.State{Name: n.options.Config.Name, Role: role, Term: term})
}

// Run is the broker's life: it waits for the right to the store, serves clients, and when ctx ends hands over. It returns
// nil then, and an error if the broker cannot go on, in which case another one may serve already.
func (n *Node) Run(ctx context.Context) error {
	l, err := file.Open(file.Options{Directory: n.options.Config.Data, Broker: n.options.Config.Name, Logger: n.options.Logger})
	if err != nil {
		return err
	}
	s := store.New(l, store.Options{MinBytes: keptLog})
	n.enter(admin.Standby, 0)
	term, err := s.Lead(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = nil
		}
		return errors.Join(err, s.Close())
	}
	return errors.Join(n.serve(ctx, s, term), s.Close())
}

// serve is the broker's time as the active one.
func (n *Node) serve(ctx context.Context, s *store.Store, term uint64) error {
	id := fmt.Sprintf("ID:%s-%d", n.options.Config.Name, term)
	b := core.New(core.Options{
		Store: Join(s), Advisor: openwire.NewAdvisor(id, n.options.Config.Name), Now: time.Now, Logger: n.options.Logger,
	})
	listeners, err := n.listen(b, id)
	if err != nil {
		return err
	}
	n.enter(admin.Active, term)
	n.options.Logger.Info("active", "broker", n.options.Config.Name, "term", term)
	cause := n.wait(ctx, b, s, term)
	n.enter(admin.Stopping, term)
	n.options.Logger.Info("stopping", "broker", n.options.Config.Name, "term", term, "error", cause)
	closeAll(listeners)
	b.Settle()
	return cause
}

// wait returns when the broker has to stop, with the reason unless it is ctx.
func (n *Node) wait(ctx context.Context, b *core.Broker, s *store.Store, term uint64) error {
	ctx, stop := context.WithCancelCause(ctx)
	var helpers sync.WaitGroup
	helpers.Go(func() { maintain(ctx, b, s, n.options.Logger) })
	if n.options.Active != nil {
		helpers.Go(func() {
			if err := n.options.Active(ctx, term); err != nil && ctx.Err() == nil {
				stop(err)
			}
		})
	}
	var err error
	select {
	case <-s.Done():
		err = fmt.Errorf("the store ended: %w", s.Err())
	case <-ctx.Done():
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			err = cause
		}
	}
	stop(nil)
	helpers.Wait()
	return err
}

// maintain does what is due now and then.
func maintain(ctx context.Context, b *core.Broker, s *store.Store, logger *slog.Logger) {
	sweeps, cleanings := time.NewTicker(sweep), time.NewTicker(cleaning)
	defer sweeps.Stop()
	defer cleanings.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweeps.C:
			b.Expire()
		case <-cleanings.C:
			if _, err := s.Clean(ctx); err != nil && ctx.Err() == nil {
				logger.Warn("cannot give space of the log back", "error", err)
			}
		}
	}
}

func (n *Node) listen(b *core.Broker, id string) ([]*server.Listener, error) {
	var listeners []*server.Listener
	for _, c := range n.connectors {
		o := openwire.Options{
			BrokerID: id, BrokerName: n.options.Config.Name, Broker: b, Authenticator: n.options.Authenticator, Offer: c.offer,
			Logger: n.options.Logger,
		}
		l, err := server.Listen(server.Options{
			Address: c.Address, MaximumConnections: c.MaximumConnections, Logger: n.options.Logger,
			Handle: func(ctx context.Context, conn net.Conn) { openwire.Serve(ctx, conn, o) },
		})
		if err != nil {
			closeAll(listeners)
			return nil, err
		}
		n.options.Logger.Info("listening", "connector", "tcp://"+l.Addr().String())
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func closeAll(listeners []*server.Listener) {
	ctx, cancel := context.WithTimeout(context.Background(), handover)
	defer cancel()
	var closing sync.WaitGroup
	for _, l := range listeners {
		closing.Go(func() { l.Close(ctx) })
	}
	closing.Wait()
}
