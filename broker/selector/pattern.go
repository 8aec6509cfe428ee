package selector

import (
	"strings"
	"unicode/utf8"
)

// pattern is the operand of LIKE: literal characters, any one character, and any run of characters.
type pattern []patternRune

type patternRune struct {
	rune rune
	kind patternKind
}

type patternKind uint8

const (
	literally patternKind = iota
	anyOne                // _
	anyRun                // %
)

// compilePattern reads a pattern; a character that means something stands for itself after the escape.
func compilePattern(text, escape string) pattern {
	var p pattern
	escaped := false
	for i, r := range text {
		switch {
		case !escaped && string(r) == escape && escapes(text[i+len(escape):], escape):
			escaped = true
			continue
		case !escaped && r == '%':
			p = append(p, patternRune{kind: anyRun})
		case !escaped && r == '_':
			p = append(p, patternRune{kind: anyOne})
		default:
			p = append(p, patternRune{rune: r})
		}
		escaped = false
	}
	return p
}

// escapes tells whether the text begins with what an escape in front of it makes ordinary.
func escapes(text, escape string) bool {
	return strings.HasPrefix(text, "_") || strings.HasPrefix(text, "%") || strings.HasPrefix(text, escape)
}

// matches goes back only to the last run, so it takes no more than the product of both lengths.
func (p pattern) matches(text string) bool {
	at, run, resume := 0, -1, ""
	for text != "" || at < len(p) {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case at < len(p) && p[at].kind == anyRun:
			at++
			run, resume = at, text
		case size > 0 && at < len(p) && (p[at].kind == anyOne || p[at].rune == r):
			at++
			text = text[size:]
		case run >= 0 && resume != "":
			_, size := utf8.DecodeRuneInString(resume)
			resume = resume[size:]
			at, text = run, resume
		default:
			return false
		}
	}
	return true
}
