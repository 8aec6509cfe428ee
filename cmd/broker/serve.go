package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinmesh/twinmesh/broker/admin"
	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/node"
	"github.com/twinmesh/twinmesh/broker/security"
	"github.com/twinmesh/twinmesh/cmd/broker/internal/publish"
)

const (
	// clearTime is how long a broker that hands over talks to Kubernetes, so that all of it takes less than a second.
	clearTime = 700 * time.Millisecond
	// refuseTime is how long a broker that handed over keeps its pod there. A pod's address vanishes with its process, and
	// then a client that tries it waits for its connectionTimeout. Until then it is refused at once and goes on to the
	// next broker, which serves within a second.
	refuseTime = 2 * time.Second
)

// serveFlags are what the command line says; what it does not say is the file's, or the default.
type serveFlags struct {
	file     string
	name     string
	data     string
	openwire []string
	http     string
	auth     string
	slices   []string
}

func serveCommand() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run a broker: active, or standby while another one holds the data directory",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			configuration, err := f.configuration()
			if err != nil {
				return err
			}
			return serve(c.Context(), f, configuration, c.OutOrStdout())
		},
	}
	d := config.Default()
	c.Flags().StringVar(&f.file, "config", "", "configuration file (broker.yaml)")
	c.Flags().StringVar(&f.name, "name", "", fmt.Sprintf("broker name, the same for the brokers of a pair (default %q)", d.Name))
	c.Flags().StringVar(&f.data, "data", "", fmt.Sprintf("directory of the store, shared by the brokers of a pair (default %q)", d.Data))
	c.Flags().StringArrayVar(&f.openwire, "openwire", nil, fmt.Sprintf("where to listen for OpenWire; may be repeated (default %q)", d.OpenWire[0]))
	c.Flags().StringVar(&f.http, "http", "", fmt.Sprintf("address of /healthz, /readyz, /role, /metrics and /transactions (default %q)", d.HTTP))
	c.Flags().StringVar(&f.auth, "auth", "", "on, off (loopback addresses only) or off-everywhere (default \"on\")")
	c.Flags().StringArrayVar(&f.slices, "publish-slice", nil, "EndpointSlice to publish this pod in when active; may be repeated")
	return c
}

// configuration is the file's, with the flags' values instead where there are any.
func (f serveFlags) configuration() (config.Config, error) {
	c := config.Default()
	if f.file != "" {
		var err error
		if c, err = config.Load(f.file); err != nil {
			return c, err
		}
	}
	for value, field := range map[*string]*string{&f.name: &c.Name, &f.data: &c.Data, &f.http: &c.HTTP, &f.auth: &c.Auth.Mode} {
		if *value != "" {
			*field = *value
		}
	}
	if len(f.openwire) > 0 {
		c.OpenWire = f.openwire
	}
	return c, nil
}

func serve(ctx context.Context, f serveFlags, c config.Config, out io.Writer) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	o := node.Options{Config: c, Logger: logger, Reload: f.configuration, Hangup: hangup}
	if err := c.Validate(); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if err := node.Prepare(c, logger); err != nil {
		return err
	}
	if c.Auth.Mode == "on" {
		var err error
		if o.Guard, err = guard(c, logger, out); err != nil {
			return err
		}
	}
	if len(f.slices) > 0 {
		var err error
		if o.Active, err = publishing(f.slices, logger); err != nil {
			return err
		}
	}
	n, err := node.New(o)
	if err != nil {
		return err
	}
	web, err := serveHTTP(c.HTTP, n, o.Guard, logger)
	if err != nil {
		return err
	}
	defer func() { _ = web.Close() }()
	if err := n.Run(ctx); err != nil {
		return err
	}
	if inPod, led := len(f.slices) > 0, n.State().Term > 0; inPod && led {
		<-time.After(refuseTime)
	}
	return nil
}

// guard reads the users, or makes one and says its password this once.
func guard(c config.Config, logger *slog.Logger, out io.Writer) (*security.Guard, error) {
	path := c.Auth.UsersFile
	if path == "" {
		path = filepath.Join(c.Data, "users.properties")
		password, err := security.Generate(path)
		if err != nil {
			return nil, err
		}
		if password != "" {
			_, _ = fmt.Fprintf(out, "user: admin\npassword: %s\nThis is shown once; its hash is in %s.\n", password, path)
		}
	}
	users, err := security.Open(path, logger)
	if err != nil {
		return nil, err
	}
	return security.NewGuard(users, c, logger)
}

func serveHTTP(address string, n *node.Node, g *security.Guard, logger *slog.Logger) (*http.Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for HTTP: %w", err)
	}
	logger.Info("listening for health checks", "url", "http://"+listener.Addr().String())
	a := admin.Administration{Broker: n.Broker}
	if g != nil {
		a.Authenticate = administrator(g)
	}
	web := admin.NewServer(admin.Handler(n.State, a))
	go func() { _ = web.Serve(listener) }() // ends with web.Close
	return web, nil
}

// everyQueue is to what an administrator of the broker has the right to create and remove.
var everyQueue = destination.Destination{Kind: destination.Queue, Name: ">"}

// administrator lets those in who may do everything with queues.
func administrator(g *security.Guard) func(ctx context.Context, l security.Login) error {
	return func(ctx context.Context, l security.Login) error {
		user, err := g.Authenticate(ctx, l)
		if err == nil && !user.May(security.Admin, everyQueue) {
			return fmt.Errorf("user %s is not authorized to administer the broker: that takes the right admin to the queues >", user.Name())
		}
		return err
	}
}

// publishing returns what tells Kubernetes that this pod is the active one, for as long as it is.
func publishing(slices []string, logger *slog.Logger) (func(context.Context, uint64) error, error) {
	api, err := publish.InCluster(os.Getenv)
	if err != nil {
		return nil, err
	}
	p, err := publish.New(publish.Config{
		API: api, Namespace: os.Getenv("POD_NAMESPACE"), Slices: slices, Log: logger,
		Pod: publish.Pod{Name: os.Getenv("POD_NAME"), UID: os.Getenv("POD_UID"), IP: os.Getenv("POD_IP"), Node: os.Getenv("NODE_NAME")},
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, term uint64) error {
		if err := p.Run(ctx, term); err != nil && ctx.Err() == nil {
			return err
		}
		<-ctx.Done()
		clearing, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTime)
		defer cancel()
		if err := p.Clear(clearing, term); err != nil {
			logger.Warn("cannot take this pod out of the Services; the next active broker will", "error", err)
		}
		return nil
	}, nil
}
