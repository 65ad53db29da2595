// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"bytes"
	"testing"
	"time"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

// TestPlaces deals shares, and counts what a custodian would have to write.
func TestPlaces(t *testing.T) {
	for _, scheme := range []escrow.Scheme{escrow.SLIP39, escrow.Shamir} {
		m, err := material.Generate(material.SymmetricDefault)
		if err != nil {
			t.Fatal(err)
		}
		_, shares, err := escrow.SealQuorum(m, time.Time{}, escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: scheme, Threshold: 2, Count: 2})
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		err = shares[0].Text().Expose(func(b []byte) error {
			if want = len(bytes.Fields(b)); want == 1 {
				want = (len(b) + 3) / 4
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, of := places(scheme); got != want {
			t.Errorf("%s: %d places for a %s, want %d", scheme, got, of, want)
		}
	}
}
