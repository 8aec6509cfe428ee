package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/destination"
)

// openers is how many clients open things at the same time.
const openers = 16

// crowd is many of something that a broker is asked to have at once.
type crowd struct {
	name  string
	count int
	// open opens the i-th one by one of the openers' sessions.
	open func(ctx context.Context, c *clients, opener *client.Session, i int) error
}

// crowds are what runScale measures, each with a broker of its own.
var crowds = []crowd{
	{"connections", 10_000, func(ctx context.Context, c *clients, _ *client.Session, _ int) error {
		_, err := c.connect(ctx)
		return err
	}},
	{"queues, a message in each", 10_000, func(ctx context.Context, _ *clients, s *client.Session, i int) error {
		p, err := s.Producer(ctx, numbered(i))
		if err != nil {
			return err
		}
		return p.Send(ctx, client.NewText("hello"))
	}},
	{"consumers, of 10,000 queues", 100_000, func(ctx context.Context, _ *clients, s *client.Session, i int) error {
		_, err := s.Consumer(ctx, numbered(i%10_000), client.ConsumerOptions{})
		return err
	}},
	{"consumers, of one queue", 10_000, func(ctx context.Context, _ *clients, s *client.Session, i int) error {
		_, err := s.Consumer(ctx, numbered(0), client.ConsumerOptions{Prefetch: 1})
		return err
	}},
}

func numbered(i int) destination.Destination {
	return destination.Destination{Kind: destination.Queue, Name: fmt.Sprintf("scale.%d", i)}
}

// runScale prints what many clients cost: the time for one of the first tenth and for one of the last, which are the same where nothing
// depends on how many there are, and the broker's memory for each.
func runScale(ctx context.Context, program, dir string) error {
	debug.SetGCPercent(400) // of this process, which shares the machine
	fmt.Printf("%-32s %8s %10s %12s %12s %10s %10s\n", "", "", "total", "first tenth", "last tenth", "RSS each", "to close")
	for _, c := range crowds {
		if err := c.measure(ctx, program, dir); err != nil {
			return fmt.Errorf("%d %s: %w", c.count, c.name, err)
		}
	}
	return nil
}

func (c crowd) measure(ctx context.Context, program, dir string) error {
	scratch, err := os.MkdirTemp(dir, "bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	p, err := start(ctx, program, scratch)
	if err != nil {
		return err
	}
	defer p.stop()
	all := &clients{address: p.address}
	if err := all.begin(ctx); err != nil {
		return err
	}
	before, err := p.resident()
	if err != nil {
		return err
	}
	tenths, err := c.openAll(ctx, all)
	if err != nil {
		return err
	}
	after, err := p.resident()
	if err != nil {
		return err
	}
	each := func(tenth int) time.Duration {
		return (tenths[tenth] * 10 / time.Duration(c.count)).Round(100 * time.Nanosecond)
	}
	var total time.Duration
	for _, t := range tenths {
		total += t
	}
	began := time.Now()
	err = all.close(ctx)
	fmt.Printf("%-32s %8d %10v %12v %12v %9dB %10v\n", c.name, c.count, total.Round(10*time.Millisecond), each(0), each(9),
		(after-before)/c.count, time.Since(began).Round(10*time.Millisecond))
	return err
}

// openAll opens one tenth after the other, and tells how long each took.
func (c crowd) openAll(ctx context.Context, all *clients) (tenths [10]time.Duration, err error) {
	for tenth := range tenths {
		first, end := c.count*tenth/10, c.count*(tenth+1)/10
		errs := make([]error, len(all.openers))
		var opening sync.WaitGroup
		begin := time.Now()
		for o, session := range all.openers {
			opening.Go(func() {
				for i := first + o; i < end && errs[o] == nil; i += len(all.openers) {
					errs[o] = c.open(ctx, all, session, i)
				}
			})
		}
		opening.Wait()
		tenths[tenth] = time.Since(begin)
		if err := errors.Join(errs...); err != nil {
			return tenths, err
		}
	}
	return tenths, nil
}

// clients are connections to one broker.
type clients struct {
	address string
	openers []*client.Session // each with a connection of its own

	mu  sync.Mutex
	all []*client.Connection
}

func (c *clients) begin(ctx context.Context) error {
	for range openers {
		connection, err := c.connect(ctx)
		if err != nil {
			return err
		}
		session, err := connection.Session(ctx, client.AutoAck)
		if err != nil {
			return err
		}
		c.openers = append(c.openers, session)
	}
	return nil
}

func (c *clients) connect(ctx context.Context) (*client.Connection, error) {
	connection, err := client.Connect(ctx, client.Options{URL: "tcp://" + c.address})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, connection)
	return connection, nil
}

// close closes all connections. Each waits until the broker has taken out what belongs to it.
func (c *clients) close(ctx context.Context) error {
	errs := make([]error, openers)
	var closing sync.WaitGroup
	for o := range openers {
		closing.Go(func() {
			for i := o; i < len(c.all) && errs[o] == nil; i += openers {
				errs[o] = c.all[i].Close(ctx)
			}
		})
	}
	closing.Wait()
	return errors.Join(errs...)
}
