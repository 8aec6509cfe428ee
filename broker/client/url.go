package client

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// address is one broker's tcp: URL.
type address struct {
	hostPort string
	timeout  time.Duration // of connecting, 0 for none
	offer    openwire.Offer
}

// target is what a URL says: where the brokers are, and how to look for them.
type target struct {
	addresses []address
	nested    url.Values // options of every address, also of those that a broker tells of
	failover  failover
}

// failover has the options of a failover: URL, under ActiveMQ's names.
type failover struct {
	initialReconnectDelay, maxReconnectDelay          time.Duration
	useExponentialBackOff                             bool
	backOffMultiplier                                 float64
	maxReconnectAttempts, startupMaxReconnectAttempts int // rounds over all addresses; -1 is no limit
	timeout                                           time.Duration
	randomize                                         bool
}

func failoverDefaults() failover {
	return failover{
		initialReconnectDelay: 10 * time.Millisecond, maxReconnectDelay: 30 * time.Second,
		useExponentialBackOff: true, backOffMultiplier: 2,
		maxReconnectAttempts: -1, startupMaxReconnectAttempts: -1,
		timeout: -1, randomize: true,
	}
}

// options are the places of the values, by name.
func (f *failover) options() map[string]any {
	return map[string]any{
		"initialReconnectDelay": &f.initialReconnectDelay, "maxReconnectDelay": &f.maxReconnectDelay,
		"useExponentialBackOff": &f.useExponentialBackOff, "backOffMultiplier": &f.backOffMultiplier,
		"maxReconnectAttempts": &f.maxReconnectAttempts, "startupMaxReconnectAttempts": &f.startupMaxReconnectAttempts,
		"timeout": &f.timeout, "randomize": &f.randomize,
	}
}

// beyond are options of ActiveMQ's client that this one has no use for, or cannot follow.
var beyond = map[string]struct{}{
	"backup": {}, "backupPoolSize": {}, "priorityBackup": {}, "priorityURIs": {}, "trackMessages": {}, "maxCacheSize": {},
	"updateURIsSupported": {}, "updateURIsURL": {}, "rebalanceUpdateURIs": {}, "reconnectSupported": {}, "warnAfterReconnectAttempts": {},
}

// parseURL reads tcp://HOST:PORT?… or failover:(tcp://…,tcp://…)?…
func parseURL(raw string) (target, error) {
	if rest, found := strings.CutPrefix(raw, "failover:"); found {
		t, err := parseFailover(strings.TrimPrefix(rest, "//"))
		if err != nil {
			return t, fmt.Errorf("the URL %q: %w", raw, err)
		}
		return t, nil
	}
	a, err := parseAddress(raw, nil)
	if err != nil {
		return target{}, fmt.Errorf("the URL %q: %w", raw, err)
	}
	// Without failover: a single try, and no second one when the link is lost.
	return target{addresses: []address{a}, failover: failover{timeout: -1}}, nil
}

func parseFailover(rest string) (target, error) {
	list, options := rest, ""
	if strings.HasPrefix(rest, "(") {
		end := strings.LastIndex(rest, ")")
		if end < 0 {
			return target{}, errors.New("the list of addresses has no closing parenthesis")
		}
		list, options = rest[1:end], rest[end+1:]
		if options != "" && options[0] != '?' {
			return target{}, fmt.Errorf("%q follows the list of addresses, where only ?OPTIONS may", options)
		}
	}
	t := target{failover: failoverDefaults(), nested: url.Values{}}
	if err := t.parseOptions(strings.TrimPrefix(options, "?")); err != nil {
		return t, err
	}
	for raw := range strings.SplitSeq(list, ",") {
		a, err := parseAddress(strings.TrimSpace(raw), t.nested)
		if err != nil {
			return t, err
		}
		t.addresses = append(t.addresses, a)
	}
	return t, nil
}

func (t *target) parseOptions(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return err
	}
	known := t.failover.options()
	for name := range values {
		value := values.Get(name)
		if nested, found := strings.CutPrefix(name, "nested."); found {
			t.nested.Set(nested, value)
			continue
		}
		if _, found := beyond[name]; found {
			return fmt.Errorf("%s is an option of ActiveMQ's client that this one does not have; leave it out", name)
		}
		place, found := known[name]
		if !found {
			return unknownOption(name, known)
		}
		if err := set(place, value); err != nil {
			return fmt.Errorf("%s=%s: %w", name, value, err)
		}
	}
	return nil
}

func unknownOption(name string, known map[string]any) error {
	known["nested.connectionTimeout"] = nil
	return fmt.Errorf("unknown option %q; did you mean %q?", name, config.Nearest(name, known))
}

// set reads an option's value into its place. Times are milliseconds.
func set(place any, value string) error {
	switch place := place.(type) {
	case *time.Duration:
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil || n < -1 {
			return errors.New("write a number of milliseconds")
		}
		*place = time.Duration(n) * time.Millisecond
	case *int:
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil || n < -1 {
			return errors.New("write a number, -1 for no limit")
		}
		*place = int(n)
	case *float64:
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || !(n >= 1 && n <= 1000) {
			return errors.New("write a number from 1 to 1000")
		}
		*place = n
	case *bool:
		if value != "true" && value != "false" {
			return errors.New("write true or false")
		}
		*place = value == "true"
	}
	return nil
}

// parseAddress reads tcp://HOST:PORT?… with the options of each address behind its own.
func parseAddress(raw string, nested url.Values) (address, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return address{}, err
	}
	if u.Scheme != "tcp" || u.Hostname() == "" || u.Port() == "" || u.Path != "" || u.User != nil {
		return address{}, fmt.Errorf("%q is no broker's address; write tcp://HOST:PORT", raw)
	}
	query := u.Query()
	for name, values := range nested {
		query[name] = append(query[name], values...)
	}
	a := address{hostPort: net.JoinHostPort(u.Hostname(), u.Port()), timeout: 30 * time.Second}
	for name := range query {
		switch {
		case strings.HasPrefix(name, "wireFormat."): // the codec looks at these
		case name != "connectionTimeout":
			return address{}, fmt.Errorf("unknown option %q of an address; there are connectionTimeout and wireFormat.*", name)
		default:
			values := query[name]
			if err := set(&a.timeout, values[len(values)-1]); err != nil {
				return address{}, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	a.offer, err = openwire.BrokerOffer().WithOptions(query)
	a.offer.Host = u.Hostname()
	return a, err
}
