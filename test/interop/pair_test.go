package interop

import (
	"fmt"
	"testing"
	"time"
)

// pair is two brokers on one directory, each behind a proxy that is open while its broker is active.
type pair struct {
	program, directory string
	option             string // for both
	brokers            [2]*broker
	proxies            [2]*proxy
	active             int
}

func startPair(t *testing.T, program, option string) *pair {
	t.Helper()
	p := &pair{program: program, directory: t.TempDir(), option: option}
	for i := range p.brokers {
		p.proxies[i] = &proxy{address: freeAddress(t), target: freeAddress(t)}
		t.Cleanup(p.proxies[i].close)
		p.start(t, i)
	}
	p.proxies[0].open(t)
	return p
}

func (p *pair) start(t *testing.T, i int) {
	t.Helper()
	p.brokers[i] = start(t, p.program, p.directory, p.option, "--openwire", "tcp://"+p.proxies[i].target)
}

// candidURL is url for a client that does not keep from its program what it gets twice.
func (p *pair) candidURL() string { return p.url() + "&jms.checkForDuplicates=false" }

func (p *pair) url() string {
	return fmt.Sprintf("failover:(tcp://%s,tcp://%s)?maxReconnectDelay=100", p.proxies[0].address, p.proxies[1].address)
}

// kill kills the active broker, says so, and returns when the other one has taken over.
func (p *pair) kill(t *testing.T, say func()) {
	t.Helper()
	p.brokers[p.active].kill()
	p.proxies[p.active].close()
	say()
	p.active = 1 - p.active
	select {
	case <-p.brokers[p.active].active:
	case <-time.After(20 * time.Second):
		t.Fatal("the standby does not take over")
	}
	p.proxies[p.active].open(t)
}

// loseAndKill tells the program that from now on what goes one way is lost, and kills the active broker as soon as something was.
func (p *pair) loseAndKill(t *testing.T, way direction, told *java) {
	t.Helper()
	lost := p.proxies[p.active].lose(way)
	told.answer(t)
	select {
	case <-lost:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing goes over the connection that could be lost")
	}
	p.kill(t, func() {})
}

// restore starts a standby in the place of the broker that was killed.
func (p *pair) restore(t *testing.T) {
	t.Helper()
	p.start(t, 1-p.active)
}
