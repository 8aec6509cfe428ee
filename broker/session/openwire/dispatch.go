package openwire

import (
	"encoding/binary"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/openwire"
)

// encoding makes frames of what is sent. One goroutine uses it.
type encoding struct {
	encoder *openwire.Encoder
	shared  bool // messages go out as they are
}

func newEncoding(f openwire.Format) encoding {
	return encoding{openwire.NewEncoder(f), f.SharedMessages()}
}

func (e encoding) append(b []byte, i item) ([]byte, error) {
	switch {
	case i.command != nil:
		return e.encoder.AppendFrame(b, i.command)
	case i.delivery.Message == nil:
		return e.encoder.AppendFrame(b, &openwire.MessageDispatch{ConsumerID: i.consumer.id})
	case e.shared:
		return appendDispatch(b, i.consumer.head, i.delivery), nil
	}
	return e.convert(b, i)
}

// appendDispatch writes a MessageDispatch around a message's own bytes.
func appendDispatch(b, consumer []byte, d core.Delivery) []byte {
	m := d.Message
	size := 1 + 4 + 1 + len(consumer) + len(m.RawDestination()) + 1 + m.Size() + 4
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	b = append(b, openwire.TypeMessageDispatch, 0, 0, 0, 0, 0)
	b = append(b, consumer...)
	b = append(b, m.RawDestination()...)
	b = append(b, 1)
	b = append(b, m.Bytes()...)
	return binary.BigEndian.AppendUint32(b, uint32(d.Redelivered))
}

// convert dispatches to a client of another encoding or an older version.
func (e encoding) convert(b []byte, i item) ([]byte, error) {
	v, err := openwire.DecodeLoose(i.delivery.Message.Bytes(), openwire.NewestVersion)
	if err != nil {
		return b, err
	}
	m := v.(openwire.Message)
	return e.encoder.AppendFrame(b, &openwire.MessageDispatch{
		ConsumerID: i.consumer.id, Destination: m.Fields().Destination, Message: m, RedeliveryCounter: int32(i.delivery.Redelivered),
	})
}
