package policy

import (
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/destination"
)

func TestFind(t *testing.T) {
	orders, others := Default(), Default()
	m := NewMap()
	if p := m.Find(destination.Destination{Kind: destination.Queue, Name: "a"}); *p != Default() {
		t.Errorf("got %+v", p)
	}
	m.Add(destination.Destination{Kind: destination.Queue, Name: "orders.>"}, &orders)
	m.SetDefault(&others)
	for name, want := range map[string]*Policy{"orders": &orders, "orders.eu": &orders, "order": &others} {
		if m.Find(destination.Destination{Kind: destination.Queue, Name: name}) != want {
			t.Errorf("%s has the policy of another", name)
		}
	}
	if m.Find(destination.Destination{Kind: destination.Topic, Name: "orders.eu"}) != &others {
		t.Error("a topic has the policy of a queue")
	}
}

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*Policy){
		"queuePrefetch is -1": func(p *Policy) { p.QueuePrefetch = -1 },
		"from 0 to 32767":     func(p *Policy) { p.TopicPrefetch = 32768 },
	} {
		p := Default()
		change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if p := Default(); p.Validate() != nil {
		t.Error(p.Validate())
	}
}
