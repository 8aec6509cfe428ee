package selector

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	endToken tokenKind = iota
	wordToken
	operatorToken
	literalToken
)

// token is a word (upper for keywords, as written for identifiers), an operator, or a literal's value.
type token struct {
	kind  tokenKind
	text  string
	upper string
	value Value
	at    int // byte offset
}

func (t token) String() string {
	if t.kind == endToken {
		return "the end"
	}
	return strconv.Quote(t.text)
}

type lexer struct {
	text string
	at   int
}

// next returns the token at the front.
func (l *lexer) next() (token, error) {
	l.skip()
	start, rest := l.at, l.text[l.at:]
	if rest == "" {
		return token{at: start}, nil
	}
	first, _ := utf8.DecodeRuneInString(rest)
	switch {
	case first == '\'':
		return l.quoted()
	case first >= '0' && first <= '9', first == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.number()
	case isWordStart(first):
		word := rest[:wordLength(rest)]
		l.at += len(word)
		return token{kind: wordToken, text: word, upper: strings.ToUpper(word), at: start}, nil
	}
	for _, operator := range []string{"<>", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", ","} {
		if strings.HasPrefix(rest, operator) {
			l.at += len(operator)
			return token{kind: operatorToken, text: operator, upper: operator, at: start}, nil
		}
	}
	return token{}, fmt.Errorf("position %d: unexpected character %q", start, first)
}

// skip goes over blanks and comments: from -- to the end of the line, and between /* and */.
func (l *lexer) skip() {
	for {
		rest := strings.TrimLeft(l.text[l.at:], " \t\r\n\f")
		l.at = len(l.text) - len(rest)
		end := -1
		if strings.HasPrefix(rest, "--") {
			end = strings.IndexAny(rest, "\r\n")
		} else if strings.HasPrefix(rest, "/*") {
			if end = strings.Index(rest[2:], "*/"); end >= 0 {
				end += 4
			}
		}
		if end < 0 {
			return
		}
		l.at += end
	}
}

// quoted reads a text in single quotes, a quote in it being doubled.
func (l *lexer) quoted() (token, error) {
	start := l.at
	var text strings.Builder
	for rest := l.text[start+1:]; ; {
		end := strings.IndexByte(rest, '\'')
		if end < 0 {
			return token{}, fmt.Errorf("position %d: the text that begins here has no closing quote", start)
		}
		text.WriteString(rest[:end])
		rest = rest[end+1:]
		if !strings.HasPrefix(rest, "'") {
			l.at = len(l.text) - len(rest)
			return token{kind: literalToken, text: l.text[start:l.at], value: TextValue(text.String()), at: start}, nil
		}
		text.WriteByte('\'')
		rest = rest[1:]
	}
}

// number reads a literal as Java writes them: 12, 12L, 0x1F, 017, 1.5, 2e3, 7.0d.
func (l *lexer) number() (token, error) {
	start := l.at
	end := start
	for end < len(l.text) && isNumberPart(l.text, start, end) {
		end++
	}
	text := l.text[start:end]
	l.at = end
	value, ok := numberValue(text)
	if !ok {
		return token{}, fmt.Errorf("position %d: %q is not a number, or too large", start, text)
	}
	return token{kind: literalToken, text: text, value: value, at: start}, nil
}

// numberValue is what a number says. A decimal integer beyond Java's long is approximate.
func numberValue(text string) (Value, bool) {
	if hex, found := strings.CutPrefix(strings.ToLower(text), "0x"); found {
		return integer(hex, 16)
	}
	digits := withoutSuffix(text, "lL")
	decimal := strings.Trim(digits, "0123456789") == ""
	switch {
	case decimal && len(digits) > 1 && digits[0] == '0':
		return integer(digits, 8)
	case decimal:
		if v, ok := integer(digits, 10); ok || digits != text {
			return v, ok
		}
	}
	digits = withoutSuffix(text, "dDfF")
	if strings.Trim(digits, "0123456789.eE+-") != "" {
		return Value{}, false
	}
	v, err := strconv.ParseFloat(digits, 64)
	return FloatValue(v), err == nil
}

func integer(digits string, base int) (Value, bool) {
	v, err := strconv.ParseInt(withoutSuffix(digits, "lL"), base, 64)
	return IntValue(v), err == nil
}

// withoutSuffix cuts one of the letters off the end.
func withoutSuffix(text, letters string) string {
	if last := len(text) - 1; last > 0 && strings.IndexByte(letters, text[last]) >= 0 {
		return text[:last]
	}
	return text
}

func isNumberPart(text string, start, at int) bool {
	c := text[at]
	if c == '+' || c == '-' { // only in an exponent
		hex := strings.HasPrefix(strings.ToLower(text[start:at]), "0x")
		return !hex && (text[at-1] == 'e' || text[at-1] == 'E')
	}
	return c == '.' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWordStart follows Java's identifiers (JMS 1.1 §3.8.1.1).
func isWordStart(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) }

func wordLength(s string) int {
	for i, r := range s {
		if !isWordStart(r) && !unicode.IsDigit(r) && r != '.' {
			return i
		}
	}
	return len(s)
}
