package node_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/node"
)

// A program, or its test, runs a broker of its own and talks to it without a socket. Other programs reach it by its connectors.
func Example() {
	data, err := os.MkdirTemp("", "broker")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(data)
	c := config.Default()
	c.Data, c.OpenWire = data, []string{"tcp://127.0.0.1:0"}
	broker, err := node.New(node.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- broker.Run(ctx) }()

	if err := greet(ctx, broker); err != nil {
		log.Fatal(err)
	}
	stop()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	// Output: hello
}

// greet sends a message to itself.
func greet(ctx context.Context, broker *node.Node) error {
	connection, err := client.Connect(ctx, client.Options{URL: "tcp://inside:1", Dial: broker.Dial})
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close(ctx) }()
	session, err := connection.Session(ctx, client.AutoAck)
	if err != nil {
		return err
	}
	queue := destination.Destination{Kind: destination.Queue, Name: "greetings"}
	producer, err := session.Producer(ctx, queue)
	if err != nil {
		return err
	}
	if err := producer.Send(ctx, client.NewText("hello")); err != nil {
		return err
	}
	consumer, err := session.Consumer(ctx, queue, client.ConsumerOptions{})
	if err != nil {
		return err
	}
	m, err := consumer.Receive(ctx)
	if err == nil {
		fmt.Println(string(m.Body))
	}
	return err
}
