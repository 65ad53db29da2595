// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"testing"
	"unicode/utf8"

	"github.com/keymat/keymat/mockkms"
)

// Objects that are split must have the members that encoding/json finds.
var splitObjects = []string{
	`{}`,
	"{ \t\r\n}",
	`{"a":1}`,
	`{"a": -1.5e3 , "b":true,"c" : null}`,
	"{\n\"a\"\t:\r\"b\"\n}",
	`{"a":"\"","b":"\\","c":"\\\"}{][,:"}`,
	`{"a":{"b":{"c":[1,{"d":"}"}]}},"e":[]}`,
	`{"a":[[],[[]],{}],"b":[ 1 , "]" ],"c":{ }}`,
	`{"a":1,"a":2,"\u0061":3}`,
	`{"":"","\n":"x","\ud800":"lone"}`,
	`{"a":"a:b,c d"}`,
	`{"ключ":"значение"}`,
	`{"a":false}`,
}

func TestMembers(t *testing.T) {
	for _, object := range splitObjects {
		checkMembers(t, []byte(object))
	}
}

func FuzzMembers(f *testing.F) {
	for _, object := range splitObjects {
		f.Add([]byte(object))
	}
	f.Fuzz(func(t *testing.T, object []byte) { checkMembers(t, object) })
}

func checkMembers(t *testing.T, object []byte) {
	t.Helper()
	object = bytes.TrimSpace(object)
	var want map[string]json.RawMessage
	if !utf8.Valid(object) || json.Unmarshal(object, &want) != nil || want == nil {
		return // it is refused before
	}
	got := mockkms.Members(object)
	if !maps.EqualFunc(got, want, func(a []byte, b json.RawMessage) bool { return string(a) == string(b) }) {
		t.Errorf("%s:\ngot  %q\nwant %q", object, got, want)
	}
}
