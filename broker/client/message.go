package client

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/openwire"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// defaultPriority is that of JMS 1.1 §3.4.10.
const defaultPriority = 4

// Message is a message that is sent or was received. Received ones are of any kind; TextMessages and BytesMessages are sent. The
// bytes of one that was sent must not be changed until the send, or the commit, has its answer.
type Message struct {
	// Text tells that it is a TextMessage, whose Body is text in UTF-8; else it is sent as a BytesMessage.
	Text bool
	// Body is the content; of a received MapMessage, StreamMessage or ObjectMessage, as it is on the wire.
	Body []byte
	// Properties are of types that JMS has (1.1 §3.5.4): bool, int8, int16, int32, int64, float32, float64, string.
	Properties map[string]any

	CorrelationID string
	Type          string
	ReplyTo       destination.Destination // none if its name is empty
	Priority      int8                    // 0 to 9
	NonPersistent bool                    // may be lost with the broker
	Expires       time.Time               // zero for never

	// What sending sets, or receiving.
	ID          string // JMSMessageID
	Destination destination.Destination
	Timestamp   time.Time
	Redelivered int // how often it was delivered before, as far as the broker knows

	origin *delivery // nil unless it was received
}

// NewText makes a persistent TextMessage.
func NewText(s string) *Message {
	return &Message{Text: true, Body: []byte(s), Priority: defaultPriority}
}

// NewBytes makes a persistent BytesMessage, which keeps b.
func NewBytes(b []byte) *Message { return &Message{Body: b, Priority: defaultPriority} }

// Ack acknowledges a received message: alone in a session of IndividualAck, with all that its session has received so far
// in one of ClientAck. In others it does nothing (JMS 1.1 §3.6). It returns ErrStale if the connection was lost since.
func (m *Message) Ack(ctx context.Context) error {
	if m.origin == nil {
		return errors.New("acknowledging a message that was not received")
	}
	return m.origin.consumer.session.acknowledge(ctx, m)
}

// encode makes the structure that is sent.
func (m *Message) encode() (openwire.Message, error) {
	properties, err := encodeProperties(m.Properties)
	if err != nil {
		return nil, err
	}
	f := openwire.MessageFields{
		Destination: toWire(m.Destination), Persistent: !m.NonPersistent, Priority: m.Priority, MarshalledProperties: properties,
		Timestamp: m.Timestamp.UnixMilli(), CorrelationID: nullable(m.CorrelationID), Type: nullable(m.Type),
	}
	if m.ReplyTo.Name != "" {
		f.ReplyTo = toWire(m.ReplyTo)
	}
	if !m.Expires.IsZero() {
		f.Expiration = m.Expires.UnixMilli()
	}
	if m.Text {
		f.Content = wire.AppendTextBytes(make([]byte, 4, 4+len(m.Body)), string(m.Body))
		binary.BigEndian.PutUint32(f.Content, uint32(len(f.Content)-4))
		return &openwire.TextMessage{MessageFields: f}, nil
	}
	if len(m.Body) > 0 {
		f.Content = m.Body
	}
	return &openwire.BytesMessage{MessageFields: f}, nil
}

func nullable(s string) openwire.Text {
	if s == "" {
		return openwire.Text{}
	}
	return openwire.S(s)
}

// decode reads a structure that was received. limit bounds a body that comes compressed.
func decode(v openwire.Message, limit int64) (*Message, error) {
	f := v.Fields()
	m := &Message{
		CorrelationID: f.CorrelationID.String(), Type: f.Type.String(), Priority: f.Priority, NonPersistent: !f.Persistent,
		ID: messageID(f.MessageID), Destination: fromWire(f.Destination), ReplyTo: fromWire(f.ReplyTo),
		Timestamp: time.UnixMilli(f.Timestamp),
	}
	if f.Expiration > 0 {
		m.Expires = time.UnixMilli(f.Expiration)
	}
	var err error
	if m.Properties, err = decodeProperties(f.MarshalledProperties); err != nil {
		return m, fmt.Errorf("the properties of %s: %w", m.ID, err)
	}
	_, isBytes := v.(*openwire.BytesMessage)
	if m.Body = f.Content; f.Compressed {
		if m.Body, err = inflate(f.Content, isBytes, limit); err != nil {
			return m, fmt.Errorf("the compressed body of %s: %w", m.ID, err)
		}
	}
	if _, m.Text = v.(*openwire.TextMessage); m.Text && m.Body != nil {
		r := wire.NewReader(m.Body)
		m.Body = []byte(r.BigText())
		if r.Err() != nil {
			return m, fmt.Errorf("the text of %s: %w", m.ID, r.Err())
		}
	}
	return m, nil
}

// inflate undoes a client's compression. A body of bytes has its length in front, and rubbish behind.
func inflate(b []byte, isBytes bool, limit int64) ([]byte, error) {
	if limit <= 0 {
		limit = openwire.BrokerOffer().MaxFrameSize
	}
	length := int64(-1)
	if isBytes {
		r := wire.NewReader(b)
		length, b = int64(r.Int()), b[min(4, len(b)):]
		if r.Err() != nil || length < 0 || length > limit {
			return nil, fmt.Errorf("%w: %d bytes", wire.ErrLength, length)
		}
	}
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if length >= 0 {
		out, err := io.ReadAll(io.LimitReader(z, length))
		if err == nil && int64(len(out)) < length {
			err = io.ErrUnexpectedEOF
		}
		return out, err
	}
	out, err := io.ReadAll(io.LimitReader(z, limit+1))
	if err == nil && int64(len(out)) > limit {
		err = fmt.Errorf("%w: over %d bytes", wire.ErrLength, limit)
	}
	return out, err
}

func encodeProperties(properties map[string]any) ([]byte, error) {
	if len(properties) == 0 {
		return nil, nil
	}
	var entries []wire.Entry
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		v, ok := toValue(properties[name])
		if !ok || wire.TextLen(name) > wire.MaxText {
			return nil, fmt.Errorf("the property %.100q is a %T: use bool, int8 to int64, float32, float64 or string", name, properties[name])
		}
		entries = append(entries, wire.Entry{Key: name, Value: v})
	}
	return wire.AppendMap(nil, entries), nil
}

func toValue(v any) (wire.Value, bool) {
	switch v := v.(type) {
	case bool:
		return wire.BoolValue(v), true
	case int8:
		return wire.ByteValue(v), true
	case int16:
		return wire.ShortValue(v), true
	case int32:
		return wire.IntValue(v), true
	case int64:
		return wire.LongValue(v), true
	case float32:
		return wire.FloatValue(v), true
	case float64:
		return wire.DoubleValue(v), true
	case string:
		return wire.TextValue(v), true
	}
	return wire.Value{}, false
}

// decodeProperties leaves out what is not of a type that JMS has.
func decodeProperties(b []byte) (map[string]any, error) {
	if len(b) == 0 {
		return nil, nil
	}
	properties := map[string]any{}
	m := wire.NewMapReader(b)
	for m.Next() {
		if v, ok := fromValue(m.Value()); ok {
			properties[m.Key()] = v
		}
	}
	return properties, m.Err()
}

func fromValue(v wire.Value) (any, bool) {
	n, _ := v.Int()
	f, _ := v.Float()
	switch v.Kind() {
	case wire.KindBool:
		return v.Bool(), true
	case wire.KindByte:
		return int8(n), true
	case wire.KindShort:
		return int16(n), true
	case wire.KindInt:
		return int32(n), true
	case wire.KindLong:
		return n, true
	case wire.KindFloat:
		return float32(f), true
	case wire.KindDouble:
		return f, true
	}
	return v.Text(), v.IsText()
}

// messageID is the id as JMS programs see it.
func messageID(id *openwire.MessageID) string {
	switch {
	case id == nil:
		return ""
	case !id.TextView.IsNull():
		return id.TextView.String()
	case id.ProducerID == nil:
		return ""
	}
	p := id.ProducerID
	return p.ConnectionID.String() + ":" + strconv.FormatInt(p.SessionID, 10) + ":" + strconv.FormatInt(p.Value, 10) +
		":" + strconv.FormatInt(id.ProducerSequenceID, 10)
}

func toWire(d destination.Destination) openwire.Destination {
	name := openwire.S(d.Name)
	switch d.Kind {
	case destination.Topic:
		return &openwire.Topic{PhysicalName: name}
	case destination.TempQueue:
		return &openwire.TempQueue{PhysicalName: name}
	case destination.TempTopic:
		return &openwire.TempTopic{PhysicalName: name}
	}
	return &openwire.Queue{PhysicalName: name}
}

func fromWire(d openwire.Destination) destination.Destination {
	if d == nil {
		return destination.Destination{}
	}
	return destination.Destination{Kind: destination.Kind(d.TypeByte()), Name: d.Name()}
}
