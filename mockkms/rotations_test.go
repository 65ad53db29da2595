// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// rotations lists all materials of a key.
func (s *session) rotations(key string) []types.RotationsListEntry {
	s.Helper()
	return must(s.ListKeyRotations(s.Context(), &kms.ListKeyRotationsInput{
		KeyId: &key, IncludeKeyMaterial: types.IncludeKeyMaterialAllKeyMaterial,
	})).Rotations
}

// materials sums up the list of materials: which, in what state, with which members.
func (s *session) materials(key string) []string {
	s.Helper()
	var list []string
	for _, r := range s.rotations(key) {
		words := []string{(*r.KeyMaterialId)[:4], string(r.KeyMaterialState), string(r.ImportState)}
		if r.ExpirationModel != "" {
			words = append(words, strings.TrimPrefix(string(r.ExpirationModel), "KEY_MATERIAL_"))
		}
		if r.ValidTo != nil {
			words = append(words, "until")
		}
		if r.RotationDate != nil {
			words = append(words, string(r.RotationType))
		}
		list = append(list, strings.Join(append(words, aws.ToString(r.KeyMaterialDescription)), " "))
	}
	return list
}

func (s *session) wantMaterials(key string, want ...string) {
	s.Helper()
	if got := s.materials(key); !slices.Equal(got, want) {
		s.Errorf("got materials\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (s *session) rotate(key string) error {
	_, err := s.RotateKeyOnDemand(s.Context(), &kms.RotateKeyOnDemandInput{KeyId: &key})
	return err
}

func described(text string) func(*kms.ImportKeyMaterialInput) {
	return func(in *kms.ImportKeyMaterialInput) { in.KeyMaterialDescription = &text }
}

// One symmetric key through staging, rotation and loss, as recorded.
func TestSeveralMaterials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.external(types.KeySpecSymmetricDefault)
		refused(t, s.rotate(key), "KMSInvalidStateException", key+" is pending import.")
		a := s.imports(key, letters("A", 32), described("first"))
		refused(t, s.rotate(key), "KMSInvalidStateException", "No available key material pending rotation for the key: "+key+".")
		old := must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("old")}))

		b := s.imports(key, letters("B", 32), asNew, described("second"))
		s.wantMaterials(key, a[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE first", b[:4]+" PENDING_ROTATION IMPORTED DOES_NOT_EXPIRE second")
		if got := s.describe(key); *got.CurrentKeyMaterialId != a || got.KeyState != types.KeyStateEnabled {
			t.Errorf("staging changed the key: %s %s", *got.CurrentKeyMaterialId, got.KeyState)
		}
		_, err := s.ImportKeyMaterial(t.Context(), prepared(s, key, letters("B", 32), asNew))
		refused(t, err, "IncorrectKeyMaterialException", fmt.Sprintf(
			"Key material (id: %s) being imported as NEW_KEY_MATERIAL is already associated with KMS key %s.", b, key))
		_, err = s.ImportKeyMaterial(t.Context(), prepared(s, key, letters("C", 32), asNew))
		if c := b; err == nil || !strings.Contains(err.Error(), "because another key material (id: "+c+") is pending rotation.") {
			t.Errorf("third material: got %v", err)
		}

		must(0, s.rotate(key))
		must(0, s.rotate(key)) // a second request while one runs
		if got := *s.describe(key).CurrentKeyMaterialId; got != a {
			t.Errorf("rotation is not asynchronous: current is %s", got)
		}
		if s.status(key).OnDemandRotationStartDate == nil {
			t.Error("no start date while a rotation runs")
		}
		time.Sleep(mockkms.DefaultRotationTime)
		s.wantMaterials(key, a[:4]+" NON_CURRENT IMPORTED DOES_NOT_EXPIRE first", b[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE ON_DEMAND second")
		if s.status(key).OnDemandRotationStartDate != nil {
			t.Error("start date after the rotation")
		}
		out := must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: old.CiphertextBlob}))
		if string(out.Plaintext) != "old" || *out.KeyMaterialId != a {
			t.Errorf("old ciphertext: got %q by %s", out.Plaintext, *out.KeyMaterialId)
		}
		re := must(s.ReEncrypt(t.Context(), &kms.ReEncryptInput{CiphertextBlob: old.CiphertextBlob, DestinationKeyId: &key}))
		if *re.SourceKeyMaterialId != a || *re.DestinationKeyMaterialId != b {
			t.Errorf("ReEncrypt from %s to %s", *re.SourceKeyMaterialId, *re.DestinationKeyMaterialId)
		}

		// Losing a material that is no longer current stops the whole key.
		must(s.DeleteImportedKeyMaterial(t.Context(), &kms.DeleteImportedKeyMaterialInput{KeyId: &key, KeyMaterialId: &a}))
		s.wantMaterials(key, a[:4]+" NON_CURRENT PENDING_IMPORT first", b[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE ON_DEMAND second")
		_, err = s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})
		refused(t, err, "KMSInvalidStateException", key+" is pending import.")
		got := s.describe(key)
		if got.KeyState != types.KeyStatePendingImport || got.ExpirationModel != "" || *got.CurrentKeyMaterialId != b {
			t.Errorf("got %s %q %s", got.KeyState, got.ExpirationModel, *got.CurrentKeyMaterialId)
		}
		if id := s.imports(key, letters("A", 32)); id != a {
			t.Errorf("restored as %s", id)
		}
		must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: old.CiphertextBlob}))
	})
}

// prepared is an import altered, but not sent.
func prepared(s *session, key string, material []byte, alter ...func(*kms.ImportKeyMaterialInput)) *kms.ImportKeyMaterialInput {
	in := s.importing(key, material)
	for _, f := range alter {
		f(in)
	}
	return in
}

func (s *session) status(key string) *kms.GetKeyRotationStatusOutput {
	s.Helper()
	return must(s.GetKeyRotationStatus(s.Context(), &kms.GetKeyRotationStatusInput{KeyId: &key}))
}

// What rotates in is what is pending at the end, not at the request.
func TestRotationTakesWhatIsPendingAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.external(types.KeySpecSymmetricDefault)
		a := s.imports(key, letters("A", 32))
		b := s.imports(key, letters("B", 32), asNew, described("second"))
		must(0, s.rotate(key))
		must(s.DeleteImportedKeyMaterial(t.Context(), &kms.DeleteImportedKeyMaterialInput{KeyId: &key, KeyMaterialId: &b}))
		c := s.imports(key, letters("C", 32), asNew)
		time.Sleep(mockkms.DefaultRotationTime)
		s.wantMaterials(key, a[:4]+" NON_CURRENT IMPORTED DOES_NOT_EXPIRE ", c[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE ON_DEMAND ")
		refused(t, s.rotate(key), "KMSInvalidStateException", "No available key material pending rotation for the key: "+key+".")

		// Staged again after a delete: the same ID, not the old description.
		if again := s.imports(key, letters("B", 32), asNew); again != b {
			t.Errorf("staged again as %s, want %s", again, b)
		}
		must(0, s.rotate(key))
		must(s.DeleteImportedKeyMaterial(t.Context(), &kms.DeleteImportedKeyMaterialInput{KeyId: &key, KeyMaterialId: &b}))
		time.Sleep(mockkms.DefaultRotationTime)
		if got := s.describe(key); *got.CurrentKeyMaterialId != c || s.status(key).OnDemandRotationStartDate != nil {
			t.Errorf("a rotation without material left traces: %+v", got)
		}
	})
}

// An expired pending material is rotated in all the same, and stops the key.
func TestExpiredPendingMaterial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.external(types.KeySpecSymmetricDefault)
		a := s.imports(key, letters("A", 32))
		b := s.imports(key, letters("B", 32), asNew, expiring(time.Minute))
		time.Sleep(2 * time.Minute)
		s.wantMaterials(key, a[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE ", b[:4]+" PENDING_ROTATION IMPORTED EXPIRES until ")
		if got := s.describe(key).KeyState; got != types.KeyStateEnabled {
			t.Errorf("the key is %s", got)
		}
		_, err := s.ImportKeyMaterial(t.Context(), prepared(s, key, letters("B", 32), asNew))
		refused(t, err, "IncorrectKeyMaterialException", fmt.Sprintf(
			"Key material (id: %s) being imported as NEW_KEY_MATERIAL is already associated with KMS key %s.", b, key))
		must(0, s.rotate(key))
		time.Sleep(mockkms.DefaultRotationTime)
		got := s.describe(key)
		if got.KeyState != types.KeyStatePendingImport || *got.CurrentKeyMaterialId != b {
			t.Errorf("got %s %s", got.KeyState, *got.CurrentKeyMaterialId)
		}
		s.imports(key, letters("B", 32))
		if got := s.describe(key).KeyState; got != types.KeyStateEnabled {
			t.Errorf("after the reimport the key is %s", got)
		}
	})
}

func TestRotationOfOtherKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		hmac := s.external(types.KeySpecHmac256)
		s.imports(hmac, letters("A", 32))
		refused(t, s.rotate(hmac), "UnsupportedOperationException", "")
		if got := must(s.ListKeyRotations(t.Context(), &kms.ListKeyRotationsInput{KeyId: &hmac})).Rotations; len(got) != 0 {
			t.Errorf("HMAC: got %v", got)
		}
		_, err := s.ListKeyRotations(t.Context(), &kms.ListKeyRotationsInput{KeyId: &hmac, IncludeKeyMaterial: types.IncludeKeyMaterialAllKeyMaterial})
		refused(t, err, "ValidationException", "Input parameter includeKeyMaterial can only be used with symmetric keys.")

		own := *must(s.CreateKey(t.Context(), &kms.CreateKeyInput{})).KeyMetadata.Arn
		before := *s.describe(own).CurrentKeyMaterialId
		must(0, s.rotate(own))
		if got := s.rotations(own); len(got) != 1 {
			t.Errorf("while it rotates: got %d materials, want 1", len(got))
		}
		time.Sleep(mockkms.DefaultRotationTime)
		after := *s.describe(own).CurrentKeyMaterialId
		s.wantMaterials(own, before[:4]+" NON_CURRENT  ", after[:4]+" CURRENT  ON_DEMAND ")
	})
}

func TestListKeyRotationsPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.external(types.KeySpecSymmetricDefault)
		a := s.imports(key, letters("A", 32))
		b := s.imports(key, letters("B", 32), asNew)
		in := &kms.ListKeyRotationsInput{KeyId: &key, IncludeKeyMaterial: types.IncludeKeyMaterialAllKeyMaterial, Limit: ptr[int32](1)}
		one := must(s.ListKeyRotations(t.Context(), in))
		in.Marker = one.NextMarker
		two := must(s.ListKeyRotations(t.Context(), in))
		if *one.Rotations[0].KeyMaterialId != a || !one.Truncated || *two.Rotations[0].KeyMaterialId != b || two.Truncated || two.NextMarker != nil {
			t.Errorf("got pages %+v and %+v", one, two)
		}
		in.Marker = ptr("not a marker")
		_, err := s.ListKeyRotations(t.Context(), in)
		refused(t, err, "InvalidMarkerException", "")
		alias := "alias/a"
		_, err = s.ListKeyRotations(t.Context(), &kms.ListKeyRotationsInput{KeyId: &alias})
		refused(t, err, "InvalidArnException", "Key Aliases are not supported for this operation.")
	})
}
