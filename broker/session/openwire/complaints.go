package openwire

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

const (
	// maxComplaints is how many refusals of one connection are logged in a complaintPeriod; of more only the number is.
	maxComplaints   = 10
	complaintPeriod = time.Minute
	// maxLogged is the length in bytes of what a log quotes of an error, which may quote the client.
	maxLogged = 300
)

// complaints logs what a client is refused. Any goroutine may call it.
type complaints struct {
	mu     sync.Mutex
	logger *slog.Logger
	began  time.Time // of the period
	told   int       // in it
	hushed int       // since the last line
}

// by makes it known who the client is.
func (c *complaints) by(logger *slog.Logger) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logger = logger
}

// tell logs a refusal: as a warning if the client lacks a right, since somebody tries what he should not, or was forgotten.
func (c *complaints) tell(t *openwire.Throwable) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.began) >= complaintPeriod {
		c.began, c.told = now, 0
	}
	if c.told++; c.told > maxComplaints {
		c.hushed++
		return
	}
	level := slog.LevelInfo
	if t.Class.String() == string(openwire.SecurityException) {
		level = slog.LevelWarn
	}
	attributes := []slog.Attr{slog.String("exception", t.Class.String()), slog.String("reason", cut(t.Message.String(), maxLogged))}
	if c.hushed > 0 {
		attributes = append(attributes, slog.Int("and more before", c.hushed))
		c.hushed = 0
	}
	c.logger.LogAttrs(context.Background(), level, "refused what a client asked for", attributes...)
}
