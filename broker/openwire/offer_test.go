package openwire

import (
	"encoding/binary"
	"errors"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/wire"
)

// javaOffer is what a Java client offers when it is not told otherwise.
func javaOffer() Offer {
	return Offer{
		Version: 12, Tight: true, Cache: true, CacheSize: 1024, StackTraces: true, TCPNoDelay: true,
		MaxFrameSize: math.MaxInt64, MaxFrameSizeEnabled: true,
		MaxInactivity: 30 * time.Second, MaxInactivityInitialDelay: 10 * time.Second,
		Host: "127.0.0.1", ProviderName: "ActiveMQ", ProviderVersion: "5.19.9", PlatformDetails: "Java",
	}
}

func TestOfferOfJavaClient(t *testing.T) {
	for _, line := range goldenLines(t, "conversations/basic-c5-default.txt") {
		column := strings.Fields(line)
		if column[1] != ">" || column[2] != "WireFormatInfo" {
			continue
		}
		v, err := NewDecoder(Handshake()).Decode(unhex(t, column[3])[sizePrefix:])
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.(*WireFormatInfo).Offer()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(javaOffer(), got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		return
	}
	t.Fatal("no WireFormatInfo from the client")
}

func TestOfferComesBack(t *testing.T) {
	for name, offer := range map[string]Offer{"broker": BrokerOffer(), "client": javaOffer(), "nothing": {Version: 1}} {
		t.Run(name, func(t *testing.T) {
			got, err := offer.Info().Offer()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(offer, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestNegotiate(t *testing.T) {
	want := Format{
		Version: 12, CacheSize: 1024, TCPNoDelay: true, MaxFrameSize: 100 << 20,
		Inactivity: 30 * time.Second, InitialDelay: 10 * time.Second,
	}
	negotiate := func(change func(mine, theirs *Offer)) Format {
		mine, theirs := BrokerOffer(), javaOffer()
		change(&mine, &theirs)
		got, err := Negotiate(mine, theirs)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := negotiate(func(_, _ *Offer) {})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("broker and Java client (-want +got)\n%s", diff)
	}
	if !got.SharedMessages() {
		t.Error("a Java client's messages are decoded, though they need not be")
	}

	got = negotiate(func(mine, _ *Offer) { *mine = javaOffer() })
	if !got.Tight || !got.Cache || !got.StackTraces || got.SharedMessages() {
		t.Errorf("two Java clients: got %+v", got)
	}
	if got := negotiate(func(_, theirs *Offer) { theirs.Version = 9 }); got.Version != 9 || got.SharedMessages() {
		t.Errorf("version 9: got %+v", got)
	}
	if got := negotiate(func(_, theirs *Offer) { theirs.Version = 13 }); got.Version != 12 {
		t.Errorf("version 13: got %d", got.Version)
	}
	if got := negotiate(func(_, theirs *Offer) { theirs.MaxInactivity = 0 }); got.Inactivity != 0 {
		t.Errorf("a client that does not want to be watched: got %v", got.Inactivity)
	}
	if got := negotiate(func(_, theirs *Offer) { theirs.MaxFrameSize = 0 }); got.MaxFrameSize != 100<<20 {
		t.Errorf("a client without frame size: got %d", got.MaxFrameSize)
	}
	if got := negotiate(func(mine, _ *Offer) { mine.MaxFrameSizeEnabled = false }); got.MaxFrameSize != 0 {
		t.Errorf("frame size not enabled: got %d", got.MaxFrameSize)
	}
}

func TestUnusableOffers(t *testing.T) {
	info := func(change func(*WireFormatInfo)) *WireFormatInfo {
		info := javaOffer().Info()
		change(info)
		return info
	}
	set := func(key string, v wire.Value) *WireFormatInfo {
		return info(func(i *WireFormatInfo) {
			var err error
			if i.MarshalledProperties, err = wire.SetEntry(i.MarshalledProperties, key, v); err != nil {
				t.Fatal(err)
			}
		})
	}
	for name, bad := range map[string]*WireFormatInfo{
		"magic":            info(func(i *WireFormatInfo) { i.Magic[0] = 'B' }),
		"boolean as text":  set("CacheEnabled", wire.TextValue("true")),
		"number as text":   set("MaxFrameSize", wire.TextValue("1")),
		"text as number":   set("Host", wire.IntValue(1)),
		"a list":           set("x", wire.ListValue(nil)),
		"513 bytes":        set("x", wire.BytesValue(make([]byte, 513))),
		"too many entries": info(func(i *WireFormatInfo) { binary.BigEndian.PutUint32(i.MarshalledProperties, 65) }),
		"cut off":          info(func(i *WireFormatInfo) { i.MarshalledProperties = i.MarshalledProperties[:9] }),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := bad.Offer(); !errors.Is(err, ErrOffer) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Negotiate(Offer{}, Offer{}); !errors.Is(err, ErrOffer) {
		t.Errorf("no version: got %v", err)
	}
}

func TestOptions(t *testing.T) {
	query, err := url.ParseQuery("trace=true&wireFormat.version=9&wireFormat.tightEncodingEnabled=true&wireFormat.cacheEnabled=true" +
		"&wireFormat.cacheSize=500&wireFormat.maxInactivityDuration=5000&wireFormat.maxInactivityDurationInitalDelay=0" +
		"&wireFormat.maxFrameSize=9223372036854775807&wireFormat.stackTraceEnabled=true&wireFormat.host=broker")
	if err != nil {
		t.Fatal(err)
	}
	got, err := BrokerOffer().WithOptions(query)
	if err != nil {
		t.Fatal(err)
	}
	want := BrokerOffer()
	want.Version, want.Tight, want.Cache, want.CacheSize, want.StackTraces = 9, true, true, 500, true
	want.MaxInactivity, want.MaxInactivityInitialDelay = 5*time.Second, 0
	want.MaxFrameSize, want.Host = math.MaxInt64, "broker"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBadOptions(t *testing.T) {
	for _, c := range []struct{ query, says string }{
		{"wireFormat.cacheEnable=true", "cacheEnabled"},
		{"wireFormat.cacheEnabled=yes", "neither true nor false"},
		{"wireFormat.version=13", "use 1 to 12"},
		{"wireFormat.maxFrameSize=-1", "not a number from 0"},
		{"wireFormat.cacheSize=20000", "not a number from 0 to 16383"},
		{"wireFormat.maxInactivityDuration=30s", "not a number"},
		{"wireFormat.cacheEnabled=true&wireFormat.cacheSize=50", "use more than 100"},
		{"wireFormat.sizePrefixDisabled=true", "not supported"},
	} {
		t.Run(c.query, func(t *testing.T) {
			query, err := url.ParseQuery(c.query)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = BrokerOffer().WithOptions(query); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want something with %q", err, c.says)
			}
		})
	}
}

// FuzzOffer reads anything as the properties of a client that nobody knows yet. What is agreed on with it is never beyond
// the broker's own offer.
func FuzzOffer(f *testing.F) {
	f.Add(int32(12), javaOffer().Info().MarshalledProperties)
	f.Add(int32(-1), wire.AppendMap(nil, []wire.Entry{{Key: "CacheSize", Value: wire.IntValue(-1)}, {Key: "MaxFrameSize", Value: wire.LongValue(-1)}}))
	f.Fuzz(func(t *testing.T, version int32, properties []byte) {
		mine := javaOffer()
		mine.MaxFrameSize = 1 << 20
		info := mine.Info()
		info.Version, info.MarshalledProperties = version, properties
		theirs, err := info.Offer()
		if err != nil {
			return
		}
		got, err := Negotiate(mine, theirs)
		if err != nil {
			return
		}
		if got.Version < 1 || got.Version > NewestVersion || got.MaxFrameSize < 1 || got.MaxFrameSize > mine.MaxFrameSize ||
			got.CacheSize > mine.CacheSize || got.Inactivity > mine.MaxInactivity || got.Inactivity < 0 || got.InitialDelay < 0 {
			t.Fatalf("%+v and %+v agree on %+v", mine, theirs, got)
		}
		encoder, decoder := NewEncoder(got), NewDecoder(got)
		for range 3 { // the second time from the cache, if there is one
			frame, err := encoder.AppendFrame(nil, &ConnectionInfo{ConnectionID: &ConnectionID{Value: S("ID:1")}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := decoder.Decode(frame[sizePrefix:]); err != nil {
				t.Errorf("%+v: %v", got, err)
			}
		}
	})
}
