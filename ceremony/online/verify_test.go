// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// TestVerifyNotices: what is not as it was made offline, or as the plan says, is not
// verified, and recorded as an exception.
func TestVerifyNotices(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spec   material.Spec
		double double
		want   string // what differs
	}{
		"another public key": {material.ECCNISTP256, double{publicKey: func(o *kms.GetPublicKeyOutput) { o.PublicKey[len(o.PublicKey)-1] ^= 1 }}, "public key"},
		"yes to any MAC":     {material.HMAC256, double{acceptsAll: true}, "answer to VerifyMac of what the material did not make"},
		"no to any MAC":      {material.HMAC256, double{refusesAll: true}, "answer to VerifyMac of what the material made"},
		"another plaintext":  {material.SymmetricDefault, double{decrypt: func(o *kms.DecryptOutput) { o.Plaintext[0] ^= 1 }}, "plaintext of what was encrypted"},
		"another material":   {material.SymmetricDefault, double{decrypt: func(o *kms.DecryptOutput) { o.KeyMaterialId = aws.String("other") }}, "key material that encrypts"},
		"not listed":         {material.SymmetricDefault, double{list: func(o *kms.ListKeyRotationsOutput) { o.Rotations = nil }}, "list of key materials"},
		"listed as missing": {material.SymmetricDefault, double{list: func(o *kms.ListKeyRotationsOutput) {
			o.Rotations[0].ImportState = types.ImportStatePendingImport
		}}, "key material ID"},
		"listed as pending": {material.SymmetricDefault, double{list: func(o *kms.ListKeyRotationsOutput) {
			o.Rotations[0].KeyMaterialState = types.KeyMaterialStatePendingRotation
		}}, "key material ID"},
		"an expiry": {material.SymmetricDefault, double{list: func(o *kms.ListKeyRotationsOutput) {
			o.Rotations[0].ExpirationModel, o.Rotations[0].ValidTo = types.ExpirationModelTypeKeyMaterialExpires, aws.Time(tomorrow)
		}}, "expiry"},
		"an expiry of a key pair": {material.ECCNISTP256, double{verifying: func(o *kms.DescribeKeyOutput) {
			o.KeyMetadata.ExpirationModel, o.KeyMetadata.ValidTo = types.ExpirationModelTypeKeyMaterialExpires, aws.Time(tomorrow)
		}}, "expiry"},
		"disabled": {material.HMAC256, double{verifying: func(o *kms.DescribeKeyOutput) { o.KeyMetadata.KeyState = types.KeyStateDisabled }}, "key state"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				k := b.create(t, importer.CreateRequest{Spec: tt.spec})
				b.agree(t, tt.spec, []string{k.ARN})
				out := b.desk.session(t, b.fetch(t))
				in := b.service.In
				b.puts(tt.double)
				err := b.run(t, out)
				e, ok := errors.AsType[*online.DifferentError](err)
				id := b.state(t).Targets()[0].MaterialID
				if !ok || e.What != tt.want && e.What != "key material "+id {
					t.Errorf("error %v, want the %s", err, tt.want)
				}
				wantEvents(t, b, 2, "open", "confirm", "submit", "import", "exception")
				b.service.In = in // and with the true KMS
				if err := b.run(t); err != nil {
					t.Error(err)
				}
				if got := b.state(t).Phase(); got != phase.Verified {
					t.Errorf("at %s", got)
				}
			})
		})
	}
}

// TestExpiring: material that KMS forgets, with a description.
func TestExpiring(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, importer.CreateRequest{Spec: material.SymmetricDefault})
		b.agree(t, material.SymmetricDefault, []string{k.ARN}, "date: 2026-12-01", "date: 2000-01-01", "valid_to: never", "valid_to: 2000-12-30T00:00:00Z",
			"# description: what KMS shows beside the material", "description: payments")
		if err := b.run(t, b.desk.session(t, b.fetch(t))); err != nil {
			t.Fatal(err)
		}
		all, err := b.importer(t, region).Materials(t.Context(), k)
		if err != nil || len(all) != 1 || all[0].Description != "payments" || all[0].Expiry.String() != "2000-12-30T00:00:00Z" {
			t.Errorf("materials %+v, error %v", all, err)
		}
	})
}
