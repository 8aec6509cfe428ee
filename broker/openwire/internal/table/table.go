// Package table reads structures.txt, the table of OpenWire's data structures, whose head tells its syntax. The generator of
// the codec and the codec's tests use it.
package table

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MaxVersion is the newest version of OpenWire.
const MaxVersion = 12

// Role is what a structure is in Go.
type Role int

const (
	Struct    Role = iota // has a type byte
	Embedded              // is part of its children
	Interface             // its fields are its children's own
)

// Structure is one structure of the table.
type Structure struct {
	Name   string // in OpenWire
	GoName string
	Doc    string
	File   string
	Role   Role
	Type   byte // 0 unless Role is Struct
	Parent *Structure
	Since  int  // the first version that has it
	Aware  bool // spends one more bit when nested in tight encoding
	Own    []Field
}

// Field is one field of a structure.
type Field struct {
	Name, GoName string
	Kind         string // bool, long, cached, …
	Of           string // what is cached, nested or in the array; the length of bytes[n]
	Since, Until int    // the versions that have it here
}

// Fields are all the fields of a structure, in the order of their bytes.
func (s *Structure) Fields() []Field {
	if s.Parent == nil {
		return s.Own
	}
	return slices.Concat(s.Parent.Fields(), s.Own)
}

// In tells whether a version has the field.
func (f Field) In(version int) bool { return f.Since <= version && version <= f.Until }

// Read reads a table.
func Read(r io.Reader) ([]*Structure, error) {
	p := parser{named: map[string]*Structure{}}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return p.structures, lines.Err()
}

type parser struct {
	structures []*Structure
	named      map[string]*Structure
	file       string
}

func (p *parser) line(line string) error {
	text, doc, _ := strings.Cut(line, " -- ")
	words := strings.Fields(text)
	if len(words) < 2 {
		return fmt.Errorf("%q is neither a structure nor a field", line)
	}
	switch {
	case strings.HasPrefix(line, " "):
		return p.field(words)
	case words[0] == "file":
		p.file = words[1]
		return nil
	}
	return p.structure(words, doc)
}

func (p *parser) structure(words []string, doc string) error {
	s := &Structure{Name: words[1], GoName: GoName(words[1]), Doc: doc, File: p.file, Since: 1}
	switch words[0] {
	case "embedded":
		s.Role = Embedded
	case "interface":
		s.Role = Interface
	default:
		n, err := strconv.ParseUint(words[0], 10, 8)
		if err != nil {
			return fmt.Errorf("type byte of %s: %w", s.Name, err)
		}
		s.Type = byte(n)
	}
	p.structures = append(p.structures, s)
	p.named[s.Name] = s
	return options(words[2:], map[string]func(string) error{
		"is": func(name string) (err error) {
			if s.Parent = p.named[name]; s.Parent == nil {
				err = fmt.Errorf("%s is a %s, which does not stand above it", s.Name, name)
			}
			return err
		},
		"as":    func(name string) error { s.GoName = name; return nil },
		"from":  func(v string) (err error) { s.Since, err = strconv.Atoi(v); return err },
		"aware": func(string) error { s.Aware = true; return nil },
	})
}

func (p *parser) field(words []string) error {
	if len(p.structures) == 0 {
		return fmt.Errorf("field %s belongs to no structure", words[0])
	}
	s := p.structures[len(p.structures)-1]
	f := Field{Name: words[0], GoName: GoName(words[0]), Kind: words[1], Since: s.Since, Until: MaxVersion}
	rest := words[2:]
	switch {
	case strings.HasPrefix(f.Kind, "bytes["):
		f.Of = strings.TrimSuffix(strings.TrimPrefix(f.Kind, "bytes["), "]")
		f.Kind = "fixed"
	case f.Kind == "cached" || f.Kind == "nested" || f.Kind == "array":
		if len(rest) == 0 {
			return fmt.Errorf("%s %s of what?", f.Kind, f.Name)
		}
		f.Of, rest = rest[0], rest[1:]
	}
	err := options(rest, map[string]func(string) error{
		"from":  func(v string) (err error) { f.Since, err = strconv.Atoi(v); return err },
		"until": func(v string) (err error) { f.Until, err = strconv.Atoi(v); return err },
	})
	s.Own = append(s.Own, f)
	return err
}

// options reads pairs of a word and its value; aware stands alone.
func options(words []string, known map[string]func(string) error) error {
	for len(words) > 0 {
		set, value, used := known[words[0]], "", 1
		if words[0] != "aware" && len(words) > 1 {
			value, used = words[1], 2
		}
		if set == nil {
			return fmt.Errorf("unknown word %q", words[0])
		}
		if err := set(value); err != nil {
			return err
		}
		words = words[used:]
	}
	return nil
}

var initialism = regexp.MustCompile(`(Id|Ip|Url)([A-Z]|s?$)`)

// GoName is the Go name of a structure or field.
func GoName(name string) string {
	name = strings.TrimPrefix(name, "ActiveMQ")
	name = strings.Replace(name, "jmsx", "JMSX", 1)
	name = strings.ToUpper(name[:1]) + name[1:]
	return initialism.ReplaceAllStringFunc(name, func(s string) string {
		upper := len("Id")
		if strings.HasPrefix(s, "Url") {
			upper = len("Url")
		}
		return strings.ToUpper(s[:upper]) + s[upper:]
	})
}
