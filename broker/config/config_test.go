package config

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func load(t *testing.T, text string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broker.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestAFileReplacesDefaults(t *testing.T) {
	c, err := load(t, "name: orders-0\nauth: {usersFile: /etc/users}\n")
	if err != nil || c.Name != "orders-0" || c.Auth.UsersFile != "/etc/users" || c.Auth.Mode != "on" || c.HTTP != Default().HTTP {
		t.Errorf("got %+v, %v", c, err)
	}
	if empty, err := load(t, ""); err != nil || empty.Name != "localhost" {
		t.Errorf("got %+v, %v", empty, err)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"name: a\ndatta: /x\n":              `broker.yaml:2: unknown key "datta"; did you mean "data"?`,
		"auth:\n  usersfile: /x\n":          `broker.yaml:2: unknown key "usersfile"; did you mean "usersFile"?`,
		"openwire: tcp://127.0.0.1:61616\n": "line 1",
		"- a\n":                             "expected keys",
		"auth: on\n":                        "broker.yaml:1: expected keys",
		"name: a\nname: b\n":                "already defined at line 1",
		"name: a\n---\nname: b\n":           "broker.yaml:2: a second document",
		"name: a\n---\n\tx":                 "line 3",
		"destinationPolicies: [{default: true, deadLetterStrategy: {discarding: {processExpired: false}}}]": "there is nothing to say here",
	} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"off-everywhere":   func(c *Config) { c.Auth.Mode, c.OpenWire = "off", []string{"tcp://0.0.0.0:61616"} },
		"write on, off or": func(c *Config) { c.Auth.Mode = "no" },
		"write it as tcp:": func(c *Config) { c.OpenWire = []string{"tcp://a:1/path"} },
		"its options":      func(c *Config) { c.OpenWire = []string{"tcp://a:1?maximumConnections=%zz"} },
		"tcp://HOST:PORT":  func(c *Config) { c.OpenWire = []string{"ssl://a:1"} },
		"unknown option":   func(c *Config) { c.OpenWire = []string{"tcp://a:1?maxConnections=3"} },
		"a number of 1":    func(c *Config) { c.OpenWire = []string{"tcp://a:1?maximumConnections=0"} },
		"has no brokers":   func(c *Config) { c.OpenWire = []string{"tcp://127.0.0.1:1?updateClusterClients=true"} },
		"needs update":     func(c *Config) { c.OpenWire = []string{"tcp://127.0.0.1:1?rebalanceClusterClients=true"} },
		`"a,b": write`:     func(c *Config) { c.ClusterBrokers = []string{"tcp://a:1", "a,b"} },
		"needs a name":     func(c *Config) { c.Name = "" },
		"Timeout is -2":    func(c *Config) { c.OfflineDurableSubscriberTimeout = -2 },
		"Schedule is -2":   func(c *Config) { c.OfflineDurableSubscriberTaskSchedule = -2 },
	} {
		c := Default()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", c, err, want)
		}
	}
	c := Default()
	c.Auth.Mode = "off"
	if err := c.Validate(); err != nil {
		t.Errorf("auth off on loopback: %v", err)
	}
}

// FuzzLoad reads anything as a configuration. What it makes of it is what it makes of that written down.
func FuzzLoad(f *testing.F) {
	f.Add("name: orders-0\nauth: {mode: off, usersFile: /etc/users}\nopenwire: [\"tcp://127.0.0.1:61616?maximumConnections=3\"]\n")
	f.Add("datta: /x")
	f.Add("auth: {groups: {admins: [a, \"b,c\"], users: d}}\nauthorization: {entries: [{queue: \">\", read: \"*\", write: [a]}], tempDestinations: }")
	f.Add("a: &a [*a]")
	f.Add("destinationPolicies: [{queue: a, deadLetterStrategy: {discarding: }}, {topic: a, deadLetterStrategy: {individualDeadLetterStrategy: }}]")
	f.Add("destinationPolicies: [{queue: orders.>, queuePrefetch: 3}, {default: true}]")
	f.Fuzz(func(t *testing.T, text string) {
		c := Default()
		if err := c.read("broker.yaml", []byte(text)); err != nil {
			return
		}
		_ = c.Validate()
		written, err := yaml.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var again Config
		err = again.read("broker.yaml", written)
		rewritten, _ := yaml.Marshal(again)
		if err != nil || !bytes.Equal(rewritten, written) {
			t.Errorf("%+v is read back as %+v, %v", c, again, err)
		}
	})
}

func TestConnectorOptions(t *testing.T) {
	c, err := ParseConnector("nio://0.0.0.0:61616?maximumConnections=3&maximumProducersAllowedPerConnection=4&maximumConsumersAllowedPerConnection=5&" +
		"allowLinkStealing=true&updateClusterClients=true&rebalanceClusterClients=true&transport.connectAttemptTimeout=6&transport.soWriteTimeout=7&" +
		"transport.useInactivityMonitor=false&useKeepAlive=false&keepAliveResponseRequired=true&minmumWireFormatVersion=8&transport.tcpNoDelay=false&" +
		"transport.keepAlive=false&socketBufferSize=9&wireFormat.version=10")
	want := Connector{
		Address: "0.0.0.0:61616", MaximumConnections: 3, MaximumProducers: 4, MaximumConsumers: 5, AllowLinkStealing: true, UpdateClusterClients: true,
		RebalanceClusterClients: true, ConnectAttemptTimeout: 6 * time.Millisecond, WriteTimeout: 7 * time.Millisecond, NoInactivityMonitor: true, NoKeepAlive: true,
		KeepAliveResponseRequired: true, MinimumVersion: 8, Socket: Socket{Delay: true, NoKeepAlive: true, BufferSize: 9},
		WireFormat: url.Values{"wireFormat.version": {"10"}},
	}
	if diff := cmp.Diff(want, c); diff != "" || err != nil {
		t.Error(err, diff)
	}
	plain, err := ParseConnector("auto+nio://a:1?transport.useInactivityMonitor=true&tcpNoDelay=true&allowLinkStealing=false")
	if diff := cmp.Diff(Connector{Address: "a:1", MaximumConnections: 1000, WireFormat: url.Values{}}, plain); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestConnectorOptionsThatAreRefused(t *testing.T) {
	for option, want := range map[string]string{
		"transport.soTimeout=1000":              "the option transport.soTimeout has no effect here: a client that says nothing",
		"backlog=3":                             "the option backlog has no effect here",
		"transport.updateClusterClients=true":   `unknown option "transport.updateClusterClients"; known are`,
		"maxConnections=3":                      `unknown option "maxConnections"; known are wireFormat.* and allowLinkStealing`,
		"allowLinkStealing=yes":                 "allowLinkStealing is true or false",
		"transport.useKeepAlive=1":              "transport.useKeepAlive is true or false",
		"transport.soWriteTimeout=0":            "transport.soWriteTimeout is a number of milliseconds from 1",
		"maximumConsumersAllowedPerConnection=": "is a number of 1 or more",
	} {
		if _, err := ParseConnector("tcp://a:1?" + option); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", option, err)
		}
	}
}

func FuzzParseConnector(f *testing.F) {
	f.Add("tcp://0.0.0.0:61616?maximumConnections=1000&wireFormat.maxFrameSize=104857600")
	f.Add("tcp://[::1]:0")
	f.Fuzz(func(t *testing.T, raw string) {
		if c, err := ParseConnector(raw); err == nil && (c.MaximumConnections < 1 || !strings.Contains(raw, c.Address)) {
			t.Errorf("%q was read as %+v", raw, c)
		}
	})
}
