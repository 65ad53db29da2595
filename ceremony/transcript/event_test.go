// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"reflect"
	"testing"

	"github.com/keymat/keymat/material"
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

// TestEveryEvent writes and reads each event, so that none is missing among
// those that are looked for.
func TestEveryEvent(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range events() {
		if seen[e.event()] {
			t.Errorf("two events are called %s", e.event())
		}
		seen[e.event()] = true
		value := reflect.ValueOf(e).Elem().Interface().(Event)
		if g, ok := value.(Generated); ok {
			g.KeySpec = material.SymmetricDefault
			value = g
		}
		line, err := form().Encode(Entry{Event: value})
		if err != nil {
			t.Fatal(err)
		}
		got, err := form().Decode(line)
		if err != nil || !reflect.DeepEqual(got.Event, value) {
			t.Errorf("%s: got %#v, %v; want %#v", line, got.Event, err, value)
		}
	}
	const want = 30
	if len(seen) != want {
		t.Errorf("%d events, want %d", len(seen), want)
	}
}
