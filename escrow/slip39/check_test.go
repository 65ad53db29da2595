// SPDX-License-Identifier: Apache-2.0

package slip39

import (
	"bytes"
	"errors"
	"testing"

	"github.com/keymat/keymat/material"
)

// TestSplitChecks shows that the trial of all subsets sees one wrong share, and
// a wrong secret.
func TestSplitChecks(t *testing.T) {
	shared := bytes.Repeat([]byte{0x5a}, 32)
	set := func() (shares []Share) {
		for i, value := range deal(shared, 3, 5) {
			shares = append(shares, Share{Extendable: true, GroupThreshold: 1, GroupCount: 1, Index: i, Threshold: 3, Value: material.NewSecret(value)})
		}
		return shares
	}
	if err := checkSubsets(set(), shared); err != nil {
		t.Error(err)
	}
	if err := checkSubsets(set(), shared[1:]); !errors.Is(err, ErrDigest) {
		t.Errorf("another secret: %v", err)
	}
	for i := range 5 {
		shares := set()
		shares[i].Value = material.NewSecret(deal(shared, 3, 5)[i])
		if err := checkSubsets(shares, shared); !errors.Is(err, ErrDigest) {
			t.Errorf("share %d of another set: %v", i+1, err)
		}
	}
}
