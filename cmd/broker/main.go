// The twinmesh-broker program: a message broker, and its command line.
package main

import (
	"context"
	"errors"
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
	root.AddCommand(serveCommand(), userCommand(), producerCommand(), consumerCommand(), transactionsCommand())
	if err := root.ExecuteContext(ctx); err != nil {
		root.PrintErrln("twinmesh-broker:", err)
		os.Exit(exitCode(err))
	}
}

// exitCode tells a run that did less than it was told to from one that failed.
func exitCode(err error) int {
	if errors.Is(err, errIncomplete) {
		return 2
	}
	return 1
}
