package config

import (
	"errors"

	"github.com/twinmesh/twinmesh/broker/policy"
)

// SystemUsage has the limits of the broker, and what becomes of senders who reach one.
type SystemUsage struct {
	// MemoryUsage limits the messages that are kept in memory alone; 0 is 256 MiB.
	MemoryUsage Usage `yaml:"memoryUsage"`
	// StoreUsage limits the persistent messages; 0 is no limit.
	StoreUsage Usage `yaml:"storeUsage"`
	// SendFailIfNoSpace fails what would wait.
	SendFailIfNoSpace bool `yaml:"sendFailIfNoSpace"`
	// SendFailIfNoSpaceAfterTimeout fails what has waited for so many milliseconds; 0 is never.
	SendFailIfNoSpaceAfterTimeout int64 `yaml:"sendFailIfNoSpaceAfterTimeout"`
}

// Usage is a limit in bytes.
type Usage struct {
	Limit policy.Bytes `yaml:"limit"`
}

func defaultUsage() SystemUsage {
	return SystemUsage{MemoryUsage: Usage{256 << 20}, StoreUsage: Usage{100 << 30}}
}

func (u SystemUsage) validate() error {
	if u.SendFailIfNoSpaceAfterTimeout < 0 {
		return errors.New("systemUsage: sendFailIfNoSpaceAfterTimeout: write milliseconds, or 0 for never")
	}
	return nil
}
