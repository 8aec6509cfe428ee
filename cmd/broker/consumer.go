package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// consumerFlags say what is received, and how it is acknowledged.
type consumerFlags struct {
	clientFlags
	ackMode, selector string
	durable           bool
	timeout, batch    int
	print             bool
}

// ackModes are JMS's and ActiveMQ's names.
var ackModes = map[string]client.AckMode{
	"AUTO_ACKNOWLEDGE": client.AutoAck, "CLIENT_ACKNOWLEDGE": client.ClientAck, "INDIVIDUAL_ACKNOWLEDGE": client.IndividualAck,
	"SESSION_TRANSACTED": client.Transacted,
}

func consumerCommand() *cobra.Command {
	var f consumerFlags
	modes := strings.Join(slices.Sorted(maps.Keys(ackModes)), ", ")
	c := &cobra.Command{
		Use:   "consumer",
		Short: "Receive messages, and tell how fast",
		Long: `Receive messages, and tell how fast. What was not acknowledged when it ends is delivered to others.

Exit codes: 0 all messages are received; 1 something failed; 2 there was no further message for --receiveTimeout, or it was
interrupted.`,
		Example: `  twinmesh-broker consumer --user admin --password-file password --destination queue://orders --messageCount 100 --print
  TWINMESH_PASSWORD=... twinmesh-broker consumer --user admin --url 'failover:(tcp://a:61616,tcp://b:61616)' --receiveTimeout 5000`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.consume(c, modes) },
	}
	f.register(c)
	c.Flags().StringVar(&f.ackMode, "ackMode", "AUTO_ACKNOWLEDGE", modes)
	c.Flags().IntVar(&f.batch, "batchSize", 10, "messages in a transaction, or in an acknowledgement of CLIENT_ACKNOWLEDGE")
	c.Flags().IntVar(&f.timeout, "receiveTimeout", 0, "milliseconds to wait for a message before giving up; 0 for as long as it takes")
	c.Flags().StringVar(&f.selector, "selector", "", "JMS selector, as in \"size > 10 AND color = 'red'\"")
	c.Flags().BoolVar(&f.durable, "durable", false, "receive from a topic by durable subscriptions of the client id, consumer-1 for the first thread and so on")
	c.Flags().StringVar(&f.clientID, "clientId", "", "the connection's client id, which durable subscriptions need")
	c.Flags().BoolVar(&f.print, "print", false, "print the messages' bodies, a line each")
	return c
}

func (f consumerFlags) consume(c *cobra.Command, modes string) error {
	mode, known := ackModes[f.ackMode]
	switch {
	case !known:
		return fmt.Errorf("--ackMode %q: use one of %s", f.ackMode, modes)
	case f.batch < 1 || f.timeout < 0:
		return errors.New("--batchSize is a number of 1 or more, --receiveTimeout one of 0 or more")
	}
	p, err := f.open(c.Context(), c, "received")
	if err != nil {
		return err
	}
	var threads atomic.Int64
	return p.run(c.Context(), c, mode, func(ctx context.Context, s *client.Session) error {
		o := client.ConsumerOptions{Selector: f.selector}
		if f.durable {
			o.Subscription = fmt.Sprintf("consumer-%d", threads.Add(1))
		}
		consumer, err := s.Consumer(ctx, p.destination, o)
		if err != nil {
			return err
		}
		r := receiving{flags: f, program: p, session: s, mode: mode, consumer: consumer, out: func(line string) {
			_, _ = fmt.Fprintln(c.OutOrStdout(), line)
		}}
		return r.run(ctx)
	})
}

// receiving is one thread's work.
type receiving struct {
	*program
	flags    consumerFlags
	session  *client.Session
	mode     client.AckMode
	consumer *client.Consumer
	out      func(line string)

	open []*client.Message // received and not acknowledged
	done int
}

func (r *receiving) run(ctx context.Context) error {
	for r.wanted(ctx, r.done+len(r.open)) || len(r.open) > 0 {
		if !r.wanted(ctx, r.done+len(r.open)) || len(r.open) >= r.batch() {
			if err := r.acknowledge(ctx); err != nil {
				return err
			}
			continue
		}
		m, err := r.receive(ctx)
		switch {
		case errors.Is(err, errQuiet):
			if err := r.acknowledge(ctx); err != nil {
				return err
			}
			return errIncomplete
		case client.IsClass(err, openwire.TransactionRolledBackException):
			if err := r.acknowledge(ctx); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		r.open = append(r.open, m)
		r.pause(ctx)
	}
	return nil
}

// batch is how many messages are acknowledged together.
func (r *receiving) batch() int {
	if r.mode == client.AutoAck || r.mode == client.IndividualAck {
		return 1
	}
	return r.flags.batch
}

// errQuiet is for a time without messages.
var errQuiet = errors.New("there is no message")

func (r *receiving) receive(ctx context.Context) (*client.Message, error) {
	if r.flags.timeout == 0 {
		return r.consumer.Receive(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(r.flags.timeout)*time.Millisecond, errQuiet)
	defer cancel()
	return r.consumer.Receive(ctx)
}

// acknowledge ends what is open. Where a broker was lost meanwhile, the messages come again, and do not count.
func (r *receiving) acknowledge(ctx context.Context) error {
	open := r.open
	r.open = nil
	var err error
	switch {
	case r.mode == client.Transacted:
		err = r.session.Commit(ctx)
	case len(open) > 0:
		err = open[len(open)-1].Ack(ctx)
	}
	if errors.Is(err, client.ErrStale) || errors.Is(err, client.ErrInDoubt) || client.IsClass(err, openwire.TransactionRolledBackException) {
		r.logger.Warn("messages were not acknowledged and may come again", "messages", len(open), "reason", err)
		return nil
	}
	if err != nil {
		return err
	}
	for _, m := range open {
		r.meter.add(1, len(m.Body))
		if m.Redelivered > 0 {
			r.meter.again.Add(1)
		}
		if r.flags.print {
			r.out(string(m.Body))
		}
	}
	r.done += len(open)
	return nil
}
