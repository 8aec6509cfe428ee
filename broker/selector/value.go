package selector

import (
	"math"
	"strconv"
	"strings"
)

// Value is null, a boolean, an exact number, an approximate number, or a text.
type Value struct {
	kind  valueKind
	bool  bool
	int   int64
	float float64
	text  string
}

type valueKind uint8

const (
	kindNull valueKind = iota
	kindBool
	kindInt
	kindFloat
	kindText
)

// NullValue is what is not there; as a truth value it is unknown.
func NullValue() Value { return Value{} }

// BoolValue is a truth value.
func BoolValue(v bool) Value { return Value{kind: kindBool, bool: v} }

// IntValue is an exact number.
func IntValue(v int64) Value { return Value{kind: kindInt, int: v} }

// FloatValue is an approximate number.
func FloatValue(v float64) Value { return Value{kind: kindFloat, float: v} }

// TextValue is a text.
func TextValue(v string) Value { return Value{kind: kindText, text: v} }

func (v Value) isNumber() bool { return v.kind == kindInt || v.kind == kindFloat }

func (v Value) asFloat() float64 {
	if v.kind == kindInt {
		return float64(v.int)
	}
	return v.float
}

// not is unknown for all but truth values.
func not(v Value) Value {
	if v.kind != kindBool {
		return Value{}
	}
	return BoolValue(!v.bool)
}

// equal compares as = does: values of different types are not equal, and with null it is unknown.
func equal(a, b Value) Value {
	switch {
	case a.kind == kindNull || b.kind == kindNull:
		return Value{}
	case a.kind == kindInt && b.kind == kindInt:
		return BoolValue(a.int == b.int)
	case a.isNumber() && b.isNumber():
		return BoolValue(a.asFloat() == b.asFloat())
	case a.kind != b.kind:
		return BoolValue(false)
	case a.kind == kindText:
		return BoolValue(a.text == b.text)
	}
	return BoolValue(a.bool == b.bool)
}

// order compares numbers, and texts, as ActiveMQ does though JMS has no order for them. With null it is unknown, and false of
// anything else.
func order(a, b Value, holds func(sign int) bool) Value {
	switch {
	case a.kind == kindNull || b.kind == kindNull:
		return Value{}
	case a.kind == kindText && b.kind == kindText:
		return BoolValue(holds(strings.Compare(a.text, b.text)))
	case !a.isNumber() || !b.isNumber():
		return BoolValue(false)
	case a.kind == kindInt && b.kind == kindInt:
		return BoolValue(holds(sign(a.int, b.int)))
	}
	x, y := a.asFloat(), b.asFloat()
	if x != x || y != y {
		return BoolValue(false) // NaN has no place in any order
	}
	return BoolValue(holds(sign(x, y)))
}

func sign[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// arithmetic computes, as ActiveMQ does: a division is approximate, and texts are put together. What is not a number makes
// the result null, as does the rest of a division of exact numbers by zero.
func arithmetic(operator string, a, b Value) Value {
	if operator == "+" && a.kind == kindText {
		return join(a, b)
	}
	if !a.isNumber() || !b.isNumber() {
		return Value{}
	}
	if a.kind == kindInt && b.kind == kindInt {
		return exact(operator, a.int, b.int)
	}
	x, y := a.asFloat(), b.asFloat()
	switch operator {
	case "+":
		return FloatValue(x + y)
	case "-":
		return FloatValue(x - y)
	case "*":
		return FloatValue(x * y)
	case "/":
		return FloatValue(x / y)
	}
	return FloatValue(math.Mod(x, y))
}

// join is a text with what is written of b behind it; null if b is an approximate number, which each language writes its own way.
func join(a, b Value) Value {
	switch b.kind {
	case kindText:
		return TextValue(a.text + b.text)
	case kindInt:
		return TextValue(a.text + strconv.FormatInt(b.int, 10))
	case kindBool:
		return TextValue(a.text + strconv.FormatBool(b.bool))
	}
	return Value{}
}

func exact(operator string, x, y int64) Value {
	switch {
	case operator == "+":
		return IntValue(x + y)
	case operator == "-":
		return IntValue(x - y)
	case operator == "*":
		return IntValue(x * y)
	case operator == "/":
		return FloatValue(float64(x) / float64(y))
	case y == 0:
		return Value{}
	}
	return IntValue(x % y)
}
