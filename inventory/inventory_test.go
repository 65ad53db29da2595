// SPDX-License-Identifier: Apache-2.0

package inventory_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/inventory"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/wrap"
)

const (
	east = "us-east-1"
	west = "us-west-2"
)

// house is a mock with keys to look at.
type house struct {
	*importer.Importer
	inventory.Place
	mock *mockkms.KMS
	seen int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	mock := mockkms.New(mockkms.WithSharedWrappingKeys())
	t.Cleanup(func() { mock.Close() })
	h := &house{mock: mock}
	h.Importer = &importer.Importer{KMS: client(mock, east), Regions: func(r string) (importer.KMS, error) { return client(mock, r), nil }}
	h.Place = inventory.Place{Region: east, KMS: client(mock, east), Regions: func(r string) (inventory.KMS, error) { return client(mock, r), nil }}
	return h
}

func client(mock *mockkms.KMS, region string) *kms.Client {
	return kms.New(kms.Options{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider("mock", "mock", ""),
		HTTPClient:  &http.Client{Transport: mockkms.Transport(mock)},
		Retryer:     retry.NewStandard(),
	})
}

// calls counts the operations that arrived since the last time.
func (h *house) calls() map[string]int {
	all := h.mock.Calls()
	defer func() { h.seen = len(all) }()
	count := make(map[string]int)
	for _, c := range all[h.seen:] {
		count[c]++
	}
	return count
}

// key makes a key, with material that expires in life unless that is 0.
func (h *house) key(t *testing.T, r importer.CreateRequest, life time.Duration) (importer.Key, *material.Material) {
	t.Helper()
	if r.Spec == "" {
		r.Spec = material.SymmetricDefault
	}
	k := must(h.Create(t.Context(), r))(t)
	m := must(material.Generate(r.Spec))(t)
	expiry := importer.Never()
	if life != 0 {
		expiry = importer.In(life, time.Now())
	}
	if _, _, err := h.Bring(t.Context(), k, m, wrap.Strongest(r.Spec), importer.ImportRequest{Expiry: expiry}); err != nil {
		t.Fatal(err)
	}
	return must(h.Describe(t.Context(), k.ARN))(t), m
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

const day = 24 * time.Hour

// A scan costs a DescribeKey for each key, and one page of lists for many.
func TestScanCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		const keys = 120
		for n := range keys {
			must(h.Create(t.Context(), importer.CreateRequest{Spec: material.HMAC256, Alias: fmt.Sprintf("alias/%03d", n)}))(t)
		}
		must(client(h.mock, east).CreateKey(t.Context(), &kms.CreateKeyInput{}))(t) // not imported
		h.calls()
		var progress atomic.Int64
		items := must(h.Scan(t.Context(), inventory.Query{Progress: func(int, int) { progress.Add(1) }}))(t)
		if len(items) != keys || progress.Load() != keys+1 {
			t.Errorf("%d items, %d steps", len(items), progress.Load())
		}
		if got := h.calls(); len(got) != 3 || got["ListKeys"] != 1 || got["ListAliases"] != 2 || got["DescribeKey"] != keys+1 {
			t.Errorf("calls %v", got)
		}
		if i := items[0]; i.Detailed || len(i.Aliases) != 1 || i.Region != east {
			t.Errorf("item %+v", i)
		}

		// Keys named by an alias prefix are the only ones described.
		items = must(h.Scan(t.Context(), inventory.Query{AliasPrefix: "alias/01", Details: true}))(t)
		if got := h.calls(); len(items) != 10 || got["DescribeKey"] != 10 || got["GetKeyLastUsage"] != 10 || got["ListKeyRotations"] != 0 || got["ListKeys"] != 0 {
			t.Errorf("%d items, calls %v", len(items), got)
		}
	})
}

func TestScanByTag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		want, _ := h.key(t, importer.CreateRequest{Tags: map[string]string{"team": "a", "env": "prod"}}, 0)
		h.key(t, importer.CreateRequest{Tags: map[string]string{"team": "b", "env": "prod"}}, 0)
		h.key(t, importer.CreateRequest{}, 0)
		items := must(h.Scan(t.Context(), inventory.Query{Tags: map[string]string{"team": "a", "env": "prod"}}))(t)
		if len(items) != 1 || items[0].Key.ARN != want.ARN {
			t.Errorf("got %+v", items)
		}
	})
}

// A key that may not be described is told, and does not hide the others.
func TestScanTellsDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.key(t, importer.CreateRequest{}, 0)
		h.key(t, importer.CreateRequest{}, 0)
		h.mock.Inject(mockkms.Fault{Operation: "DescribeKey", Kind: mockkms.FaultDenied})
		items := must(h.Scan(t.Context(), inventory.Query{}))(t)
		inventory.Sort(items)
		if len(items) != 2 || items[0].Err != nil || items[1].Err == nil || items[1].Name() == "" {
			t.Errorf("got %+v", items)
		}
		h.mock.Inject(mockkms.Fault{Operation: "ListKeys", Kind: mockkms.FaultDenied})
		_, err := h.Scan(t.Context(), inventory.Query{})
		if e, ok := errors.AsType[*importer.CallError](err); !ok || e.Operation != "ListKeys" {
			t.Errorf("error %v", err)
		}
	})
}

func TestLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		k, _ := h.key(t, importer.CreateRequest{Alias: "alias/app"}, 90*day)
		next := must(material.Generate(k.Spec))(t)
		pair := wrap.Strongest(k.Spec)
		done := must(h.Rotate(t.Context(), k, importer.RotateRequest{Material: next, Pair: pair, Expiry: importer.Never()}))(t)
		third := must(material.Generate(k.Spec))(t)
		_, _, err := h.Bring(t.Context(), must(h.Describe(t.Context(), k.ARN))(t), third, pair,
			importer.ImportRequest{Expiry: importer.In(time.Hour, time.Now()), Type: types.ImportTypeNewKeyMaterial})
		if err != nil {
			t.Fatal(err)
		}
		items := must(h.Look(t.Context(), "alias/app"))(t)
		if len(items) != 1 {
			t.Fatalf("got %+v", items)
		}
		i := items[0]
		if i.Name() != "alias/app" || len(i.Materials) != 3 || i.Current().ID != done.To || len(i.Gaps) != 0 {
			t.Errorf("item %+v", i)
		}
		// The old material stops the key, not the current nor the pending one.
		m, found := i.Disabler()
		if !found || m.ID != done.From {
			t.Errorf("disabler %+v, %t", m, found)
		}
		now := m.Expiry.Time().Add(-90 * day)
		for _, tt := range []struct {
			within time.Duration
			want   bool
		}{{90*day - 1, false}, {90 * day, true}} {
			if got := i.ExpiringWithin(tt.within, now); got != tt.want {
				t.Errorf("expiring within %s: %t", tt.within, got)
			}
		}
		if i.Use.Operation != "Decrypt" || i.Use.At.IsZero() || i.Use.Since.IsZero() {
			t.Errorf("last use %+v", i.Use)
		}
	})
}

func TestLookEveryRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		k, m := h.key(t, importer.CreateRequest{MultiRegion: true, Alias: "alias/app"}, 0)
		replica := must(h.Replicate(t.Context(), k, west))(t)
		_, _, err := replica.Bring(t.Context(), replica.Key, m, wrap.Strongest(k.Spec), importer.ImportRequest{Expiry: importer.In(day, time.Now())})
		if err != nil {
			t.Fatal(err)
		}
		items := must(h.Look(t.Context(), "alias/app"))(t)
		if len(items) != 2 || items[0].Region != east || items[1].Region != west || len(items[0].Aliases) != 1 || len(items[1].Aliases) != 0 {
			t.Fatalf("got %+v", items)
		}
		if items[0].ExpiringWithin(day, time.Now()) || !items[1].ExpiringWithin(day, time.Now()) {
			t.Error("the expiry of one Region is taken for that of the other")
		}
		h.Place.Regions = nil
		items = must(h.Look(t.Context(), "alias/app"))(t)
		if len(items) != 2 || items[0].Err != nil || items[1].Err == nil {
			t.Errorf("with the west out of reach: %+v", items)
		}
	})
}

func TestLookTellsGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.key(t, importer.CreateRequest{Alias: "alias/app"}, day)
		for _, operation := range []string{"ListAliases", "ListKeyRotations", "GetKeyLastUsage"} {
			h.mock.Inject(mockkms.Fault{Operation: operation, Kind: mockkms.FaultDenied})
		}
		i := must(h.Look(t.Context(), "alias/app"))(t)[0]
		if len(i.Gaps) != 3 || i.Err != nil {
			t.Errorf("item %+v", i)
		}
		if m, found := i.Disabler(); !found || m.ID != i.Key.MaterialID {
			t.Errorf("disabler %+v, %t", m, found)
		}
		ours := must(client(h.mock, east).CreateKey(t.Context(), &kms.CreateKeyInput{}))(t)
		_, err := h.Look(t.Context(), *ours.KeyMetadata.Arn)
		if _, ok := errors.AsType[*importer.OriginError](err); !ok {
			t.Errorf("error %v", err)
		}
	})
}

func TestDependents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		k, _ := h.key(t, importer.CreateRequest{Alias: "alias/app"}, 0)
		must(client(h.mock, east).CreateGrant(t.Context(), &kms.CreateGrantInput{
			KeyId: aws.String(k.ARN), Name: aws.String("backup"), GranteePrincipal: aws.String("arn:aws:iam::111122223333:role/backup"),
			Operations: []types.GrantOperation{types.GrantOperationDecrypt},
		}))(t)
		d := h.DependentsOf(t.Context(), k)
		if len(d.Grants) != 1 || d.Grants[0].Name != "backup" || !slices.Equal(d.Grants[0].Operations, []string{"Decrypt"}) || !slices.Equal(d.Item.Aliases, []string{"alias/app"}) {
			t.Errorf("got %+v", d)
		}
		if u := d.Item.Use; !u.At.IsZero() || u.Since.IsZero() {
			t.Errorf("last use %+v", u)
		}
		h.mock.Inject(mockkms.Fault{Operation: "ListGrants", Kind: mockkms.FaultDenied})
		if d = h.DependentsOf(t.Context(), k); len(d.Item.Gaps) != 1 {
			t.Errorf("gaps %v", d.Item.Gaps)
		}
	})
}

func TestSort(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	item := func(name string, k importer.Key) inventory.Item {
		k.ARN = name
		return inventory.Item{Aliases: []string{name}, Key: k}
	}
	enabled := func(e importer.Expiry) importer.Key { return importer.Key{State: types.KeyStateEnabled, Expiry: e} }
	copies := enabled(importer.At(now.Add(3 * day)))
	copies.MultiRegion, copies.ID = true, "mrk-1"
	lasting := copies
	lasting.Expiry = importer.Never()
	items := []inventory.Item{
		{Key: importer.Key{ARN: "denied"}, Err: errors.New("denied")},
		item("never", enabled(importer.Never())),
		item("empty", importer.Key{State: types.KeyStatePendingImport}),
		item("mrk b", lasting),
		item("late", enabled(importer.At(now.Add(5*day)))),
		item("mrk a", copies),
		item("soon", enabled(importer.At(now.Add(day)))),
		item("lost", importer.Key{State: types.KeyStatePendingImport, MaterialID: "m"}),
	}
	inventory.Sort(items)
	var got []string
	for _, i := range items {
		got = append(got, i.Name())
	}
	if got, want := strings.Join(got, ", "), "lost, soon, mrk a, mrk b, late, empty, never, denied"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPublicKeys: they are asked for when they are wanted, of key pairs with
// material.
func TestPublicKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		pair, m := h.key(t, importer.CreateRequest{Spec: material.ECCNISTP256, Alias: "alias/pair"}, 0)
		h.key(t, importer.CreateRequest{Spec: material.HMAC256}, 0)
		must(h.Create(t.Context(), importer.CreateRequest{Spec: material.ECCNISTP256}))(t)
		h.calls()
		must(h.Scan(t.Context(), inventory.Query{}))(t)
		if got := h.calls()["GetPublicKey"]; got != 0 {
			t.Errorf("%d calls that nobody wanted", got)
		}
		h.PublicKeys = true
		for _, i := range slices.Concat(must(h.Scan(t.Context(), inventory.Query{}))(t), must(h.Look(t.Context(), pair.ARN))(t)) {
			want := []byte(nil)
			if i.Key.ARN == pair.ARN {
				want = m.PublicKeyDER()
			}
			if !slices.Equal(i.PublicKey, want) || len(i.Gaps) > 0 {
				t.Errorf("%s: public key %x, want %x; gaps %v", i.Name(), i.PublicKey, want, i.Gaps)
			}
		}
		if got := h.calls()["GetPublicKey"]; got != 2 {
			t.Errorf("%d calls, want 2", got)
		}
		h.mock.Inject(mockkms.Fault{Operation: "GetPublicKey", Kind: mockkms.FaultDenied})
		i := h.DependentsOf(t.Context(), pair).Item
		if e, ok := errors.AsType[*importer.CallError](errors.Join(i.Gaps...)); !ok || e.Operation != "GetPublicKey" {
			t.Errorf("gaps %v", i.Gaps)
		}
	})
}
