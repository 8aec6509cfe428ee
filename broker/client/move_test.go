package client_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/twinmesh/twinmesh/broker/client"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// A broker may tell its clients of others, and send them there. Only failover clients follow.
func TestBrokersMoveTheirClients(t *testing.T) {
	for name, test := range map[string]struct {
		url   string
		says  []openwire.DataStructure
		moves bool
	}{
		"at once": {"failover:(tcp://a:1)?maxReconnectAttempts=1", []openwire.DataStructure{
			&openwire.ConnectionControl{ReconnectTo: openwire.S("tcp://b:2")},
		}, true},
		"when it is gone": {"failover:(tcp://a:1)?maxReconnectAttempts=1", []openwire.DataStructure{
			&openwire.ConnectionControl{ConnectedBrokers: openwire.S("nonsense, tcp://b:2")}, &openwire.ShutdownInfo{},
		}, true},
		"nowhere": {"failover:(tcp://a:1)?maxReconnectAttempts=1", []openwire.DataStructure{
			&openwire.ConnectionControl{ReconnectTo: openwire.S("nonsense")}, &openwire.ShutdownInfo{},
		}, false},
		"a client without failover": {"tcp://a:1", []openwire.DataStructure{
			&openwire.ConnectionControl{ConnectedBrokers: openwire.S("tcp://b:2"), ReconnectTo: openwire.S("tcp://b:2")}, &openwire.ShutdownInfo{},
		}, false},
	} {
		bubble(t, func(t *testing.T, p *pair) {
			tries := 0
			c, err := client.Connect(p.ctx, client.Options{URL: test.url, Dial: func(ctx context.Context, address string) (net.Conn, error) {
				if address == "b:2" {
					return p.dial(ctx, address)
				}
				if tries++; tries > 1 {
					return nil, errors.New("connection refused")
				}
				return p.mover(test.says), nil
			}})
			if err == nil { // else the broker's goodbye was quicker
				defer func() { _ = c.Close(context.Background()) }()
				err = askSomething(p.ctx, c)
			}
			if (err == nil) != test.moves {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// askSomething asks what the first broker does not answer.
func askSomething(ctx context.Context, c *client.Connection) error {
	s, err := c.Session(ctx, client.AutoAck)
	if err != nil {
		return err
	}
	_, err = s.Producer(ctx, queue("q"))
	return err
}

// mover is a socket to a broker that takes a client, says something, and answers nothing more.
func (p *pair) mover(says []openwire.DataStructure) net.Conn {
	ours, theirs := net.Pipe()
	s := newScript(p.t, theirs)
	go func() {
		s.negotiate(openwire.BrokerOffer())
		for v := s.hear(s.format); v != nil; v = s.hear(s.format) {
			if info, ok := v.(*openwire.ConnectionInfo); ok {
				s.say(&openwire.Response{CorrelationID: info.CommandID})
				for _, v := range says {
					s.say(v)
				}
			}
		}
		_ = theirs.Close()
	}()
	return ours
}
