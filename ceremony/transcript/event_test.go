// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"reflect"
	"testing"
)

// TestNoRoomForSecrets walks the types of all events: text, numbers and digests
// have their place, and nothing that could carry bytes, or something unforeseen.
func TestNoRoomForSecrets(t *testing.T) {
	for _, e := range events() {
		if got := room(reflect.TypeOf(e).Elem()); got != "" {
			t.Errorf("the event %s has room for %s", e.event(), got)
		}
	}
	for name, has := range map[string]any{
		"bytes": struct{ B []byte }{}, "an interface": struct{ A any }{}, "a map": struct{ M map[string]string }{},
		"a function": struct{ F func() }{}, "a pointer": struct{ P *int }{}, "a hidden field": struct{ s string }{},
	} {
		if room(reflect.TypeOf(has)) == "" {
			t.Errorf("%s would not be noticed", name)
		}
	}
}

// room is a type within t that an event must not have, or "".
func room(t reflect.Type) string {
	if t == reflect.TypeFor[Digest]() {
		return ""
	}
	switch t.Kind() {
	case reflect.String, reflect.Int, reflect.Int64, reflect.Bool:
		return ""
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return t.String()
		}
		return room(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); !f.IsExported() {
				return t.String() + "." + f.Name
			} else if got := room(f.Type); got != "" {
				return got
			}
		}
		return ""
	}
	return t.String()
}
