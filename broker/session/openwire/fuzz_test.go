package openwire_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
)

// script is the bytes that a fuzzer makes, read as decisions. At its end all of them are 0.
type script []byte

func (s *script) next() byte {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return b
}

// small is a number from a few, so that ids meet.
func (s *script) small() int64 { return int64(s.next() % 3) }

func (s *script) bytes() []byte {
	n := min(int(s.next()), len(*s))
	b := (*s)[:n]
	*s = (*s)[n:]
	return b
}

func (s *script) destination() openwire.Destination {
	switch s.next() % 6 {
	case 0:
		return queue("q")
	case 1:
		return topic("t")
	case 2:
		return &openwire.TempQueue{PhysicalName: openwire.S("ID:0:1")}
	case 3:
		return &openwire.TempTopic{PhysicalName: openwire.S("ID:1:2")}
	case 4:
		return queue("q,topic://t")
	}
	return topic("ActiveMQ.Advisory.TempQueue,ActiveMQ.Advisory.TempTopic")
}

func (s *script) transaction(c *client) openwire.TransactionID {
	switch s.next() % 4 {
	case 0:
		return c.transactionID(s.small())
	case 1:
		return &openwire.XATransactionID{}
	}
	return nil
}

// object is something to remove.
func (s *script) object(c *client) openwire.DataStructure {
	switch s.next() % 5 {
	case 0:
		return c.consumerID(s.small(), s.small())
	case 1:
		return c.producerID(s.small(), s.small())
	case 2:
		return c.sessionID(s.small())
	case 3:
		return c.connectionID()
	}
	return nil
}

// command is any command, with ids that may mean something.
func (s *script) command(c *client) openwire.Command {
	switch s.next() % 14 {
	case 0:
		return &openwire.ConnectionInfo{ConnectionID: c.connectionID(), ClientID: openwire.S("client"), Manageable: s.next() > 127}
	case 1:
		return &openwire.ConsumerInfo{
			ConsumerID: c.consumerID(s.small(), s.small()), Destination: s.destination(), PrefetchSize: int32(s.small()),
			Selector: openwire.S([]string{"", "a = 1", "a ="}[s.small()]), Browser: s.next() == 255,
		}
	case 2:
		return &openwire.ProducerInfo{ProducerID: c.producerID(s.small(), s.small()), WindowSize: int32(s.next())}
	case 3:
		return &openwire.TransactionInfo{ConnectionID: c.connectionID(), TransactionID: s.transaction(c), Type: int8(s.next() % 9)}
	case 4:
		return &openwire.DestinationInfo{ConnectionID: c.connectionID(), Destination: s.destination(), OperationType: int8(s.small())}
	case 5:
		return &openwire.RemoveInfo{ObjectID: s.object(c), LastDeliveredSequenceID: s.small() - 2}
	case 6:
		return &openwire.MessagePull{ConsumerID: c.consumerID(s.small(), s.small()), Timeout: s.small() - 1}
	case 7:
		return &openwire.ConsumerControl{ConsumerID: c.consumerID(s.small(), s.small()), Prefetch: int32(s.small()), Close: s.next() > 200}
	case 8:
		return &openwire.KeepAliveInfo{}
	case 9:
		return s.ack(c)
	case 10:
		return []openwire.Command{&openwire.FlushCommand{}, &openwire.ConnectionControl{}, &openwire.RemoveSubscriptionInfo{}}[s.small()]
	case 11:
		return &openwire.SessionInfo{SessionID: c.sessionID(s.small())}
	case 12:
		return []openwire.Command{&openwire.KeepAliveInfo{}, &openwire.ShutdownInfo{}, &openwire.BrokerInfo{}}[s.small()]
	}
	m := c.message(s.small(), s.destination(), strings.Repeat("x", int(s.next())<<8))
	m.ProducerID, m.Persistent, m.TransactionID = c.producerID(s.small(), s.small()), s.next() > 127, s.transaction(c)
	m.Expiration = time.Now().UnixMilli() * s.small()
	return m
}

// ack is of a message that the client got, if there is one.
func (s *script) ack(c *client) openwire.Command {
	ack := &openwire.MessageAck{ConsumerID: c.consumerID(s.small(), s.small())}
	var got []openwire.DataStructure
	for _, v := range c.take() {
		if d, ok := v.(*openwire.MessageDispatch); ok && d.Message != nil {
			got = append(got, v)
		}
	}
	if len(got) > 0 {
		ack = c.ack(0, got[s.next()%byte(min(len(got), 255)):]...)
	}
	ack.AckType, ack.TransactionID = int8(s.next()%8), s.transaction(c)
	return ack
}

// play does what the script says, with two clients that have each other's names.
func (s *script) play(w *world) {
	clients := [2]*client{}
	for len(*s) > 0 {
		step := s.next()
		c := clients[step%2]
		if c == nil || c.isOver() {
			c = w.offering(clientOffer())
			c.name = []string{"0", "1"}[s.next()%2]
			clients[step%2] = c
			if step < 240 {
				c.tell(&openwire.ConnectionInfo{ConnectionID: c.connectionID()})
			}
		}
		switch {
		case step < 100:
			c.ask(s.command(c))
		case step < 200:
			c.tell(s.command(c))
		case step < 220:
			c.frame(s.bytes()...)
		case step < 230:
			w.elapse(time.Duration(s.next()) * 100 * time.Millisecond)
		case step < 232:
			c.cut()
		case step < 234:
			w.log.Hold()
		case step < 236:
			w.log.Release()
		}
	}
}

// hang is when a script must have come to its end by all means, on a busy machine too. What waits for a mutex is not found by
// synctest.
const hang = 30 * time.Second

// Whatever clients send in whatever order, the broker neither panics nor hangs, answers nothing twice, sends only what can be
// decoded, and lets go of everything at the end.
func FuzzSession(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 1, 0, 1, 0, 13, 1, 0, 9, 1, 1, 200, 0, 0, 9, 1, 1, 0, 2})
	f.Add([]byte{210, 0, 5, 24, 1, 2, 3, 4, 240, 1, 8, 211, 0, 1, 0, 232, 0, 13, 1, 0, 1, 1, 1, 200, 234})
	f.Add([]byte{100, 0, 3, 0, 1, 0, 101, 13, 1, 0, 255, 1, 1, 0, 0, 1, 0, 13, 1, 0, 255, 1, 1, 0, 0, 1, 0, 3, 0, 1, 2})
	f.Fuzz(func(t *testing.T, decisions []byte) {
		if len(decisions) > 1<<10 {
			return
		}
		hung := time.AfterFunc(hang, func() { panic("it hangs") })
		defer hung.Stop()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, memoryLimit)
			s := script(decisions)
			s.play(w)
			w.log.Release()
			w.stop()
		})
	})
}
