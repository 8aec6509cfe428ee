// Package config is a broker's configuration as plain data: read from broker.yaml, and checked. It starts nothing. The
// operator imports it too.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/twinmesh/twinmesh/broker/policy"
)

// Config is what broker.yaml holds.
type Config struct {
	// Name is the broker's name. The brokers of a pair have the same.
	Name string `yaml:"name"`
	// Data is the directory of the store, which the brokers of a pair share.
	Data string `yaml:"data"`
	// OpenWire lists the connectors, as in tcp://0.0.0.0:61616?maximumConnections=1000&wireFormat.maxFrameSize=104857600.
	OpenWire []string `yaml:"openwire"`
	// ClusterBrokers are the URLs of brokers that clients may go to, which connectors with updateClusterClients=true tell them.
	ClusterBrokers []string `yaml:"clusterBrokers,omitempty"`
	// HTTP is the address of /healthz, /readyz and /role.
	HTTP string `yaml:"http"`
	Auth Auth   `yaml:"auth"`
	// Authorization says who may do what; nil lets everybody do everything.
	Authorization *Authorization `yaml:"authorization,omitempty"`
	// PopulateJMSXUserID has each message carry the name of the user who sent it.
	PopulateJMSXUserID bool `yaml:"populateJMSXUserID"`
	// AdvisorySupport has the broker tell clients of each other, on topics whose names begin with ActiveMQ.Advisory.
	AdvisorySupport bool `yaml:"advisorySupport"`
	// AnonymousProducerAdvisorySupport has it also tell of producers that name a destination with each message.
	AnonymousProducerAdvisorySupport bool `yaml:"anonymousProducerAdvisorySupport"`
	// TempUsageLimit is the size in bytes of the files below Data where messages wait for slow topic consumers, outside of memory.
	TempUsageLimit int64 `yaml:"tempUsageLimit"`
	// DurableSubscribers' keys stand among these.
	DurableSubscribers `yaml:",inline"`
	// DestinationPolicies has the options of queues and topics; the most specific entry holds.
	DestinationPolicies []DestinationPolicy `yaml:"destinationPolicies,omitempty"`
	// Redelivery has the broker deliver again what consumers refuse, nil leaves that to clients.
	Redelivery *RedeliveryPlugin `yaml:"redeliveryPlugin,omitempty"`
	// TimeStamping has the broker set the times of messages, nil leaves that to clients.
	TimeStamping *policy.TimeStamping `yaml:"timeStampingBrokerPlugin,omitempty"`
	// Destinations are there from the beginning on.
	Destinations []Destination `yaml:"destinations,omitempty"`
	// SchedulePeriodForDestinationPurge is how often inactive destinations are looked for, in milliseconds; 0 is never.
	SchedulePeriodForDestinationPurge int64 `yaml:"schedulePeriodForDestinationPurge"`
	// MaxPurgedDestinationsPerSweep is how many of them are removed at a time; 0 is all.
	MaxPurgedDestinationsPerSweep int `yaml:"maxPurgedDestinationsPerSweep"`
	// MaxUncommittedCount is how many sends and acknowledgements a transaction may have before it is rolled back; 0 is any number.
	MaxUncommittedCount int `yaml:"maxUncommittedCount"`
	// SystemUsage has the limits of the broker's memory and store.
	SystemUsage SystemUsage `yaml:"systemUsage"`
	// VirtualDestinations are virtual topics and composite destinations.
	VirtualDestinations []policy.VirtualDestination `yaml:"virtualDestinations"`
	// UseMirroredQueues copies what is sent to queues to topics, called as MirroredQueue says, which alone turns it on too.
	UseMirroredQueues bool                  `yaml:"useMirroredQueues"`
	MirroredQueue     *policy.MirroredQueue `yaml:"mirroredQueue,omitempty"`
}

// Auth says who may connect.
type Auth struct {
	// Mode is on, off (only on loopback addresses), or off-everywhere.
	Mode string `yaml:"mode"`
	// UsersFile has a line name=password for each user, the password plain or as a hash by bcrypt or argon2id. Without it a user
	// is made when there is none, and its password printed once.
	UsersFile string `yaml:"usersFile"`
	// GroupsFile has a line group=user,user for each group; Groups says the same here.
	GroupsFile string           `yaml:"groupsFile,omitempty"`
	Groups     map[string]Names `yaml:"groups,omitempty"`
	// AnonymousAccessAllowed lets clients in that give neither a name nor a password, as a user in a group.
	AnonymousAccessAllowed bool   `yaml:"anonymousAccessAllowed,omitempty"`
	AnonymousUser          string `yaml:"anonymousUser,omitempty"`
	AnonymousGroup         string `yaml:"anonymousGroup,omitempty"`
}

// Default is the configuration of a broker that is told nothing.
func Default() Config {
	return Config{
		Name: "localhost", Data: "data", OpenWire: []string{"tcp://127.0.0.1:61616"}, HTTP: "127.0.0.1:8161",
		Auth:               Auth{Mode: "on", AnonymousUser: "anonymous", AnonymousGroup: "anonymous"},
		DurableSubscribers: defaultDurableSubscribers(),
		AdvisorySupport:    true, TempUsageLimit: 1 << 30, VirtualDestinations: policy.DefaultVirtualDestinations(), SystemUsage: defaultUsage(),
	}
}

// Load reads a file over the defaults. A key that does not exist is an error.
func Load(path string) (Config, error) {
	c := Default()
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("reading the configuration: %w", err)
	}
	return c, c.read(path, text)
}

// read takes the values of a file's text.
func (c *Config) read(path string, text []byte) error {
	documents := yaml.NewDecoder(bytes.NewReader(text))
	var document, more yaml.Node
	if err := documents.Decode(&document); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := documents.Decode(&more); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s:%d: a second document begins here: write all keys into one", path, more.Line)
	}
	if err := checkKeys(path, document.Content[0], reflect.TypeFor[Config]()); err != nil {
		return err
	}
	if err := document.Decode(c); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Validate tells what cannot be served as it stands.
func (c Config) Validate() error {
	if c.Name == "" || c.Data == "" || len(c.OpenWire) == 0 {
		return fmt.Errorf("a broker needs a name, a data directory and at least one openwire address")
	}
	if err := c.validateAuth(); err != nil {
		return err
	}
	if err := c.validateDestinations(); err != nil {
		return err
	}
	if err := c.SystemUsage.validate(); err != nil {
		return err
	}
	if err := c.validatePolicies(); err != nil {
		return err
	}
	if err := c.DurableSubscribers.validate(); err != nil {
		return err
	}
	for _, raw := range c.OpenWire {
		connector, err := ParseConnector(raw)
		if err != nil {
			return err
		}
		if err := c.validateCluster(connector, raw); err != nil {
			return err
		}
		if c.Auth.Mode == "off" && !isLoopback(connector.Address) {
			return fmt.Errorf("auth is off, and %s can be reached from other machines: turn it on, listen on 127.0.0.1, or say off-everywhere", raw)
		}
	}
	return nil
}

// validateCluster tells whether a connector has what it is to tell its clients.
func (c Config) validateCluster(connector Connector, raw string) error {
	if connector.RebalanceClusterClients && !connector.UpdateClusterClients {
		return fmt.Errorf("%s: rebalanceClusterClients needs updateClusterClients=true", raw)
	}
	if connector.UpdateClusterClients && len(c.ClusterBrokers) == 0 {
		return fmt.Errorf("%s: updateClusterClients has no brokers to tell of: list their URLs in clusterBrokers", raw)
	}
	for _, broker := range c.ClusterBrokers {
		if u, err := url.Parse(broker); err != nil || u.Port() == "" || strings.Contains(broker, ",") {
			return fmt.Errorf("clusterBrokers: %q: write it as tcp://HOST:PORT", broker)
		}
	}
	return nil
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
