// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/fleet/journal"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/inventory"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/wrap"
)

const (
	east = "us-east-1"
	west = "us-west-2"

	accountA = "111122223333"
	accountB = "444455556666"
)

// light is a wrapping that a test can afford a thousand times.
var light = wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}

// estate is a mock, and a plan for keys in it that is made by hand.
type estate struct {
	t    *testing.T
	mock *mockkms.KMS
	plan fleet.Plan
	path string // of the journal

	mu     sync.Mutex
	bytes  map[string][]byte // what the escrows hold, by path
	opened []*material.Material
	broken func(fleet.Place) aws.CredentialsProvider
	ended  map[string]fleet.Result
}

func newEstate(t *testing.T, options ...mockkms.Option) *estate {
	t.Helper()
	mock := mockkms.New(append([]mockkms.Option{mockkms.WithSharedWrappingKeys()}, options...)...)
	t.Cleanup(func() { mock.Close() })
	return &estate{
		t: t, mock: mock, path: filepath.Join(t.TempDir(), "payments.journal"), bytes: make(map[string][]byte),
		plan: fleet.Plan{ID: "0123456789abcdef0123456789abcdef", Manifest: fleet.Source{Name: "payments", SHA256: "ab"}},
	}
}

func (h *estate) client(account, region string) *kms.Client {
	return kms.New(kms.Options{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider(account, "a-secret-long-enough", ""),
		HTTPClient:  &http.Client{Transport: mockkms.Transport(h.mock)},
		Retryer:     retry.NewStandard(),
	})
}

func (h *estate) connect(_ context.Context, p fleet.Place) (inventory.Place, error) {
	client := func(region string) *kms.Client {
		c := h.client(p.Account, region)
		if h.broken != nil {
			c = kms.New(c.Options(), func(o *kms.Options) { o.Credentials = h.broken(p) })
		}
		return c
	}
	return inventory.Place{Region: p.Region, KMS: client(p.Region), Regions: func(r string) (inventory.KMS, error) { return client(r), nil }}, nil
}

func (h *estate) open(_ context.Context, e fleet.Escrow, spec material.Spec) (*material.Material, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, ok := h.bytes[e.Path]
	if !ok {
		return nil, errors.New("there is no such escrow")
	}
	m, err := material.New(spec, slices.Clone(b))
	h.opened = append(h.opened, m)
	return m, err
}

// place gives the name of the place in an account and Region.
func (h *estate) place(account, region string) string {
	name := account[:1] + "-" + region
	if !slices.ContainsFunc(h.plan.Places, func(p fleet.Place) bool { return p.Name == name }) {
		h.plan.Places = append(h.plan.Places, fleet.Place{Name: name, Account: account, Region: region})
	}
	return name
}

// escrow makes material and says where it is.
func (h *estate) escrow(name string, spec material.Spec) fleet.Escrow {
	h.t.Helper()
	m, err := material.Generate(spec)
	if err == nil {
		err = m.Secret().Expose(func(b []byte) error { h.bytes[name] = slices.Clone(b); return nil })
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return fleet.Escrow{Path: name}
}

func (h *estate) importer(account, region string) *importer.Importer {
	return &importer.Importer{KMS: h.client(account, region), Regions: func(r string) (importer.KMS, error) { return h.client(account, r), nil }}
}

// key makes a key with material, which is then deleted if it is lost.
func (h *estate) key(account, region, name string, r importer.CreateRequest, lost bool) (importer.Key, fleet.Escrow) {
	h.t.Helper()
	i, e := h.importer(account, region), h.escrow(name, r.Spec)
	k, err := i.Create(h.t.Context(), r)
	if err == nil {
		var m *material.Material
		if m, err = material.New(r.Spec, slices.Clone(h.bytes[name])); err == nil {
			_, _, err = i.Bring(h.t.Context(), k, m, light, importer.ImportRequest{Expiry: importer.Never()})
		}
	}
	if err == nil && lost {
		_, err = i.DeleteMaterial(h.t.Context(), k, "")
	}
	if err == nil {
		k, err = i.Describe(h.t.Context(), k.ARN)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return k, e
}

func seen(k importer.Key) fleet.Seen {
	return fleet.Seen{KeyARN: k.ARN, State: k.State, MaterialID: k.MaterialID, Expiry: k.Expiry}
}

func (h *estate) change(c fleet.Change) { h.plan.Changes = append(h.plan.Changes, c) }

// reimport plans to bring the material of a new key back that has lost it.
func (h *estate) reimport(account, region, name string, spec material.Spec) importer.Key {
	h.t.Helper()
	k, e := h.key(account, region, name, importer.CreateRequest{Spec: spec}, true)
	h.change(fleet.Change{
		Name: name, Place: h.place(account, region), Action: fleet.Reimport, Seen: []fleet.Seen{seen(k)},
		Steps: []fleet.Step{{
			Do: fleet.DoImport, Region: region, KeyARN: k.ARN, Spec: spec, Escrow: e,
			Wrapping: light, Expiry: importer.Never(), MaterialID: k.MaterialID,
		}},
	})
	return k
}

// create plans to make a key with an alias.
func (h *estate) create(account, region, name string, spec material.Spec) {
	h.t.Helper()
	h.change(fleet.Change{
		Name: name, Place: h.place(account, region), Action: fleet.Create,
		Steps: []fleet.Step{
			{Do: fleet.DoCreate, Region: region, Create: importer.CreateRequest{Spec: spec, Alias: "alias/" + name, Tags: map[string]string{"team": "a"}}},
			{Do: fleet.DoImport, Region: region, Spec: spec, Escrow: h.escrow(name, spec), Wrapping: light, Expiry: importer.Never()},
		},
	})
}

func (h *estate) options() fleet.Options {
	return fleet.Options{Connect: h.connect, Open: h.open, Quotas: fleet.Unlimited(), AtOnce: 4}
}

// apply applies the plan with a journal of its own opening.
func (h *estate) apply(ctx context.Context, o fleet.Options) (fleet.Summary, error) {
	h.t.Helper()
	j, err := journal.Open(ctx, h.path, journal.Refuse)
	if err != nil {
		h.t.Fatal(err)
	}
	o.Journal = j
	h.ended = make(map[string]fleet.Result)
	told := o.Observe
	o.Observe = func(e fleet.Event) {
		if e, ok := e.(fleet.Ended); ok {
			if _, twice := h.ended[e.Result.Change]; twice {
				h.t.Errorf("%s ended twice", e.Result.Change)
			}
			h.ended[e.Result.Change] = e.Result
		}
		if told != nil {
			told(e)
		}
	}
	summary, err := fleet.Apply(ctx, h.plan, o)
	if err := j.Close(); err != nil {
		h.t.Error(err)
	}
	for _, m := range h.opened {
		if m.Secret().Len() != 0 {
			h.t.Errorf("%s is still in memory", m)
		}
	}
	return summary, err
}

// wants demands these numbers of changes, and no error.
func (h *estate) wants(s fleet.Summary, err error, want map[fleet.Status]int) {
	h.t.Helper()
	if err != nil || !maps.Equal(s.Changes, want) {
		h.t.Fatalf("changes %v, %v; want %v%s", s.Changes, err, want, h.failures())
	}
}

func (h *estate) failures() (all string) {
	for _, r := range h.ended {
		if r.Err != nil {
			all += fmt.Sprintf("\n%s: %s: %v", r.Change, r.Status, r.Err)
		}
	}
	return all
}

// state is that of a key now.
func (h *estate) describe(account, region, ref string) importer.Key {
	h.t.Helper()
	k, err := h.importer(account, region).Describe(h.t.Context(), ref)
	if err != nil {
		h.t.Fatal(err)
	}
	return k
}

// holds demands that a key holds the material of an escrow: for symmetric keys
// KMS takes it back, for others it is compared.
func (h *estate) holds(account, region, ref, escrow string, spec material.Spec) {
	h.t.Helper()
	m, err := material.New(spec, slices.Clone(h.bytes[escrow]))
	if err != nil {
		h.t.Fatal(err)
	}
	k := h.describe(account, region, ref)
	proof, err := h.importer(account, region).Confirm(h.t.Context(), k, m, importer.ConfirmOptions{Reimport: true, Pair: light})
	if err != nil || proof.Verdict != importer.Proven || k.State != types.KeyStateEnabled {
		h.t.Errorf("%s: %s, %+v, %v", ref, k.State, proof, err)
	}
}

// count counts the calls of an operation that arrived.
func (h *estate) count(operation string) (n int) {
	for _, c := range h.mock.Calls() {
		if c == operation {
			n++
		}
	}
	return n
}

// keys are all in an account and Region.
func (h *estate) keys(account, region string) int {
	h.t.Helper()
	out, err := h.client(account, region).ListKeys(h.t.Context(), &kms.ListKeysInput{Limit: aws.Int32(1000)})
	if err != nil {
		h.t.Fatal(err)
	}
	return len(out.Keys)
}
