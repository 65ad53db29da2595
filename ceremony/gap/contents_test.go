// SPDX-License-Identifier: Apache-2.0

package gap_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
)

func TestParameters(t *testing.T) {
	p := agreed(t)
	content := paramsFile(t, p)
	if got, err := bundle(t, p).Parameters(p, "primary", content); err != nil || got.KeyARN != p.Targets[0].Key {
		t.Fatalf("got %+v, %v", got, err)
	}
	other := func(oldAndNew ...string) (*gap.Bundle, *plan.Plan) {
		q := agreed(t, oldAndNew...)
		b := bundle(t, p)
		b.PlanSHA256 = q.Digest()
		return b, q
	}
	tests := []struct {
		name   string
		change []string
		alter  func(*gap.Bundle)
		target string
		want   string
	}{
		{name: "another plan", alter: func(b *gap.Bundle) { b.PlanSHA256[0]++ }, want: `it is of the ceremony "payments-2026" by another plan than this`},
		{name: "another file", alter: func(b *gap.Bundle) { b.Fetched[0].File.SHA256[0]++ }, want: "primary.params.json is not the file that was recorded"},
		{name: "another size", alter: func(b *gap.Bundle) { b.Fetched[0].File.Size++ }, want: "primary.params.json is not the file that was recorded"},
		{name: "no such target", target: "replica", want: `replica: target is "", want "replica"`},
		{name: "a key of our own", alter: func(b *gap.Bundle) { b.Fetched[0].Key.Origin = "AWS_KMS" }, want: `primary: origin is "AWS_KMS", want "EXTERNAL"`},
		{name: "a key about to be deleted", alter: func(b *gap.Bundle) { b.Fetched[0].Key.State = "PendingDeletion" }, want: `primary: key_state is "PendingDeletion", want "PendingImport"`},
		{name: "another usage", alter: func(b *gap.Bundle) { b.Fetched[0].Key.Usage = "SIGN_VERIFY" }, want: `primary: key_usage is "SIGN_VERIFY", want "ENCRYPT_DECRYPT"`},
		{name: "another key", change: []string{"key: arn:aws:kms:eu-central-1:111122223333:key/12", "key: arn:aws:kms:eu-central-1:111122223333:key/99"},
			want: `primary: key_arn is "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", want "arn:aws:kms:eu-central-1:111122223333:key/9934abcd-12ab-34cd-56ef-1234567890ab"`},
		{name: "another Region than the alias is in", change: []string{"region: eu-central-1", "region: eu-west-1", "key: arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", "key: alias/payments"},
			want: `primary: key_arn is "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", want "arn:aws:kms:eu-west-1:111122223333:key/…"`},
		{name: "another spec", change: []string{"spec: SYMMETRIC_DEFAULT", "spec: HMAC_256"}, want: `primary: key_spec is "SYMMETRIC_DEFAULT", want "HMAC_256"`},
		{name: "another algorithm", change: []string{"algorithm: RSAES_OAEP_SHA_256", "algorithm: RSAES_OAEP_SHA_1"},
			want: `primary: wrapping is "RSAES_OAEP_SHA_256 RSA_4096", want "RSAES_OAEP_SHA_1 RSA_4096"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, q := other(tt.change...)
			if tt.alter != nil {
				tt.alter(b)
			}
			if tt.target == "" {
				tt.target = "primary"
			}
			if _, err := b.Parameters(q, tt.target, content); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestMaterial(t *testing.T) {
	p := agreed(t)
	content := wrappedFile(t, p)
	got, err := pack(t, p).Material(p, "primary", content)
	if err != nil || !bytes.Equal(got.EncryptedKeyMaterial, bytes.Repeat([]byte{0x5a}, 512)) {
		t.Fatalf("got %v", err)
	}
	for name, tt := range map[string]struct {
		alter func(*gap.Package)
		want  string
	}{
		"another file":        {func(k *gap.Package) { k.Wrapped[0].File.SHA256[31]++ }, "primary.wrapped.json is not the file that was recorded"},
		"another import":      {func(k *gap.Package) { k.Wrapped[0].Import = plan.ImportExisting }, `primary: import is "existing", want "new"`},
		"another expiry":      {func(k *gap.Package) { k.Wrapped[0].ValidTo = day }, `primary: valid_to is "2026-12-01T09:30:00Z", want "0001-01-01T00:00:00Z"`},
		"another description": {func(k *gap.Package) { k.Wrapped[0].Description = "mine" }, `primary: description is "mine", want ""`},
	} {
		t.Run(name, func(t *testing.T) {
			k := pack(t, p)
			tt.alter(k)
			if _, err := k.Material(p, "primary", content); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestMaterialOfAnotherSpec(t *testing.T) {
	p := agreed(t, "spec: SYMMETRIC_DEFAULT", "spec: HMAC_256")
	if _, err := pack(t, p).Material(p, "primary", wrappedFile(t, p)); err == nil || err.Error() != `primary: key_spec is "SYMMETRIC_DEFAULT", want "HMAC_256"` {
		t.Errorf("got %v", err)
	}
}

// TestExpectedMaterial is for material that KMS knows already.
func TestExpectedMaterial(t *testing.T) {
	id := strings.Repeat("ab", 32)
	p := agreed(t, "source: drbg", "source: escrow", "# expected:\n#   escrow: 32 hexadecimal digits\n#   fingerprint: cmac:0a1b2c3d4e\n#   material_id: 64 hexadecimal digits",
		"expected:\n  escrow: 04000000000000000000000000000000\n  fingerprint: cmac:0a1b2c3d4e\n  material_id: "+id)
	k := pack(t, p)
	if _, err := k.Material(p, "primary", wrappedFile(t, p)); err == nil || err.Error() != `primary: material_id is "", want "`+id+`"` {
		t.Errorf("got %v", err)
	}
	k.Wrapped[0].MaterialID = id
	if _, err := k.Material(p, "primary", wrappedFile(t, p)); err != nil {
		t.Error(err)
	}
}

func TestCheckEscrow(t *testing.T) {
	p := agreed(t)
	content := escrowFile(t, false)
	if f, err := seal(t, p).CheckEscrow(p, "x.escrow", content); err != nil || f.Shares.Count != 3 {
		t.Fatalf("got %+v, %v", f, err)
	}
	for name, tt := range map[string]struct {
		alter func(*gap.Seal)
		want  string
	}{
		"another file":        {func(s *gap.Seal) { s.EscrowSHA256[0]++ }, "x.escrow is not the file that was recorded"},
		"another fingerprint": {func(s *gap.Seal) { s.Fingerprint = "cmac:0000000000" }, `fingerprint is "cmac:4bfe1c7976", want "cmac:0000000000"`},
		"a share not read":    {func(s *gap.Seal) { s.Shares = s.Shares[:2] }, `shares read back is "2", want "3"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := seal(t, p)
			tt.alter(s)
			if _, err := s.CheckEscrow(p, "x.escrow", content); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestValidate tries to write what no reader takes.
func TestValidate(t *testing.T) {
	p := agreed(t)
	local := time.Date(2026, 12, 1, 9, 30, 0, 0, time.FixedZone("CET", 3600))
	for name, v := range map[string]interface{ Encode() ([]byte, error) }{
		"keymat/bundle: fetched: missing":                              &gap.Bundle{Origin: gap.OriginOf(p)},
		"keymat/bundle: fetched.target: given twice":                   twice(bundle(t, p)),
		"keymat/bundle: fetched.params.name: not a plain name":         changed(bundle(t, p), func(b *gap.Bundle) { b.Fetched[0].File.Name = "../x" }),
		"keymat/bundle: fetched.fetched_at: not a time in UTC":         changed(bundle(t, p), func(b *gap.Bundle) { b.Fetched[0].At = local }),
		"keymat/package: wrapped_for: missing":                         changed(pack(t, p), func(k *gap.Package) { k.Wrapped = nil }),
		"keymat/package: a digest is missing":                          changed(pack(t, p), func(k *gap.Package) { k.Bundle = [32]byte{} }),
		"keymat/package: escrow: missing":                              changed(pack(t, p), func(k *gap.Package) { k.Escrow = escrow.ID{} }),
		"keymat/package: fingerprint: missing":                         changed(pack(t, p), func(k *gap.Package) { k.Fingerprint = "" }),
		"keymat/package: wrapped_for.import: neither new nor existing": changed(pack(t, p), func(k *gap.Package) { k.Wrapped[0].Import = "" }),
		"keymat/seal: sealed_at: not a time in UTC":                    changed(seal(t, p), func(s *gap.Seal) { s.At = local }),
		"keymat/seal: copies: missing":                                 changed(seal(t, p), func(s *gap.Seal) { s.Copies = nil }),
		"keymat/seal: shares: not all of them, in their order":         changed(seal(t, p), func(s *gap.Seal) { s.Shares = s.Shares[1:] }),
		"keymat/seal: shares: missing":                                 changed(seal(t, p), func(s *gap.Seal) { s.Shares = s.Shares[:1] }),
		"keymat/gap: files: missing":                                   changed(manifest(t, p), func(m *gap.Manifest) { m.Files = nil }),
		"keymat/gap: files: not by name":                               changed(manifest(t, p), func(m *gap.Manifest) { m.Files[0].Name = "z" }),
		"keymat/gap: direction: neither in nor out":                    changed(manifest(t, p), func(m *gap.Manifest) { m.Direction = "" }),
		"keymat/gap: files.name: not a plain name":                     changed(manifest(t, p), func(m *gap.Manifest) { m.Files = []gap.File{{Name: "gap.manifest"}} }),
		"keymat/gap: files.name: given twice":                          changed(manifest(t, p), func(m *gap.Manifest) { m.Files = []gap.File{{Name: "A"}, {Name: "a"}} }),
	} {
		if _, err := v.Encode(); err == nil || err.Error() != name {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}

func changed[T any](v *T, how func(*T)) *T {
	how(v)
	return v
}

func twice(b *gap.Bundle) *gap.Bundle {
	b.Fetched = append(b.Fetched, b.Fetched[0])
	return b
}
