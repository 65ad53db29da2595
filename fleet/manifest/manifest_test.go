// SPDX-License-Identifier: Apache-2.0

package manifest_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/fleet/manifest"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

const (
	head = "kind: keymat/fleet\nversion: 1\nname: payments\nplaces:\n  eu: {region: eu-central-1}\n"
	day  = 24 * time.Hour
)

const whole = `# What we run.
kind: keymat/fleet
version: 1
name: payments
places:
  eu: {profile: prod, region: eu-central-1}
  us:
    role: arn:aws:iam::111122223333:role/keymat
    region: us-east-1
keys:
- name: app
- name: team/hsm.1
  key: alias/hsm
  place: us
  spec: hmac_256
  usage: GENERATE_VERIFY_MAC
  expires: never
  escrow: other/{place}-{name}.escrow
  tags: {stage: "", owner: ops}
  description: |
    two
    lines
- name: mrk
  key: arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab
  replicas: [us-east-1, ap-northeast-1]
  expires: 2027-01-31
  older: ["old/{name}-1.escrow", "old/{name}-2.escrow"]
  rotate: {on: 2027-01-01T06:00:00+01:00, escrow: "new/{name}.escrow"}
  wrapping: {key: RSA_3072}
- name: gone
  want: deleted
- name: short
  expires: 12h
defaults:
  place: eu
  escrow: escrows/{name}.escrow
  expires: 90d
  renew-when-less-than: 20d
  wrapping: {algorithm: RSAES_OAEP_SHA_256}
  tags: {stage: prod}
`

func TestReadWhole(t *testing.T) {
	got, err := manifest.Read([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	oaep := wrap.Pair{Algorithm: wrap.OAEPSHA256}
	prod := map[string]string{"stage": "prod"}
	ninety := manifest.Lifetime{Span: 90 * day, RenewBelow: 20 * day}
	want := &manifest.Manifest{
		Name: "payments",
		Places: []manifest.Place{
			{Name: "eu", Profile: "prod", Region: "eu-central-1"},
			{Name: "us", Role: "arn:aws:iam::111122223333:role/keymat", Region: "us-east-1"},
		},
		Keys: []manifest.Key{
			{Line: 11, Name: "app", Place: "eu", Ref: "alias/app", Want: manifest.Imported, Escrow: "escrows/app.escrow", Expires: ninety, Tags: prod, Wrapping: oaep},
			{
				Line: 12, Name: "team/hsm.1", Place: "us", Ref: "alias/hsm", Want: manifest.Imported, Escrow: "other/us-team/hsm.1.escrow",
				Expires: manifest.Lifetime{Never: true}, Spec: material.HMAC256, Usage: types.KeyUsageTypeGenerateVerifyMac,
				Tags: map[string]string{"stage": "", "owner": "ops"}, Description: "two\nlines\n", Wrapping: oaep,
			},
			{
				Line: 23, Name: "mrk", Place: "eu", Ref: "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab", Want: manifest.Imported,
				Escrow: "escrows/mrk.escrow", Older: []string{"old/mrk-1.escrow", "old/mrk-2.escrow"}, MultiRegion: true, Replicas: []string{"us-east-1", "ap-northeast-1"},
				Expires: manifest.Lifetime{At: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)}, Tags: prod,
				Rotate:   &manifest.Rotation{On: time.Date(2027, 1, 1, 5, 0, 0, 0, time.UTC), Escrow: "new/mrk.escrow"},
				Wrapping: wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA3072},
			},
			{Line: 30, Name: "gone", Place: "eu", Ref: "alias/gone", Want: manifest.Deleted, Escrow: "escrows/gone.escrow", Expires: ninety, Tags: prod, Wrapping: oaep},
			{Line: 32, Name: "short", Place: "eu", Ref: "alias/short", Want: manifest.Imported, Escrow: "escrows/short.escrow", Expires: manifest.Lifetime{Span: 12 * time.Hour, RenewBelow: time.Hour}, Tags: prod, Wrapping: oaep},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestProblems tries every message, and that it points to the right place.
func TestProblems(t *testing.T) {
	const key = head + "keys:\n  - name: app\n    place: eu\n    escrow: e\n    expires: never\n" // to line 10
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "1:1: empty"},
		{"only a comment", "# x\n", "1:1: empty"},
		{"a list", "- a\n", "1:1: a list, where keys with values belong"},
		{"unknown key", head + "key: []\nkeys: []\n", "6:1: unknown key \"key\"; did you mean keys?"},
		{"unknown key of a key", key + "    expire: never\n", "11:5: keys app: unknown key \"expire\"; did you mean expires?"},
		{"nothing like it", key + "    colour: red\n", "11:5: keys app: unknown key \"colour\"; there are name, key, older, rotate, place, spec, usage, multi-region, replicas, escrow, want, expires, renew-when-less-than, wrapping, tags, description"},
		{"a secret", key + "    passphrase: hunter2\n", "11:5: keys app: unknown key \"passphrase\": secrets do not belong in a manifest, and what opens an escrow is given when it is applied"},
		{"a long key", key + "    " + strings.Repeat("ab", 30) + ": 1\n", "11:5: keys app: unknown key (of 60 bytes); there are name, key, older, rotate, place, spec, usage, multi-region, replicas, escrow, want, expires, renew-when-less-than, wrapping, tags, description"},
		{"twice", key + "    expires: 1d\n", "11:5: mapping key \"expires\" already defined at [4:5]"},
		{"twice in the file", key + "keys: []\n", "11:1: mapping key \"keys\" already defined at [6:1]"},
		{"other kind", strings.Replace(key, "keymat/fleet", "keymat/escrow", 1), "1:7: kind: something else than keymat/fleet"},
		{"later version", strings.Replace(key, "version: 1", "version: 2", 1), "2:10: version: not 1, which is what this program reads"},
		{"version as text", strings.Replace(key, "version: 1", "version: \"1\"", 1), "2:10: version: text, where a number belongs"},
		{"fleet name", strings.Replace(key, "payments", "pay ments", 1), "3:7: name: a name has letters, digits and . _ - only, 64 at most"},
		{"number for text", strings.Replace(key, "payments", "1", 1), "3:7: name: a number, where text belongs: put it in quotes"},
		{"two documents", key + "---\nkind: x\n", "11:1: a manifest is one YAML document, and this is several"},
		{"several documents among the keys", key + "...\n---\n- name: x\n", "12:1: a manifest is one YAML document, and this is several"},
		{"anchor", key + "    spec: &s SYMMETRIC_DEFAULT\n", "11:11: keys app: spec: an anchor, alias or tag of YAML, which a manifest does without, where text belongs"},
		{"alias", key + "    spec: *s\n", "11:11: keys app: spec: an anchor, alias or tag of YAML, which a manifest does without, where text belongs"},
		{"tag", key + "    spec: !!str x\n", "11:11: keys app: spec: an anchor, alias or tag of YAML, which a manifest does without, where text belongs"},
		{"merge", key + "    <<: {spec: x}\n", "11:5: keys app: a key that is no text"},
		{"nothing", key + "    spec:\n", "11:11: keys app: spec: nothing, where text belongs"},
		{"empty text", key + "    spec: ''\n", "11:11: keys app: spec: empty"},
		{"tabs", key + "\tspec: x\n", "11:1: found character '\t' that cannot start any token"},
		{"control character", key + "    description: \"\x01\"\n", "11:19: a control character"},
		{"not UTF-8", "kind: \xff\n", "1:7: not UTF-8"},
		{"depth", "kind: " + strings.Repeat("[", 33), "1:39: more than 32 brackets within each other"},
		{"unclosed", key + "    description: \"x\n", "11:18: could not find end character of double-quoted text"},
		{"one long list", head + "keys: [" + strings.Repeat("{name: app}, ", 30_000) + "]\n", "1:1: more than 262144 bytes in one key, or around the keys: list them one below the other, each from a \"-\""},
		{"no places", strings.Replace(key, "  eu: {region: eu-central-1}\n", "  {}\n", 1), "5:3: places: no place: name at least one account and Region"},
		{"no region", strings.Replace(key, "{region: eu-central-1}", "{profile: x}", 1), "5:3: places eu: region is missing"},
		{"no such region", strings.Replace(key, "eu-central-1", "frankfurt", 1), "5:16: places eu: region: not the name of a Region, such as eu-central-1"},
		{"role", strings.Replace(key, "{region:", "{role: keymat, region:", 1), "5:14: places eu: role: not the ARN of an IAM role"},
		{"place", strings.Replace(key, "place: eu", "place: us", 1), "7:5: keys app: place is none of those above"},
		{"no place", strings.Replace(key, "    place: eu\n", "", 1), "7:5: keys app: place is missing, here and in the defaults"},
		{"no name", strings.Replace(key, "name: app", "spec: RSA_2048", 1), "7:5: keys: name is missing, or empty"},
		{"name", strings.Replace(key, "name: app", "name: a/../b", 1), "7:5: keys: a name has letters, digits and . _ - / only, 128 at most, and no part of it begins with a dot"},
		{"longest name", strings.Replace(key, "name: app", "name: "+strings.Repeat("a", 129), 1), "7:5: keys: a name has letters, digits and . _ - / only, 128 at most, and no part of it begins with a dot"},
		{"no alias", strings.Replace(key, "name: app", "name: app.1", 1), "7:5: keys app.1: the name makes no alias: say which one with key"},
		{"key", key + "    key: app\n", "11:10: keys app: key: neither an alias (alias/app) nor a key ID, nor the ARN of one"},
		{"key of AWS", key + "    key: alias/aws/s3\n", "11:10: keys app: key: neither an alias (alias/app) nor a key ID, nor the ARN of one"},
		{"key elsewhere", key + "    key: arn:aws:kms:us-east-1:111122223333:alias/app\n", "7:5: keys app: key is in us-east-1, and its place in eu-central-1"},
		{"same name", key + "  - {name: app, place: eu, key: alias/b, escrow: e, expires: never}\n", "11:6: keys app: the name is taken by the key on line 7"},
		{"same key", key + "  - {name: b, place: eu, key: alias/app, escrow: e, expires: never}\n", "11:6: keys b: the same KMS key as on line 7"},
		{"spec", key + "    spec: AES_256\n", "11:11: keys app: spec: key spec \"AES_256\" cannot be imported: it is not one of " + specs()},
		{"usage", key + "    usage: SIGN\n", "11:12: keys app: usage: none of ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC and KEY_AGREEMENT"},
		{"want", key + "    want: gone\n", "11:11: keys app: want: neither imported nor deleted"},
		{"no escrow", strings.Replace(key, "    escrow: e\n", "", 1), "7:5: keys app: escrow is missing, here and in the defaults"},
		{"pattern", key + "    older: [\"{key}\"]\n", "11:13: keys app: older: a path may hold {name} and {place}, and no other braces or line breaks"},
		{"list", key + "    older: x\n", "11:12: keys app: older: text, where a list belongs"},
		{"no expiry", strings.Replace(key, "    expires: never\n", "", 1), "7:5: keys app: expires is missing, here and in the defaults: never, a time such as 365d, or a date"},
		{"expiry", strings.Replace(key, "never", "soon", 1), "10:14: keys app: expires: neither never, nor a time (365d, 12h), nor a date (2027-01-31, 2027-01-31T12:00:00Z)"},
		{"expiry without unit", strings.Replace(key, "never", "365", 1), "10:14: keys app: expires: a number, where text belongs: put it in quotes"},
		{"366 days", strings.Replace(key, "never", "366d", 1), "10:14: keys app: expires: not between 0 and 365 days, which is what KMS takes"},
		{"0 days", strings.Replace(key, "never", "0d", 1), "10:14: keys app: expires: not between 0 and 365 days, which is what KMS takes"},
		{"renew without span", key + "    renew-when-less-than: 1d\n", "11:27: keys app: renew-when-less-than is for material that expires after a time, such as 365d"},
		{"renew", strings.Replace(key, "never", "30d\n    renew-when-less-than: 30d", 1), "11:27: keys app: renew-when-less-than is not less than expires"},
		{"renew what", strings.Replace(key, "never", "30d\n    renew-when-less-than: a month", 1), "11:27: keys app: renew-when-less-than: not a length of time, such as 30d or 12h"},
		{"wrapping", key + "    spec: RSA_4096\n    wrapping: {algorithm: RSAES_OAEP_SHA_256}\n", "7:5: keys app: wrapping: KMS does not take RSA_4096 material wrapped with RSAES_OAEP_SHA_256"},
		{"rotate", key + "    rotate: {on: 2027-01-01}\n", "11:13: keys app: rotate: takes a day (on) and an escrow with the new material (escrow)"},
		{"rotate when", key + "    rotate: {on: tomorrow, escrow: e}\n", "11:18: keys app: rotate: on: not a date, such as 2027-01-31 or 2027-01-31T12:00:00Z"},
		{"rotate what", key + "    spec: HMAC_256\n    rotate: {on: 2027-01-01, escrow: e}\n", "7:5: keys app: rotate: a HMAC_256 key holds one material for life"},
		{"replica at home", key + "    replicas: [eu-central-1]\n", "7:5: keys app: replicas has eu-central-1, where the primary is"},
		{"replica twice", key + "    replicas: [us-east-1, us-east-1]\n", "11:27: keys app: replicas: the same Region again"},
		{"replica of one", key + "    replicas: [us-east-1]\n    multi-region: false\n", "7:5: keys app: replicas are for multi-Region keys"},
		{"truth", key + "    multi-region: yes\n", "11:19: keys app: multi-region: text, where true or false belongs"},
		{"tag", key + "    tags: {\"aws:x\": \"y\"}\n", "11:12: keys app: tags: not a tag that KMS takes: 128 characters at most, its value 256, and not of aws:"},
		{"tags", key + "    tags: {" + manyTags(51) + "}\n", "11:11: keys app: tags: more than the 50 tags that KMS takes"},
		{"description", key + "    description: " + strings.Repeat("x", 8193) + "\n", "11:18: keys app: description: longer than the 8192 bytes that KMS takes"},
		{"two", strings.NewReplacer("never", "never\n    colour: red", "place: eu", "place: us").Replace(key), "7:5: keys app: place is none of those above\n11:5: keys app: unknown key \"colour\"; there are name, key, older, rotate, place, spec, usage, multi-region, replicas, escrow, want, expires, renew-when-less-than, wrapping, tags, description"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := manifest.Read([]byte(tt.text))
			if err == nil {
				t.Fatalf("it was read: %+v", m)
			}
			if m != nil {
				t.Errorf("a manifest beside the error %v", err)
			}
			if got := err.Error(); !strings.HasPrefix(got, tt.want) || tt.name != "wrapping" && got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func specs() string {
	var names []string
	for _, s := range material.Specs() {
		names = append(names, string(s))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

func manyTags(n int) string {
	var tags []string
	for i := range n {
		tags = append(tags, fmt.Sprintf("t%d: x", i))
	}
	return strings.Join(tags, ", ")
}

// What stands at the limits is taken.
func TestLimits(t *testing.T) {
	const key = head + "keys:\n  - name: app\n    place: eu\n    escrow: e\n    expires: never\n"
	for _, text := range []string{
		"\xef\xbb\xbf" + key,
		strings.ReplaceAll(key, "\n", "\r\n"),
		strings.TrimSuffix(key, "\n"),
		"---\n" + key,
		head + "keys: []\n",
		strings.Replace(key, "never", "365d", 1),
		strings.Replace(key, "never", "30d\n    renew-when-less-than: 719h59m59s", 1),
		strings.Replace(key, "name: app", "name: "+strings.Repeat("a", 128), 1),
		key + "    tags: {" + manyTags(50) + "}\n",
		key + "    description: " + strings.Repeat("x", 8192) + "\n",
		key + "    # a comment\n\n# and one at the margin\n\n  - {name: b, place: eu, escrow: e, expires: never}\n",
		strings.Replace(key, "  - name: app\n    place: eu\n    escrow: e\n    expires: never\n", "- name: app\n  place: eu\n  escrow: e\n  expires: never\n-\n  name: b\n  place: eu\n  escrow: e\n  expires: never\n", 1),
	} {
		if _, err := manifest.Read([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// However long the list of keys is, each keeps its line, and errors theirs.
func TestPieces(t *testing.T) {
	const n = 2000 // some four pieces
	m, err := manifest.Read([]byte(many(n)))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Keys) != n {
		t.Fatalf("%d keys, want %d", len(m.Keys), n)
	}
	for i, k := range m.Keys {
		if k.Name != fmt.Sprintf("app-%06d", i) || k.Line != 9+5*i || k.Description != "- name: not a key\n  - nor this\n" {
			t.Fatalf("key %d is %+v", i, k)
		}
	}
	_, err = manifest.Read([]byte(strings.Replace(many(n), "name: app-001900\n", "name: app-000000\n", 1)))
	e, ok := errors.AsType[*manifest.Error](err)
	if !ok || len(e.Problems) != 1 || e.Problems[0].String() != "9509:5: keys app-000000: the name is taken by the key on line 9" {
		t.Errorf("error %v", err)
	}
	_, err = manifest.Read([]byte(strings.ReplaceAll(many(n), "    key:", "    kee:")))
	if e, ok := errors.AsType[*manifest.Error](err); !ok || len(e.Problems) != 20 || e.More != n-20 {
		t.Errorf("error %v", err)
	}
}

func many(n int) string {
	var b strings.Builder
	b.WriteString("kind: keymat/fleet\nversion: 1\nname: many\nplaces: {eu: {region: eu-central-1}}\nkeys:\n\n# the first:\n\n")
	for i := range n {
		fmt.Fprintf(&b, "  - name: app-%06d\n    key: alias/app-%06d\n    description: |\n      - name: not a key\n        - nor this\n", i, i)
	}
	return b.String() + "defaults: {place: eu, expires: 365d, escrow: \"{name}\"}\n"
}

func BenchmarkRead(b *testing.B) {
	text := []byte(many(10_000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := manifest.Read(text); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzRead: nothing panics; an error comes alone and points into the file; and
// how the list of keys is cut makes no difference.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{whole, many(3), head + "keys: []\n", head + "keys:\n- {name: a}\n", "keys:\n  -\n - a\n", "keys:\n- a: \"\n- b\"\n", "a: [\n", "? x\n: y\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := manifest.Read(text)
		if err == nil {
			if len(m.Places) == 0 || m.Name == "" {
				t.Errorf("read without an error: %+v", m)
			}
			return
		}
		e, ok := errors.AsType[*manifest.Error](err)
		if !ok || m != nil || len(e.Problems) == 0 {
			t.Fatalf("manifest %v, error %v", m, err)
		}
		for _, p := range e.Problems {
			if p.Line < 1 || p.Line > strings.Count(string(text), "\n")+2 || p.Column < 0 || p.Reason == "" {
				t.Errorf("a problem at %d:%d: %q", p.Line, p.Column, p.Reason)
			}
		}
	})
}
