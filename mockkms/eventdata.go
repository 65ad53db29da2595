// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"reflect"
	"strings"
	"time"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// eventTimeFormat is how CloudTrail shows times within parameters.
const eventTimeFormat = "Jan 2, 2006, 3:04:05 PM"

// requestParameters tells what a request asked for; nil when there is nothing
// to tell. All blobs are left out, for they are plaintexts, ciphertexts and
// the like, and so are grant tokens.
func requestParameters(operation string, request any) map[string]any {
	if request == nil || operation == "GenerateRandom" {
		return nil
	}
	told := told(reflect.ValueOf(request).Elem(), true)
	switch operation { // always told, also when the default applied (documented)
	case "Encrypt", "Decrypt":
		if told["encryptionAlgorithm"] == nil {
			told["encryptionAlgorithm"] = hsm.SymmetricDefault
		}
	}
	if len(told) == 0 {
		return nil
	}
	return told
}

// responseElements tells what an operation changed. One that answers nothing
// is told with its key (documented, since December 2022).
func responseElements(answer any, key string) map[string]any {
	switch answer.(type) {
	case void, hollow:
		if key == "" {
			return nil
		}
		return map[string]any{"keyId": key}
	}
	v := reflect.Indirect(reflect.ValueOf(answer))
	if v.Kind() != reflect.Struct {
		return nil
	}
	return told(v, false)
}

// additionalData names the material that cryptography used.
func additionalData(answer any) map[string]any {
	v := reflect.Indirect(reflect.ValueOf(answer))
	if v.Kind() != reflect.Struct {
		return nil
	}
	data := make(map[string]any)
	for field, name := range map[string]string{
		"KeyMaterialId": "keyMaterialId", "SourceKeyMaterialId": "sourceKeyMaterialId", "DestinationKeyMaterialId": "destinationKeyMaterialId",
	} {
		if id := v.FieldByName(field); id.IsValid() && id.Kind() == reflect.String && id.String() != "" {
			data[name] = id.String()
		}
	}
	return data
}

// told makes the members of a request or answer what an event shows of them.
// Members that were not given are left out: zero ones of a request, and of an
// answer those that its JSON form leaves out.
func told(v reflect.Value, given bool) map[string]any {
	members := make(map[string]any)
	for _, f := range reflect.VisibleFields(v.Type()) {
		if f.Anonymous || !f.IsExported() || f.Name == "GrantTokens" || f.Name == "GrantToken" {
			continue
		}
		member := v.FieldByIndex(f.Index)
		if member.IsZero() && (given || strings.Contains(f.Tag.Get("json"), ",omit")) {
			continue
		}
		if value, ok := toldValue(member, given); ok {
			members[strings.ToLower(f.Name[:1])+f.Name[1:]] = value
		}
	}
	return members
}

// toldValue is one value as an event shows it; false for blobs.
func toldValue(v reflect.Value, given bool) (any, bool) {
	switch value := v.Interface().(type) {
	case []byte:
		return nil, false
	case time.Time:
		return value.UTC().Format(eventTimeFormat), true
	case epoch:
		return value.time().Format(eventTimeFormat), true
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil, false
		}
		return toldValue(v.Elem(), given)
	case reflect.Struct:
		return told(v, given), true
	case reflect.Slice:
		list := make([]any, 0, v.Len())
		for i := range v.Len() {
			if value, ok := toldValue(v.Index(i), given); ok {
				list = append(list, value)
			}
		}
		return list, true
	}
	return v.Interface(), true
}
