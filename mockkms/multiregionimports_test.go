// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

func (s *session) deletes(key string, material *string) string {
	s.Helper()
	return *must(s.DeleteImportedKeyMaterial(s.Context(), &kms.DeleteImportedKeyMaterialInput{KeyId: &key, KeyMaterialId: material})).KeyMaterialId
}

// imported makes an EXTERNAL primary with the material A and a replica in
// another Region, which has it as well.
func imported(s *session) (key, replica, a string) {
	s.Helper()
	key = s.multiRegion(types.OriginTypeExternal)
	a = s.imports(key, letters("A", 32), described("first"))
	replica = s.replica(key, west)
	s.in(west).imports(replica, letters("A", 32))
	return key, replica, a
}

// The first material of a multi-Region key, in both Regions.
func TestReplicaImportsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key, there := s.multiRegion(types.OriginTypeExternal), s.in(west)
		refused(t, s.replicate(key, west), "KMSInvalidStateException", key+" is pending import.")
		a := s.imports(key, letters("A", 32), described("first"))
		m := must(s.ReplicateKey(t.Context(), &kms.ReplicateKeyInput{KeyId: &key, ReplicaRegion: ptr(west)})).ReplicaKeyMetadata
		if m.KeyState != types.KeyStateCreating || m.ExpirationModel != types.ExpirationModelTypeKeyMaterialDoesNotExpire || m.CurrentKeyMaterialId != nil {
			t.Errorf("got %+v", m)
		}
		time.Sleep(mockkms.DefaultReplicationTime)
		replica := *m.Arn
		m = there.describe(replica)
		if m.KeyState != types.KeyStatePendingImport || m.ExpirationModel != "" || *m.CurrentKeyMaterialId != a {
			t.Errorf("got %+v", m)
		}
		there.wantMaterials(replica, a[:4]+" CURRENT PENDING_IMPORT first")

		_, err := there.ImportKeyMaterial(t.Context(), prepared(there, replica, letters("B", 32)))
		refused(t, err, "IncorrectKeyMaterialException", "Imported key material does not have the expected identifier ("+a+").")
		_, err = there.ImportKeyMaterial(t.Context(), prepared(there, replica, letters("A", 32), described("own")))
		refused(t, err, "ValidationException", "Key material description can only be specified on primary Multi-Region keys")
		_, err = there.ImportKeyMaterial(t.Context(), prepared(there, replica, letters("A", 32), asNew))
		refused(t, err, "ValidationException", "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys")
		if got := there.imports(replica, letters("A", 32), expiring(time.Hour)); got != a {
			t.Errorf("got material %s, want %s", got, a)
		}
		must(there.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: s.encrypted(key, "x")}))

		// Expiry and deletion stay in their Region.
		time.Sleep(time.Hour)
		there.wantState(replica, types.KeyStatePendingImport)
		s.wantState(key, types.KeyStateEnabled)
		there.imports(replica, letters("A", 32))
		s.deletes(key, nil)
		there.wantState(replica, types.KeyStateEnabled)
		s.wantState(key, types.KeyStatePendingImport)
	})
}

// A token is for the key of one Region.
func TestTokenOfAnotherRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		_, replica, _ := imported(s)
		in := s.importing(arnIn(replica, region), letters("A", 32))
		in.KeyId = &replica
		_, err := s.in(west).ImportKeyMaterial(t.Context(), in)
		refused(t, err, "InvalidImportTokenException", "")
	})
}

// New material rotates in when every Region has it.
func TestRotationOfImportedMultiRegionKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key, replica, a := imported(s)
		there := s.in(west)
		there.deletes(replica, nil) // the first material need not be everywhere
		b := s.imports(key, letters("B", 32), asNew, described("second"))
		const waits = " PENDING_MULTI_REGION_IMPORT_AND_ROTATION "
		s.wantMaterials(key, a[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE first", b[:4]+waits+"IMPORTED DOES_NOT_EXPIRE second")
		there.wantMaterials(replica, a[:4]+" CURRENT PENDING_IMPORT first", b[:4]+waits+"PENDING_IMPORT second")
		refused(t, s.rotate(key), "KMSInvalidStateException",
			"Cannot perform key material rotation: Key material has not been imported for replicas of the Multi-Region key.")

		if got := there.imports(replica, letters("B", 32)); got != b {
			t.Errorf("got material %s, want %s", got, b)
		}
		s.wantMaterials(key, a[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE first", b[:4]+" PENDING_ROTATION IMPORTED DOES_NOT_EXPIRE second")
		there.wantMaterials(replica, a[:4]+" CURRENT PENDING_IMPORT first", b[:4]+" PENDING_ROTATION IMPORTED DOES_NOT_EXPIRE second")
		must(0, s.rotate(key))
		if there.status(replica).OnDemandRotationStartDate == nil {
			t.Error("the replica does not show that it rotates")
		}
		time.Sleep(mockkms.DefaultRotationTime)
		s.wantMaterials(key, a[:4]+" NON_CURRENT IMPORTED DOES_NOT_EXPIRE first", b[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE ON_DEMAND second")
		there.wantMaterials(replica, a[:4]+" NON_CURRENT PENDING_IMPORT first", b[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE ON_DEMAND second")
		if !s.rotations(key)[1].RotationDate.Equal(*there.rotations(replica)[1].RotationDate) {
			t.Error("the Regions rotated at different times")
		}

		// The replica is to have all of them, whatever the primary has.
		there.wantState(replica, types.KeyStatePendingImport)
		s.wantState(key, types.KeyStateEnabled)
		there.imports(replica, letters("A", 32))
		there.wantState(replica, types.KeyStateEnabled)
		must(there.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: s.encrypted(key, "x")}))
	})
}

// Pending material that is deleted goes everywhere, or nowhere but there.
func TestDeletingPendingMaterialOfMultiRegionKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key, replica, a := imported(s)
		there := s.in(west)
		b := s.imports(key, letters("B", 32), asNew)
		first := a[:4] + " CURRENT IMPORTED DOES_NOT_EXPIRE first"
		staged := b[:4] + " PENDING_MULTI_REGION_IMPORT_AND_ROTATION "
		if got := there.deletes(replica, &b); got != b { // never imported there
			t.Errorf("got %s, want %s", got, b)
		}
		there.imports(replica, letters("B", 32))
		there.deletes(replica, &b)
		s.wantMaterials(key, first, staged+"IMPORTED DOES_NOT_EXPIRE ")
		there.wantMaterials(replica, first, staged+"PENDING_IMPORT ")
		there.wantState(replica, types.KeyStateEnabled)

		there.imports(replica, letters("B", 32))
		s.deletes(key, &b)
		s.wantMaterials(key, first)
		there.wantMaterials(replica, first)
		if got := s.imports(key, letters("B", 32), asNew); got != b {
			t.Errorf("staged again as %s, want %s", got, b)
		}
		there.wantMaterials(replica, first, staged+"PENDING_IMPORT ") // what was imported there is gone
	})
}

// A replica that loses the pending material while it rotates in goes on
// without it.
func TestLosingPendingMaterialWhileItRotatesIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key, replica, a := imported(s)
		there := s.in(west)
		b := s.imports(key, letters("B", 32), asNew)
		there.imports(replica, letters("B", 32))
		must(0, s.rotate(key))
		there.deletes(replica, &b)
		time.Sleep(mockkms.DefaultRotationTime)
		there.wantMaterials(replica, a[:4]+" NON_CURRENT IMPORTED DOES_NOT_EXPIRE first", b[:4]+" CURRENT PENDING_IMPORT ON_DEMAND ")
		there.wantState(replica, types.KeyStatePendingImport)
		_, err := there.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &replica, Plaintext: []byte("x")})
		refused(t, err, "KMSInvalidStateException", replica+" is pending import.")
		s.encrypted(key, "x")
		there.imports(replica, letters("B", 32))
		there.wantState(replica, types.KeyStateEnabled)
	})
}

// A replica restores what it lost without naming it.
func TestReplicaRestoresNonCurrentMaterial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key, replica, a := imported(s)
		there := s.in(west)
		s.imports(key, letters("B", 32), asNew)
		there.imports(replica, letters("B", 32))
		must(0, s.rotate(key))
		time.Sleep(mockkms.DefaultRotationTime)
		there.deletes(replica, &a)
		there.wantState(replica, types.KeyStatePendingImport)
		s.wantState(key, types.KeyStateEnabled)
		if got := there.imports(replica, letters("A", 32)); got != a {
			t.Errorf("restored as %s, want %s", got, a)
		}
		there.wantState(replica, types.KeyStateEnabled)
	})
}

// With the last Region that lacks it gone, pending material waits for nobody.
func TestPendingMaterialWithoutReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key, replica, a := imported(s)
		b := s.imports(key, letters("B", 32), asNew)
		s.in(west).scheduleDeletion(replica, 7)
		time.Sleep(7 * day)
		s.wantMaterials(key, a[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE first", b[:4]+" PENDING_ROTATION IMPORTED DOES_NOT_EXPIRE ")
		must(0, s.rotate(key))
	})
}

// Pending material that expired still counts as imported.
func TestExpiredPendingMaterialOfAReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key, replica, a := imported(s)
		b := s.imports(key, letters("B", 32), asNew)
		s.in(west).imports(replica, letters("B", 32), expiring(time.Hour))
		time.Sleep(2 * time.Hour)
		s.in(west).wantMaterials(replica, a[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE first", b[:4]+" PENDING_ROTATION IMPORTED EXPIRES until ")
		must(0, s.rotate(key))
		time.Sleep(mockkms.DefaultRotationTime)
		s.in(west).wantState(replica, types.KeyStatePendingImport)
		s.wantState(key, types.KeyStateEnabled)
	})
}

// Key pairs and HMAC keys have one material, the same in every Region.
func TestImportedHMACKeyInTwoRegions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := *must(s.CreateKey(t.Context(), &kms.CreateKeyInput{
			Origin: types.OriginTypeExternal, MultiRegion: ptr(true), KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac,
		})).KeyMetadata.Arn
		s.imports(key, letters("A", 32))
		replica, there := s.replica(key, west), s.in(west)
		_, err := there.ImportKeyMaterial(t.Context(), prepared(there, replica, letters("A", 32), asNew))
		refused(t, err, "ValidationException", "Input parameter importType cannot be used with HMAC_256 imported keys.")
		if _, err := there.ImportKeyMaterial(t.Context(), prepared(there, replica, letters("B", 32))); err == nil {
			t.Error("other material was taken")
		}
		there.imports(replica, letters("A", 32))
		there.wantState(replica, types.KeyStateEnabled)
	})
}
