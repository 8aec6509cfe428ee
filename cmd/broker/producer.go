package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinmesh/twinmesh/broker/client"
)

// producerFlags say what is sent.
type producerFlags struct {
	clientFlags
	size, batch, ttl int
	message          string
	persistent       bool
}

func producerCommand() *cobra.Command {
	var f producerFlags
	c := &cobra.Command{
		Use:   "producer",
		Short: "Send messages, and tell how fast",
		Long: `Send messages, and tell how fast. A persistent message is sent when the broker has it on its disk; each thread waits for that.

Exit codes: 0 all messages are sent; 1 something failed; 2 it was interrupted before.`,
		Example: `  twinmesh-broker producer --user admin --password-file password --destination queue://orders --messageCount 100
  TWINMESH_PASSWORD=... twinmesh-broker producer --user admin --url 'failover:(tcp://a:61616,tcp://b:61616)' --parallelThreads 16`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.produce(c) },
	}
	f.register(c)
	c.Flags().BoolVar(&f.persistent, "persistent", true, "messages outlive the broker")
	c.Flags().IntVar(&f.size, "messageSize", 0, "bytes of a BytesMessage; 0 sends TextMessages")
	c.Flags().StringVar(&f.message, "message", "", `text of each message (default "test message: " and its number)`)
	c.Flags().IntVar(&f.batch, "transactionBatchSize", 0, "messages in a transaction; 0 sends without")
	c.Flags().IntVar(&f.ttl, "msgTTL", 0, "milliseconds after which a message expires; 0 for never")
	return c
}

func (f producerFlags) produce(c *cobra.Command) error {
	switch {
	case f.size < 0 || f.batch < 0 || f.ttl < 0:
		return errors.New("--messageSize, --transactionBatchSize and --msgTTL are numbers of 0 or more")
	case f.size > 0 && f.message != "":
		return errors.New("--messageSize and --message: give one of them")
	}
	p, err := f.open(c.Context(), c, "sent")
	if err != nil {
		return err
	}
	mode := client.AutoAck
	if f.batch > 0 {
		mode = client.Transacted
	}
	return p.run(c.Context(), c, mode, func(ctx context.Context, s *client.Session) error { return f.send(ctx, p, s) })
}

// send is one thread's work.
func (f producerFlags) send(ctx context.Context, p *program, s *client.Session) error {
	producer, err := s.Producer(ctx, p.destination)
	if err != nil {
		return err
	}
	var open, bytes int // sent since the last commit
	commit := func() error {
		if err := s.Commit(ctx); err != nil {
			return err
		}
		p.meter.add(open, bytes)
		open, bytes = 0, 0
		return nil
	}
	for n := 0; p.wanted(ctx, n); n++ {
		m := f.make(n)
		if err := producer.Send(ctx, m); err != nil {
			return err
		}
		open, bytes = open+1, bytes+len(m.Body)
		if open >= f.batch {
			if err := commit(); err != nil {
				return err
			}
		}
		p.pause(ctx)
	}
	return commit()
}

func (f producerFlags) make(n int) *client.Message {
	text := f.message
	if text == "" {
		text = fmt.Sprintf("test message: %d", n)
	}
	m := client.NewText(text)
	if f.size > 0 {
		m = client.NewBytes([]byte(strings.Repeat("x", f.size)))
	}
	m.NonPersistent = !f.persistent
	if f.ttl > 0 {
		m.Expires = time.Now().Add(time.Duration(f.ttl) * time.Millisecond)
	}
	return m
}
