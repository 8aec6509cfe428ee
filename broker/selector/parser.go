package selector

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// parser reads expressions by descent: OR, AND, NOT, comparisons, sums, products, signs, primaries.
type parser struct {
	lexer lexer
	token token
	depth int
	last  operand // what was read last
}

// operand is what is known of a value before there is a message. Of a property that is nothing: its kind is kindNull.
type operand struct {
	kind valueKind
	at   int
}

// condition tells why an operand cannot be one.
func (o operand) condition() error {
	if o.kind == kindNull || o.kind == kindBool {
		return nil
	}
	return fmt.Errorf("position %d: a condition is expected, and this is neither true nor false", o.at)
}

// ordered tells why an operand has no order. Of texts only properties have one, as in ActiveMQ.
func (o operand) ordered() error {
	if o.kind == kindText || o.kind == kindBool {
		return fmt.Errorf("position %d: only numbers are less or greater than others", o.at)
	}
	return nil
}

// computes tells why one cannot compute with an operand. Texts can only be put together.
func (o operand) computes(operator string) error {
	if o.kind == kindBool || o.kind == kindText && operator != "+" {
		return fmt.Errorf("position %d: a number is expected", o.at)
	}
	return nil
}

func (p *parser) whole() (expression, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.token.kind != endToken {
		return nil, p.expected("AND, OR or the end")
	}
	return e, p.last.condition()
}

func (p *parser) advance() (err error) {
	p.token, err = p.lexer.next()
	return err
}

func (p *parser) expected(what string) error {
	return fmt.Errorf("position %d: expected %s, found %v", p.token.at, what, p.token)
}

// take goes over the token if it is the keyword or operator.
func (p *parser) take(word string) (bool, error) {
	if p.token.kind == literalToken || p.token.kind == endToken || p.token.upper != word {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) need(word string) error {
	found, err := p.take(word)
	if err == nil && !found {
		err = p.expected(word)
	}
	return err
}

// term is an operand and the operator in front of it, "" for the first one.
type term struct {
	operator string
	operand  expression
}

// chain reads operands between operators of one precedence. They are kept side by side, since one inside of the other
// would need a stack as deep as the selector is long.
//
// The operands of an operator are checked, and what they make is of a kind.
func (p *parser) chain(read func() (expression, error), operators []string, check func(o operand, operator string) error, makes valueKind) ([]term, error) {
	whole := p.token.at
	e, err := read()
	terms := []term{{"", e}}
	for err == nil {
		operator := p.token.upper
		if p.token.kind == literalToken || p.token.kind == endToken || !slices.Contains(operators, operator) {
			return terms, nil
		}
		if err = check(p.last, operator); err != nil {
			break
		}
		if p.last.kind == kindText {
			makes = kindText
		}
		if err = p.advance(); err != nil {
			break
		}
		if e, err = read(); err == nil {
			err = check(p.last, operator)
		}
		terms = append(terms, term{operator, e})
		p.last = operand{makes, whole}
	}
	return nil, err
}

func isCondition(o operand, _ string) error { return o.condition() }

func (p *parser) or() (expression, error) {
	if p.depth++; p.depth > MaxDepth {
		return nil, fmt.Errorf("position %d: parentheses nest more than %d deep", p.token.at, MaxDepth)
	}
	defer func() { p.depth-- }()
	terms, err := p.chain(p.and, []string{"OR"}, isCondition, kindBool)
	return decide(terms, true), err
}

func (p *parser) and() (expression, error) {
	terms, err := p.chain(p.not, []string{"AND"}, isCondition, kindBool)
	return decide(terms, false), err
}

// decide is the truth value by if one of the terms has it, as OR is true and AND is false by one alone; the opposite if all
// have that; else unknown.
func decide(terms []term, by bool) expression {
	if len(terms) == 1 {
		return terms[0].operand
	}
	return func(m Properties) Value {
		all := BoolValue(!by)
		for _, t := range terms {
			v := t.operand(m)
			if v == BoolValue(by) {
				return v
			}
			all = known(all, v, !by)
		}
		return all
	}
}

// known is v if both are truth values, else unknown.
func known(x, y Value, v bool) Value {
	if x.kind == kindBool && y.kind == kindBool {
		return BoolValue(v)
	}
	return Value{}
}

func (p *parser) not() (expression, error) {
	negate, any := false, false
	for {
		found, err := p.take("NOT")
		if err != nil {
			return nil, err
		}
		if !found {
			break
		}
		negate, any = !negate, true
	}
	e, err := p.comparison()
	if err != nil || !negate && !any {
		return e, err
	}
	return negateIf(negate, e), p.last.condition()
}

func negateIf(negate bool, e expression) expression {
	if !negate {
		return e
	}
	return func(m Properties) Value { return not(e(m)) }
}

func (p *parser) comparison() (expression, error) {
	at := p.token.at
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	before := p.last
	e, err := p.compared(left)
	if e == nil {
		p.last = before
		return left, err
	}
	p.last = operand{kindBool, at}
	return e, err
}

// compared reads what follows the left side of a comparison, nil if it is none.
func (p *parser) compared(left expression) (expression, error) {
	if p.token.kind == operatorToken {
		return p.relation(left)
	}
	if found, err := p.take("IS"); found || err != nil {
		return p.isNull(left, err)
	}
	negate, err := p.take("NOT")
	if err != nil {
		return nil, err
	}
	for word, read := range map[string]func(expression) (expression, error){"LIKE": p.like, "BETWEEN": p.between, "IN": p.in} {
		found, err := p.take(word)
		if err != nil {
			return nil, err
		}
		if found {
			e, err := read(left)
			if err != nil {
				return nil, err
			}
			return negateIf(negate, e), nil
		}
	}
	if negate {
		return nil, p.expected("LIKE, BETWEEN or IN after NOT")
	}
	return nil, nil
}

var relations = map[string]func(a, b Value) Value{
	"=":  equal,
	"<>": func(a, b Value) Value { return not(equal(a, b)) },
	"<":  func(a, b Value) Value { return order(a, b, func(s int) bool { return s < 0 }) },
	"<=": func(a, b Value) Value { return order(a, b, func(s int) bool { return s <= 0 }) },
	">":  func(a, b Value) Value { return order(a, b, func(s int) bool { return s > 0 }) },
	">=": func(a, b Value) Value { return order(a, b, func(s int) bool { return s >= 0 }) },
}

func (p *parser) relation(left expression) (expression, error) {
	symbol, operand := p.token.text, p.last
	compare := relations[symbol]
	if compare == nil {
		return nil, nil
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	right, err := p.sum()
	if err == nil && symbol != "=" && symbol != "<>" {
		err = errors.Join(operand.ordered(), p.last.ordered())
	}
	return func(m Properties) Value { return compare(left(m), right(m)) }, err
}

// isNull reads what follows IS.
func (p *parser) isNull(left expression, err error) (expression, error) {
	if err != nil {
		return nil, err
	}
	negate, err := p.take("NOT")
	if err != nil {
		return nil, err
	}
	e := func(m Properties) Value { return BoolValue(left(m).kind == kindNull) }
	return negateIf(negate, e), p.need("NULL")
}

func (p *parser) between(left expression) (expression, error) {
	value := p.last
	low, err := p.sum()
	if err == nil {
		err = errors.Join(value.ordered(), p.last.ordered())
	}
	if err != nil {
		return nil, err
	}
	if err := p.need("AND"); err != nil {
		return nil, err
	}
	high, err := p.sum()
	if err == nil {
		err = p.last.ordered()
	}
	return func(m Properties) Value {
		v := left(m)
		above, below := relations[">="](v, low(m)), relations["<="](v, high(m))
		if above == BoolValue(false) || below == BoolValue(false) {
			return BoolValue(false)
		}
		return known(above, below, true)
	}, err
}

func (p *parser) in(left expression) (expression, error) {
	if err := p.need("("); err != nil {
		return nil, err
	}
	var texts []string
	for {
		text, err := p.text()
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
		if more, err := p.take(","); err != nil {
			return nil, err
		} else if !more {
			break
		}
	}
	return func(m Properties) Value {
		v := left(m)
		if v.kind == kindNull {
			return v
		}
		return BoolValue(v.kind == kindText && slices.Contains(texts, v.text))
	}, p.need(")")
}

// text reads a literal text.
func (p *parser) text() (string, error) {
	if p.token.kind != literalToken || p.token.value.kind != kindText {
		return "", p.expected("a text in single quotes")
	}
	text := p.token.value.text
	return text, p.advance()
}

func (p *parser) like(left expression) (expression, error) {
	wanted, err := p.text()
	if err != nil {
		return nil, err
	}
	escape := ""
	if found, err := p.take("ESCAPE"); err != nil {
		return nil, err
	} else if found {
		at := p.token.at
		if escape, err = p.text(); err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(escape) != 1 {
			return nil, fmt.Errorf("position %d: the text after ESCAPE has to be one character", at)
		}
	}
	pattern := compilePattern(wanted, escape)
	return func(m Properties) Value {
		v := left(m)
		if v.kind == kindNull {
			return v
		}
		return BoolValue(v.kind == kindText && pattern.matches(v.text))
	}, nil
}

func (p *parser) sum() (expression, error) {
	terms, err := p.chain(p.product, []string{"+", "-"}, operand.computes, kindFloat)
	return compute(terms), err
}

func (p *parser) product() (expression, error) {
	terms, err := p.chain(p.signed, []string{"*", "/", "%"}, operand.computes, kindFloat)
	return compute(terms), err
}

// compute works from left to right.
func compute(terms []term) expression {
	if len(terms) == 1 {
		return terms[0].operand
	}
	return func(m Properties) Value {
		v := terms[0].operand(m)
		for _, t := range terms[1:] {
			v = arithmetic(t.operator, v, t.operand(m))
		}
		return v
	}
}

func (p *parser) signed() (expression, error) {
	at, negate, signed := p.token.at, false, false
	for p.token.kind == operatorToken && (p.token.text == "-" || p.token.text == "+") {
		negate, signed = negate != (p.token.text == "-"), true
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if negate && p.token.kind == literalToken && p.token.value == FloatValue(-math.MinInt64) {
		p.token.value = IntValue(math.MinInt64) // the one long whose digits are none; its negative is itself
	}
	e, err := p.primary()
	if err == nil && signed {
		err = p.last.computes("-")
		p.last = operand{kindFloat, at}
	}
	if err != nil || !negate {
		return e, err
	}
	return func(m Properties) Value { return arithmetic("-", IntValue(0), e(m)) }, nil
}

// reserved words cannot be identifiers (JMS 1.1 §3.8.1.1).
var reserved = []string{"AND", "OR", "NOT", "BETWEEN", "LIKE", "IN", "IS", "ESCAPE", "NULL"}

func (p *parser) primary() (expression, error) {
	t := p.token
	p.last = operand{at: t.at}
	switch {
	case t.kind == literalToken:
		p.last.kind = t.value.kind
		return func(Properties) Value { return t.value }, p.advance()
	case t.upper == "(":
		return p.parenthesis()
	case t.upper == "TRUE" || t.upper == "FALSE":
		p.last.kind = kindBool
		v := BoolValue(t.upper == "TRUE")
		return func(Properties) Value { return v }, p.advance()
	case t.upper == "XPATH" || t.upper == "XQUERY":
		return nil, fmt.Errorf("position %d: %s looks into bodies, which this broker does not", t.at, t.upper)
	case t.kind == wordToken && !slices.Contains(reserved, t.upper):
		return func(m Properties) Value { return m.Property(t.text) }, p.advance()
	}
	return nil, p.expected("a property, a literal or a parenthesis")
}

func (p *parser) parenthesis() (expression, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	return e, p.need(")")
}
