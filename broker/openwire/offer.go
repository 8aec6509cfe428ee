package openwire

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/twinmesh/twinmesh/broker/wire"
)

// magic is how a WireFormatInfo begins.
const magic = "ActiveMQ"

// ErrOffer is for a WireFormatInfo that nothing can be agreed on with.
var ErrOffer = errors.New("unusable WireFormatInfo")

// Offer is what one end of a connection can do and would like: the content of its WireFormatInfo, which it sends at once and
// before anything else. Negotiate makes a Format of two.
type Offer struct {
	Version     int
	Tight       bool
	Cache       bool
	CacheSize   int // slots
	StackTraces bool
	TCPNoDelay  bool

	MaxFrameSize        int64 // in bytes
	MaxFrameSizeEnabled bool  // whether this end keeps to MaxFrameSize

	MaxInactivity             time.Duration // see Format; in milliseconds on the wire
	MaxInactivityInitialDelay time.Duration

	Host            string // the broker's name as the client knows it
	ProviderName    string
	ProviderVersion string
	PlatformDetails string
}

// BrokerOffer is what a broker offers unless it is told otherwise.
//
// Whatever one end does not offer is off. Loose and uncached, a message's bytes are the same for all connections, so that one
// copy serves them all. Stack traces are off because a broker in Go has none to send, and those that clients would send
// with a poison ack are of no use to it.
func BrokerOffer() Offer {
	return Offer{
		Version:                   NewestVersion,
		CacheSize:                 1024,
		TCPNoDelay:                true,
		MaxFrameSize:              100 << 20,
		MaxFrameSizeEnabled:       true,
		MaxInactivity:             30 * time.Second,
		MaxInactivityInitialDelay: 10 * time.Second,
		ProviderName:              "Twinmesh",
	}
}

// property is one entry of a WireFormatInfo's map. The type of what value points to tells the entry's kind, which Java clients
// insist on: *bool, *int (an int), *int64 and *time.Duration (a long), *string.
type property struct {
	name  string
	value any
}

func (o *Offer) properties() []property {
	return []property{
		{"TightEncodingEnabled", &o.Tight},
		{"CacheEnabled", &o.Cache},
		{"CacheSize", &o.CacheSize},
		{"StackTraceEnabled", &o.StackTraces},
		{"TcpNoDelayEnabled", &o.TCPNoDelay},
		{"SizePrefixDisabled", new(bool)}, // never: a frame without its size cannot be bounded before it is read
		{"MaxFrameSize", &o.MaxFrameSize},
		{"MaxFrameSizeEnabled", &o.MaxFrameSizeEnabled},
		{"MaxInactivityDuration", &o.MaxInactivity},
		{"MaxInactivityDurationInitalDelay", &o.MaxInactivityInitialDelay}, // spelled so
		{"Host", &o.Host},
		{"ProviderName", &o.ProviderName},
		{"ProviderVersion", &o.ProviderVersion},
		{"PlatformDetails", &o.PlatformDetails},
	}
}

// Info is the WireFormatInfo that makes the offer. It is sent in the Handshake format.
func (o Offer) Info() *WireFormatInfo {
	var entries []wire.Entry
	for _, p := range o.properties() {
		switch v := p.value.(type) {
		case *bool:
			entries = append(entries, wire.Entry{Key: p.name, Value: wire.BoolValue(*v)})
		case *int:
			entries = append(entries, wire.Entry{Key: p.name, Value: wire.IntValue(int32(*v))})
		case *int64:
			entries = append(entries, wire.Entry{Key: p.name, Value: wire.LongValue(*v)})
		case *time.Duration:
			entries = append(entries, wire.Entry{Key: p.name, Value: wire.LongValue(v.Milliseconds())})
		case *string:
			if *v != "" {
				entries = append(entries, wire.Entry{Key: p.name, Value: wire.TextValue(*v)})
			}
		}
	}
	info := &WireFormatInfo{Version: int32(o.Version), MarshalledProperties: wire.AppendMap(nil, entries)}
	copy(info.Magic[:], magic)
	return info
}

// Offer reads the offer that the info makes. What is missing is false, 0 or "".
func (s *WireFormatInfo) Offer() (Offer, error) {
	if string(s.Magic[:]) != magic {
		return Offer{}, fmt.Errorf("%w: it does not begin with %q", ErrOffer, magic)
	}
	limits := wire.Limits{Entries: 64, Bytes: 512, Flat: true}
	if err := wire.CheckMap(s.MarshalledProperties, limits); err != nil {
		return Offer{}, fmt.Errorf("%w: its properties: %w", ErrOffer, err)
	}
	o := Offer{Version: int(s.Version)}
	for _, p := range o.properties() {
		v, ok := wire.Lookup(s.MarshalledProperties, p.name)
		if ok && !p.take(v) {
			return Offer{}, fmt.Errorf("%w: %s is of the wrong kind (%d)", ErrOffer, p.name, v.Kind())
		}
	}
	return o, nil
}

// ReadOffer reads the offer that a conversation begins with. A peer that begins with something else gets ErrOffer.
func ReadOffer(r *FrameReader) (Offer, error) {
	frame, err := r.ReadFrame()
	if err != nil {
		return Offer{}, err
	}
	first, err := NewDecoder(Handshake()).Decode(frame)
	if err != nil {
		return Offer{}, err
	}
	switch first := first.(type) {
	case *WireFormatInfo:
		return first.Offer()
	case nil:
		return Offer{}, fmt.Errorf("%w: a conversation begins with one, this one with a null frame", ErrOffer)
	}
	return Offer{}, fmt.Errorf("%w: a conversation begins with one, this one with a %s", ErrOffer, TypeName(first.TypeByte()))
}

// take sets the property to a value from the wire, if it is of the right kind. Any integer will do for a number.
func (p property) take(v wire.Value) bool {
	n, isInt := v.Int()
	switch target := p.value.(type) {
	case *bool:
		*target = v.Bool()
		return v.Kind() == wire.KindBool
	case *int:
		*target = int(n)
		return isInt
	case *int64:
		*target = n
		return isInt
	case *time.Duration:
		*target = milliseconds(n)
		return isInt
	case *string:
		*target = v.Text()
		return v.IsText() || v.IsNull()
	}
	return false
}

// milliseconds is n milliseconds, at most a year: clients may send the greatest long.
func milliseconds(n int64) time.Duration {
	const year = 365 * 24 * time.Hour
	return time.Duration(min(max(n, 0), year.Milliseconds())) * time.Millisecond
}

// optionPrefix stands before the options of the wire format in the URI of a connector or broker.
const optionPrefix = "wireFormat."

// WithOptions returns the offer changed by a URI's wireFormat.* options, which have ActiveMQ's names: wireFormat.version, and
// the properties of a WireFormatInfo with a small first letter (wireFormat.cacheEnabled). Other options are not looked at.
func (o Offer) WithOptions(query url.Values) (Offer, error) {
	for key, values := range query {
		name, ours := strings.CutPrefix(key, optionPrefix)
		if !ours {
			continue
		}
		if err := o.setOption(name, values[len(values)-1]); err != nil {
			return Offer{}, fmt.Errorf("%s=%s: %w", key, values[len(values)-1], err)
		}
	}
	if o.Cache && o.CacheSize > 0 && o.CacheSize <= freeSlots {
		return Offer{}, fmt.Errorf("%scacheSize=%d: Java clients hang with so few slots; use more than %d, or %scacheEnabled=false",
			optionPrefix, o.CacheSize, freeSlots, optionPrefix)
	}
	return o, nil
}

func (o *Offer) setOption(name, value string) error {
	if name == "version" {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > NewestVersion {
			return fmt.Errorf("not a version of OpenWire; use 1 to %d", NewestVersion)
		}
		o.Version = n
		return nil
	}
	var known []string
	for _, p := range o.properties() {
		option := strings.ToLower(p.name[:1]) + p.name[1:]
		if option == name {
			return p.parse(value)
		}
		known = append(known, option)
	}
	return fmt.Errorf("no such option; there are version, %s", strings.Join(known, ", "))
}

// parse sets the property to an option's value.
func (p property) parse(value string) (err error) {
	switch target := p.value.(type) {
	case *bool:
		*target, err = parseBool(value)
		if *target && p.name == "SizePrefixDisabled" {
			err = errors.New("frames without their size are not supported; leave it out")
		}
	case *int:
		var n int64
		n, err = parseNumber(value, defaultCacheSize)
		*target = int(n)
	case *int64:
		*target, err = parseNumber(value, math.MaxInt64)
	case *time.Duration:
		var n int64
		n, err = parseNumber(value, math.MaxInt64)
		*target = milliseconds(n)
	case *string:
		*target = value
	}
	return err
}

func parseBool(value string) (bool, error) {
	switch value {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("neither true nor false")
}

func parseNumber(value string, limit int64) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || n > limit {
		return 0, fmt.Errorf("not a number from 0 to %d", limit)
	}
	return n, nil
}

// Negotiate is what two ends agree on, each knowing the other's offer: the smaller of two numbers, and what both can do.
func Negotiate(mine, theirs Offer) (Format, error) {
	f := Format{
		Version:      int(smallerPositive(int64(mine.Version), int64(theirs.Version))),
		Tight:        mine.Tight && theirs.Tight,
		Cache:        mine.Cache && theirs.Cache,
		CacheSize:    min(mine.CacheSize, theirs.CacheSize),
		StackTraces:  mine.StackTraces && theirs.StackTraces,
		TCPNoDelay:   mine.TCPNoDelay && theirs.TCPNoDelay,
		Inactivity:   min(mine.MaxInactivity, theirs.MaxInactivity),
		InitialDelay: min(mine.MaxInactivityInitialDelay, theirs.MaxInactivityInitialDelay),
	}
	if mine.MaxFrameSizeEnabled {
		f.MaxFrameSize = smallerPositive(mine.MaxFrameSize, theirs.MaxFrameSize)
	}
	if f.Version < 1 || f.Version > NewestVersion {
		return Format{}, fmt.Errorf("%w: version %d", ErrOffer, theirs.Version)
	}
	return f, nil
}

// smallerPositive is the smaller of what is positive, 0 if neither is.
func smallerPositive(a, b int64) int64 {
	if a <= 0 || b > 0 && b < a {
		return max(b, 0)
	}
	return a
}
