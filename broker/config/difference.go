package config

import (
	"reflect"
	"slices"
)

// Differences returns the keys whose values are not the same in c and other, as in auth.mode, in order.
func (c Config) Differences(other Config) []string {
	return differences("", reflect.ValueOf(c), reflect.ValueOf(other))
}

func differences(prefix string, a, b reflect.Value) (keys []string) {
	for name, i := range fieldsOf(a.Type()) {
		x, y := a.Field(i), b.Field(i)
		switch {
		case name == "": // its keys stand among the others
			keys = append(keys, differences(prefix, x, y)...)
		case x.Kind() == reflect.Struct:
			keys = append(keys, differences(prefix+name+".", x, y)...)
		case !reflect.DeepEqual(x.Interface(), y.Interface()):
			keys = append(keys, prefix+name)
		}
	}
	slices.Sort(keys)
	return keys
}
