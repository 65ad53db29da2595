// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/transcript"
)

// TestServices: a rehearsal never reaches AWS, and a real ceremony never ends in
// the mock of a process.
func TestServices(t *testing.T) {
	t.Parallel()
	embedded, local, far, real := online.Service{Embedded: true, Mock: true}, online.Service{Endpoint: "http://[::1]:4566", Mock: true},
		online.Service{Endpoint: "https://kms.example.com", Mock: true}, online.Service{}
	unknown := online.Service{Endpoint: "http://localhost:4566"}
	for _, tt := range []struct {
		service           online.Service
		rehearsal, actual string // what is wrong, "" for nothing
	}{
		{embedded, "", "a real ceremony talks to AWS, or what is at an endpoint, and never to the embedded mock"},
		{local, "", ""},
		{far, "a rehearsal talks to a mock on this machine, and never to https://kms.example.com", ""},
		{unknown, "a rehearsal talks to a mock, and never to http://localhost:4566", ""},
		{real, "a rehearsal talks to a mock, and never to AWS", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			for change, want := range map[string]string{"rehearsal: true ": tt.rehearsal, "rehearsal: false ": tt.actual} {
				b := withKey(t, "rehearsal: false ", change)
				_, fetch := online.OpenFetcher(b.fetching, time.Now, tt.service)
				_, imports := online.Open(b.importing, nil, time.Now, transcript.Tool{}, tt.service)
				if text(fetch) != want || text(imports) != want {
					t.Errorf("%s%+v: errors %v and %v, want %q", change, tt.service, fetch, imports, want)
				}
			}
		})
	}
}

// TestUnapproved: nothing is done by a plan that not all have approved, or that is
// wrong.
func TestUnapproved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		if err := os.Remove(filepath.Join(b.fetching, "plan.yaml.witness.sig")); err != nil {
			t.Fatal(err)
		}
		_, err := online.OpenFetcher(b.fetching, time.Now, b.service)
		if e, ok := errors.AsType[*online.PlanError](err); !ok || e.Faulty {
			t.Errorf("error %v", err)
		}
		b = withKey(t, "import: [importer, witness]", "import: [importer]")
		_, err = online.Open(b.importing, nil, time.Now, transcript.Tool{}, b.service)
		if e, ok := errors.AsType[*online.PlanError](err); !ok || !e.Faulty {
			t.Errorf("error %v", err)
		}
	})
}
