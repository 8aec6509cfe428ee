// The twinmesh-broker program: a message broker, and its command line.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	root := &cobra.Command{
		Use:           "twinmesh-broker",
		Short:         "A message broker for JMS programs written for ActiveMQ Classic",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(serveCommand())
	if err := root.ExecuteContext(ctx); err != nil {
		root.PrintErrln("twinmesh-broker:", err)
		os.Exit(1)
	}
}
