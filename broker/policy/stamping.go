package policy

// TimeStamping has the broker set the times of the messages that clients send, as ActiveMQ's timeStampingBrokerPlugin does.
// Messages without timestamp keep their times.
type TimeStamping struct {
	// ZeroExpirationOverride is after how many milliseconds messages expire that have no expiration; 0 is never.
	ZeroExpirationOverride int64 `yaml:"zeroExpirationOverride"`
	// TTLCeiling is after how many milliseconds messages expire at the latest; 0 is as late as they want.
	TTLCeiling int64 `yaml:"ttlCeiling"`
	// FutureOnly leaves alone the times of a message that would expire earlier.
	FutureOnly bool `yaml:"futureOnly"`
	// ProcessNetworkMessages sets the times also of messages that come from other brokers.
	ProcessNetworkMessages bool `yaml:"processNetworkMessages"`
}

// Validate tells which value is out of its range.
func (s *TimeStamping) Validate() error {
	return check([]bound{
		{"zeroExpirationOverride", s.ZeroExpirationOverride, 0, longest},
		{"ttlCeiling", s.TTLCeiling, 0, longest},
	})
}
