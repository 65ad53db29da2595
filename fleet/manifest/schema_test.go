// SPDX-License-Identifier: Apache-2.0

package manifest_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/keymat/keymat/fleet/manifest"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

var schemaPath = filepath.Join("..", "..", "docs", "fleet.schema.json")

// TestSchemaHasTheFields holds the schema that editors use to what Read takes.
func TestSchemaHasTheFields(t *testing.T) {
	f, err := os.Open(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	schema, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	at := func(path ...string) any {
		v := schema
		for _, p := range path {
			v = v.(map[string]any)[p]
		}
		return v
	}
	names := func(path ...string) (all []string) {
		for name := range at(path...).(map[string]any) {
			all = append(all, name)
		}
		slices.Sort(all)
		return all
	}
	values := func(path ...string) (all []string) {
		for _, v := range at(path...).([]any) {
			all = append(all, v.(string))
		}
		slices.Sort(all)
		return all
	}
	for _, tt := range []struct {
		what      string
		got, want []string
	}{
		{"file", names("properties"), manifest.FileFields()},
		{"place", names("$defs", "place", "properties"), manifest.PlaceFields()},
		{"defaults", names("$defs", "defaults", "properties"), manifest.DefaultFields()},
		{"key", names("$defs", "key", "properties"), manifest.KeyFields()},
		{"spec", values("$defs", "key", "properties", "spec", "enum"), texts(material.Specs())},
		{"usage", values("$defs", "key", "properties", "usage", "enum"), []string{"ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"}},
		{"want", values("$defs", "key", "properties", "want", "enum"), []string{string(manifest.Imported), string(manifest.Deleted)}},
		{"algorithm", values("$defs", "key", "properties", "wrapping", "properties", "algorithm", "enum"), texts(wrap.Algorithms())},
		{"wrapping key", values("$defs", "key", "properties", "wrapping", "properties", "key", "enum"), texts(wrap.KeySpecs())},
	} {
		slices.Sort(tt.want)
		if !slices.Equal(tt.got, tt.want) {
			t.Errorf("%s: the schema has %q, Read takes %q", tt.what, tt.got, tt.want)
		}
	}
	for _, name := range manifest.DefaultFields() {
		if !reflect.DeepEqual(at("$defs", "key", "properties", name), at("$defs", "defaults", "properties", name)) {
			t.Errorf("the schema has %s in two ways, for keys and for the defaults", name)
		}
	}
}

func texts[T ~string](all []T) (s []string) {
	for _, v := range all {
		s = append(s, string(v))
	}
	return s
}

// TestSchemaAgrees asks the schema about manifests that Read takes, and about
// mistakes that an editor can tell of.
func TestSchemaAgrees(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	start, err := os.ReadFile(filepath.Join("..", "..", "cmd", "fleetstart.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const key = head + "keys:\n  - name: app\n    place: eu\n    escrow: e\n    expires: never\n"
	for _, tt := range []struct {
		name, text string
		fits       bool
	}{
		{"all there is", strings.Replace(whole, "hmac_256", "HMAC_256", 1), true},
		{"where to begin", string(start), true},
		{"no keys", head + "keys: []\n", true},
		{"an unknown key", key + "    colour: red\n", false},
		{"an unknown key of the file", key + "colour: red\n", false},
		{"another kind", strings.Replace(key, "keymat/fleet", "keymat/escrow", 1), false},
		{"another version", strings.Replace(key, "version: 1", "version: 2", 1), false},
		{"no Region", strings.Replace(key, "{region: eu-central-1}", "{}", 1), false},
		{"no places", strings.Replace(key, "eu: {region: eu-central-1}", "{}", 1), false},
		{"no name", strings.Replace(key, "name: app", "spec: RSA_2048", 1), false},
		{"a name", strings.Replace(key, "name: app", "name: ../app", 1), false},
		{"a key", key + "    key: app\n", false},
		{"a spec", key + "    spec: AES_256\n", false},
		{"a number for an expiry", strings.Replace(key, "never", "365", 1), false},
		{"an expiry", strings.Replace(key, "never", "soon", 1), false},
		{"a rotation without a day", key + "    rotate: {escrow: e}\n", false},
		{"a replica twice", key + "    replicas: [us-east-1, us-east-1]\n", false},
		{"a tag of AWS", key + "    tags: {\"aws:x\": \"y\"}\n", false},
	} {
		var v any
		if err := yaml.Unmarshal([]byte(tt.text), &v); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if err := schema.Validate(v); (err == nil) != tt.fits {
			t.Errorf("%s: the schema says %v", tt.name, err)
		}
		if _, err := manifest.Read([]byte(tt.text)); (err == nil) != tt.fits {
			t.Errorf("%s: Read says %v", tt.name, err)
		}
	}
}
