package node

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/admin"
	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/server"
	"github.com/twinmesh/twinmesh/broker/session/openwire"
	"github.com/twinmesh/twinmesh/broker/spool"
	"github.com/twinmesh/twinmesh/broker/store"
	"github.com/twinmesh/twinmesh/broker/vfs"
)

const (
	// handover is how long clients have to go when the broker stops.
	handover = 700 * time.Millisecond
	// cleaning is how often the log's size is looked at.
	cleaning = time.Second
)

// serve is the broker's time as the active one. It returns why that is over, nil if ctx ended.
func (n *Node) serve(ctx context.Context, s *store.Store, term uint64) error {
	id := fmt.Sprintf("ID:%s-%d", n.options.Config.Name, term)
	spooled := spool.New(spool.Options{
		FS: vfs.OS{}, Directory: filepath.Join(n.options.Config.Data, "spool"), Limit: n.options.Config.TempUsageLimit,
	})
	defer func() { _ = spooled.Close() }()
	b := n.live.begin(core.Options{
		Store: Join(s), Name: n.options.Config.Name, ID: id, Advisor: n.advisor(id), Now: time.Now, Logger: n.options.Logger,
		Durable: core.DurableOptions{
			RejectDurableConsumers: n.options.Config.RejectDurableConsumers, DropNonPersistent: !n.options.Config.KeepDurableSubsActive,
		},
		URL: n.url(), Data: n.options.Config.Data,
		MemoryLimit: int64(n.options.Config.SystemUsage.MemoryUsage.Limit), NoSpace: core.NoSpace{
			Fail: n.options.Config.SystemUsage.SendFailIfNoSpace, After: n.options.Config.SystemUsage.SendFailIfNoSpaceAfterTimeout,
		},
		AnonymousProducerAdvisories: n.options.Config.AnonymousProducerAdvisorySupport, Spool: spooled,
		MaxUncommittedCount: n.options.Config.MaxUncommittedCount,
	})
	defer n.live.end()
	if err := createDestinations(b, n.options.Config); err != nil {
		return err
	}
	listeners, err := n.listen(b, id)
	if err != nil {
		return err
	}
	n.broker.Store(b)
	defer n.broker.Store(nil)
	n.enter(admin.Active, term)
	n.options.Logger.Info("active", "broker", n.options.Config.Name, "term", term)
	serving, stop := context.WithCancelCause(ctx)
	helpers := n.help(serving, stop, b, s, term)
	reason := awaitEnd(ctx, serving, s)
	n.enter(admin.Stopping, term)
	n.options.Logger.Info("stopping", "broker", n.options.Config.Name, "term", term, "reason", describe(reason))
	b.StopDispatch()
	stop(nil)
	closeAll(listeners, reason == nil)
	helpers.Wait()
	b.Settle()
	return reason
}

// awaitEnd waits until the broker has to stop and tells why, nil if ctx ended.
func awaitEnd(ctx, serving context.Context, s *store.Store) error {
	select {
	case <-s.Done():
		return fmt.Errorf("the store ended: %w", s.Err())
	case <-serving.Done():
	}
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(serving)
}

func describe(reason error) string {
	if reason == nil {
		return "told to"
	}
	return reason.Error()
}

// help starts what accompanies an active broker. It ends with serving, or ends it by calling stop.
func (n *Node) help(serving context.Context, stop context.CancelCauseFunc, b *core.Broker, s *store.Store, term uint64) *sync.WaitGroup {
	var helpers sync.WaitGroup
	helpers.Go(func() { maintain(serving, b, s, n.options.Logger) })
	helpers.Go(func() { removeOffline(serving, b, n.options.Config.DurableSubscribers) })
	helpers.Go(func() { collectInactive(serving, b, n.options.Config) })
	helpers.Go(func() { deliverScheduled(serving, b, n.options.Logger) })
	if n.options.Active != nil {
		helpers.Go(func() {
			if err := n.options.Active(serving, term); err != nil {
				stop(err)
			}
		})
	}
	return &helpers
}

// maintain does what is due now and then.
func maintain(ctx context.Context, b *core.Broker, s *store.Store, logger *slog.Logger) {
	sweeps, cleanings := time.NewTimer(0), time.NewTicker(cleaning)
	defer sweeps.Stop()
	defer cleanings.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweeps.C:
			sweeps.Reset(b.Expire(ctx))
		case <-cleanings.C:
			b.AbortSlow()
			if _, err := s.Clean(ctx); err != nil && ctx.Err() == nil {
				logger.Warn("cannot give space of the log back", "error", err)
			}
		}
	}
}

// listen lets clients in, by the connectors and within the process.
func (n *Node) listen(b *core.Broker, id string) ([]*server.Listener, error) {
	listeners := []*server.Listener{server.Serve(n.listenInside(), n.serverOptions(b, id, insideConnector()))}
	for _, c := range n.connectors {
		l, err := server.Listen(n.serverOptions(b, id, c))
		if err != nil {
			closeAll(listeners, false)
			return nil, err
		}
		n.options.Logger.Info("listening", "connector", "tcp://"+l.Addr().String())
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func (n *Node) serverOptions(b *core.Broker, id string, c connector) server.Options {
	o := openwire.Options{
		BrokerID: id, BrokerName: n.options.Config.Name, Broker: b, Offer: c.offer, Connector: c.Connector, Cluster: n.live.cluster,
		Logger: n.options.Logger, PopulateUserID: n.options.Config.PopulateJMSXUserID,
	}
	if n.options.Guard != nil {
		o.Authenticator = n.options.Guard
	}
	return server.Options{
		Address: c.Address, MaximumConnections: c.MaximumConnections, Logger: n.options.Logger,
		Handle: func(ctx context.Context, conn net.Conn) {
			prepare(conn, c.Socket)
			openwire.Serve(ctx, conn, o)
		},
	}
}

// prepare sets a socket's options. That one cannot be set is no reason to refuse a client.
func prepare(conn net.Conn, o config.Socket) {
	socket, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	_ = socket.SetNoDelay(!o.Delay)
	_ = socket.SetKeepAlive(!o.NoKeepAlive)
	if o.BufferSize > 0 {
		_ = socket.SetReadBuffer(o.BufferSize)
		_ = socket.SetWriteBuffer(o.BufferSize)
	}
}

// closeAll ends all connections: politely, which takes the handover time at most, or at once, because another broker may
// serve already.
func closeAll(listeners []*server.Listener, politely bool) {
	ctx, cancel := context.WithTimeout(context.Background(), handover)
	defer cancel()
	if !politely {
		cancel()
	}
	var closing sync.WaitGroup
	for _, l := range listeners {
		closing.Go(func() { l.Close(ctx) })
	}
	closing.Wait()
}
