// SPDX-License-Identifier: Apache-2.0

package shamir

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
)

// TestSplitChecks shows that the trial of all subsets sees one wrong share, and
// a wrong secret.
func TestSplitChecks(t *testing.T) {
	secret := bytes.Repeat([]byte{0x5a}, SecretLength)
	set := func() []Share {
		shares, err := Split(material.NewSecret(bytes.Clone(secret)), SetID{}, 3, 5)
		if err != nil {
			t.Fatal(err)
		}
		return shares
	}
	var inconsistent *InconsistentError
	if err := checkSubsets(set(), secret[1:]); !errors.As(err, &inconsistent) {
		t.Errorf("another secret: %v", err)
	}
	for i := range 5 {
		shares := set()
		shares[i] = set()[i]
		if err := checkSubsets(shares, secret); !errors.As(err, &inconsistent) {
			t.Errorf("share %d of another set: %v", i+1, err)
		}
	}
}

// TestUnusedBits: a text with a right checksum may still say more than a share.
func TestUnusedBits(t *testing.T) {
	last := len(encode(make([]byte, dataLength))) - checksumSymbols - 1
	values := make([]byte, symbols+checksumSymbols)
	values[symbols-1] = 1
	sum := checksum(values) ^ finalConstant
	text := encode(make([]byte, dataLength))
	text[last] = charset[1]
	for i := range checksumSymbols {
		text[last+1+i] = charset[sum>>(5*(checksumSymbols-1-i))&31]
	}
	if _, err := decode(text); err == nil || !strings.HasSuffix(err.Error(), "has bits that a share does not use") {
		t.Errorf("error %v", err)
	}
}
