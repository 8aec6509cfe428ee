package config

import (
	"strings"
	"testing"
)

func TestMistakesOfDestinationsAndUsage(t *testing.T) {
	for want, text := range map[string]string{
		"each entry is a queue or a topic":              "destinations: [{queue: A, topic: B}]",
		"a wildcard is for consumers":                   "destinations: [{queue: A.>}]",
		"write 0 or more":                               "schedulePeriodForDestinationPurge: -1",
		"sendFailIfNoSpaceAfterTimeout: write millisec": "systemUsage: {sendFailIfNoSpaceAfterTimeout: -1}",
		"is not a size":                                 "systemUsage: {storeUsage: {limit: much}}",
	} {
		c := Default()
		err := c.read("broker.yaml", []byte(text))
		if err == nil {
			err = c.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestUsage(t *testing.T) {
	c := Default()
	text := "systemUsage: {memoryUsage: {limit: 64 mb}, storeUsage: {limit: 1 gb}, sendFailIfNoSpace: true}\ndestinations: [{queue: A}, {topic: B}]"
	if err := c.read("broker.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if u := c.SystemUsage; u.MemoryUsage.Limit != 64<<20 || u.StoreUsage.Limit != 1<<30 || !u.SendFailIfNoSpace {
		t.Errorf("got %+v", u)
	}
	if d, err := c.Destinations[1].Parse(); err != nil || d.String() != "topic://B" {
		t.Errorf("got %v, %v", d, err)
	}
}
