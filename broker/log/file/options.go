package file

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/twinmesh/twinmesh/broker/vfs"
)

const (
	defaultSegmentBytes = 64 << 20
	defaultUnsynced     = 8 << 20
	defaultPoll         = 250 * time.Millisecond
	// maxSegmentBytes keeps places in a segment within 32 bits.
	maxSegmentBytes = 1 << 30
	// maxBroker is the length of the longest broker name, in bytes.
	maxBroker = 200
)

// Options say where a log is and how it behaves. Directory and Broker are required.
type Options struct {
	// Directory holds the log. It is made if it is missing.
	Directory string
	// Broker is the name of the broker or pair whose messages these are; a directory of another is refused.
	Broker string
	// SegmentBytes is the size at which another segment is begun; 64 MiB by default.
	SegmentBytes int64
	// Unsynced is how many bytes may wait for the disk before Room waits; 8 MiB by default.
	Unsynced int64
	// Poll is how often a standby tries the lock and looks for new entries, and how often a holder makes sure that it still
	// holds; 250 ms by default. A standby never waits in the kernel: NFS may wake a waiter half a minute late.
	Poll time.Duration
	// Logger gets a line at each change of role; by default slog.Default().
	Logger *slog.Logger
	// FS is the file system; by default the operating system's.
	FS vfs.FS
	// Holder says in the log lines of other processes who holds the right; by default host name and process id.
	Holder string
}

// complete checks o and fills in what is not set.
func (o Options) complete() (Options, error) {
	switch {
	case o.Directory == "":
		return o, errors.New("open a log: no directory is given")
	case o.Broker == "" || len(o.Broker) > maxBroker:
		return o, fmt.Errorf("open the log in %s: the broker's name %q is not 1 to %d bytes long", o.Directory, o.Broker, maxBroker)
	case o.SegmentBytes > maxSegmentBytes:
		return o, fmt.Errorf("open the log in %s: a segment of %d bytes is above the limit of %d", o.Directory, o.SegmentBytes,
			maxSegmentBytes)
	}
	o.SegmentBytes = cmp.Or(o.SegmentBytes, defaultSegmentBytes)
	o.Unsynced = cmp.Or(o.Unsynced, defaultUnsynced)
	o.Poll = cmp.Or(o.Poll, defaultPoll)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.FS == nil {
		o.FS = vfs.OS{}
	}
	if o.Holder == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown host"
		}
		o.Holder = fmt.Sprintf("process %d on %s", os.Getpid(), host)
	}
	return o, nil
}
