// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/pace"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// polled are operations that are called until KMS shows what was done, and
// replicas count as CreateKey without a call.
var polled = map[string]bool{"DescribeKey": true, "ListKeyRotations": true, "GetKeyRotationStatus": true, "Decrypt": true}

// check compares the calls that arrived with those that a step was to make.
func (h *house) check(t *testing.T, s fleet.Step, seen []fleet.Seen) {
	t.Helper()
	want := map[string]int{}
	for call, n := range (fleet.Change{Steps: []fleet.Step{s}, Seen: seen}).Calls(home) {
		want[call.Operation] += n
	}
	if s.Do == fleet.DoReplicate {
		delete(want, "CreateKey")
	}
	got := h.calls()
	for o, n := range want {
		if got[o] != n && !(polled[o] && got[o] > n) {
			t.Errorf("%s of %s: %d calls of %s, want %d", s.Do, s.Spec, got[o], o, n)
		}
	}
	for o, n := range got {
		if want[o] == 0 && !polled[o] {
			t.Errorf("%s of %s: %d calls of %s, which nobody spoke of", s.Do, s.Spec, n, o)
		}
	}
}

// What a plan says of calls is what the importer makes.
func TestCalls(t *testing.T) {
	for _, spec := range []material.Spec{material.SymmetricDefault, material.HMAC256, material.RSA2048} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			ctx, pair, m := t.Context(), wrap.Strongest(spec), must(material.Generate(spec))(t)
			create := importer.CreateRequest{Spec: spec, Alias: "alias/app", MultiRegion: true}
			k := must(h.Create(ctx, create))(t)
			h.check(t, fleet.Step{Do: fleet.DoCreate, Region: home, Create: create}, nil)

			if _, _, err := h.Bring(ctx, k, m, pair, importer.ImportRequest{Expiry: importer.Never()}); err != nil {
				t.Fatal(err)
			}
			h.check(t, fleet.Step{Do: fleet.DoImport, Region: home, Spec: spec}, nil)
			k = must(h.Describe(ctx, k.ARN))(t)

			h.calls()
			replica := must(h.Replicate(ctx, k, away))(t)
			h.check(t, fleet.Step{Do: fleet.DoReplicate, Region: away, Spec: spec}, nil)
			must(replica.Reimport(ctx, replica.Key, m, pair, importer.ImportRequest{Expiry: importer.Never(), MaterialID: k.MaterialID}))(t)
			h.check(t, fleet.Step{Do: fleet.DoImport, Region: away, Spec: spec, MaterialID: k.MaterialID}, nil)
			k = must(h.Describe(ctx, k.ARN))(t)

			if spec == material.SymmetricDefault {
				h.calls()
				next := must(material.Generate(spec))(t)
				must(h.Rotate(ctx, k, importer.RotateRequest{Material: next, Pair: pair, Expiry: importer.Never()}))(t)
				h.check(t, fleet.Step{Do: fleet.DoRotate, Region: home, Spec: spec}, []fleet.Seen{{KeyARN: k.ARN}, {KeyARN: replica.Key.ARN}})
			}
			must(h.DeleteMaterial(ctx, k, ""))(t)
			h.check(t, fleet.Step{Do: fleet.DoDelete, Region: home, Spec: spec}, nil)
		})
	}
}

func TestEstimate(t *testing.T) {
	const arn = "arn:aws:kms:eu-central-1:111122223333:key/"
	imports := func(place, region string, n int) (all []fleet.Change) {
		for range n {
			all = append(all, fleet.Change{Place: place, Steps: []fleet.Step{{Do: fleet.DoImport, Region: region, KeyARN: arn, Spec: material.SymmetricDefault}}})
		}
		return all
	}
	places := []fleet.Place{
		{Name: "eu", Region: home, Account: "111122223333"},
		{Name: "eu-too", Region: home, Account: "111122223333"},
		{Name: "us", Region: away, Account: "111122223333"},
		{Name: "new", Region: home},
	}
	type row struct {
		account, settings, region, bottleneck string
		time                                  time.Duration
	}
	for _, tt := range []struct {
		name    string
		changes []fleet.Change
		want    []row
		time    time.Duration
	}{
		{"nothing", []fleet.Change{{Place: "eu", Action: fleet.Nothing}}, nil, 0},
		{"one", imports("eu", home, 1), []row{{"111122223333", "", home, "", 0}}, 0},
		{"two", imports("eu", home, 2), []row{{"111122223333", "", home, "GetParametersForImport", time.Second}}, time.Second},
		{"places of one account and Region share a quota", append(imports("eu", home, 30), imports("eu-too", home, 31)...),
			[]row{{"111122223333", "", home, "GetParametersForImport", time.Minute}}, time.Minute},
		{"Regions do not", append(imports("eu", home, 11), imports("us", away, 61)...),
			[]row{{"111122223333", "", away, "GetParametersForImport", time.Minute}, {"111122223333", "", home, "GetParametersForImport", 10 * time.Second}}, time.Minute},
		{"an account that is not known", imports("new", home, 11), []row{{"", "new", home, "GetParametersForImport", 10 * time.Second}}, 10 * time.Second},
		{"a replica is two keys", []fleet.Change{{Place: "eu", Steps: []fleet.Step{{Do: fleet.DoReplicate, Region: away}}}},
			[]row{{"111122223333", "", away, "CreateKey", time.Second / 5}, {"111122223333", "", home, "", 0}}, time.Second / 5},
	} {
		e := (&fleet.Plan{Places: places, Changes: tt.changes}).Estimate(pace.Quotas())
		var got []row
		for _, p := range e.Places {
			got = append(got, row{p.Account, p.Settings, p.Region, p.Bottleneck, p.Time})
		}
		if !reflect.DeepEqual(got, tt.want) || e.Time != tt.time {
			t.Errorf("%s: %v, %v, want %v, %v", tt.name, got, e.Time, tt.want, tt.time)
		}
	}
	slow := pace.Quotas()
	slow["GetParametersForImport"] = 0.25
	if e := (&fleet.Plan{Places: places, Changes: imports("eu", home, 11)}).Estimate(slow); e.Time != 40*time.Second {
		t.Errorf("at a quarter of a call a second: %v, want 40 s", e.Time)
	}
}
