package core

import (
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/selector"
	"github.com/twinmesh/twinmesh/broker/wire"
)

// properties is how a selector sees a message (JMS 1.1 §3.8.1.1).
type properties struct {
	message     *message.Message
	redelivered bool
}

// Property implements selector.Properties.
func (p properties) Property(name string) selector.Value {
	m := p.message
	switch name {
	case "JMSDeliveryMode":
		if m.Persistent() {
			return selector.TextValue("PERSISTENT")
		}
		return selector.TextValue("NON_PERSISTENT")
	case "JMSPriority":
		return selector.IntValue(int64(m.Priority()))
	case "JMSTimestamp":
		return selector.IntValue(m.Timestamp())
	case "JMSExpiration":
		return selector.IntValue(m.Expiration())
	case "JMSRedelivered":
		return selector.BoolValue(p.redelivered)
	case "JMSMessageID":
		return selector.TextValue(m.ID())
	case "JMSCorrelationID":
		return textOrNull(m.CorrelationID())
	case "JMSType":
		return textOrNull(m.Type())
	case "JMSXUserID":
		return textOrNull(m.UserID())
	}
	if v, known := p.header(name); known {
		return v
	}
	v, _ := wire.Lookup(m.Properties(), name)
	return toSelector(v)
}

// header has the fields that ActiveMQ's selectors know beside those of JMS.
func (p properties) header(name string) (v selector.Value, known bool) {
	m := p.message
	switch name {
	case "JMSDestination":
		d := m.Destination()
		if original, moved := m.OriginalDestination(); moved {
			d = original
		}
		return selector.TextValue(d.String()), true
	case "JMSReplyTo":
		if d, there := m.ReplyTo(); there {
			return selector.TextValue(d.String()), true
		}
		return selector.NullValue(), true
	case "JMSXGroupID":
		return textOrNull(m.GroupID()), true
	case "JMSXGroupSeq":
		return selector.IntValue(int64(m.GroupSequence())), true
	case "JMSXGroupFirstForConsumer":
		return selector.BoolValue(m.IsFirstForConsumer()), true
	}
	return selector.Value{}, false
}

func textOrNull(s string) selector.Value {
	if s == "" {
		return selector.NullValue()
	}
	return selector.TextValue(s)
}

func toSelector(v wire.Value) selector.Value {
	if v.Kind() == wire.KindBool {
		return selector.BoolValue(v.Bool())
	}
	if v.IsText() {
		return selector.TextValue(v.Text())
	}
	if n, exact := v.Int(); exact {
		return selector.IntValue(n)
	}
	if f, approximate := v.Float(); approximate {
		return selector.FloatValue(f)
	}
	return selector.NullValue()
}
