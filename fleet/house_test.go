// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/inventory"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/wrap"
)

const (
	home = "eu-central-1"
	away = "us-east-1"
)

// house is a mock with keys to look at, in any account.
type house struct {
	mock *mockkms.KMS
	*importer.Importer
	seen int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	mock := mockkms.New(mockkms.WithSharedWrappingKeys())
	t.Cleanup(func() { mock.Close() })
	return &house{mock: mock, Importer: &importer.Importer{
		KMS:     client(mock, "mock", home),
		Regions: func(r string) (importer.KMS, error) { return client(mock, "mock", r), nil },
	}}
}

func client(mock *mockkms.KMS, account, region string) *kms.Client {
	return kms.New(kms.Options{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider(account, "mock", ""),
		HTTPClient:  &http.Client{Transport: mockkms.Transport(mock)},
		Retryer:     retry.NewStandard(),
	})
}

// connect satisfies [fleet.Connect]; a place's profile is its account.
func (h *house) connect(_ context.Context, p fleet.Place) (inventory.Place, error) {
	account := p.Profile
	if account == "" {
		account = "mock"
	}
	return inventory.Place{
		Profile: p.Profile, Region: p.Region, KMS: client(h.mock, account, p.Region),
		Regions: func(r string) (inventory.KMS, error) { return client(h.mock, account, r), nil },
	}, nil
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

// key makes a key with material.
func (h *house) key(t *testing.T, r importer.CreateRequest, e importer.Expiry) (importer.Key, *material.Material) {
	t.Helper()
	if r.Spec == "" {
		r.Spec = material.SymmetricDefault
	}
	k := must(h.Create(t.Context(), r))(t)
	m := must(material.Generate(r.Spec))(t)
	if _, _, err := h.Bring(t.Context(), k, m, wrap.Strongest(r.Spec), importer.ImportRequest{Expiry: e}); err != nil {
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
