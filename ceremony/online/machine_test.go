// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// usages are those of the plan where KMS has another by default.
var usages = map[material.Spec]types.KeyUsageType{material.RSA2048: types.KeyUsageTypeEncryptDecrypt}

// TestImports goes from an empty key to a verified one, for each kind of material.
// It lives in real time, so that it runs where FIPS 140-3 is enforced, too.
func TestImports(t *testing.T) {
	t.Parallel()
	for spec, method := range map[material.Spec]string{
		material.SymmetricDefault: online.MethodUse, material.HMAC512: online.MethodMAC, material.RSA2048: online.MethodPublicKey,
		material.ECCNISTP256: online.MethodPublicKey,
	} {
		t.Run(string(spec), func(t *testing.T) {
			b := newBench(t)
			k := b.create(t, importer.CreateRequest{Spec: spec, Usage: usages[spec]})
			b.agree(t, spec, []string{k.ARN})
			out := b.desk.session(t, b.fetch(t))
			if err := b.run(t, out); err != nil {
				t.Fatal(err)
			}
			if got, want := b.events(t, 2), []string{"open", "confirm", "submit", "import", "verify", "close"}; !slices.Equal(got, want) {
				t.Errorf("recorded %q, want %q", got, want)
			}
			s := b.state(t)
			if got := s.Targets()[0]; got.Method != method || s.Progress() != "VERIFIED 1 of 1" {
				t.Errorf("%s: %+v", s.Progress(), got)
			}
			signatures, err := evidence.Folder(b.importing).Signatures(evidence.HeadFile(2))
			if err != nil || len(signatures) != 3 {
				t.Errorf("signatures %v, error %v", signatures, err)
			}
			if !b.people.hears("that is a test, and not AWS") {
				t.Error("nobody was told that this is not AWS")
			}
		})
	}
}
