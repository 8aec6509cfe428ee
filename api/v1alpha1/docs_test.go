package v1alpha1_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
	"github.com/twinmesh/twinmesh/test/apiserver"
)

// TestEveryFieldIsOnThePage: docs/brokercluster.md has a row for each field of the spec, and no row of another.
func TestEveryFieldIsOnThePage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(apiserver.Root(t), "docs", "brokercluster.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := documentedFields(string(page))
	for _, field := range fields(reflect.TypeFor[v1alpha1.BrokerClusterSpec](), "") {
		if !documented[field] {
			t.Errorf("docs/brokercluster.md does not have %s", field)
		}
		delete(documented, field)
	}
	for field := range documented {
		if field != "connectors" { // a row of the list itself
			t.Errorf("docs/brokercluster.md has %s, which is no field", field)
		}
	}
}

// documentedFields reads the first column of the table of fields. A name that begins with a dot is beside the one before.
func documentedFields(page string) map[string]bool {
	found := map[string]bool{}
	_, table, _ := strings.Cut(page, "| field | default |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range strings.Split(table, "\n")[1:] {
		cell := strings.Split(row, "|")[1]
		parent := ""
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
			field := name[1]
			if strings.HasPrefix(field, ".") {
				field = parent + field
			}
			parent = field[:max(0, strings.LastIndex(field, "."))]
			found[field] = true
		}
	}
	return found
}

// fields are the paths of those fields that hold no others of this package.
func fields(of reflect.Type, path string) (paths []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		inner := field.Type
		if inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			if inner.Kind() == reflect.Slice && inner.Elem().PkgPath() == of.PkgPath() {
				name += "[]"
			}
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.PkgPath() == of.PkgPath() {
			paths = append(paths, fields(inner, path+name+".")...)
		} else {
			paths = append(paths, path+name)
		}
	}
	return paths
}
