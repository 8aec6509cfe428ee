package core

import (
	"bytes"
	"strconv"
	"time"

	"github.com/twinmesh/twinmesh/broker/cron"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// The properties by which a message asks to be delivered later, as in ActiveMQ. Times are in milliseconds.
const (
	delayProperty  = "AMQ_SCHEDULED_DELAY"
	periodProperty = "AMQ_SCHEDULED_PERIOD"
	repeatProperty = "AMQ_SCHEDULED_REPEAT"
	cronProperty   = "AMQ_SCHEDULED_CRON"
)

// jobProperty is the id of the job that a scheduled message was. One that has it is not scheduled again.
const jobProperty = "scheduledJobId"

// maxRepeat is how often a message may be repeated at most, but for without end; as in ActiveMQ.
const maxRepeat = 1000

// maxDelay is the longest delay or period, some thousand years: the store's index has no more.
const maxDelay = 1 << 46

// planPrefix begins the names of the properties.
var planPrefix = []byte("AMQ_SCHEDULED_")

// plan is when a message is to be delivered: once after the delay, or the period where there is none; then repeat times more, or
// without end if that is negative, each a period after the one before. With a cron entry all of this begins anew whenever that
// is due; without repeat the message is delivered then.
type plan struct {
	delay, period int64
	repeat        int64
	cron          string
}

// planOf returns when the message wants to be delivered, nil for at once.
func planOf(m *message.Message) (*plan, error) {
	properties := m.Properties()
	if !bytes.Contains(properties, planPrefix) {
		return nil, nil
	}
	if id, again := wire.Lookup(properties, jobProperty); again && !id.IsNull() {
		return nil, nil
	}
	return readPlan(properties)
}

// readPlan reads the plan that properties have, nil if they have none.
func readPlan(properties []byte) (*plan, error) {
	delay, hasDelay, errDelay := number(properties, delayProperty)
	period, hasPeriod, errPeriod := number(properties, periodProperty)
	repeat, _, errRepeat := number(properties, repeatProperty)
	entry, _ := wire.Lookup(properties, cronProperty)
	for _, err := range []error{errDelay, errPeriod, errRepeat} {
		if err != nil {
			return nil, err
		}
	}
	p := &plan{delay: max(0, delay), period: max(0, period), repeat: repeat, cron: entry.Text()}
	if !hasDelay && !hasPeriod && entry.IsNull() {
		return nil, nil
	}
	return p, p.validate()
}

func (p *plan) validate() error {
	switch {
	case p.delay > maxDelay || p.period > maxDelay:
		return errorf(General, "the properties %s and %s are %d milliseconds at most", delayProperty, periodProperty, maxDelay)
	case p.repeat > maxRepeat:
		return errorf(General, "the property %s is %d: at most %d are allowed, or -1 for without end", repeatProperty, p.repeat, maxRepeat)
	case p.repeat < 0 && p.period == 0:
		return errorf(General, "the property %s asks for deliveries without end: %s must say how many milliseconds are between them",
			repeatProperty, periodProperty)
	}
	if p.cron != "" {
		if _, err := cron.Parse(p.cron); err != nil {
			return errorf(General, "the property %s: %v", cronProperty, err)
		}
	}
	return nil
}

// number reads a property that is a number, or a text with one.
func number(properties []byte, name string) (n int64, present bool, err error) {
	v, _ := wire.Lookup(properties, name)
	if v.IsNull() {
		return 0, false, nil
	}
	n, exact := v.Int()
	if v.IsText() {
		n, err = strconv.ParseInt(v.Text(), 10, 64)
		exact = err == nil
	}
	if !exact {
		return 0, true, errorf(General, "the property %s must be a whole number of milliseconds, or of times", name)
	}
	return n, true, nil
}

// first is when the message is due first, in milliseconds since 1970.
func (p *plan) first(now time.Time) (int64, error) {
	if p.cron != "" {
		return p.tick(now)
	}
	return p.start(now.UnixMilli()), nil
}

// start is when a plan that begins at a time is due first, whatever its cron entry says.
func (p *plan) start(at int64) int64 {
	if p.delay > 0 {
		return at + p.delay
	}
	return at + p.period
}

// tick is when the cron entry is due next.
func (p *plan) tick(now time.Time) (int64, error) {
	s, err := cron.Parse(p.cron)
	if err != nil {
		return 0, err
	}
	next := s.Next(now)
	if next.IsZero() {
		return 0, errorf(General, "the property %s: %q is never due", cronProperty, p.cron)
	}
	return next.UnixMilli(), nil
}
