// Package selector evaluates the selectors of JMS (JMS 1.1 §3.8.1): conditions over a message's header fields and
// properties, in a subset of SQL-92, with SQL's three-valued logic. It knows messages only by their properties.
package selector

import "fmt"

// MaxLength is the length of the longest selector, in bytes; MaxDepth is how deep one may nest.
const (
	MaxLength = 64 << 10
	MaxDepth  = 200
)

// Properties is a message as a selector sees it: header fields by their JMS names, and properties. What is not there
// is NullValue.
type Properties interface {
	Property(name string) Value
}

// Selector is a compiled selector. It may be used by many goroutines.
type Selector struct {
	text  string
	match expression
}

// expression is a compiled part; an unknown truth value is the null Value.
type expression func(Properties) Value

// Parse compiles a selector. Its errors tell where the text is wrong and what was expected there.
func Parse(text string) (*Selector, error) {
	if len(text) > MaxLength {
		return nil, fmt.Errorf("it has %d bytes, at most %d are allowed", len(text), MaxLength)
	}
	p := &parser{lexer: lexer{text: text}}
	match, err := p.whole()
	if err != nil {
		return nil, err
	}
	return &Selector{text, match}, nil
}

// Matches tells whether the selector is true of a message; unknown is not true.
func (s *Selector) Matches(p Properties) bool {
	v := s.match(p)
	return v.kind == kindBool && v.bool
}

func (s *Selector) String() string { return s.text }
