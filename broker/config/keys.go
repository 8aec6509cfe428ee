package config

import (
	"fmt"
	"iter"
	"maps"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checkKeys refuses keys that values of the type do not have.
func checkKeys(path string, n *yaml.Node, t reflect.Type) error {
	switch {
	case t.Kind() == reflect.Pointer:
		if n.Tag == "!!null" {
			n.Kind, n.Tag, n.Value = yaml.MappingNode, "!!map", "" // a name alone is what it names with all its defaults
		}
		return checkKeys(path, n, t.Elem())
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			if err := checkKeys(path, item, t.Elem()); err != nil {
				return err
			}
		}
		return nil
	case t.Kind() != reflect.Struct:
		return nil
	case n.Kind != yaml.MappingNode:
		return fmt.Errorf("%s:%d: expected keys with values", path, n.Line)
	}
	known := keysOf(t)
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		below, found := known[key.Value]
		if !found && len(known) == 0 {
			return fmt.Errorf("%s:%d: unknown key %q: there is nothing to say here", path, key.Line, key.Value)
		} else if !found {
			return fmt.Errorf("%s:%d: unknown key %q; did you mean %q?", path, key.Line, key.Value, Nearest(key.Value, known))
		}
		if err := checkKeys(path, value, below); err != nil {
			return err
		}
	}
	return nil
}

// keysOf returns the keys of a struct with the types of their values.
func keysOf(t reflect.Type) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	for name, i := range fieldsOf(t) {
		if field := t.Field(i); name == "" {
			maps.Copy(keys, keysOf(field.Type)) // of a struct that is inline
		} else {
			keys[name] = field.Type
		}
	}
	return keys
}

// fieldsOf goes over the fields of a struct, each with its key.
func fieldsOf(t reflect.Type) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			if !yield(name, i) {
				return
			}
		}
	}
}
