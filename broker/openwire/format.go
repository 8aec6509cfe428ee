package openwire

import "time"

// Format is what the two ends of a connection have agreed on.
type Format struct {
	Version      int
	Tight        bool
	Cache        bool
	CacheSize    int // slots; 0 means 16,383
	StackTraces  bool
	TCPNoDelay   bool
	MaxFrameSize int64 // in bytes; 0 means no limit

	// A connection from which nothing was read for Inactivity is dead; 0 means never. Each end writes at least three times as
	// often. InitialDelay is how long the peer may take before it has to keep to that.
	Inactivity, InitialDelay time.Duration
}

// Handshake is the format of the WireFormatInfos, before anything is agreed on.
func Handshake() Format { return Format{Version: 1} }

// SharedMessages tells whether the bytes of a message on this connection are those that AppendLoose makes of it in the
// newest version.
func (f Format) SharedMessages() bool { return !f.Tight && !f.Cache && f.Version >= 10 }
