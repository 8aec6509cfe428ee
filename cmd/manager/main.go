// Command manager is the Twinmesh operator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	o, err := parseFlags(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2) // it has told why
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctrl.SetLogger(logr.FromSlogHandler(log.Handler()))
	if err := start(ctrl.SetupSignalHandler(), o); err != nil {
		log.Error("the operator cannot run", "error", err)
		os.Exit(1)
	}
}

// start runs the operator until ctx ends.
func start(ctx context.Context, o options) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the API server: %w", err)
	}
	return run(ctx, config, o)
}

// options are the command line.
type options struct {
	brokerImage    string
	namespaces     []string
	metricsAddress string
	healthAddress  string
}

// parseFlags tells out what is wrong.
func parseFlags(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.brokerImage, "broker-image", "", "image of brokers whose BrokerCluster names none (required)")
	flags.Func("namespaces", "comma-separated namespaces to work in (default: all)", func(list string) error {
		o.namespaces = strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
		return nil
	})
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "where /metrics is; 0 for nowhere")
	flags.StringVar(&o.healthAddress, "health-bind-address", ":8081", "where /healthz and /readyz are")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	var err error
	switch {
	case o.brokerImage == "":
		err = errors.New("--broker-image is required: brokers run this image unless their BrokerCluster names another")
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q: there are only flags", flags.Arg(0))
	}
	if err != nil {
		_, _ = fmt.Fprintln(out, err)
		return options{}, err
	}
	return o, nil
}
