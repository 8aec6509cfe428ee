package selector

import (
	"runtime"
	"strings"
	"testing"
)

// fields are a message's header fields and properties, as the tests select by them.
type fields map[string]Value

func (f fields) Property(name string) Value { return f[name] }

var sample = fields{
	"JMSPriority": IntValue(4), "JMSDeliveryMode": TextValue("PERSISTENT"), "JMSMessageID": TextValue("ID:a-1"),
	"JMSTimestamp": IntValue(1_700_000_000_000), "JMSType": TextValue("car"), "JMSRedelivered": BoolValue(false),
	"colour": TextValue("blue"), "weight": IntValue(2500), "price": FloatValue(0.5), "paid": BoolValue(true),
	"quote": TextValue("it's"), "rate": TextValue("50%_\\"), "größe": IntValue(3), "$_": IntValue(1), "a.b": IntValue(7),
	"least": IntValue(-1 << 63), "big": IntValue(1 << 53), "empty": TextValue(""),
}

// The three truth values.
const (
	yes     = "true"
	no      = "false"
	unknown = "unknown"
)

// truthOf is what a selector says of the sample. What is no truth value counts as unknown.
func truthOf(t *testing.T, text string) string {
	t.Helper()
	is := func(text string) bool {
		s, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return s.Matches(sample)
	}
	switch matches, opposite := is(text), is("NOT ("+text+")"); {
	case matches && opposite:
		t.Fatalf("%s is true and false", text)
	case matches:
		return yes
	case opposite:
		return no
	}
	return unknown
}

type truths map[string]string

func (table truths) check(t *testing.T) {
	t.Helper()
	for text, want := range table {
		if got := truthOf(t, text); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

// JMS 1.1 §3.8.1.2, tables 3-4 to 3-6.
func TestThreeValuedLogic(t *testing.T) {
	terms := map[string]string{yes: "paid", no: "weight < 0", unknown: "missing > 1"}
	and := map[[2]string]string{{yes, yes}: yes, {yes, unknown}: unknown, {unknown, yes}: unknown, {unknown, unknown}: unknown}
	or := map[[2]string]string{{no, no}: no, {no, unknown}: unknown, {unknown, no}: unknown, {unknown, unknown}: unknown}
	wanted := func(table map[[2]string]string, a, b, otherwise string) string {
		if v, ok := table[[2]string{a, b}]; ok {
			return v
		}
		return otherwise
	}
	for a, x := range terms {
		for b, y := range terms {
			truths{x + " AND " + y: wanted(and, a, b, no), x + " OR " + y: wanted(or, a, b, yes)}.check(t)
		}
	}
	truths{"NOT paid": no, "NOT weight < 0": yes, "NOT missing > 1": unknown, "NOT NOT paid": yes, "missing": unknown, "weight": unknown}.check(t)
}

func TestNull(t *testing.T) {
	truths{
		"missing IS NULL": yes, "missing IS NOT NULL": no, "colour IS NULL": no, "colour is not null": yes, "empty IS NULL": no,
		"missing = missing": unknown, "missing <> 1": unknown, "1 >= missing": unknown, "missing + 1 = 2": unknown,
		"-missing = 1": unknown, "missing LIKE '%'": unknown, "missing NOT LIKE '%'": unknown, "missing IN ('a')": unknown,
		"missing NOT IN ('a')": unknown, "missing BETWEEN 1 AND 2": unknown, "1 BETWEEN missing AND 2": unknown,
		"3 BETWEEN missing AND 2": no, "1 NOT BETWEEN 2 AND missing": yes, "missing = TRUE": unknown,
	}.check(t)
}

// Values of different types are not equal, so that <> is true of them, as in ActiveMQ, and have no order.
func TestComparisons(t *testing.T) {
	truths{
		"colour = 'blue'": yes, "colour = 'Blue'": no, "colour <> 'red'": yes, "paid = TRUE": yes, "paid <> false": yes,
		"paid = False": no, "weight = 2500": yes, "weight > 2499": yes, "weight >= 2500": yes, "weight < 2500": no, "weight <= 2500": yes,
		"colour > JMSType": no, "colour < JMSType": yes, "paid > weight": no, "weight = '2500'": no, "weight <> '2500'": yes, "colour > 1": no,
		"colour = paid": no, "(weight > 1) = TRUE": yes, "empty = ''": yes, "quote = 'it''s'": yes, "'' = ''''": no,
	}.check(t)
}

func TestBetweenAndIn(t *testing.T) {
	truths{
		"weight BETWEEN 2500 AND 2600": yes, "weight BETWEEN 2400 AND 2500": yes, "weight BETWEEN 2501 AND 2600": no,
		"weight NOT BETWEEN 2501 AND 2600": yes, "weight BETWEEN 1 AND 3000 AND paid": yes, "colour BETWEEN 1 AND 2": no,
		"weight BETWEEN 2 * 1000 AND 2400 + 100": yes,
		"colour IN ('red', 'blue')":              yes, "colour IN ('red')": no, "colour NOT IN ('red')": yes, "weight IN ('2500')": no,
		"colour not in('blue')": no,
	}.check(t)
}

func TestLike(t *testing.T) {
	truths{
		"colour LIKE 'blue'": yes, "colour LIKE 'b%'": yes, "colour LIKE '%u%'": yes, "colour LIKE 'b__e'": yes, "colour LIKE 'b_e'": no,
		"colour LIKE '%'": yes, "empty LIKE '%'": yes, "empty LIKE ''": yes, "empty LIKE '_'": no, "colour LIKE '%blue%'": yes,
		"colour LIKE 'bl'": no, "colour LIKE '%bl'": no, "colour NOT LIKE 'r%'": yes, "weight LIKE '%'": no, "colour LIKE 'B%'": no,
		`rate LIKE '50\%\_\\' ESCAPE '\'`: yes, `rate LIKE '5_\%%' ESCAPE '\'`: yes, `colour LIKE 'b\%' ESCAPE '\'`: no, `rate LIKE '50%%%' ESCAPE '%'`: yes, `rate LIKE '50%%_\' ESCAPE '%'`: yes, `colour LIKE 'x%' ESCAPE 'x'`: no,
		`colour LIKE 'b!l%' ESCAPE '!'`: no, `colour LIKE 'blu%' ESCAPE '%'`: yes,
		"rate LIKE '50ä%ä__' ESCAPE 'ä'": yes, "colour LIKE '%l%l%'": no, "JMSMessageID LIKE 'ID:_-%'": yes, "quote LIKE '%''s'": yes,
	}.check(t)
}

// A run is looked for again from behind only, or this would take longer than anyone waits.
func TestLikeTakesNoMoreThanTheProductOfLengths(t *testing.T) {
	p := compilePattern(strings.Repeat("%a", 200)+"b", "")
	if p.matches(strings.Repeat("a", 5000)) {
		t.Error("a text without b matches")
	}
}

// Exact and approximate numbers compare with each other; what one of them is approximate of, is (JMS 1.1 §3.8.1.1, §3.8.1.2).
func TestNumbers(t *testing.T) {
	truths{
		"weight = 2500.0": yes, "weight = 2.5e3": yes, "price = 5E-1": yes, "price = .5": yes, "price < 1": yes, "weight / 1000 = 2.5": yes,
		"weight / 1000.0 = 2.5": yes, "7 / 2 = 3.5": yes, "7 % 4 = 3": yes, "-7 % 4 = -3": yes, "7.5 % 2 = 1.5": yes, "7 / 2. = 3.5": yes, "1 / 0 > 5": yes, "1 % 0 = 1": unknown, "1 % 0 IS NULL": yes,
		"1 / 0.0 > 1": yes, "0.0 / 0 = 0.0 / 0": no, "0.0 / 0 < 1": no, "0.0 / 0 <= 1": no, "1 + 2 * 3 = 7": yes, "(1 + 2) * 3 = 9": yes, "10 - 3 - 2 = 5": yes,
		"16 / 4 / 2 = 2": yes, "2 - -3 = 5": yes, "-(1 + 2) = -3": yes, "- - 3 = +3": yes, "weight * price = 1250": yes,
		"colour + 1 = 'blue1'": yes, "colour + '!' = 'blue!'": yes, "'a' + paid = 'atrue'": yes, "colour + price IS NULL": yes, "paid * 2 = 2": unknown, "-colour = 1": unknown,
		"12L = 12": yes, "0x1F = 31": yes, "0XaL = 10": yes, "017 = 15": yes, "0 = 0L": yes, "1.5d = 1.5F": yes, "1d = 1": yes, "2e3f = 2000": yes,
		"0x1d = 29": yes, "010.5 = 10.5": yes,
		"least = -9223372036854775808": yes, "least = -9223372036854775807": no, "least * -1 = least": yes,
		"weight = 2500 -- a comment\n AND /* another */ paid": yes, "3 --2\n = 3": yes, "5 - -2 = 7": yes,
		"9223372036854775807 > 9223372036854775806": yes, "9223372036854775808 > 9223372036854775807": no,
		"big = 9007199254740993": no, "big = 9007199254740993.0": yes,
	}.check(t)
}

func TestIdentifiers(t *testing.T) {
	truths{
		"JMSPriority = 4": yes, "JMSDeliveryMode = 'PERSISTENT'": yes, "JMSMessageID = 'ID:a-1'": yes, "JMSType = 'car'": yes,
		"JMSTimestamp > 1699999999999": yes, "JMSCorrelationID IS NULL": yes, "JMSRedelivered = FALSE": yes, "größe = 3": yes, "$_ = 1": yes,
		"a.b = 7": yes, "Colour IS NULL": yes, "colour='blue'AND(paid)": yes, "colour\n=\t'blue'": yes, "nothing IS NULL": yes, "notNull IS NULL": yes,
	}.check(t)
}

func TestWhatIsWrongAndWhere(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  `position 0: expected a property, a literal or a parenthesis, found the end`,
		"a =":                               `position 3: expected a property, a literal or a parenthesis, found the end`,
		"a = 1 b":                           `position 6: expected AND, OR or the end, found "b"`,
		"a = 1)":                            `position 5: expected AND, OR or the end, found ")"`,
		"(a = 1":                            `position 6: expected ), found the end`,
		"a == 1":                            `position 3: expected a property, a literal or a parenthesis, found "="`,
		"a != 1":                            `position 2: unexpected character '!'`,
		"a = 'b":                            `position 4: the text that begins here has no closing quote`,
		"a < b < c":                         `position 6: expected AND, OR or the end, found "<"`,
		"a IS 1":                            `position 5: expected NULL, found "1"`,
		"a NOT = 1":                         `position 6: expected LIKE, BETWEEN or IN after NOT, found "="`,
		"a LIKE 1":                          `position 7: expected a text in single quotes, found "1"`,
		"a LIKE b":                          `position 7: expected a text in single quotes, found "b"`,
		"a LIKE 'b' ESCAPE 'cd'":            `position 18: the text after ESCAPE has to be one character`,
		"a LIKE 'b' ESCAPE ''":              `position 18: the text after ESCAPE has to be one character`,
		"a IN ()":                           `position 6: expected a text in single quotes, found ")"`,
		"a IN ('b' 'c')":                    `position 10: expected ), found "'c'"`,
		"a IN (1)":                          `position 6: expected a text in single quotes, found "1"`,
		"a BETWEEN 1 OR 2":                  `position 12: expected AND, found "OR"`,
		"and = 1":                           `position 0: expected a property, a literal or a parenthesis, found "and"`,
		"3 + 5":                             `position 0: a condition is expected, and this is neither true nor false`,
		"TRUE AND 3 + 5":                    `position 9: a condition is expected, and this is neither true nor false`,
		"'a' OR a":                          `position 0: a condition is expected, and this is neither true nor false`,
		"NOT 'a'":                           `position 4: a condition is expected, and this is neither true nor false`,
		"NOT NOT -a":                        `position 8: a condition is expected, and this is neither true nor false`,
		"a > 'b'":                           `position 4: only numbers are less or greater than others`,
		"TRUE <= a":                         `position 0: only numbers are less or greater than others`,
		"(a = 1) < 2":                       `position 1: only numbers are less or greater than others`,
		"a BETWEEN 'b' AND c":               `position 10: only numbers are less or greater than others`,
		"'a' * 2 = 1":                       `position 0: a number is expected`,
		"a + TRUE = 1":                      `position 4: a number is expected`,
		"-'a' = 1":                          `position 1: a number is expected`,
		"NULL = 1":                          `position 0: expected a property, a literal or a parenthesis, found "NULL"`,
		"a = 12LL":                          `position 4: "12LL" is not a number, or too large`,
		"a = 1.5L":                          `position 4: "1.5L" is not a number, or too large`,
		"a = 1.5dd":                         `position 4: "1.5dd" is not a number, or too large`,
		"a = 0x1p3":                         `position 4: "0x1p3" is not a number, or too large`,
		"a = 0x":                            `position 4: "0x" is not a number, or too large`,
		"a = 08":                            `position 4: "08" is not a number, or too large`,
		"a = 0b1":                           `position 4: "0b1" is not a number, or too large`,
		"a = 1_000":                         `position 4: "1_000" is not a number, or too large`,
		"a = 1e":                            `position 4: "1e" is not a number, or too large`,
		"a = 1.2.3":                         `position 4: "1.2.3" is not a number, or too large`,
		"a = 1e999":                         `position 4: "1e999" is not a number, or too large`,
		"a = 9223372036854775808L":          `position 4: "9223372036854775808L" is not a number, or too large`,
		"a AND XPATH '//b'":                 `position 6: XPATH looks into bodies, which this broker does not`,
		"a = \xff":                          `position 4: unexpected character '�'`,
		strings.Repeat("(", MaxDepth) + "a": `position 200: parentheses nest more than 200 deep`,
		strings.Repeat("a", MaxLength+1):    `it has 65537 bytes, at most 65536 are allowed`,
	} {
		if _, err := Parse(text); err == nil || err.Error() != want {
			t.Errorf("%.40s:\n got %v\nwant %s", text, err, want)
		}
	}
}

// However long a selector is, neither reading nor evaluating it needs a deep stack: what nests is bounded, and what is
// chained does not nest.
func TestLongestSelectors(t *testing.T) {
	fill := func(first, more string) string {
		return first + strings.Repeat(more, (MaxLength-len(first)-2)/len(more))
	}
	for name, text := range map[string]string{
		"sum": fill("weight", "+1") + ">0", "product": fill("1", "*weight") + ">0", "or": fill("missing", " or a"), "and": fill("paid", " and paid"),
		"not": strings.Repeat("not ", MaxLength/4-2) + "paid", "signs": strings.Repeat("-", MaxLength-8) + "weight>0",
		"in": fill("colour in('blue'", ",'b'") + ")", "parentheses": strings.Repeat("(", MaxDepth-1) + "paid" + strings.Repeat(")", MaxDepth-1),
	} {
		s, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		depth := &deepest{fields: sample}
		s.Matches(depth)
		if limit := 10 * MaxDepth; depth.frames > limit {
			t.Errorf("%s: evaluated %d calls deep, want %d at most", name, depth.frames, limit)
		}
	}
}

// deepest measures how deep the stack is where a property is asked for.
type deepest struct {
	fields
	frames int
}

func (d *deepest) Property(name string) Value {
	d.frames = max(d.frames, runtime.Callers(0, make([]uintptr, 1<<12)))
	return d.fields.Property(name)
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"a = 1", "a LIKE 'b%' ESCAPE '!'", "NOT (a IN ('x','y') OR b BETWEEN -1 AND 0x1F)", "a IS NOT NULL", "1.5e3d < 017L / 0"} {
		f.Add(text, "b", int64(1), 0.5)
	}
	f.Fuzz(func(t *testing.T, text, word string, exact int64, approximate float64) {
		s, err := Parse(text)
		if err != nil {
			if len(text) <= MaxLength && !strings.HasPrefix(err.Error(), "position ") {
				t.Errorf("%q: the error %q does not say where", text, err)
			}
			return
		}
		message := fields{"a": TextValue(word), "b": IntValue(exact), "c": FloatValue(approximate), "d": BoolValue(true)}
		negated, err := Parse("NOT (" + text + ")")
		if err != nil {
			return // longer or deeper than may be
		}
		if s.Matches(message) && negated.Matches(message) {
			t.Errorf("%q is true and false of %v", text, message)
		}
	})
}
