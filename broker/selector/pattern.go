package selector

import "unicode/utf8"

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

// compilePattern reads a pattern; the character after the escape stands for itself.
func compilePattern(text, escape string) pattern {
	var p pattern
	escaped := false
	for _, r := range text {
		switch {
		case !escaped && string(r) == escape:
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
