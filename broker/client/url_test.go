package client

import (
	"strings"
	"testing"
	"time"
)

func TestURLs(t *testing.T) {
	for raw, want := range map[string]string{
		"tcp://a:61616": "a:61616/30s",
		"tcp://[::1]:61616?connectionTimeout=500": "[::1]:61616/500ms",
		"failover:tcp://a:1":                      "a:1/30s",
		"failover:(tcp://a:1)":                    "a:1/30s",
		"failover://(tcp://a:1" +
			"?connectionTimeout=0, tcp://b:2)?randomize=false": "a:1/0s b:2/30s",
		"failover:(tcp://a:1" +
			"?connectionTimeout=1,tcp://b:2)?nested.connectionTimeout=1200&nested.wireFormat.maxInactivityDuration=4000": "a:1/1.2s b:2/1.2s",
	} {
		target, err := parseURL(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		var got []string
		for _, a := range target.addresses {
			got = append(got, a.hostPort+"/"+a.timeout.String())
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

func TestURLOptions(t *testing.T) {
	target, err := parseURL("failover:(tcp://a:1)?initialReconnectDelay=1&maxReconnectDelay=2&useExponentialBackOff=false&backOffMultiplier=1.5" +
		"&maxReconnectAttempts=3&startupMaxReconnectAttempts=4&timeout=5&randomize=false&nested.wireFormat.maxInactivityDuration=6")
	if err != nil {
		t.Fatal(err)
	}
	want := failover{
		initialReconnectDelay: time.Millisecond, maxReconnectDelay: 2 * time.Millisecond, backOffMultiplier: 1.5,
		maxReconnectAttempts: 3, startupMaxReconnectAttempts: 4, timeout: 5 * time.Millisecond,
	}
	if target.failover != want {
		t.Errorf("%+v, want %+v", target.failover, want)
	}
	if got := target.addresses[0].offer.MaxInactivity; got != 6*time.Millisecond {
		t.Errorf("the inactivity is %v", got)
	}
}

func TestBadURLs(t *testing.T) {
	for raw, want := range map[string]string{
		"":                        "write tcp://HOST:PORT",
		"a:61616":                 "write tcp://HOST:PORT",
		"ssl://a:61617":           "write tcp://HOST:PORT",
		"tcp://a":                 "write tcp://HOST:PORT",
		"tcp://user:secret@a:1":   "write tcp://HOST:PORT",
		"failover:()":             "write tcp://HOST:PORT",
		"failover:(tcp://a:1,)":   "write tcp://HOST:PORT",
		"failover:(tcp://a:1":     "no closing parenthesis",
		"failover:(tcp://a:1)x=1": "only ?OPTIONS may",
		"failover:(tcp://a:1)?maxReconectDelay=1":      `did you mean "maxReconnectDelay"?`,
		"failover:(tcp://a:1)?connectionTimeout=1":     `did you mean "nested.connectionTimeout"?`,
		"failover:(tcp://a:1)?backup=true":             "backup is an option of ActiveMQ's client that this one does not have",
		"failover:(tcp://a:1)?maxReconnectDelay=1s":    "write a number of milliseconds",
		"failover:(tcp://a:1)?maxReconnectAttempts=-2": "-1 for no limit",
		"failover:(tcp://a:1)?backOffMultiplier=NaN":   "from 1 to 1000",
		"failover:(tcp://a:1)?randomize=1":             "true or false",
		"failover:(tcp://a:1)?nested.wireFormat.x=1":   "no such option",
		"tcp://a:1?timeout=1":                          `unknown option "timeout" of an address`,
	} {
		if _, err := parseURL(raw); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", raw, err, want)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, seed := range []string{"tcp://a:1", "failover:(tcp://a:1,tcp://b:2)?timeout=1", "failover:(", "failover://()?nested.wireFormat.x=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		target, err := parseURL(raw)
		if err == nil && len(target.addresses) == 0 {
			t.Errorf("%q leads nowhere", raw)
		}
	})
}
