// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// Two Regions of the tests below, besides the session's own.
const west, asia = "us-west-2", "ap-east-1"

// multiRegion creates a symmetric primary key.
func (s *session) multiRegion(origin types.OriginType) string {
	s.Helper()
	return *must(s.CreateKey(s.Context(), &kms.CreateKeyInput{Origin: origin, MultiRegion: aws.Bool(true)})).KeyMetadata.Arn
}

func (s *session) replicate(key, region string) error {
	_, err := s.ReplicateKey(s.Context(), &kms.ReplicateKeyInput{KeyId: &key, ReplicaRegion: &region})
	return err
}

// replica makes a replica, waits until it is ready and returns its ARN.
func (s *session) replica(key, region string) string {
	s.Helper()
	must(0, s.replicate(key, region))
	time.Sleep(mockkms.DefaultReplicationTime)
	return arnIn(key, region)
}

func (s *session) movePrimary(key, region string) error {
	_, err := s.UpdatePrimaryRegion(s.Context(), &kms.UpdatePrimaryRegionInput{KeyId: &key, PrimaryRegion: &region})
	return err
}

func (s *session) scheduleDeletion(key string, days int32) *kms.ScheduleKeyDeletionOutput {
	s.Helper()
	return must(s.ScheduleKeyDeletion(s.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: &days}))
}

func (s *session) encrypted(key, plaintext string) []byte {
	s.Helper()
	return must(s.Encrypt(s.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte(plaintext)})).CiphertextBlob
}

func (s *session) wantState(key string, want types.KeyState) {
	s.Helper()
	m := s.describe(key)
	if m.KeyState != want || m.Enabled != (want == types.KeyStateEnabled) {
		s.Errorf("%s is %s, Enabled %v; want %s", key, m.KeyState, m.Enabled, want)
	}
}

// wantFamily demands what a copy tells of its relatives: its role, the
// primary's Region and those of the replicas.
func (s *session) wantFamily(key, want string) {
	s.Helper()
	c := s.describe(key).MultiRegionConfiguration
	got := fmt.Sprintf("%s %s", c.MultiRegionKeyType, *c.PrimaryKey.Region)
	for _, k := range append([]types.MultiRegionKey{*c.PrimaryKey}, c.ReplicaKeys...) {
		if *k.Arn != arnIn(key, *k.Region) {
			s.Errorf("%s is said to be in %s", *k.Arn, *k.Region)
		}
	}
	for _, k := range c.ReplicaKeys {
		got += " " + *k.Region
	}
	if got != want {
		s.Errorf("%s: got %s, want %s", key, got, want)
	}
}

func TestReplicateKeyRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.multiRegion(types.OriginTypeAwsKms)
		replica := s.replica(key, west)
		const code = "ValidationException"
		refused(t, s.replicate(key, region), code, "us-east-1 cannot have a replica because it contains the primary.")
		refused(t, s.replicate(key, "cn-north-1"), code, "The replica key Region must be in the same AWS partition as the primary key Region.")
		refused(t, s.replicate(key, "us-gov-west-1"), code, "The replica key Region must be in the same AWS partition as the primary key Region.")
		refused(t, s.replicate(key, "us-invalid-1"), code,
			"Region us-invalid-1 is not a valid Region or multi-Region keys are not supported in Region us-invalid-1.")
		for _, name := range []string{"nowhere", "us-east", "us--1", "us-east-1a", "a-b-c-d-1", "-a-1"} {
			refused(t, s.replicate(key, name), code, "1 validation error detected: Value '"+name+
				`' at 'replicaRegion' failed to satisfy constraint: Member must satisfy regular expression pattern: ^([a-z]+-){2,3}\d+$`)
		}
		const again = "You can create only one replica of each primary key in each AWS Region."
		refused(t, s.replicate(key, west), "AlreadyExistsException", again)
		s.in(west).scheduleDeletion(replica, 7)
		refused(t, s.replicate(key, west), "AlreadyExistsException", again)
		must(s.in(west).CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: &replica}))
		must(s.in(west).EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &replica}))
		refused(t, s.in(west).replicate(replica, asia), "UnsupportedOperationException", replica+" is not a multi-region primary key.")
		refused(t, s.replicate("alias/a", asia), "InvalidArnException", "Key Aliases are not supported for this operation.")
		must(s.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key}))
		refused(t, s.replicate(key, west), "DisabledException", key+" is disabled.") // before AlreadyExists
	})
}

// A replica of an AWS_KMS key, from its making to its use.
func TestReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := *must(s.CreateKey(t.Context(), &kms.CreateKeyInput{
			MultiRegion: aws.Bool(true), Description: ptr("the primary"), Tags: []types.Tag{{TagKey: ptr("a"), TagValue: ptr("b")}},
		})).KeyMetadata.Arn
		must(0, s.enableRotation(key, 90))
		next := time.Now().Add(90 * day)
		blob := s.encrypted(key, "secret")

		out := must(s.ReplicateKey(t.Context(), &kms.ReplicateKeyInput{KeyId: &key, ReplicaRegion: ptr(west)}))
		replica, there := arnIn(key, west), s.in(west)
		m := out.ReplicaKeyMetadata
		if *m.Arn != replica || m.KeyState != types.KeyStateCreating || m.Enabled || m.CurrentKeyMaterialId != nil || *m.Description != "" || m.ExpirationModel != "" {
			t.Errorf("got %+v", m)
		}
		policy := must(s.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &key})).Policy
		if *out.ReplicaPolicy != *policy || out.ReplicaTags != nil {
			t.Errorf("got policy %s and tags %v", *out.ReplicaPolicy, out.ReplicaTags)
		}
		there.wantState(replica, types.KeyStateCreating)
		there.wantRotation(replica, 90, next) // already
		_, err := there.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})
		refused(t, err, "KMSInvalidStateException", replica+" is creating.")

		time.Sleep(mockkms.DefaultReplicationTime)
		there.wantState(replica, types.KeyStateEnabled)
		if got, want := *there.describe(replica).CurrentKeyMaterialId, *s.describe(key).CurrentKeyMaterialId; got != want {
			t.Errorf("got material %s, want %s", got, want)
		}
		if got := must(there.ListResourceTags(t.Context(), &kms.ListResourceTagsInput{KeyId: &replica})).Tags; len(got) != 0 {
			t.Errorf("got tags %v", got)
		}
		id := replica[strings.LastIndex(replica, "/")+1:]
		for _, ref := range []*string{nil, &id, &replica} {
			got := must(there.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob, KeyId: ref}))
			if string(got.Plaintext) != "secret" || *got.KeyId != replica {
				t.Errorf("decrypted %q by %s", got.Plaintext, *got.KeyId)
			}
		}
		_, err = there.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob, KeyId: &key})
		refused(t, err, "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
		must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: there.encrypted(replica, "back")}))
		_, err = s.in(asia).Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})
		refused(t, err, "AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.")

		must(0, s.replicate(key, asia)) // every copy tells of all
		s.wantFamily(key, "PRIMARY us-east-1 ap-east-1 us-west-2")
		there.wantFamily(replica, "REPLICA us-east-1 ap-east-1 us-west-2")
		s.in(asia).wantFamily(arnIn(key, asia), "REPLICA us-east-1 ap-east-1 us-west-2")

		// What happens to the primary does not touch the replica.
		must(s.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key}))
		there.wantState(replica, types.KeyStateEnabled)
		must(there.UpdateKeyDescription(t.Context(), &kms.UpdateKeyDescriptionInput{KeyId: &replica, Description: ptr("the replica")}))
		if got := *s.describe(key).Description; got != "the primary" {
			t.Errorf("the primary is described as %q", got)
		}
	})
}

// What ReplicateKey is told it gives to the replica.
func TestReplicaWithItsOwn(t *testing.T) {
	s := newSession(t)
	key := s.multiRegion(types.OriginTypeAwsKms)
	policy := `{"Statement": []}`
	out := must(s.ReplicateKey(t.Context(), &kms.ReplicateKeyInput{
		KeyId: &key, ReplicaRegion: ptr(west), Policy: &policy, Description: ptr("d"), Tags: []types.Tag{{TagKey: ptr("a"), TagValue: ptr("b")}},
	}))
	if *out.ReplicaPolicy != policy || *out.ReplicaKeyMetadata.Description != "d" || len(out.ReplicaTags) != 1 || *out.ReplicaTags[0].TagKey != "a" {
		t.Errorf("got %+v", out)
	}
	if got := must(s.in(west).ListKeys(t.Context(), nil)).Keys; len(got) != 1 || *got[0].KeyArn != arnIn(key, west) {
		t.Errorf("ListKeys there: got %+v", got)
	}
}

// Copies of keys of other specs do the same, too.
func TestReplicaSigns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := *must(s.CreateKey(t.Context(), &kms.CreateKeyInput{
			MultiRegion: aws.Bool(true), KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac,
		})).KeyMetadata.Arn
		replica := s.replica(key, west)
		mac := must(s.GenerateMac(t.Context(), &kms.GenerateMacInput{KeyId: &key, Message: []byte("m"), MacAlgorithm: types.MacAlgorithmSpecHmacSha256})).Mac
		must(s.in(west).VerifyMac(t.Context(), &kms.VerifyMacInput{KeyId: &replica, Message: []byte("m"), MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Mac: mac}))
	})
}

// Rotations are the primary's business, and reach all copies at one moment.
func TestRotationOfMultiRegionKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.multiRegion(types.OriginTypeAwsKms)
		replica, there := s.replica(key, west), s.in(west)
		for operation, err := range map[string]error{
			"EnableKeyRotation": there.enableRotation(replica),
			"RotateKeyOnDemand": there.rotate(replica),
			"DisableKeyRotation": func() error {
				_, err := there.DisableKeyRotation(t.Context(), &kms.DisableKeyRotationInput{KeyId: &replica})
				return err
			}(),
		} {
			refused(t, err, "UnsupportedOperationException", replica+" is a multi-region replica key which is not valid for "+operation+".")
		}
		must(0, s.rotate(key))
		must(0, s.enableRotation(key, 90))
		next := time.Now().Add(90 * day)
		time.Sleep(mockkms.DefaultRotationTime)
		there.wantRotation(replica, 90, next)
		time.Sleep(time.Until(next))
		here, far := s.rotations(key), there.rotations(replica)
		if len(here) != 3 || len(far) != 3 {
			t.Fatalf("got %d and %d materials, want 3", len(here), len(far))
		}
		for i := range here {
			if *here[i].KeyMaterialId != *far[i].KeyMaterialId || here[i].KeyMaterialState != far[i].KeyMaterialState ||
				!aws.ToTime(here[i].RotationDate).Equal(aws.ToTime(far[i].RotationDate)) || *far[i].KeyId != replica {
				t.Errorf("got %+v and %+v", here[i], far[i])
			}
		}
		must(there.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: s.encrypted(key, "x")}))
	})
}

func TestUpdatePrimaryRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.multiRegion(types.OriginTypeAwsKms)
		id := key[strings.LastIndex(key, "/")+1:]
		must(0, s.movePrimary(key, region)) // to itself: nothing
		s.wantState(key, types.KeyStateEnabled)
		refused(t, s.movePrimary(key, west), "ValidationException", id+" does not have a replica key in the specified Region.")
		refused(t, s.movePrimary("alias/a", west), "InvalidArnException", "Key Aliases are not supported for this operation.")
		replica, third, there := s.replica(key, west), s.replica(key, asia), s.in(west)
		refused(t, there.movePrimary(replica, region), "KMSInvalidStateException", replica+" is not a multi-Region primary key.")
		must(there.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &replica}))
		refused(t, s.movePrimary(key, west), "DisabledException", replica+" is disabled.")
		must(s.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key}))
		refused(t, s.movePrimary(key, west), "DisabledException", key+" is disabled.")
		must(s.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &key}))
		there.scheduleDeletion(replica, 7)
		refused(t, s.movePrimary(key, west), "KMSInvalidStateException", replica+" is pending deletion.")
		must(there.CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: &replica}))
		must(there.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &replica}))

		must(0, s.enableRotation(key, 90))
		next := time.Now().Add(90 * day)
		if got := s.send("UpdatePrimaryRegion", `{"KeyId": "`+key+`", "PrimaryRegion": "`+west+`"}`); got.status != 200 {
			t.Errorf("got %d %s", got.status, got.body)
		}
		s.wantState(key, types.KeyStateUpdating) // with the roles already swapped
		there.wantState(replica, types.KeyStateUpdating)
		s.in(asia).wantState(third, types.KeyStateEnabled)
		s.wantFamily(key, "REPLICA us-west-2 ap-east-1 us-east-1")
		there.wantFamily(replica, "PRIMARY us-west-2 ap-east-1 us-east-1")
		s.in(asia).wantFamily(third, "REPLICA us-west-2 ap-east-1 us-east-1")
		s.encrypted(key, "while it updates")
		time.Sleep(mockkms.DefaultReplicationTime)
		s.wantState(key, types.KeyStateEnabled)
		there.wantState(replica, types.KeyStateEnabled)
		there.wantRotation(replica, 90, next)
		must(0, there.rotate(replica))
		time.Sleep(mockkms.DefaultRotationTime)
		if got := s.rotations(key); len(got) != 2 {
			t.Errorf("the former primary has %d materials, want 2", len(got))
		}
	})
}

// A primary goes only after its replicas.
func TestDeletionOfMultiRegionKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.multiRegion(types.OriginTypeAwsKms)
		must(0, s.enableRotation(key, 90))
		next := time.Now().Add(90 * day)
		replica, there := s.replica(key, west), s.in(west)
		s.replica(key, asia)
		out := s.scheduleDeletion(key, 8)
		if out.KeyState != types.KeyStatePendingReplicaDeletion || out.DeletionDate != nil || *out.PendingWindowInDays != 8 {
			t.Errorf("got %+v", out)
		}
		m := s.describe(key)
		if m.KeyState != types.KeyStatePendingReplicaDeletion || m.DeletionDate != nil || *m.PendingDeletionWindowInDays != 8 {
			t.Errorf("got %+v", m)
		}
		s.wantRotation(key, 90, next)
		there.wantState(replica, types.KeyStateEnabled)
		must(s.CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: &key}))
		s.wantState(key, types.KeyStateDisabled)
		s.scheduleDeletion(key, 8)

		if got := there.scheduleDeletion(replica, 7); got.KeyState != types.KeyStatePendingDeletion || !got.DeletionDate.Equal(time.Now().Add(7*day)) {
			t.Errorf("got %+v", got)
		}
		s.wantFamily(key, "PRIMARY us-east-1 ap-east-1 us-west-2")
		time.Sleep(7 * day)
		s.wantFamily(key, "PRIMARY us-east-1 ap-east-1")
		s.wantState(key, types.KeyStatePendingReplicaDeletion)
		_, err := there.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &replica})
		refused(t, err, "NotFoundException", "Key '"+replica+"' does not exist")

		s.in(asia).scheduleDeletion(arnIn(key, asia), 7)
		gone := time.Now().Add(7 * day)
		time.Sleep(9 * day) // noticed two days later
		m = s.describe(key)
		if m.KeyState != types.KeyStatePendingDeletion || !m.DeletionDate.Equal(gone.Add(8*day)) || m.PendingDeletionWindowInDays != nil {
			t.Errorf("got %+v", m)
		}
		s.wantFamily(key, "PRIMARY us-east-1")
		time.Sleep(6 * day)
		_, err = s.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
		refused(t, err, "NotFoundException", "Key '"+key+"' does not exist")
	})
}

// A Region whose replica is gone can have a new one.
func TestReplicaAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		key := s.multiRegion(types.OriginTypeAwsKms)
		s.in(west).scheduleDeletion(s.replica(key, west), 7)
		time.Sleep(7 * day)
		s.in(west).wantState(s.replica(key, west), types.KeyStateEnabled)
	})
}
