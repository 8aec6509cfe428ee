package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// final is an error that another try would only repeat.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// warnEvery is after how many attempts in vain that is said: by default after 0.3 s, 10 s, and then every two minutes.
const warnEvery = 5

// connect goes over the addresses, round after round with growing pauses, until one of them takes the client. Each round is an
// attempt, as in ActiveMQ.
func (t *transport) connect(again bool) (*Link, error) {
	f := t.target.failover
	limit := f.maxReconnectAttempts
	if !again && f.startupMaxReconnectAttempts > 0 {
		limit = f.startupMaxReconnectAttempts
	}
	delay := f.initialReconnectDelay
	if again {
		t.elapse(delay)
	}
	for attempt := 1; t.ctx.Err() == nil; attempt++ {
		l, err := t.round(again)
		if err == nil {
			return l, nil
		}
		if t.ctx.Err() != nil || isFinal(err) || limit >= 0 && attempt >= limit {
			return nil, err
		}
		if attempt%warnEvery == 0 {
			t.logger.Warn("no broker yet; going on to try", "attempts", attempt, "error", err)
		}
		t.elapse(delay)
		if f.useExponentialBackOff {
			delay = min(time.Duration(float64(delay)*f.backOffMultiplier), f.maxReconnectDelay)
		}
	}
	return nil, ErrClosed
}

func isFinal(err error) bool {
	_, is := err.(final)
	return is
}

// round tries each address once.
func (t *transport) round(again bool) (*Link, error) {
	var err error
	for _, a := range t.candidates() {
		var l *Link
		if l, err = t.try(a, again); err == nil {
			t.adopt(l)
			t.logger.Info("connected", "broker", a.hostPort)
			return l, nil
		}
		if t.ctx.Err() != nil || isFinal(err) {
			return nil, err
		}
		t.mu.Lock()
		t.trouble = err
		t.mu.Unlock()
	}
	return nil, err
}

// candidates are the addresses in the order of trying.
func (t *transport) candidates() []address {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Concat(t.target.addresses, t.further)
	if t.target.failover.randomize {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	if t.first != nil {
		all = append([]address{*t.first}, all...)
		t.first = nil
	}
	return all
}

// try connects to one address and introduces the client.
func (t *transport) try(a address, again bool) (*Link, error) {
	ctx, cancel := t.ctx, context.CancelFunc(func() {})
	if a.timeout > 0 {
		ctx, cancel = context.WithTimeoutCause(t.ctx, a.timeout, fmt.Errorf("no answer within %v", a.timeout))
	}
	defer cancel()
	l, err := Dial(ctx, a.hostPort, LinkOptions{Offer: a.offer, Dial: t.dial, Handle: t.handle})
	if err != nil {
		return nil, err
	}
	if err := t.introduce(ctx, l, again); err != nil {
		_ = l.Close()
		err = fmt.Errorf("connecting to %s: %w", a.hostPort, err)
		if permanent(err) {
			return nil, final{err}
		}
		return nil, err
	}
	return l, nil
}

// permanent tells whether every broker of a cluster would refuse the client.
func permanent(err error) bool {
	return IsClass(err, openwire.SecurityException) || IsClass(err, openwire.JMSSecurityException) ||
		IsClass(err, openwire.InvalidClientIDException)
}

// maxFurther is how many addresses a broker may tell of.
const maxFurther = 100

// control does what a broker says about where to be, if the client may go elsewhere at all. What is not an address is not
// followed.
func (t *transport) control(l *Link, c *openwire.ConnectionControl) {
	if t.target.failover.maxReconnectAttempts == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if list := c.ConnectedBrokers.String(); list != "" {
		t.further = nil
		for raw := range strings.SplitSeq(list, ",") {
			a, err := parseAddress(strings.TrimSpace(raw), t.target.nested)
			if err == nil && len(t.further) < maxFurther {
				t.further = append(t.further, a)
			}
		}
	}
	if to := c.ReconnectTo.String(); to != "" {
		if a, err := parseAddress(to, t.target.nested); err == nil {
			t.first = &a
			go func() { _ = l.Close() }() // ends with the link, which the transport waits for
		}
	}
}
