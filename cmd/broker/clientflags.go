package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/destination"
)

const (
	// passwordVariable is where the password comes from if no file is named. On the command line all of the machine could read it.
	passwordVariable = "TWINMESH_PASSWORD"
	// closeTime is how long the broker may take to answer the goodbye.
	closeTime = 5 * time.Second
)

// errIncomplete is the end of a run that did less than it was told to, though nothing failed. The exit code tells it apart.
var errIncomplete = errors.New("ended before all messages were through")

// clientFlags are what producer and consumer have in common. Names that ActiveMQ's own commands have mean the same here.
type clientFlags struct {
	url, user, passwordFile string
	clientID                string
	destination             string
	count, threads          int
	sleep                   int
}

func (f *clientFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.url, "url", "tcp://127.0.0.1:61616", "broker, or 'failover:(tcp://a:61616,tcp://b:61616)' for one after the other")
	c.Flags().StringVar(&f.user, "user", "", "user name; its password is in the environment's "+passwordVariable+", or in a file")
	c.Flags().StringVar(&f.passwordFile, "password-file", "", "file that has the password in its first line")
	c.Flags().StringVar(&f.destination, "destination", "queue://TEST", "queue://NAME or topic://NAME")
	c.Flags().IntVar(&f.count, "messageCount", 1000, "messages for each of the parallel threads; 0 goes on until it is interrupted")
	c.Flags().IntVar(&f.threads, "parallelThreads", 1, "how many do it at the same time, each in a session of its own")
	c.Flags().IntVar(&f.sleep, "sleep", 0, "milliseconds to wait after each message")
}

// program is a connection with what the flags say.
type program struct {
	flags       clientFlags
	connection  *client.Connection
	destination destination.Destination
	logger      *slog.Logger
	meter       *meter
}

func (f clientFlags) open(ctx context.Context, c *cobra.Command, verb string) (*program, error) {
	switch {
	case f.count < 0 || f.sleep < 0:
		return nil, errors.New("--messageCount and --sleep are numbers of 0 or more")
	case f.threads < 1 || f.threads > 10_000:
		return nil, errors.New("--parallelThreads is a number from 1 to 10000")
	}
	d, err := destination.Parse(f.destination, destination.Queue)
	if err != nil {
		return nil, fmt.Errorf("--destination: %w", err)
	}
	password, err := f.password()
	if err != nil {
		return nil, err
	}
	p := &program{flags: f, destination: d, logger: slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))}
	p.connection, err = client.Connect(ctx, client.Options{
		URL: f.url, ClientID: f.clientID, User: f.user, Password: password, Logger: p.logger,
		Failed: func(err error) { p.logger.Warn("the broker could not do something", "error", err) },
	})
	if err != nil {
		return nil, err
	}
	p.meter = startMeter(verb, f.count*f.threads, os.Stderr)
	return p, nil
}

// password is the file's first line, or the environment's.
func (f clientFlags) password() (string, error) {
	if f.passwordFile == "" {
		return os.Getenv(passwordVariable), nil
	}
	text, err := os.ReadFile(f.passwordFile)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// run has each thread work in a session until all are done or one fails, and prints the summary.
func (p *program) run(ctx context.Context, c *cobra.Command, mode client.AckMode, work func(context.Context, *client.Session) error) error {
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var threads sync.WaitGroup
	var incomplete sync.Once
	var result error
	for range p.flags.threads {
		threads.Go(func() {
			s, err := p.connection.Session(working, mode)
			if err == nil {
				err = work(working, s)
			}
			if errors.Is(err, errIncomplete) {
				incomplete.Do(func() { result = errIncomplete })
			} else if err != nil {
				cancel(err)
			}
		})
	}
	threads.Wait()
	p.meter.stop()
	if ctx.Err() != nil {
		result = errIncomplete
	} else if working.Err() != nil {
		result = context.Cause(working)
	}
	closing, stop := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer stop()
	if err := p.connection.Close(closing); err != nil && result == nil {
		result = err
	}
	_, _ = fmt.Fprintln(c.OutOrStdout(), p.meter.summary())
	return result
}

// pause waits as --sleep says.
func (p *program) pause(ctx context.Context) {
	if p.flags.sleep == 0 {
		return
	}
	select {
	case <-time.After(time.Duration(p.flags.sleep) * time.Millisecond):
	case <-ctx.Done():
	}
}

// wanted tells whether the thread that has done n messages has to do another.
func (p *program) wanted(ctx context.Context, n int) bool {
	return ctx.Err() == nil && (p.flags.count == 0 || n < p.flags.count)
}
