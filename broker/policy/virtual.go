package policy

import (
	"errors"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// VirtualDestination is one entry of virtualDestinations: exactly one of its fields is set.
type VirtualDestination struct {
	Topic          *VirtualTopic   `yaml:"virtualTopic,omitempty"`
	CompositeQueue *CompositeQueue `yaml:"compositeQueue,omitempty"`
	CompositeTopic *CompositeTopic `yaml:"compositeTopic,omitempty"`
}

// VirtualTopic is a topic each message of which is also copied to every queue that there is whose name is the topic's between
// Prefix and Postfix.
type VirtualTopic struct {
	Name    string `yaml:"name"` // of the topics; may be a pattern
	Prefix  string `yaml:"prefix"`
	Postfix string `yaml:"postfix"`
	// SelectorAware keeps what no consumer of a queue would take out of that queue, so nothing comes to one without consumers.
	SelectorAware bool `yaml:"selectorAware"`
	// Local leaves out what another broker sent.
	Local bool `yaml:"local"`
	// DropOnResourceLimit leaves out queues that are full and refuse senders, instead of failing the send.
	DropOnResourceLimit bool `yaml:"dropOnResourceLimit"`
}

// Composite is a destination whose messages are forwarded.
type Composite struct {
	Name      string    `yaml:"name"` // may be a pattern
	ForwardTo []Forward `yaml:"forwardTo"`
	// ForwardOnly keeps the messages from where they were sent.
	ForwardOnly bool `yaml:"forwardOnly"`
	// SendWhenNotMatched lets a message go where it was sent if no forward takes it, and only then.
	SendWhenNotMatched bool `yaml:"sendWhenNotMatched"`
}

// CompositeQueue is a queue whose messages are forwarded.
type CompositeQueue struct {
	Composite `yaml:",inline"`
}

// CompositeTopic is a topic whose messages are forwarded.
type CompositeTopic struct {
	Composite `yaml:",inline"`
}

// Forward is where messages go: those that a selector takes, or all without one. Either Queue or Topic is set.
type Forward struct {
	Queue    string `yaml:"queue,omitempty"`
	Topic    string `yaml:"topic,omitempty"`
	Selector string `yaml:"selector,omitempty"`
}

// MirroredQueue copies each message for a queue to the topic whose name is the queue's between Prefix and Postfix.
type MirroredQueue struct {
	Prefix  string `yaml:"prefix"`
	Postfix string `yaml:"postfix"`
}

// Virtual says which sends go elsewhere, or elsewhere too. The copies that a message is sent as are stored as a whole, and a
// destination that several ways lead to gets one of them.
type Virtual struct {
	Destinations []VirtualDestination
	Mirror       *MirroredQueue // nil: queues are not mirrored
}

// DefaultVirtualTopic is a virtual topic of which nothing is said.
func DefaultVirtualTopic() VirtualTopic { return VirtualTopic{Name: ">", Prefix: "Consumer.*."} }

// DefaultVirtualDestinations is what there is when nothing is configured.
func DefaultVirtualDestinations() []VirtualDestination {
	t := DefaultVirtualTopic()
	t.Name = "VirtualTopic.>"
	return []VirtualDestination{{Topic: &t}}
}

// DefaultMirroredQueue is how mirrors are called where nothing is said.
func DefaultMirroredQueue() MirroredQueue { return MirroredQueue{Prefix: "VirtualTopic.Mirror."} }

// UnmarshalYAML reads it over its defaults.
func (t *VirtualTopic) UnmarshalYAML(read func(any) error) error {
	type plain VirtualTopic
	p := plain(DefaultVirtualTopic())
	err := read(&p)
	*t = VirtualTopic(p)
	return err
}

// UnmarshalYAML reads it over its defaults.
func (q *CompositeQueue) UnmarshalYAML(read func(any) error) (err error) {
	q.Composite, err = readComposite(read)
	return err
}

// UnmarshalYAML reads it over its defaults.
func (t *CompositeTopic) UnmarshalYAML(read func(any) error) (err error) {
	t.Composite, err = readComposite(read)
	return err
}

func readComposite(read func(any) error) (Composite, error) {
	c := Composite{ForwardOnly: true}
	err := read(&c)
	return c, err
}

// UnmarshalYAML reads it over its defaults.
func (m *MirroredQueue) UnmarshalYAML(read func(any) error) error {
	type plain MirroredQueue
	p := plain(DefaultMirroredQueue())
	err := read(&p)
	*m = MirroredQueue(p)
	return err
}

// Composite returns the composite that the entry is, with the name or pattern of its destinations; nil if it is none.
func (v VirtualDestination) Composite() (destination.Destination, *Composite) {
	switch {
	case v.CompositeQueue != nil:
		return destination.Destination{Kind: destination.Queue, Name: v.CompositeQueue.Name}, &v.CompositeQueue.Composite
	case v.CompositeTopic != nil:
		return destination.Destination{Kind: destination.Topic, Name: v.CompositeTopic.Name}, &v.CompositeTopic.Composite
	}
	return destination.Destination{}, nil
}

// To is where it forwards to. It may be a composite.
func (f Forward) To() (destination.Destination, error) {
	d := destination.Destination{Kind: destination.Queue, Name: f.Queue}
	if f.Topic != "" {
		d = destination.Destination{Kind: destination.Topic, Name: f.Topic}
	}
	switch {
	case f.Queue != "" && f.Topic != "", f.Queue == "" && f.Topic == "":
		return d, errors.New(`each entry of forwardTo has a queue or a topic: write for example queue: "audit"`)
	case d.IsPattern():
		return d, errors.New("a wildcard is for consumers: write each destination")
	}
	return d, d.Validate()
}

// Pattern covers the topics that are virtual.
func (t *VirtualTopic) Pattern() destination.Destination {
	return destination.Destination{Kind: destination.Topic, Name: t.Name}
}

// Queues is the pattern of the queues that a topic feeds.
func (t *VirtualTopic) Queues(topic string) destination.Destination {
	return destination.Destination{Kind: destination.Queue, Name: t.Prefix + topic + t.Postfix}
}

// Of returns the mirror of a queue, and false for what has none. It may be called on nil.
func (m *MirroredQueue) Of(d destination.Destination) (destination.Destination, bool) {
	if m == nil || !d.IsQueue() {
		return d, false
	}
	return destination.Destination{Kind: destination.Topic, Name: m.Prefix + d.Name + m.Postfix}, true
}
