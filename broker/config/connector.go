package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Connector is what an OpenWire URL says. The zero value of each option but MaximumConnections is its default.
type Connector struct {
	// Address is host:port.
	Address string
	// MaximumConnections is how many clients may be connected at once; 1000 if the URL says nothing.
	MaximumConnections int
	// MaximumProducers and MaximumConsumers are how many one connection may have at once, 0 is the session's own bound. Those of advisories
	// count, and are not refused.
	MaximumProducers, MaximumConsumers int
	// AllowLinkStealing has a client id that is taken pass to who comes with it.
	AllowLinkStealing bool
	// UpdateClusterClients tells clients which brokers there are, RebalanceClusterClients to go to one of these.
	UpdateClusterClients, RebalanceClusterClients bool
	// ConnectAttemptTimeout is how long a client may take to say its first word, WriteTimeout to take what is sent to it.
	ConnectAttemptTimeout, WriteTimeout time.Duration
	// NoInactivityMonitor neither breaks silence nor minds it, NoKeepAlive does not break it, KeepAliveResponseRequired asks for an answer
	// where it does.
	NoInactivityMonitor, NoKeepAlive, KeepAliveResponseRequired bool
	// MinimumVersion is the oldest version of the protocol that a client may have.
	MinimumVersion int
	Socket         Socket
	// WireFormat has the options that begin with wireFormat., which the codec knows.
	WireFormat url.Values
}

// Socket has the options of a connector's sockets.
type Socket struct {
	Delay       bool // gather small writes (Nagle)
	NoKeepAlive bool // no probes of the system
	BufferSize  int  // bytes that the system holds each way; 0 is its default
}

// schemes are those of ActiveMQ that mean OpenWire over TCP.
var schemes = []string{"tcp", "nio", "auto", "auto+nio"}

// ParseConnector reads a URL such as tcp://0.0.0.0:61616?maximumConnections=1000&wireFormat.maxFrameSize=104857600.
func ParseConnector(raw string) (Connector, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Connector{}, fmt.Errorf("the connector %q: %w", raw, err)
	}
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Connector{}, fmt.Errorf("the connector %q: its options: %w", raw, err)
	}
	if !slices.Contains(schemes, u.Scheme) || u.Port() == "" || u.User != nil || u.Path != "" || u.Fragment != "" {
		return Connector{}, fmt.Errorf("the connector %q: write it as tcp://HOST:PORT", raw)
	}
	c := Connector{Address: u.Host, MaximumConnections: 1000, WireFormat: url.Values{}}
	for name, values := range options {
		if err := c.set(name, values); err != nil {
			return Connector{}, fmt.Errorf("the connector %q: %w", raw, err)
		}
	}
	return c, nil
}

func (c *Connector) set(name string, values []string) error {
	if strings.HasPrefix(name, "wireFormat.") {
		c.WireFormat[name] = values
		return nil
	}
	bare, prefixed := strings.CutPrefix(name, "transport.")
	if reason := pointless[bare]; reason != "" {
		return fmt.Errorf("the option %s has no effect here: %s", name, reason)
	}
	options := c.options()
	option, known := options[bare]
	if !known || prefixed && !option.transport {
		return fmt.Errorf("unknown option %q; known are wireFormat.* and %s", name, strings.Join(slices.Sorted(maps.Keys(options)), ", "))
	}
	if err := option.read(values[len(values)-1]); err != nil {
		return fmt.Errorf("%s %w", name, err)
	}
	return nil
}

// connectorOption reads one option. Those of transports may have transport. before them.
type connectorOption struct {
	read      func(string) error
	transport bool
}

// options are those that a URL may have, by ActiveMQ's names.
func (c *Connector) options() map[string]connectorOption {
	connector := func(read func(string) error) connectorOption { return connectorOption{read, false} }
	transport := func(read func(string) error) connectorOption { return connectorOption{read, true} }
	return map[string]connectorOption{
		"maximumConnections":                   transport(atLeastOne(&c.MaximumConnections)),
		"maximumProducersAllowedPerConnection": connector(atLeastOne(&c.MaximumProducers)),
		"maximumConsumersAllowedPerConnection": connector(atLeastOne(&c.MaximumConsumers)),
		"allowLinkStealing":                    transport(yes(&c.AllowLinkStealing)),
		"updateClusterClients":                 connector(yes(&c.UpdateClusterClients)),
		"rebalanceClusterClients":              connector(yes(&c.RebalanceClusterClients)),
		"connectAttemptTimeout":                transport(milliseconds(&c.ConnectAttemptTimeout)),
		"soWriteTimeout":                       transport(milliseconds(&c.WriteTimeout)),
		"useInactivityMonitor":                 transport(not(&c.NoInactivityMonitor)),
		"useKeepAlive":                         transport(not(&c.NoKeepAlive)),
		"keepAliveResponseRequired":            transport(yes(&c.KeepAliveResponseRequired)),
		"minmumWireFormatVersion":              transport(atLeastOne(&c.MinimumVersion)),
		"tcpNoDelay":                           transport(not(&c.Socket.Delay)),
		"keepAlive":                            transport(not(&c.Socket.NoKeepAlive)),
		"socketBufferSize":                     transport(atLeastOne(&c.Socket.BufferSize)),
	}
}

// pointless are options of ActiveMQ that could have no effect, with the reason.
var pointless = map[string]string{
	"soTimeout":                    "a client that says nothing is given up by wireFormat.maxInactivityDuration",
	"connectionTimeout":            "it is for who opens a connection",
	"soLinger":                     "a client hears the last words, and then the connection is closed",
	"backlog":                      "the system's limit holds (net.core.somaxconn)",
	"ioBufferSize":                 "buffers grow as they are needed",
	"threadName":                   "there is no thread for a connection",
	"stackSize":                    "there is no thread for a connection",
	"daemon":                       "there is no thread for a connection",
	"useQueueForAccept":            "connections are taken as they come",
	"closeAsync":                   "closing holds nobody up",
	"trace":                        "nothing logs each command",
	"startLogging":                 "nothing logs each command",
	"dynamicManagement":            "there is no JMX",
	"jmxPort":                      "there is no JMX",
	"logWriterName":                "nothing logs each command",
	"useLocalHost":                 "it is for who opens a connection",
	"enabledProtocols":             "this connector has no TLS",
	"needClientAuth":               "this connector has no TLS",
	"wantClientAuth":               "this connector has no TLS",
	"auto.protocols":               "a connector speaks OpenWire",
	"disableAsyncDispatch":         "nothing that is sent to a client holds others up",
	"enableStatusMonitor":          "a client that does not read is given up by soWriteTimeout",
	"auditNetworkProducers":        "each producer is audited",
	"updateClusterClientsOnRemove": "the brokers that clients are told of are those of the configuration",
	"updateClusterFilter":          "the brokers that clients are told of are those of the configuration",
}

func atLeastOne(to *int) func(string) error {
	return func(text string) (err error) {
		if *to, err = strconv.Atoi(text); err != nil || *to < 1 {
			return errors.New("is a number of 1 or more")
		}
		return nil
	}
}

// milliseconds reads a time. 0, which is for ever with ActiveMQ, would let dead connections pile up.
func milliseconds(to *time.Duration) func(string) error {
	return func(text string) error {
		const longest = 24 * 60 * 60 * 1000
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > longest {
			return fmt.Errorf("is a number of milliseconds from 1 to %d", longest)
		}
		*to = time.Duration(n) * time.Millisecond
		return nil
	}
}

func yes(to *bool) func(string) error {
	return func(text string) error {
		if text != "true" && text != "false" {
			return errors.New("is true or false")
		}
		*to = text == "true"
		return nil
	}
}

func not(to *bool) func(string) error {
	read := yes(to)
	return func(text string) error {
		err := read(text)
		*to = !*to
		return err
	}
}
