// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

const day = 24 * time.Hour

// symmetric creates a symmetric key of origin AWS_KMS.
func (s *session) symmetric() string {
	s.Helper()
	return s.key(types.OriginTypeAwsKms, types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt)
}

func (s *session) enableRotation(key string, days ...int32) error {
	in := &kms.EnableKeyRotationInput{KeyId: &key}
	if len(days) > 0 {
		in.RotationPeriodInDays = &days[0]
	}
	_, err := s.EnableKeyRotation(s.Context(), in)
	return err
}

// wantRotation demands the period, in days, and the next date; 0 is none.
func (s *session) wantRotation(key string, days int32, next time.Time) {
	s.Helper()
	got := s.status(key)
	want := fmt.Sprint(days != 0, days, next.UTC())
	if said := fmt.Sprint(got.KeyRotationEnabled, aws.ToInt32(got.RotationPeriodInDays), aws.ToTime(got.NextRotationDate).UTC()); said != want || *got.KeyId != key {
		s.Errorf("got rotation %s of %s\nwant %s of %s", said, *got.KeyId, want, key)
	}
}

// The settings of automatic rotation, as recorded.
func TestRotationSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key, start, never := s.symmetric(), time.Now(), time.Time{}
		s.wantRotation(key, 0, never)
		must(s.DisableKeyRotation(t.Context(), &kms.DisableKeyRotationInput{KeyId: &key})) // never had it
		must(0, s.enableRotation(key, 90))
		s.wantRotation(key, 90, start.Add(90*day))

		time.Sleep(day)
		later := time.Now()
		must(0, s.enableRotation(key, 90)) // the same period keeps the date
		s.wantRotation(key, 90, start.Add(90*day))
		must(0, s.enableRotation(key, 2560))
		s.wantRotation(key, 2560, later.Add(2560*day))
		time.Sleep(day)
		must(0, s.enableRotation(key)) // no period keeps both
		s.wantRotation(key, 2560, later.Add(2560*day))

		must(s.DisableKeyRotation(t.Context(), &kms.DisableKeyRotationInput{KeyId: &key}))
		s.wantRotation(key, 0, never)
		must(0, s.enableRotation(key))
		s.wantRotation(key, 365, later.Add(366*day))

		must(s.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key})) // shows what it showed
		s.wantRotation(key, 365, later.Add(366*day))
		must(s.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key}))
		s.wantRotation(key, 0, never)
		must(s.CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: &key}))
		s.wantRotation(key, 365, later.Add(366*day))
	})
}

func TestRotationPeriodIsChecked(t *testing.T) {
	s := newSession(t)
	key := s.symmetric()
	refused(t, s.enableRotation(key, 2561), "ValidationException",
		"1 validation error detected: Value '2561' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value less than or equal to 2560")
	refused(t, s.enableRotation(key, 89), "ValidationException",
		"1 validation error detected: Value '89' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value greater than or equal to 90")
	refused(t, s.enableRotation("alias/a"), "InvalidArnException", "Key Aliases are not supported for this operation.")
}

func TestRotationSettingsOfHMACKeys(t *testing.T) {
	s := newSession(t)
	key := s.key(types.OriginTypeAwsKms, types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac)
	refused(t, s.enableRotation(key), "UnsupportedOperationException", "")
	refused(t, s.rotate(key), "UnsupportedOperationException", "")
	must(s.DisableKeyRotation(t.Context(), &kms.DisableKeyRotationInput{KeyId: &key}))
	s.wantRotation(key, 0, time.Time{})
}

// Keys rotate at their dates, whether anybody looks or not, and what was
// encrypted before can still be read.
func TestAutomaticRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key, start := s.symmetric(), time.Now()
		must(0, s.enableRotation(key, 100))
		first := *s.describe(key).CurrentKeyMaterialId
		old := must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("old")})).CiphertextBlob
		time.Sleep(100*day - time.Millisecond)
		if got := *s.describe(key).CurrentKeyMaterialId; got != first {
			t.Error("rotated before its date")
		}
		time.Sleep(100*day + time.Millisecond) // two dates
		s.wantRotation(key, 100, start.Add(300*day))
		list := s.rotations(key)
		if len(list) != 3 || list[0].RotationDate != nil || !list[1].RotationDate.Equal(start.Add(100*day)) || !list[2].RotationDate.Equal(start.Add(200*day)) {
			t.Errorf("got %+v", list)
		}
		s.wantMaterials(key, first[:4]+" NON_CURRENT  ", s.id(key, 1)+" NON_CURRENT  AUTOMATIC ", s.id(key, 2)+" CURRENT  AUTOMATIC ")
		if got := must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: old})); string(got.Plaintext) != "old" || *got.KeyMaterialId != first {
			t.Errorf("got %q by %s", got.Plaintext, *got.KeyMaterialId)
		}

		// An on-demand rotation does not move the date.
		must(0, s.rotate(key))
		time.Sleep(mockkms.DefaultRotationTime)
		s.wantRotation(key, 100, start.Add(300*day))
		if got := s.rotations(key); len(got) != 4 || got[3].RotationType != types.RotationTypeOnDemand {
			t.Errorf("got %+v", got)
		}
	})
}

// id is the beginning of a material's ID, by its place in the list.
func (s *session) id(key string, i int) string {
	s.Helper()
	return (*s.rotations(key)[i].KeyMaterialId)[:4]
}

// What a reader saw before anything was written is what is written later.
func TestRotationIsTheSameForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.symmetric()
		must(0, s.enableRotation(key))
		time.Sleep(365 * day)
		blob := must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})).CiphertextBlob
		must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob}))
		must(s.UpdateKeyDescription(t.Context(), &kms.UpdateKeyDescriptionInput{KeyId: &key, Description: ptr("written")}))
		must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob}))
	})
}

// A disabled key does not rotate, and makes up for it when it is enabled.
func TestDisabledKeysDoNotRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.symmetric()
		must(0, s.enableRotation(key, 90))
		must(s.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key}))
		time.Sleep(100 * day)
		if got := s.rotations(key); len(got) != 1 {
			t.Errorf("disabled: got %d materials, want 1", len(got))
		}
		must(s.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &key}))
		enabled := time.Now()
		if got := s.rotations(key); len(got) != 2 || !got[1].RotationDate.Equal(enabled) {
			t.Errorf("enabled: got %+v", got)
		}
		s.wantRotation(key, 90, enabled.Add(90*day))
	})
}

// Within 20 minutes of its date no other rotation can be asked for.
func TestRotationNearItsDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.symmetric()
		must(0, s.enableRotation(key, 90))
		time.Sleep(90*day - 20*time.Minute - time.Second)
		must(0, s.rotate(key))
		time.Sleep(mockkms.DefaultRotationTime)
		refused(t, s.rotate(key), "ConflictException",
			"Automatic rotation of the key "+key+" is in progress or due within the next 20 minutes.")
		time.Sleep(20 * time.Minute)
		must(0, s.rotate(key))
	})
}

// A rotation under way ends also in a key that is disabled or scheduled for
// deletion meanwhile.
func TestRotationGoesOnWithoutTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		disabled, doomed := s.symmetric(), s.symmetric()
		must(0, s.rotate(disabled))
		must(0, s.rotate(doomed))
		must(s.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &disabled}))
		must(s.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &doomed}))
		if s.status(doomed).OnDemandRotationStartDate == nil {
			t.Error("the start of the rotation is not shown while the key is pending deletion")
		}
		time.Sleep(mockkms.DefaultRotationTime)
		for _, key := range []string{disabled, doomed} {
			if got := s.rotations(key); len(got) != 2 || s.status(key).OnDemandRotationStartDate != nil {
				t.Errorf("got %+v", got)
			}
		}
	})
}

func TestRotationsOnDemandAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.symmetric()
		for range 25 {
			must(0, s.rotate(key))
			time.Sleep(mockkms.DefaultRotationTime)
		}
		refused(t, s.rotate(key), "LimitExceededException", "The on-demand rotations limit has been reached for the given keyId. "+
			"No more on-demand rotations can be performed for this key: "+key)
		if got := len(s.rotations(key)); got != 26 {
			t.Errorf("got %d materials, want 26", got)
		}
	})
}

// Without IncludeKeyMaterial only completed rotations are listed: neither the
// first material nor a pending one.
func TestListKeyRotationsTellsRotations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		own, imported := s.symmetric(), s.external(types.KeySpecSymmetricDefault)
		s.imports(imported, letters("A", 32))
		b := s.imports(imported, letters("B", 32), asNew)
		for _, key := range []string{own, imported} {
			list := func() string { return s.send("ListKeyRotations", `{"KeyId": "`+key+`"}`).body }
			if got, want := list(), `{"Rotations":[],"Truncated":false}`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			must(0, s.rotate(key))
			if got, want := list(), `{"Rotations":[],"Truncated":false}`; got != want {
				t.Errorf("while it rotates: got %s, want %s", got, want)
			}
			done := time.Now().Add(mockkms.DefaultRotationTime)
			time.Sleep(time.Minute) // the date is that of the end, not of the look
			got := must(s.ListKeyRotations(t.Context(), &kms.ListKeyRotationsInput{KeyId: &key})).Rotations
			if len(got) != 1 || got[0].RotationType != types.RotationTypeOnDemand || !got[0].RotationDate.Equal(done) || *got[0].KeyId != key ||
				got[0].KeyMaterialState != types.KeyMaterialStateCurrent {
				t.Errorf("got %+v", got)
			}
			if key == imported && *got[0].KeyMaterialId != b {
				t.Errorf("rotated to %s, want %s", *got[0].KeyMaterialId, b)
			}
		}
	})
}

func TestAliasesNameNoKeyToRotate(t *testing.T) {
	s := newSession(t)
	key := s.symmetric()
	must(s.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/a"), TargetKeyId: &key}))
	for _, operation := range []string{"EnableKeyRotation", "DisableKeyRotation", "GetKeyRotationStatus", "ListKeyRotations", "RotateKeyOnDemand", "ReplicateKey", "UpdatePrimaryRegion"} {
		for _, alias := range []string{"alias/a", "arn:aws:kms:us-east-1:111122223333:alias/a"} {
			got := s.send(operation, `{"KeyId": "`+alias+`", "ReplicaRegion": "eu-west-1", "PrimaryRegion": "eu-west-1"}`)
			if got.Type != "InvalidArnException" || got.message() != "Key Aliases are not supported for this operation." {
				t.Errorf("%s: got %s %s", operation, got.Type, got.message())
			}
		}
	}
}

// While a rotation runs the current material may be imported again, and the
// key goes on with the old one.
func TestReimportWhileRotating(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.external(types.KeySpecSymmetricDefault)
		a := s.imports(key, letters("A", 32))
		b := s.imports(key, letters("B", 32), asNew)
		must(0, s.rotate(key))
		s.imports(key, letters("A", 32), expiring(time.Hour))
		time.Sleep(mockkms.DefaultRotationTime)
		s.wantMaterials(key, a[:4]+" NON_CURRENT IMPORTED EXPIRES until ", b[:4]+" CURRENT IMPORTED DOES_NOT_EXPIRE ON_DEMAND ")
		time.Sleep(time.Hour)
		s.wantState(key, types.KeyStatePendingImport) // all of it is needed
	})
}
