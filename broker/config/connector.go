package config

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Connector is what an OpenWire URL says.
type Connector struct {
	// Address is host:port.
	Address string
	// MaximumConnections is how many clients may be connected at once; 1000 if the URL says nothing.
	MaximumConnections int
	// WireFormat has the options that begin with wireFormat., which the codec knows.
	WireFormat url.Values
}

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
	if u.Scheme != "tcp" || u.Port() == "" || u.User != nil || u.Path != "" || u.Fragment != "" {
		return Connector{}, fmt.Errorf("the connector %q: write it as tcp://HOST:PORT", raw)
	}
	c := Connector{Address: u.Host, MaximumConnections: 1000, WireFormat: url.Values{}}
	for name, values := range options {
		if strings.HasPrefix(name, "wireFormat.") {
			c.WireFormat[name] = values
			continue
		}
		if name != "maximumConnections" {
			return Connector{}, fmt.Errorf("the connector %q: unknown option %q; known are maximumConnections and wireFormat.*", raw, name)
		}
		if c.MaximumConnections, err = strconv.Atoi(values[0]); err != nil || c.MaximumConnections < 1 {
			return Connector{}, fmt.Errorf("the connector %q: maximumConnections is a number of 1 or more", raw)
		}
	}
	return c, nil
}
