package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// process is a broker in a process of its own.
type process struct {
	command *exec.Cmd
	address string
	started time.Duration // from the start of the process to the first accepted connection
}

var listening = regexp.MustCompile(`connector=tcp://(\S+)`)

// start starts a broker on a directory, and waits until it takes clients.
func start(ctx context.Context, program, dir string) (*process, error) {
	p := &process{command: exec.Command(program, "serve", "--auth", "off", "--data", filepath.Join(dir, "data"),
		"--openwire", "tcp://127.0.0.1:0?maximumConnections=100000", "--http", "127.0.0.1:0")}
	log, err := p.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting a broker: %w", err)
	}
	lines := bufio.NewScanner(log)
	for p.address == "" && lines.Scan() {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			p.address = found[1]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, log) }() // ends with the broker
	if p.address == "" {
		p.stop()
		return nil, errors.New("the broker ended before it listened")
	}
	l, err := client.Dial(ctx, p.address, client.LinkOptions{Offer: openwire.BrokerOffer()})
	if err != nil {
		p.stop()
		return nil, err
	}
	p.started = time.Since(began)
	return p, l.Close()
}

func (p *process) stop() {
	_ = p.command.Process.Signal(os.Interrupt)
	_ = p.command.Wait()
}

// resident is the memory that the process has in RAM, in bytes.
func (p *process) resident() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0, errors.New("the kernel does not tell the process's memory")
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	return kilobytes << 10, err
}

// throughBroker sends persistent messages from some producers, each with a connection of its own, who wait for each answer.
func (p *process) throughBroker(ctx context.Context, size, producers int, duration time.Duration) (figures, error) {
	var connections []*client.Connection
	defer func() {
		for _, c := range connections {
			_ = c.Close(ctx)
		}
	}()
	return together(producers, duration, func(int) (step, error) {
		c, err := client.Connect(ctx, client.Options{URL: "tcp://" + p.address})
		if err != nil {
			return nil, err
		}
		connections = append(connections, c)
		s, err := c.Session(ctx, client.AutoAck)
		if err != nil {
			return nil, err
		}
		producer, err := s.Producer(ctx, destination.Destination{Kind: destination.Queue, Name: "bench"})
		body := make([]byte, size)
		return func() error { return producer.Send(ctx, client.NewBytes(body)) }, err
	})
}
