// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

func TestParametersEndAfter24Hours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.external(types.KeySpecSymmetricDefault)
		fetched := time.Now()
		p := s.parameters(key)
		if want := fetched.Add(24 * time.Hour); !p.ParametersValidTo.Equal(want) {
			t.Errorf("got ParametersValidTo %v, want %v", p.ParametersValidTo, want)
		}
		in := s.importing(key, letters("A", 32))
		time.Sleep(24*time.Hour - time.Millisecond)
		must(s.ImportKeyMaterial(t.Context(), in))
		time.Sleep(time.Millisecond)
		_, err := s.ImportKeyMaterial(t.Context(), in)
		refused(t, err, "ExpiredImportTokenException", "")
	})
}

func TestMaterialExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.external(types.KeySpecSymmetricDefault)
		id := s.imports(key, letters("A", 32), expiring(90*time.Minute))
		blob := must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})).CiphertextBlob
		time.Sleep(90*time.Minute - time.Second)
		if got := s.describe(key); got.KeyState != types.KeyStateEnabled {
			t.Errorf("a second before ValidTo the key is %s", got.KeyState)
		}
		time.Sleep(time.Second)
		got := s.describe(key)
		if got.KeyState != types.KeyStatePendingImport || got.ValidTo != nil || got.ExpirationModel != "" || *got.CurrentKeyMaterialId != id {
			t.Errorf("at ValidTo: %s %v %q %s", got.KeyState, got.ValidTo, got.ExpirationModel, aws.ToString(got.CurrentKeyMaterialId))
		}
		s.wantMaterials(key, id[:4]+" CURRENT IMPORTED EXPIRES until ")
		_, err := s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob}) // finds the key, and says so
		refused(t, err, "KMSInvalidStateException", key+" is pending import.")
		s.imports(key, letters("A", 32))
		must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob}))
	})
}

// Exactly 365 days ahead is still taken; a moment more is not.
func TestValidToAtMost365Days(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.external(types.KeySpecSymmetricDefault)
		const year = 365 * 24 * time.Hour
		s.imports(key, letters("A", 32), expiring(year))
		_, err := s.ImportKeyMaterial(t.Context(), prepared(s, key, letters("A", 32), expiring(year+time.Second)))
		refused(t, err, "ValidationException", "ValidTo must be less than 365 days in the future")
	})
}

func TestDeletedKeyGoesAtItsDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.key(types.OriginTypeAwsKms, types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt)
		must(s.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/a"), TargetKeyId: &key}))
		out := must(s.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: ptr[int32](7)}))
		if want := time.Now().Add(7 * 24 * time.Hour); !out.DeletionDate.Equal(want) || out.KeyState != types.KeyStatePendingDeletion || *out.PendingWindowInDays != 7 {
			t.Errorf("got %+v, want %v", out, want)
		}
		time.Sleep(7*24*time.Hour - time.Millisecond)
		s.describe("alias/a")
		time.Sleep(time.Millisecond)
		_, err := s.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
		refused(t, err, "NotFoundException", "Key '"+key+"' does not exist")
		_, err = s.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: ptr("alias/a")})
		refused(t, err, "NotFoundException", "Alias arn:aws:kms:us-east-1:111122223333:alias/a is not found.")
		if got := must(s.ListKeys(t.Context(), nil)).Keys; len(got) != 0 {
			t.Errorf("ListKeys still tells %v", got)
		}
		other := s.key(types.OriginTypeAwsKms, types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt)
		must(s.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/a"), TargetKeyId: &other})) // the name is free
	})
}

// What is over goes from the store itself with the next write to it.
func TestNothingOverdueIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mockkms.NewMemoryStore()
		s := newSession(t, mockkms.WithStore(store), mockkms.WithTrail(0)) // events go on to name keys
		expired := s.external(types.KeySpecSymmetricDefault)
		s.imports(expired, letters("A", 32), expiring(time.Hour))
		deleted := s.key(types.OriginTypeAwsKms, types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt)
		must(s.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/a"), TargetKeyId: &deleted}))
		must(s.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &deleted}))
		time.Sleep(31 * 24 * time.Hour)
		must(s.UpdateKeyDescription(t.Context(), &kms.UpdateKeyDescriptionInput{KeyId: &expired, Description: ptr("")}))
		id := deleted[strings.LastIndex(deleted, "/")+1:]
		for _, record := range must(contents(store, "")) {
			if strings.Contains(record, id) || strings.HasPrefix(record, "alias") || strings.HasPrefix(record, "due") || strings.Contains(record, `"Bytes"`) {
				t.Errorf("still there: %.60s…", record)
			}
		}
	})
}

func TestDeletionWindow(t *testing.T) {
	s := newSession(t)
	key := s.key(types.OriginTypeAwsKms, types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt)
	for _, days := range []int32{6, 31} {
		_, err := s.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: &days})
		refused(t, err, "ValidationException", "PendingWindowInDays must be between 7 and 30")
	}
	if got := must(s.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key})); *got.PendingWindowInDays != 30 {
		t.Errorf("got a window of %d days, want 30", *got.PendingWindowInDays)
	}
}

// With a clock of its own the mock lives at any time, and may jump.
func TestOwnClock(t *testing.T) {
	now := time.Date(2031, 5, 6, 7, 8, 9, 123456789, time.UTC)
	s := newSession(t, mockkms.WithClock(func() time.Time { return now }))
	key := s.external(types.KeySpecSymmetricDefault)
	if got, want := *s.describe(key).CreationDate, now.Truncate(time.Millisecond); !got.Equal(want) {
		t.Errorf("got CreationDate %v, want %v", got, want)
	}
	in := s.importing(key, letters("A", 32))
	now = now.Add(25 * time.Hour)
	_, err := s.ImportKeyMaterial(t.Context(), in)
	refused(t, err, "ExpiredImportTokenException", "")
}
