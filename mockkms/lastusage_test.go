// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

func (s *session) lastUsage(key string) *kms.GetKeyLastUsageOutput {
	s.Helper()
	return must(s.GetKeyLastUsage(s.Context(), &kms.GetKeyLastUsageInput{KeyId: &key}))
}

// Only cryptography that succeeds counts, not what is rehearsed or refused.
func TestGetKeyLastUsage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		created := time.Now()
		key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
		other := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
		time.Sleep(time.Hour)
		s.describe(key)
		dry := &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), DryRun: aws.Bool(true)}
		if _, err := s.Encrypt(t.Context(), dry); err == nil {
			t.Error("a dry run succeeded")
		}
		if _, err := s.Decrypt(t.Context(), &kms.DecryptInput{KeyId: &key, CiphertextBlob: []byte("x")}); err == nil {
			t.Error("nonsense was decrypted")
		}
		if got := send(t, s.mock, "GetKeyLastUsage", `{"KeyId": "`+key+`"}`).body; got != `{"KeyId":"`+key+
			`","KeyCreationDate":946684800,"TrackingStartDate":946684800,"KeyLastUsage":{}}` {
			t.Errorf("unused: %s", got)
		}
		enc := must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")}))
		request, _ := middleware.GetRequestIDMetadata(enc.ResultMetadata)
		got := s.lastUsage(key)
		if u := got.KeyLastUsage; u.Operation != "Encrypt" || !u.Timestamp.Equal(created.Add(time.Hour)) ||
			*u.KmsRequestId != request || len(*u.CloudTrailEventId) != 36 || *u.CloudTrailEventId == request {
			t.Errorf("got %+v, request %s", u, request)
		}
		if again := s.lastUsage(key); *again.KeyLastUsage.CloudTrailEventId != *got.KeyLastUsage.CloudTrailEventId {
			t.Error("the event changed its ID")
		}
		must(s.ReEncrypt(t.Context(), &kms.ReEncryptInput{CiphertextBlob: enc.CiphertextBlob, DestinationKeyId: &other}))
		for _, k := range []string{key, other} { // both of them (documented)
			if got := s.lastUsage(k).KeyLastUsage.Operation; got != "ReEncrypt" {
				t.Errorf("after ReEncrypt: %s", got)
			}
		}
		must(s.GenerateDataKeyPair(t.Context(), &kms.GenerateDataKeyPairInput{KeyId: &key, KeyPairSpec: "ECC_NIST_P256"}))
		if got := s.lastUsage(key).KeyLastUsage.Operation; got != "GenerateDataKeyPair" {
			t.Errorf("after GenerateDataKeyPair: %s", got)
		}
	})
}

func TestLastUsageOutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	key := ""
	for _, run := range []struct {
		use  bool
		want types.KeyLastUsageTrackingOperation
	}{{true, "Encrypt"}, {false, "Encrypt"}} {
		s := newSession(t, mockkms.WithStore(must(mockkms.OpenStore(path))))
		if key == "" {
			key = *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
		}
		if run.use {
			must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")}))
		}
		if got := s.lastUsage(key).KeyLastUsage.Operation; got != run.want {
			t.Errorf("got %s, want %s", got, run.want)
		}
		must(0, s.mock.Close())
	}
	_, err := newSession(t).GetKeyLastUsage(t.Context(), &kms.GetKeyLastUsageInput{KeyId: ptr("alias/a")})
	refused(t, err, "InvalidArnException", "Key Aliases are not supported")
}

// The last usage names the event that tells of it.
func TestLastUsageNamesItsEvent(t *testing.T) {
	s := newSession(t)
	key := s.symmetric()
	must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")}))
	_, all := s.events(mockkms.EventQuery{Key: key, Limit: 1})
	want := all[0].EventID
	if got := *s.lastUsage(key).KeyLastUsage.CloudTrailEventId; all[0].EventName != "Encrypt" || got != want {
		t.Errorf("got event %s, want %s of %s", got, want, all[0].EventName)
	}
}
