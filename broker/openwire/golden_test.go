package openwire

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/openwire/internal/table"
)

// goldenFrame is one line of testdata/golden.
type goldenFrame struct {
	format Format
	kind   string
	frame  []byte // with its size
	values string // JSON
}

var goldenFiles = []string{"frames", "frames-one-field", "frames-random", "frames-edges"}

// readGolden reads the lines of a file of frames or of a stream.
func readGolden(t testing.TB, file string) []goldenFrame {
	t.Helper()
	var frames []goldenFrame
	for _, line := range goldenLines(t, file+".txt.gz") {
		column := strings.Split(line, "\t")
		f := Format{Version: number(t, column[0]), Tight: column[1] == "1", StackTraces: true, Cache: true}
		rest := column[3:]
		if stream := len(column) == 6; stream {
			f.CacheSize = number(t, column[2])
		} else {
			f.Cache, f.CacheSize, f.StackTraces = column[2] == "1", 1024, column[3] == "1"
			rest = column[4:]
		}
		frames = append(frames, goldenFrame{f, rest[0], unhex(t, rest[1]), rest[2]})
	}
	return frames
}

func goldenLines(t testing.TB, file string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata/golden", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	var all []string
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		all = append(all, lines.Text())
	}
	if err := lines.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%s: %d lines, %v", file, len(all), err)
	}
	return all
}

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoldenFrames(t *testing.T) {
	dump := newDumper(t)
	for _, file := range goldenFiles {
		t.Run(file, func(t *testing.T) {
			for i, g := range readGolden(t, file) {
				checkGolden(t, i+1, g, dump, NewDecoder(g.format), NewEncoder(g.format))
			}
		})
	}
}

// A stream is one connection: decoder and encoder keep their caches from frame to frame.
func TestGoldenStreams(t *testing.T) {
	dump := newDumper(t)
	files, err := filepath.Glob("testdata/golden/streams/*.txt.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no streams: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt.gz")
		t.Run(name, func(t *testing.T) {
			frames := readGolden(t, "streams/"+name)
			decoder, encoder := NewDecoder(frames[0].format), NewEncoder(frames[0].format)
			for i, g := range frames {
				checkGolden(t, i+1, g, dump, decoder, encoder)
			}
		})
	}
}

// Golden frames are only as good as what they hold: each structure, in each version that has it, in each encoding.
func TestGoldenFramesHaveEverything(t *testing.T) {
	type kind struct {
		name         string
		version      int
		tight, cache bool
	}
	seen := map[kind]bool{}
	for _, g := range readGolden(t, "frames") {
		seen[kind{g.kind, g.format.Version, g.format.Tight, g.format.Cache}] = true
	}
	for _, s := range newDumper(t).structures {
		for version := max(1, s.Since); s.Role == table.Struct && version <= table.MaxVersion; version++ {
			for i := range 4 {
				if k := (kind{s.Name, version, i&1 != 0, i&2 != 0}); !seen[k] {
					t.Errorf("there is no golden frame of %+v", k)
				}
			}
		}
	}
}

func checkGolden(t *testing.T, line int, g goldenFrame, dump *dumper, decoder *Decoder, encoder *Encoder) {
	t.Helper()
	v, err := decoder.Decode(g.frame[4:])
	if err != nil {
		t.Fatalf("line %d, %s, %+v: %v", line, g.kind, g.format, err)
	}
	if diff := cmp.Diff(parseJSON(t, g.values), dump.structure(v, g.format)); diff != "" {
		t.Fatalf("line %d, %s, %+v: decoded (-want +got)\n%s", line, g.kind, g.format, diff)
	}
	again, err := encoder.AppendFrame(nil, v)
	if err != nil {
		t.Fatalf("line %d, %s, %+v: %v", line, g.kind, g.format, err)
	}
	if !bytes.Equal(again, g.frame) {
		t.Fatalf("line %d, %s, %+v: encoded\ngot  %x\nwant %x", line, g.kind, g.format, again, g.frame)
	}
}

func parseJSON(t *testing.T, s string) (v any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(s))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// dumper turns structures into what parseJSON makes of the golden values, by the table's names and versions.
type dumper struct{ structures map[string]*table.Structure }

func newDumper(t testing.TB) *dumper {
	t.Helper()
	file, err := os.Open("structures.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	structures, err := table.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	d := &dumper{map[string]*table.Structure{}}
	for _, s := range structures {
		d.structures[s.GoName] = s
	}
	return d
}

// name is what the table calls a structure.
func (d *dumper) name(v DataStructure) string { return d.structures[TypeName(v.TypeByte())].Name }

func (d *dumper) structure(v DataStructure, f Format) any {
	if v == nil || v.absent() {
		return nil
	}
	fields := reflect.ValueOf(v).Elem()
	s := d.structures[fields.Type().Name()]
	out := map[string]any{"_type": s.Name}
	for _, field := range s.Fields() {
		if field.In(f.Version) {
			out[field.Name] = d.field(fields.FieldByName(field.GoName).Interface(), f)
		}
	}
	return out
}

func (d *dumper) field(v any, f Format) any {
	switch v := v.(type) {
	case nil:
		return nil
	case bool:
		return v
	case Text:
		return text(v)
	case []byte:
		if v == nil {
			return nil
		}
		return hex.EncodeToString(v)
	case [8]byte:
		return hex.EncodeToString(v[:])
	case *Throwable:
		return d.throwable(v, f)
	case DataStructure:
		return d.structure(v, f)
	}
	value := reflect.ValueOf(v)
	if value.Kind() == reflect.Slice {
		return d.array(value, f)
	}
	return json.Number(strconv.FormatInt(value.Int(), 10))
}

func (d *dumper) array(v reflect.Value, f Format) any {
	if v.IsNil() {
		return nil
	}
	out := []any{}
	for i := range v.Len() {
		out = append(out, d.field(v.Index(i).Interface(), f))
	}
	return out
}

func (d *dumper) throwable(v *Throwable, f Format) any {
	if v == nil {
		return nil
	}
	out := map[string]any{"class": text(v.Class), "message": text(v.Message)}
	if f.StackTraces {
		stack := []any{}
		for _, s := range v.Stack {
			line := json.Number(strconv.Itoa(int(s.Line)))
			stack = append(stack, []any{text(s.Class), text(s.Method), text(s.File), line})
		}
		out["stack"], out["cause"] = stack, d.throwable(v.Cause, f)
	}
	return out
}

func text(t Text) any {
	if t.IsNull() {
		return nil
	}
	return t.String()
}
