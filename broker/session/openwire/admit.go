package openwire

import (
	"cmp"
	"fmt"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
)

// maxPerConnection is how many consumers, and how many producers, a connection may have where the connector says nothing: so many that
// only a program that forgets to close them gets there.
const maxPerConnection = 100_000

// admitConsumer tells why the client may not have another consumer, nil if it may.
func (s *session) admitConsumer(d destination.Destination) error {
	if most := cmp.Or(s.options.Connector.MaximumConsumers, maxPerConnection); len(s.consumers) >= most && !d.IsAdvisory() {
		return s.tooMany("consumer", most)
	}
	return s.mayConsume(d)
}

// admitProducer does that for a producer, whose destination may be the zero one.
func (s *session) admitProducer(d destination.Destination) error {
	if most := cmp.Or(s.options.Connector.MaximumProducers, maxPerConnection); len(s.producers) >= most && !d.IsAdvisory() {
		return s.tooMany("producer", most)
	}
	if d.Kind == 0 {
		return nil // each send is looked at
	}
	return s.mayProduce(d)
}

func (s *session) tooMany(what string, most int) error {
	return &core.Error{Kind: core.IllegalState, Text: fmt.Sprintf("Can't add %s on connection %s: at maximum limit: %d", what, s.id.Value, most)}
}
