package openwire

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/twinmesh/twinmesh/broker/config"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// negotiationTime is how long a client may take to make its offer. Who it is it may say much later: ActiveMQ's client
// does when the program first uses the connection.
const negotiationTime = 15 * time.Second

// oldVersionError refuses a client whose protocol is older than the connector wants.
func oldVersionError(version, minimum int) error {
	return fmt.Errorf("the client speaks version %d of OpenWire, and this connector version %d and newer", version, minimum)
}

// negotiate agrees on the encoding. Nothing but the offer may be sent before the peer's has come.
func (s *session) negotiate() error {
	if err := s.out.start(s.options.Offer.Info()); err != nil {
		return err
	}
	theirs, err := openwire.ReadOffer(s.frames)
	if err != nil {
		return err
	}
	if s.format, err = openwire.Negotiate(s.options.Offer, theirs); err != nil {
		return err
	}
	if minimum := s.options.Connector.MinimumVersion; s.format.Version < minimum {
		return oldVersionError(s.format.Version, minimum)
	}
	if s.options.Connector.NoInactivityMonitor {
		s.format.Inactivity = 0
	}
	s.decoder = openwire.NewDecoder(s.format)
	s.in.expect(s.format)
	s.out.agree(s.format)
	s.out.command(&openwire.BrokerInfo{
		BrokerID:   &openwire.BrokerID{Value: openwire.S(s.options.BrokerID)},
		BrokerName: openwire.S(s.options.BrokerName),
		BrokerURL:  openwire.S("tcp://" + s.conn.LocalAddr().String()),
	})
	return nil
}

// nameOf is what logs call a structure. The null frame is a nil one.
func nameOf(v openwire.DataStructure) string {
	if v == nil {
		return "a null frame"
	}
	return "a " + openwire.TypeName(v.TypeByte())
}

// inbound is the connection as it is read. Each byte is a sign of life, so that a large frame on a slow line does not count
// as silence; and since the time runs only while the session reads, a client that the broker holds is not cut off.
type inbound struct {
	net.Conn
	until   time.Time     // silence is allowed at least until then
	silence time.Duration // how long a client may say nothing; 0 is for ever
}

func newInbound(conn net.Conn, c config.Connector) *inbound {
	return &inbound{Conn: conn, until: time.Now().Add(cmp.Or(c.ConnectAttemptTimeout, negotiationTime)), silence: time.Nanosecond}
}

// expect begins to go by what was agreed on. The peer need not keep to it before the initial delay is over. It is given
// twice the time: a client may be silent for two thirds of it by the rules, which leaves too little for a pause of its JVM.
// ActiveMQ's broker waits two to three times as long.
func (in *inbound) expect(f openwire.Format) {
	in.silence = 2 * f.Inactivity
	in.until = time.Now().Add(f.InitialDelay + in.silence)
}

// Read implements io.Reader.
func (in *inbound) Read(b []byte) (int, error) {
	if err := in.SetReadDeadline(in.deadline()); err != nil {
		return 0, err
	}
	began := time.Now()
	n, err := in.Conn.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("nothing was heard from the client for %v", time.Since(began).Round(time.Millisecond))
	}
	return n, err
}

func (in *inbound) deadline() time.Time {
	if in.silence == 0 {
		return time.Time{}
	}
	deadline := time.Now().Add(in.silence)
	if deadline.Before(in.until) {
		return in.until
	}
	return deadline
}
