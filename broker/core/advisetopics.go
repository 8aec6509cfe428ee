package core

import (
	"strings"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// perDestination is the topic of what a family tells of a destination. Those of consumers, of producers and of what the oldest
// families tell do not say whether a destination is temporary. A composite's commas would make a composite of its topic.
func perDestination(f Family, d destination.Destination) string {
	kind := kindName(d.Kind)
	switch f {
	case ProducerAdvisory, ConsumerAdvisory, ExpiredAdvisory, NoConsumerAdvisory:
		kind = strings.TrimPrefix(kind, "Temp")
	}
	return advisoryPrefix + familyNames[f] + "." + kind + "." + strings.ReplaceAll(d.Name, ",", "&sbquo;")
}

func kindName(k destination.Kind) string {
	switch k {
	case destination.Topic:
		return "Topic"
	case destination.TempQueue:
		return "TempQueue"
	case destination.TempTopic:
		return "TempTopic"
	}
	return "Queue"
}
