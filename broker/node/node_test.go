package node

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/admin"
	"github.com/twinmesh/twinmesh/broker/log"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

const segment = 1 << 20

// stopTime is within which a broker that is told to stop has handed over, whatever its clients do.
const stopTime = time.Second

func TestAStandbyTakesOverFromABrokerThatStops(t *testing.T) {
	shared := mem.New(segment)
	first := start(t, shared, nil)
	address := first.active()
	second := start(t, shared, nil)
	join(t, address, "producer").ok(message(1, "kept"))
	idle := join(t, address, "idle")
	if state := second.State(); state.Role == admin.Active {
		t.Errorf("two active brokers: %+v", state)
	}

	first.stop()
	if _, ok := idle.read().(*openwire.ShutdownInfo); !ok {
		t.Error("a client is not told")
	}
	if v := idle.read(); v != nil {
		t.Errorf("after the goodbye: %T", v)
	}
	_ = idle.conn.Close() // as clients do then
	if took, err := first.ended(); err != nil || took > stopTime {
		t.Errorf("stopped with %v in %v", err, took)
	}
	if state := first.State(); state.Role != admin.Stopping {
		t.Errorf("a broker that has stopped says that it is %s", state.Role)
	}

	consumer := join(t, second.active(), "consumer")
	if body, redelivered := consumer.receive(); body != "kept" || redelivered != 0 {
		t.Errorf("got %q, delivered %d times before", body, redelivered)
	}
	if state := second.State(); state.Term != 2 {
		t.Errorf("got %+v, want term 2", state)
	}
	second.stop()
	if _, err := second.ended(); err != nil {
		t.Error(err)
	}
}

// No client can make a broker that stops wait: not one that says nothing, not one that does not read, not one that stays.
func TestStoppingTakesLessThanASecond(t *testing.T) {
	r := start(t, mem.New(segment), nil)
	address := r.active()
	dial(t, address)
	join(t, address, "stays")
	join(t, address, "deaf").jam()
	r.stop()
	if took, err := r.ended(); err != nil || took > stopTime {
		t.Errorf("stopped with %v in %v", err, took)
	}
}

func TestAStandbyThatIsToldToStop(t *testing.T) {
	shared := mem.New(segment)
	first := start(t, shared, nil)
	first.active()
	second := start(t, shared, nil)
	second.stop()
	if took, err := second.ended(); err != nil || took > stopTime {
		t.Errorf("stopped with %v in %v", err, took)
	}
	first.stop()
	if _, err := first.ended(); err != nil {
		t.Error(err)
	}
}

// Whoever loses the right to the store stops at once, without an answer to what was not durable; another goes on.
func TestLosingTheRightEndsServing(t *testing.T) {
	shared := mem.New(segment)
	first := start(t, shared, nil)
	address := first.active()
	producer, idle := join(t, address, "producer"), join(t, address, "idle")
	join(t, address, "deaf").jam()
	producer.ok(message(1, "durable"))
	first.log.Hold()
	producer.ask(message(2, "not durable"))
	for first.log.InFlight() == 0 { // until the broker has read it
		idle.ok(&openwire.FlushCommand{})
	}
	second := start(t, shared, nil)
	first.log.Lose(log.ErrRightLost, 0)
	for _, c := range []*client{producer, idle} {
		for v := c.read(); v != nil; v = c.read() {
			if _, ok := v.(*openwire.ShutdownInfo); !ok {
				t.Errorf("after the right was lost: %T", v)
			}
		}
	}
	took, err := first.ended()
	if !errors.Is(err, log.ErrRightLost) || took > handover/2 {
		t.Errorf("ended with %v in %v", err, took)
	}
	if body, _ := join(t, second.active(), "consumer").receive(); body != "durable" {
		t.Errorf("got %q", body)
	}
	second.stop()
	second.ended()
}

// A holder that was not told learns it when it writes, and answers nothing.
func TestAZombieAnswersNothing(t *testing.T) {
	shared := mem.New(segment)
	first := start(t, shared, nil)
	producer := join(t, first.active(), "producer")
	second := start(t, shared, nil)
	first.log.Expire()
	second.active()
	producer.ask(message(1, "late"))
	for v := producer.read(); v != nil; v = producer.read() {
		if _, ok := v.(*openwire.ShutdownInfo); !ok {
			t.Errorf("a zombie sends a %T", v)
		}
	}
	if _, err := first.ended(); !errors.Is(err, log.ErrRightLost) {
		t.Errorf("ended with %v", err)
	}
	second.stop()
	second.ended()
}

// What accompanies an active broker runs while it serves, is told of the end as it begins, and waited for.
func TestActive(t *testing.T) {
	told, free := make(chan struct{}), make(chan struct{})
	var term uint64
	r := start(t, mem.New(segment), func(o *Options) {
		o.Active = func(ctx context.Context, n uint64) error {
			term = n
			<-ctx.Done()
			close(told)
			<-free
			return ctx.Err()
		}
	})
	c := join(t, r.active(), "client")
	r.stop()
	<-told
	for c.read() != nil { // its end does not wait for the companion's
		continue
	}
	select {
	case err := <-r.result:
		t.Errorf("ended with %v while its companion still ran", err)
	default:
	}
	close(free)
	if _, err := r.ended(); err != nil || term != 1 {
		t.Errorf("ended with %v in term %d", err, term)
	}
}

func TestAnErrorOfActiveStopsTheBroker(t *testing.T) {
	superseded := errors.New("another broker has a higher term")
	fail := make(chan struct{})
	r := start(t, mem.New(segment), func(o *Options) {
		o.Active = func(context.Context, uint64) error {
			<-fail
			return superseded
		}
	})
	c := join(t, r.active(), "client")
	close(fail)
	for c.read() != nil {
		continue
	}
	if took, err := r.ended(); !errors.Is(err, superseded) || took > handover {
		t.Errorf("ended with %v in %v", err, took)
	}
}

// A broker that cannot listen gives the store to one that can.
func TestAnAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	shared := mem.New(segment)
	r := start(t, shared, func(o *Options) {
		o.Config.OpenWire = append(o.Config.OpenWire, "tcp://"+taken.Addr().String())
	})
	if _, err := r.ended(); err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("ended with %v", err)
	}
	other := start(t, shared, nil)
	other.active()
	other.stop()
	other.ended()
}

func TestMaximumConnectionsOfAConnector(t *testing.T) {
	r := start(t, mem.New(segment), func(o *Options) {
		o.Config.OpenWire = []string{"tcp://127.0.0.1:0?maximumConnections=1"}
	})
	address := r.active()
	c := join(t, address, "first")
	if v := dial(t, address).read(); v != nil {
		t.Errorf("a connection over the limit got a %T", v)
	}
	c.ok(&openwire.FlushCommand{})
	r.stop()
	r.ended()
}

// A client that comes back over another socket does not wait for the one before, which the broker may think alive.
func TestAClientThatComesBack(t *testing.T) {
	r := start(t, mem.New(segment), nil)
	address := r.active()
	old := join(t, address, "same")
	again := join(t, address, "same")
	if v := old.read(); v != nil {
		t.Errorf("the former connection got a %T", v)
	}
	again.ok(&openwire.FlushCommand{})
	r.stop()
	r.ended()
}

func TestMistakesOfTheConfiguration(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"configuration: a broker needs a name": func(o *Options) { o.Config.Name = "" },
		"no such option": func(o *Options) {
			o.Config.OpenWire = []string{"tcp://127.0.0.1:0?wireFormat.tight=true"}
		},
		"Java clients hang": func(o *Options) {
			o.Config.OpenWire = []string{"tcp://127.0.0.1:0?wireFormat.cacheEnabled=true&wireFormat.cacheSize=50"}
		},
	} {
		o := Options{}
		o.Config.Name, o.Config.Data, o.Config.Auth.Mode = "a", t.TempDir(), "on"
		o.Config.OpenWire = []string{"tcp://127.0.0.1:0"}
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
