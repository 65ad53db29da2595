// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

// A key that was rotated takes each of its materials back, and only for the
// one that the bytes make.
func TestReimportOfOneOfSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		first, second := generate(t, material.SymmetricDefault), generate(t, material.SymmetricDefault)
		k := b.bring(t, b.create(t, material.SymmetricDefault), first, importer.Never())
		done, err := b.Rotate(t.Context(), k, rotation(second))
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{done.From, done.To} {
			if _, err := b.DeleteMaterial(t.Context(), k, id); err != nil {
				t.Fatal(err)
			}
		}
		reimport := func(m *material.Material, e importer.Expiry) (importer.Reimported, error) {
			return b.Reimport(t.Context(), b.describe(t, k), m, experiment.Quick(k.Spec), importer.ImportRequest{Expiry: e})
		}

		_, err = reimport(generate(t, k.Spec), importer.Never())
		wantError[*types.IncorrectKeyMaterialException](t, err)
		start := time.Now()
		old, err := reimport(first, importer.In(time.Hour, time.Now()))
		if err != nil || old.Receipt.MaterialID != done.From || old.Receipt.State != types.KeyStatePendingImport {
			t.Errorf("first: %+v, error %v", old, err)
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("waited %s for a key that lacks another material", waited)
		}
		now, err := reimport(second, importer.Never())
		if err != nil || now.Receipt.MaterialID != done.To || now.Receipt.State != types.KeyStateEnabled {
			t.Errorf("second: %+v, error %v", now, err)
		}
		// The older one's expiry is not mistaken for that of the current one.
		again, err := reimport(second, importer.Never())
		if err != nil || !again.Unchanged || !again.Expiry.Never() {
			t.Errorf("again: %+v, error %v", again, err)
		}
		older, err := b.Reimport(t.Context(), b.describe(t, k), first, experiment.Quick(k.Spec), importer.ImportRequest{Expiry: importer.Never(), MaterialID: done.From})
		if err != nil || older.Receipt.MaterialID != done.From {
			t.Errorf("older, by its ID: %+v, error %v", older, err)
		}
	})
}

func TestReimportEverywhere(t *testing.T) {
	for _, spec := range []material.Spec{material.SymmetricDefault, material.HMAC256} {
		t.Run(string(spec), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				m := generate(t, spec)
				k, replica := b.replicated(t, m)
				if _, err := replica.DeleteMaterial(t.Context(), replica.Key, ""); err != nil {
					t.Fatal(err)
				}
				everywhere := func() []importer.ReimportedCopy {
					return b.ReimportEverywhere(t.Context(), b.describe(t, k), m, experiment.Quick(spec), importer.ImportRequest{Expiry: importer.Never()})
				}
				got := everywhere()
				if len(got) != 2 || got[0].Err != nil || !got[0].Reimported.Unchanged || got[1].Err != nil || got[1].Reimported.Receipt.State != types.KeyStateEnabled {
					t.Errorf("got %+v", got)
				}
				b.Importer.Regions = nil
				if got = everywhere(); len(got) != 2 || got[0].Err != nil || got[1].Err == nil || got[1].Copy.Key.Region() != west {
					t.Errorf("with the west out of reach: %+v", got)
				}
			})
		})
	}
}
