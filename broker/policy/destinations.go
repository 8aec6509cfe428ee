package policy

// Destinations says which queues and topics may be made, and which are removed again.
type Destinations struct {
	// GCInactiveDestinations removes those that have been without messages, consumers and producers for as long as
	// InactiveTimeoutBeforeGC says, in milliseconds.
	GCInactiveDestinations  bool  `yaml:"gcInactiveDestinations"`
	InactiveTimeoutBeforeGC int64 `yaml:"inactiveTimeoutBeforeGC"`
	// MaxDestinations is how many queues, and how many topics, the policy is for; -1 is any number.
	MaxDestinations int `yaml:"maxDestinations"`
	// AllowTempDestinationStealing lets other connections consume from a temporary destination than the one that created it.
	AllowTempDestinationStealing bool `yaml:"allowTempDestinationStealing"`
}

func (d *Destinations) validate() error {
	return check([]bound{
		{"inactiveTimeoutBeforeGC", d.InactiveTimeoutBeforeGC, 0, longest},
		{"maxDestinations", int64(d.MaxDestinations), -1, 1 << 31},
	})
}
