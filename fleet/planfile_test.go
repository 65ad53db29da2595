// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

var update = flag.Bool("update", false, "rewrite the golden plan")

// golden is a plan with all that plans may hold.
func golden() *fleet.Plan {
	pair := wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA4096}
	kept := fleet.Escrow{Path: "/kept/app.escrow", SHA256: strings.Repeat("e", 64)}
	until := importer.At(time.Date(2027, 11, 22, 11, 0, 0, 0, time.UTC))
	bring := fleet.Step{Do: fleet.DoImport, Region: home, Spec: material.SymmetricDefault, Escrow: kept, Wrapping: pair, Expiry: until}
	replica := bring
	replica.Region, replica.Expiry = away, importer.Never()
	renew := bring
	renew.KeyARN, renew.MaterialID = keyARN, idA
	rotate := renew
	rotate.Do, rotate.MaterialID = fleet.DoRotate, ""
	return &fleet.Plan{
		ID: strings.Repeat("0123456789abcdef", 2), Made: now, Manifest: fleet.Source{Name: "payments", SHA256: strings.Repeat("d", 64)}, Shard: fleet.Shard{Part: 3, Of: 16},
		Places: []fleet.Place{
			{Name: "eu", Profile: "prod", Region: home, Account: "111122223333"},
			{Name: "us", Role: "arn:aws:iam::111122223333:role/keymat", Region: away},
		},
		Changes: []fleet.Change{
			{Name: "new", Place: "eu", Action: fleet.Create, Why: "alias/new names no key in eu-central-1", Steps: []fleet.Step{
				{Do: fleet.DoCreate, Region: home, Create: importer.CreateRequest{
					Spec: material.SymmetricDefault, Usage: types.KeyUsageTypeEncryptDecrypt, Alias: "alias/new", MultiRegion: true, Description: "<new> & shiny", Tags: map[string]string{"owner": "ops", "stage": ""}, Policy: "{}",
				}},
				bring, {Do: fleet.DoReplicate, Region: away}, replica,
			}},
			{Name: "app", Place: "eu", Action: fleet.Rotate, Why: "29 d left", Seen: []fleet.Seen{
				{KeyARN: keyARN, State: types.KeyStateEnabled, MaterialID: idA, Expiry: importer.Never()}, {KeyARN: mrkAway, State: types.KeyStatePendingImport},
			}, Steps: []fleet.Step{renew, rotate}},
			{Name: "old", Place: "us", Action: fleet.Delete, Why: "shall be deleted", Seen: []fleet.Seen{{KeyARN: mrkAway, State: types.KeyStateEnabled, Expiry: until}}, Steps: []fleet.Step{{Do: fleet.DoDelete, Region: away, KeyARN: mrkAway, MaterialID: idB}}},
			{Name: "fine", Place: "us", Action: fleet.Nothing, Why: "never expires"},
			{Name: "lost", Place: "us", Action: fleet.Cannot, Why: "the escrow lost.escrow does not exist"},
		},
	}
}

func written(t *testing.T, p *fleet.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := fleet.WritePlan(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGolden holds version 1 of the file to what it was, both ways.
func TestGolden(t *testing.T) {
	path := filepath.Join("testdata", "plan-1.json")
	got := written(t, golden())
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := must(os.ReadFile(path))(t)
	if got != string(want) {
		t.Errorf("written:\n%s\nwant:\n%s", got, want)
	}
	p := must(fleet.ReadPlan(bytes.NewReader(want)))(t)
	if !reflect.DeepEqual(p, golden()) {
		t.Errorf("read %+v\nwant %+v", p, golden())
	}
	empty := golden()
	empty.Shard, empty.Places, empty.Changes = fleet.Shard{}, nil, nil
	if p := must(fleet.ReadPlan(strings.NewReader(written(t, empty))))(t); !reflect.DeepEqual(p, empty) {
		t.Errorf("read %+v\nwant %+v", p, empty)
	}
}

func TestReadPlanStrictly(t *testing.T) {
	whole := written(t, golden())
	at := func(old, new string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("the golden plan has no %s", old)
		}
		return strings.Replace(whole, old, new, 1)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "the JSON is cut short, or empty"},
		{"cut", whole[:len(whole)-100], "the JSON is cut short, or empty"},
		{"no brace", strings.TrimSuffix(whole, "}\n"), "the JSON is cut short, or empty"},
		{"a list", "[]", "not an object"},
		{"more", whole + "{}", "more after its end"},
		{"not JSON", at(`"version": 1`, `"version": x`), "not JSON, at byte"},
		{"kind", at(`keymat/fleet-plan`, `keymat/fleet`), "kind: something else"},
		{"no kind", at(`"kind"`, `"sort"`), "kind: missing, or not where version 1 has it"},
		{"version", at(`"version": 1`, `"version": 2`), "version: not 1, which is what this program reads"},
		{"version as text", at(`"version": 1`, `"version": "1"`), "version: not of the right type"},
		{"id", at(`"id": "0`, `"id": "g`), "id: not 32 hexadecimal digits"},
		{"made", at(`12:00:00Z`, `12:00:00.5Z`), "made: not a time in UTC, to the second"},
		{"made elsewhere", at(`12:00:00Z`, `12:00:00+01:00`), "made: not a time in UTC, to the second"},
		{"digest", at(`"sha256": "d`, `"sha256": "x`), "manifest: sha256: not 64 hexadecimal digits"},
		{"shard", at(`3/16`, `17/16`), "shard: no shard, such as 3/16"},
		{"place twice", at(`"name": "us"`, `"name": "eu"`), "places: one is there twice"},
		{"unknown", at(`"region": "us`, `"zone": "us`), `places: json: unknown field "zone"`},
		{"order", at(`"name":"new","place":"eu"`, `"place":"eu","name":"new"`), "changes: 1: a member is missing, given twice, out of order or spelt in another way than version 1 has it"},
		{"twice", at(`"name":"app"`, `"name":"x","name":"app"`), "changes: 2: a member is missing, given twice, out of order or spelt in another way than version 1 has it"},
		{"case", at(`"why":"alias`, `"Why":"alias`), "changes: 1: a member is missing, given twice, out of order or spelt in another way than version 1 has it"},
		{"name taken", at(`"name":"app"`, `"name":"new"`), "changes: 2: name: missing, or taken"},
		{"no such place", at(`"place":"eu"`, `"place":"de"`), "changes: 1: place: none of the plan's"},
		{"action", at(`"action":"create"`, `"action":"make"`), "changes: 1: action: none of a plan's"},
		{"action without steps", at(`"action":"nothing"`, `"action":"renew"`), "changes: 4: steps: 0, for the action renew"},
		{"steps without action", at(`"action":"delete"`, `"action":"nothing"`), "changes: 3: steps: 1, for the action nothing"},
		{"do", at(`"do":"delete"`, `"do":"destroy"`), "changes: 3: steps: do: none of a plan's"},
		{"expiry", at(`"expires":"2027`, `"expires":"later`), "changes: 1: steps: expires: not a time"},
		{"import without escrow", at(`"escrow":{"path":"/kept/app.escrow","ciphertext_sha256":"`+strings.Repeat("e", 64)+`"},`, ``), "changes: 1: steps: key_spec, escrow, wrapping and expires: belong to a step that imports"},
		{"delete what", at(`"key_arn":"`+mrkAway+`","key_material_id":"b`, `"key_material_id":"b`), "changes: 3: steps: key_arn: missing"},
		{"where", at(`"do":"replicate","region":"us-east-1"`, `"do":"replicate","region":""`), "changes: 1: steps: region: missing"},
		{"after the changes", strings.TrimSuffix(whole, "\n}\n") + ",\n\"more\": 1}\n", "changes: more than a plan has after them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := fleet.ReadPlan(strings.NewReader(tt.text))
			if _, ok := errors.AsType[*fleet.PlanFileError](err); !ok || p != nil {
				t.Fatalf("plan %v, error %v", p, err)
			}
			if want := "keymat/fleet-plan: " + tt.want; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
	if _, err := fleet.ReadPlan(strings.NewReader(strings.Join(strings.Fields(whole), "\n"))); err == nil {
		t.Error("a plan whose texts were changed was read")
	}
}

// FuzzReadPlan: what is read is written as it was, but for white space.
func FuzzReadPlan(f *testing.F) {
	var b bytes.Buffer
	if err := fleet.WritePlan(&b, golden()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"kind":"keymat/fleet-plan","version":1,"changes":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := fleet.ReadPlan(bytes.NewReader(text))
		if err != nil {
			if p != nil {
				t.Errorf("a plan beside the error %v", err)
			}
			return
		}
		squeeze := func(s string) string { return fmt.Sprint(strings.Fields(s)) }
		again := written(t, p)
		if q, err := fleet.ReadPlan(strings.NewReader(again)); err != nil || !reflect.DeepEqual(p, q) {
			t.Errorf("read again: %v\n%s\n%s", err, squeeze(again), squeeze(string(text)))
		}
	})
}
