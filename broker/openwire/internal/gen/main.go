// Command gen writes the Go types of OpenWire's data structures and their codec, from structures.txt. It runs in the
// directory of package openwire, by go generate.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/twinmesh/twinmesh/broker/openwire/internal/table"
)

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal("generating the OpenWire codec: ", err)
	}
}

func run() error {
	file, err := os.Open("structures.txt")
	if err != nil {
		return err
	}
	defer file.Close()
	structures, err := table.Read(file)
	if err != nil {
		return fmt.Errorf("structures.txt: %w", err)
	}
	g := generator{structures: structures}
	for _, name := range g.files() {
		if err := g.write(name, g.file(name)); err != nil {
			return err
		}
	}
	return g.write("types", g.types())
}

type generator struct {
	structures []*table.Structure
	out        bytes.Buffer
}

func (g *generator) write(name string, content []byte) error {
	source, err := format.Source(content)
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, content)
	}
	return os.WriteFile("zz_generated_"+name+".go", source, 0o644)
}

func (g *generator) files() []string {
	var names []string
	for _, s := range g.structures {
		if !slices.Contains(names, s.File) {
			names = append(names, s.File)
		}
	}
	return names
}

func (g *generator) printf(format string, args ...any) { fmt.Fprintf(&g.out, format+"\n", args...) }

func (g *generator) start() {
	g.out.Reset()
	g.printf("// Code generated from structures.txt by internal/gen; DO NOT EDIT.\n\npackage openwire\n")
}

// file generates the structures of one file.
func (g *generator) file(name string) []byte {
	g.start()
	for _, s := range g.structures {
		if s.File != name || s.Role == table.Interface {
			continue
		}
		g.declare(s)
		if s.Role == table.Struct {
			g.printf("func (*%s) TypeByte() byte { return %s }\n", s.GoName, constant(s))
			g.printf("func (s *%s) absent() bool { return s == nil }\n", s.GoName)
		}
		g.codec(s, encoding)
		g.codec(s, decoding)
	}
	return g.out.Bytes()
}

func (g *generator) declare(s *table.Structure) {
	g.printf("// %s %s.", s.GoName, sentence(s.Doc))
	g.printf("type %s struct {", s.GoName)
	if base := embedded(s); base != nil {
		g.printf("%s", base.GoName)
	}
	var seen []string
	for _, f := range ownFields(s) {
		if !slices.Contains(seen, f.Name) {
			g.printf("%s %s%s", f.GoName, g.goType(f), versions(f))
			seen = append(seen, f.Name)
		}
	}
	g.printf("}\n")
}

// direction is one of the two halves of a codec: the names in it, and how a field is passed on.
type direction struct {
	method, receiver, codec string
	field                   func(g *generator, f table.Field) string
}

var (
	encoding = direction{"encode", "e", "encoder", (*generator).encode}
	decoding = direction{"decode", "d", "decoder", (*generator).decode}
)

func (g *generator) codec(s *table.Structure, d direction) {
	base, fields := embedded(s), ownFields(s)
	if base == nil && len(fields) == 0 {
		g.printf("func (*%s) %s(*%s) {}\n", s.GoName, d.method, d.codec)
		return
	}
	g.printf("func (s *%s) %s(%s *%s) {", s.GoName, d.method, d.receiver, d.codec)
	if base != nil {
		g.printf("s.%s.%s(%s)", base.GoName, d.method, d.receiver)
	}
	open := ""
	for _, f := range fields {
		condition := onlyIn(s, f, d.receiver)
		if condition != open && open != "" {
			g.printf("}")
		}
		if condition != open && condition != "" {
			g.printf("if %s {", condition)
		}
		open = condition
		g.printf("%s", d.field(g, f))
	}
	if open != "" {
		g.printf("}")
	}
	g.printf("}\n")
}

// onlyIn is the condition under which a structure's field is on the wire, "" if always.
func onlyIn(s *table.Structure, f table.Field, codec string) string {
	switch {
	case f.Until < table.MaxVersion:
		return fmt.Sprintf("%s.version <= %d", codec, f.Until)
	case f.Since > s.Since:
		return fmt.Sprintf("%s.version >= %d", codec, f.Since)
	}
	return ""
}

func (g *generator) encode(f table.Field) string {
	switch f.Kind {
	case "array":
		return fmt.Sprintf("encodeArray(e, s.%s)", f.GoName)
	case "fixed":
		return fmt.Sprintf("e.fixed(s.%s[:])", f.GoName)
	}
	return fmt.Sprintf("e.%s(s.%s)", method(f), f.GoName)
}

func (g *generator) decode(f table.Field) string {
	switch f.Kind {
	case "array", "nested", "cached":
		return fmt.Sprintf("s.%s = decode%s[%s](d)", f.GoName, strings.ToUpper(f.Kind[:1])+f.Kind[1:], g.structureType(f.Of))
	case "fixed":
		return fmt.Sprintf("d.fixed(s.%s[:])", f.GoName)
	}
	return fmt.Sprintf("s.%s = d.%s()", f.GoName, method(f))
}

func method(f table.Field) string {
	switch f.Kind {
	case "string":
		return "text"
	case "byte":
		return "octet"
	}
	return f.Kind
}

func (g *generator) goType(f table.Field) string {
	switch f.Kind {
	case "bool":
		return "bool"
	case "byte":
		return "int8"
	case "short":
		return "int16"
	case "int":
		return "int32"
	case "long":
		return "int64"
	case "string":
		return "Text"
	case "bytes":
		return "[]byte"
	case "fixed":
		return "[" + f.Of + "]byte"
	case "throwable":
		return "*Throwable"
	case "array":
		return "[]" + g.structureType(f.Of)
	}
	return g.structureType(f.Of)
}

// structureType is the Go type of a reference to a structure: a pointer, or an interface.
func (g *generator) structureType(name string) string {
	for _, s := range g.structures {
		switch {
		case s.Name != name:
		case s.Role == table.Struct:
			return "*" + s.GoName
		case s.Role == table.Embedded:
			return s.Name
		default:
			return s.GoName
		}
	}
	return name
}

// types generates the constants of the type bytes, and what finds a structure by them.
func (g *generator) types() []byte {
	g.start()
	g.printf("// The type bytes of the data structures.\nconst (")
	for _, s := range g.withType() {
		g.printf("%s byte = %d", constant(s), s.Type)
	}
	g.printf(")\n")
	g.printf("// newStructure returns an empty structure, nil if there is none of that type.")
	g.printf("func newStructure(kind byte) DataStructure {\nswitch kind {")
	for _, s := range g.withType() {
		g.printf("case %s:\nreturn new(%s)", constant(s), s.GoName)
	}
	g.printf("}\nreturn nil\n}\n")
	g.firstVersions()
	g.aware()
	return g.out.Bytes()
}

func (g *generator) firstVersions() {
	g.printf("// firstVersion is the first version that has a structure.")
	g.printf("func firstVersion(kind byte) int {\nswitch kind {")
	for _, s := range g.withType() {
		if s.Since > 1 {
			g.printf("case %s:\nreturn %d", constant(s), s.Since)
		}
	}
	g.printf("}\nreturn 1\n}\n")
}

func (g *generator) aware() {
	var names []string
	for _, s := range g.withType() {
		if s.Aware {
			names = append(names, constant(s))
		}
	}
	g.printf("// marshalAware tells whether a structure spends one more bit when nested in tight encoding.")
	g.printf("func marshalAware(kind byte) bool {\nswitch kind {\ncase %s:\nreturn true\n}\nreturn false\n}", strings.Join(names, ", "))
}

func (g *generator) withType() []*table.Structure {
	var found []*table.Structure
	for _, s := range g.structures {
		if s.Role == table.Struct {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *table.Structure) int { return int(a.Type) - int(b.Type) })
	return found
}

func constant(s *table.Structure) string { return "Type" + s.GoName }

// embedded is the structure that s embeds in Go, nil if none.
func embedded(s *table.Structure) *table.Structure {
	for p := s.Parent; p != nil; p = p.Parent {
		if p.Role == table.Embedded {
			return p
		}
	}
	return nil
}

// ownFields are the fields that s does not have from what it embeds.
func ownFields(s *table.Structure) []table.Field {
	fields := s.Fields()
	if base := embedded(s); base != nil {
		return fields[len(base.Fields()):]
	}
	return fields
}

// sentence makes a table's words the predicate of a sentence.
func sentence(doc string) string {
	for _, article := range []string{"a ", "the ", "what "} {
		if strings.HasPrefix(doc, article) {
			return "is " + doc
		}
	}
	return doc
}

// versions is a comment on the versions that have a field.
func versions(f table.Field) string {
	if f.Since > 1 && f.Until == table.MaxVersion {
		return fmt.Sprintf(" // from version %d", f.Since)
	}
	return ""
}
