// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/fleet/manifest"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/inventory"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/wrap"
)

// planner looks at the house, with escrows that are all there.
func (h *house) planner() *fleet.Planner {
	return &fleet.Planner{
		Connect: h.connect, Now: time.Now,
		Headers: func(path string) (fleet.Header, error) {
			return fleet.Header{Path: path, Spec: material.SymmetricDefault, Fingerprint: path, SHA256: strings.Repeat("0", 64)}, nil
		},
	}
}

func read(t *testing.T, keys string) *manifest.Manifest {
	t.Helper()
	return must(manifest.Read([]byte("kind: keymat/fleet\nversion: 1\nname: payments\nplaces:\n  eu: {region: eu-central-1}\n  us: {region: us-east-1}\n" +
		"  other: {region: eu-central-1, profile: \"222233334444\"}\ndefaults: {place: eu, escrow: \"{name}\", expires: never}\nkeys:\n" + keys)))(t)
}

var source = fleet.Source{Name: "payments", SHA256: strings.Repeat("0", 64)}

// actions are those of a plan, by the key's name.
func actions(p *fleet.Plan) map[string]fleet.Action {
	all := map[string]fleet.Action{}
	for _, c := range p.Changes {
		all[c.Name] = c.Action
	}
	return all
}

// A plan costs a DescribeKey for each copy, and more only where it is needed.
func TestPlanCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		never := importer.Never()
		h.key(t, importer.CreateRequest{Alias: "alias/app"}, never)
		lost, _ := h.key(t, importer.CreateRequest{Alias: "alias/lost"}, never)
		must(h.DeleteMaterial(t.Context(), lost, ""))(t)
		many, m := h.key(t, importer.CreateRequest{Alias: "alias/many", MultiRegion: true}, never)
		replica := must(h.Replicate(t.Context(), many, away))(t)
		if _, _, err := replica.Bring(t.Context(), replica.Key, m, wrap.Strongest(material.SymmetricDefault), importer.ImportRequest{Expiry: never}); err != nil {
			t.Fatal(err)
		}
		for n := range 50 {
			h.key(t, importer.CreateRequest{Spec: material.HMAC256, Alias: fmt.Sprintf("alias/hmac-%d", n)}, never)
		}
		text := "- name: app\n- name: lost\n- {name: many, replicas: [us-east-1]}\n- name: new\n- {name: there, place: us}\n"
		for n := range 50 {
			text += fmt.Sprintf("- name: hmac-%d\n", n)
		}
		h.calls()
		var progress atomic.Int64
		p := h.planner()
		p.Progress = func(int, int) { progress.Add(1) }
		plan := must(p.Plan(t.Context(), read(t, text), source, fleet.Shard{}))(t)
		if got, want := h.calls(), (map[string]int{"DescribeKey": 56, "ListKeyRotations": 1}); !maps.Equal(got, want) {
			t.Errorf("calls %v, want %v", got, want)
		}
		got := actions(plan)
		for name, want := range map[string]fleet.Action{"app": fleet.Nothing, "lost": fleet.Reimport, "many": fleet.Nothing, "new": fleet.Create, "there": fleet.Create, "hmac-7": fleet.Nothing} {
			if got[name] != want {
				t.Errorf("%s: %s, want %s", name, got[name], want)
			}
		}
		if progress.Load() != 55 || len(plan.Changes) != 55 || plan.Changes[2].Name != "many" || len(plan.Changes[2].Seen) != 2 {
			t.Errorf("%d steps of progress, %d changes, %+v", progress.Load(), len(plan.Changes), plan.Changes[2])
		}
		// The place without keys of its own has the account of the other with its settings.
		if len(plan.Places) != 2 || plan.Places[0].Account != strings.Split(many.ARN, ":")[4] || plan.Places[1].Account != plan.Places[0].Account {
			t.Errorf("places %+v", plan.Places)
		}
	})
}

// What goes wrong in one place, or with one key, is no matter of the others.
func TestPlanTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		k, _ := h.key(t, importer.CreateRequest{Alias: "alias/app"}, importer.Never())
		must(client(h.mock, "mock", home).CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: aws.String("alias/too"), TargetKeyId: &k.ID}))(t)
		text := "- name: app\n- name: too\n- name: fine\n- {name: abroad, place: us}\n- {name: theirs, place: other}\n"
		p := h.planner()
		p.Explain = func(err error) string { return "[" + err.Error() + "]" }
		p.Connect = func(ctx context.Context, place fleet.Place) (inventory.Place, error) {
			if place.Name == "us" {
				return inventory.Place{}, errors.New("no such profile")
			}
			return h.connect(ctx, place)
		}
		plan := must(p.Plan(t.Context(), read(t, text), source, fleet.Shard{}))(t)
		want := map[string]fleet.Action{"app": fleet.Cannot, "too": fleet.Cannot, "fine": fleet.Create, "abroad": fleet.Cannot, "theirs": fleet.Create}
		if got := actions(plan); !maps.Equal(got, want) {
			t.Errorf("actions %v, want %v", got, want)
		}
		if got, want := plan.Changes[0].Why, "the manifest has "+k.ARN+" twice, as app and as too"; got != want || plan.Changes[1].Why != want {
			t.Errorf("why %q and %q, want %q", got, plan.Changes[1].Why, want)
		}
		if got, want := plan.Changes[3].Why, "cannot be looked at: [no such profile]"; got != want {
			t.Errorf("why %q, want %q", got, want)
		}
	})
}

// A place that does not answer is not tried for each of its keys.
func TestSilentPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		text := ""
		for n := range 1000 {
			text += fmt.Sprintf("- name: app-%d\n", n)
		}
		h.mock.Inject(mockkms.Fault{Operation: "DescribeKey", Kind: mockkms.FaultDropBefore, Times: -1})
		plan := must(h.planner().Plan(t.Context(), read(t, text), source, fleet.Shard{}))(t)
		for _, c := range plan.Changes {
			if c.Action != fleet.Cannot || !strings.HasPrefix(c.Why, "cannot be looked at: DescribeKey of alias/app-") {
				t.Fatalf("%+v", c)
			}
		}
		if got := h.calls()["DescribeKey"]; got > 300 {
			t.Errorf("%d calls to a place that does not answer", got)
		}
	})
}

func TestPlanEnds(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := h.planner().Plan(ctx, read(t, "- name: app\n"), source, fleet.Shard{}); p != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("plan %v, error %v", p, err)
	}
}

// Every key is in one shard of so many, whatever else there is.
func TestShards(t *testing.T) {
	text := ""
	for n := range 500 {
		text += fmt.Sprintf("- name: app-%d\n", n)
	}
	m := read(t, text)
	seen := map[string]int{}
	for part := 1; part <= 16; part++ {
		s := must(fleet.ParseShard(fmt.Sprintf("%d/16", part)))(t)
		mine := 0
		for _, k := range m.Keys {
			if s.Has(k.Name) {
				seen[k.Name]++
				mine++
			}
		}
		if mine < 15 || mine > 50 { // 31 in the mean
			t.Errorf("shard %s has %d of 500 keys", s, mine)
		}
	}
	for _, k := range m.Keys {
		if seen[k.Name] != 1 {
			t.Errorf("%s is in %d shards", k.Name, seen[k.Name])
		}
	}
	// Never to change: runs of different versions share a manifest.
	if !(fleet.Shard{Part: 7, Of: 16}).Has("app-1") {
		t.Error("app-1 went to another shard than the seventh of 16")
	}
	for _, bad := range []string{"0/16", "17/16", "1", "1/0", "01/16", "+1/16", "1/16 ", "-1/4", "1/10001", "a/b", "1/2/3"} {
		if s, err := fleet.ParseShard(bad); err == nil {
			t.Errorf("%q is shard %v", bad, s)
		}
	}
	if s, err := fleet.ParseShard(""); err != nil || s != (fleet.Shard{}) || !s.Has("any") {
		t.Errorf("%v, %v", s, err)
	}
}

// Headers are read from files, relative to a folder, without opening anything.
func TestHeadersIn(t *testing.T) {
	m := must(material.Generate(material.HMAC256))(t)
	sealed := must(escrow.SealKey(m, time.Now().UTC().Truncate(time.Second), material.NewSecret(bytes.Repeat([]byte{1}, 32))))(t)
	dir := t.TempDir()
	var b bytes.Buffer
	if err := sealed.Encode(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "app.escrow")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	want := fleet.Header{Path: path, Spec: material.HMAC256, Fingerprint: sealed.Fingerprint, SHA256: sealed.CiphertextSHA256().String()}
	for _, name := range []string{"app.escrow", path} {
		if got, err := fleet.HeadersIn(dir)(name); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
	}
}
