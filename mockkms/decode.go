// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A request type is a struct whose fields are named as the members of the API
// model. Each field's `shape` tag names its model shape, followed by
// ",required" where the model says so: this is the one place that says what a
// member may be. Field types: string, []byte, bool, int and time.Time, lists,
// string maps and nested structs; a pointer where absence and the zero value
// mean different things.
type schema struct {
	members []member
}

type member struct {
	name     string // as on the wire: KeyId
	label    string // as in validation messages: keyId
	index    []int
	shape    shape
	required bool
	elem     *schema // of a list of structs
}

// schemaOf reads the tags of a request type. A missing or unknown tag is a
// mistake in this package, so it panics; building the table finds it at once.
func schemaOf(t reflect.Type) *schema {
	s := &schema{}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("shape"), ",")
		sh, ok := shapes[name]
		if !ok {
			panic(fmt.Sprintf("mockkms: %s.%s: no shape %q", t, f.Name, name))
		}
		m := member{
			name: f.Name, label: strings.ToLower(f.Name[:1]) + f.Name[1:], index: f.Index,
			shape: sh, required: options == "required",
		}
		if t := structIn(f.Type); t != nil {
			m.elem = schemaOf(t)
		}
		s.members = append(s.members, m)
	}
	return s
}

// structIn is the request structure that a member is a list of, or a pointer
// to; nil for all other members.
func structIn(t reflect.Type) reflect.Type {
	if t.Kind() != reflect.Slice && t.Kind() != reflect.Pointer {
		return nil
	}
	if t = t.Elem(); t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return nil
	}
	return t
}

// decode reads a JSON object into the struct v, which the schema describes.
// A value of the wrong JSON type is a SerializationException at once;
// violated constraints are collected and told together.
func (s *schema) decode(body []byte, v reflect.Value) *apiError {
	if !utf8.Valid(body) {
		return serialization("Invalid UTF-8 in request body")
	}
	if !json.Valid(body) {
		return unparsable()
	}
	d := decoder{}
	if err := d.object(s, bytes.TrimSpace(body), v, ""); err != nil {
		return err
	}
	return d.violations.refusal()
}

func unparsable() *apiError { return serialization("Could not parse request body into json") }

// A decoder reads one request, which is valid JSON.
type decoder struct {
	violations violations
}

// A sentMember is one that a request has. Names are case-sensitive, as with KMS and
// unlike in Go's decoding of structs.
type sentMember struct{ name, value []byte }

func (d *decoder) object(s *schema, raw []byte, v reflect.Value, path string) *apiError {
	if raw[0] != '{' {
		return unparsable()
	}
	members := make([]sentMember, 0, 8) // enough for most
	in := split(raw)
	for name := in.next(); name != nil; name = in.next() {
		members = append(members, sentMember{unquote(name), in.next()})
	}
	for i := range s.members {
		m := &s.members[i]
		var value []byte
		for _, g := range slices.Backward(members) { // of several the last counts
			if string(g.name) == m.name {
				value = g.value
				break
			}
		}
		if value == nil || string(value) == "null" {
			if m.required {
				d.violations.add("Value null at '%s' failed to satisfy constraint: Member must not be null", path+m.label)
			}
			continue
		}
		if err := d.value(m, value, v.FieldByIndex(m.index), path+m.label); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) value(m *member, raw []byte, field reflect.Value, path string) *apiError {
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	switch target := field.Addr().Interface().(type) {
	case *string:
		if err := decodeString(raw, target); err != nil {
			return err
		}
		d.violations.checkString(m.shape, *target, path)
	case *[]byte:
		if err := decodeBlob(raw, target); err != nil {
			return err
		}
		d.violations.checkLength(m.shape, len(*target), "", path)
	case *bool:
		return decodeBool(raw, target)
	case *int:
		if err := decodeInt(raw, target); err != nil {
			return err
		}
		d.violations.checkRange(m.shape, *target, path)
	case *time.Time:
		return decodeTime(raw, target)
	case *map[string]string:
		return decodeMap(raw, target)
	case *[]string:
		return d.stringList(m, raw, target, path)
	default:
		if field.Kind() == reflect.Slice {
			return d.structList(m, raw, field, path)
		}
		if raw[0] != '{' {
			return wrongType(raw, "a Structure")
		}
		return d.object(m.elem, raw, field, path+".")
	}
	return nil
}

func (d *decoder) stringList(m *member, raw []byte, target *[]string, path string) *apiError {
	items, err := decodeList(raw)
	if err != nil {
		return err
	}
	*target = make([]string, len(items))
	for i, item := range items {
		if err := decodeString(item, &(*target)[i]); err != nil {
			return err
		}
		if m.shape.element().enum == nil {
			d.violations.checkString(m.shape.element(), (*target)[i], fmt.Sprintf("%s.%d.member", path, i+1))
		}
	}
	d.violations.checkEnumList(m.shape.element(), *target, path)
	d.violations.checkLength(m.shape, len(items), "", path)
	return nil
}

func (d *decoder) structList(m *member, raw []byte, field reflect.Value, path string) *apiError {
	items, err := decodeList(raw)
	if err != nil {
		return err
	}
	list := reflect.MakeSlice(field.Type(), len(items), len(items))
	for i, item := range items {
		if err := d.object(m.elem, item, list.Index(i), fmt.Sprintf("%s.%d.member.", path, i+1)); err != nil {
			return err
		}
	}
	field.Set(list)
	return nil
}

func decodeString(raw []byte, s *string) *apiError {
	if raw[0] != '"' {
		return wrongType(raw, "a String")
	}
	*s = string(unquote(raw))
	return nil
}

// strictBase64 is what blobs are encoded in: padded, without stray bits.
var strictBase64 = base64.StdEncoding.Strict()

func decodeBlob(raw []byte, b *[]byte) *apiError {
	if raw[0] != '"' {
		return wrongType(raw, "a Blob")
	}
	encoded := unquote(raw)
	decoded := make([]byte, strictBase64.DecodedLen(len(encoded)))
	n, err := strictBase64.Decode(decoded, encoded)
	if err != nil || bytes.IndexByte(encoded, '\r') >= 0 || bytes.IndexByte(encoded, '\n') >= 0 { // which Go skips
		return serialization("Invalid base64 in request body")
	}
	*b = decoded[:n]
	return nil
}

func decodeBool(raw []byte, b *bool) *apiError {
	switch string(raw) {
	case "true":
		*b = true
	case "false":
		*b = false
	default:
		return wrongType(raw, "a Boolean")
	}
	return nil
}

// decodeInt takes 32-bit numbers in any notation, so long as they are whole.
func decodeInt(raw []byte, n *int) *apiError {
	f, err := strconv.ParseFloat(string(raw), 64)
	if !isNumber(raw) || err != nil || f != math.Trunc(f) || f < math.MinInt32 || f > math.MaxInt32 {
		return wrongType(raw, "an Integer")
	}
	*n = int(f)
	return nil
}

// maxEpoch is the last second of the year 9999, beyond which RFC 3339 ends.
const maxEpoch = 253402300799

// decodeTime takes epoch seconds as integer, fraction or with an exponent.
func decodeTime(raw []byte, t *time.Time) *apiError {
	f, err := strconv.ParseFloat(string(raw), 64)
	if !isNumber(raw) || err != nil || math.Abs(f) > maxEpoch {
		return wrongType(raw, "a Timestamp")
	}
	*t = time.UnixMilli(int64(math.Round(f * 1000))).UTC()
	return nil
}

func isNumber(raw []byte) bool { return raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9' }

func decodeMap(raw []byte, m *map[string]string) *apiError {
	if raw[0] != '{' {
		return wrongType(raw, "a Map")
	}
	members := split(raw).members()
	*m = make(map[string]string, len(members))
	for name, value := range members {
		var s string
		if err := decodeString(value, &s); err != nil {
			return err
		}
		(*m)[name] = s
	}
	return nil
}

func decodeList(raw []byte) (items [][]byte, err *apiError) {
	if raw[0] != '[' {
		return nil, wrongType(raw, "a List")
	}
	in := split(raw)
	for item := in.next(); item != nil; item = in.next() {
		items = append(items, item)
	}
	return items, nil
}

// wrongType names what was found by its JSON token, in the style of the
// framework KMS is built on; the exact words are assumed.
func wrongType(raw []byte, want string) *apiError {
	switch {
	case raw[0] == '{':
		return serialization("Start of structure or map found where not expected.")
	case raw[0] == '[':
		return serialization("Start of list found where not expected")
	case raw[0] == '"':
		return serialization("STRING_VALUE can not be converted to %s", want)
	case raw[0] == 't':
		return serialization("TRUE_VALUE can not be converted to %s", want)
	case raw[0] == 'f':
		return serialization("FALSE_VALUE can not be converted to %s", want)
	}
	return serialization("NUMBER_VALUE can not be converted to %s", want)
}
