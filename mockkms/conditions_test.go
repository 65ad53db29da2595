// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

const exceeded = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."

// A second brings what KMS's table allows, and not one request more.
func TestQuotas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		symmetric := s.external(types.KeySpecSymmetricDefault)
		key := `{"KeyId": "` + symmetric + `"}`
		ecc := `{"KeyId": "` + s.key(types.OriginTypeAwsKms, types.KeySpecEccNistP256, types.KeyUsageTypeSignVerify) +
			`", "Message": "eA==", "SigningAlgorithm": "ECDSA_SHA_256"}`
		rsa := `{"KeyId": "` + s.key(types.OriginTypeAwsKms, types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt) +
			`", "Plaintext": "eA==", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}`
		s.mock.SetConditions(mockkms.Conditions{Quotas: true})
		for _, tt := range []struct {
			operation, body string
			allowed         int
		}{
			{"GetParametersForImport", strings.TrimSuffix(key, "}") + `, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}`, 1},
			{"CreateKey", `{"Origin": "EXTERNAL"}`, 5},
			{"ImportKeyMaterial", strings.TrimSuffix(key, "}") + `, "ImportToken": "eA==", "EncryptedKeyMaterial": "eA=="}`, 15}, // refused ones count
			{"ListKeys", `{}`, 500},
			{"Sign", ecc, 1000},
			{"Encrypt", rsa, 1000},
		} {
			for second := range 2 {
				allowed := 0
				for range tt.allowed + 2 {
					if got := send(t, s.mock, tt.operation, tt.body); got.Type != "ThrottlingException" {
						allowed++
					} else if got.status != 400 || got.message() != exceeded {
						t.Errorf("%s: got %d %s", tt.operation, got.status, got.body)
					}
				}
				if allowed != tt.allowed {
					t.Errorf("%s, second %d: %d requests passed, want %d", tt.operation, second, allowed, tt.allowed)
				}
				time.Sleep(time.Second)
			}
		}
		for name, other := range map[string]*kms.Client{ // have quotas of their own
			"account": newClientIn(s.mock, "444455556666", region), "Region": newClientIn(s.mock, account, "eu-west-1"),
		} {
			for range 5 {
				if _, err := other.CreateKey(t.Context(), externalKey); err != nil {
					t.Errorf("another %s: %v", name, err)
				}
			}
		}
	})
}

// Operations share the quotas that KMS's table has in common for them.
func TestQuotasOfTwoRegions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		var keys []string
		for range 3 {
			keys = append(keys, s.multiRegion(types.OriginTypeAwsKms))
		}
		s.mock.SetConditions(mockkms.Conditions{Quotas: true}) // five CreateKey a second

		must(0, s.replicate(keys[0], west))
		must(0, s.replicate(keys[1], west))
		refused(t, s.replicate(keys[2], west), "ThrottlingException", exceeded)
		s.symmetric() // the Region of the primaries still has five

		for range 3 { // refused, as there is no replica, and counted in both Regions
			refused(t, s.movePrimary(keys[2], west), "ValidationException", keys[2][len("arn:aws:kms:us-east-1:111122223333:key/"):]+" does not have a replica key in the specified Region.")
		}
		fromWest := func() error {
			_, err := s.UpdatePrimaryRegion(t.Context(), &kms.UpdatePrimaryRegionInput{KeyId: ptr("1"), PrimaryRegion: ptr("us-east-1")},
				func(o *kms.Options) { o.Region = west })
			return err
		}
		for range 2 {
			fromWest()
		}
		refused(t, fromWest(), "ThrottlingException", exceeded)
	})
}

func TestSharedQuotas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quota = "Cryptographic operations (symmetric)"
		s := newSession(t)
		hmac := s.key(types.OriginTypeAwsKms, types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac)
		key := s.key(types.OriginTypeAwsKms, types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt)
		s.mock.SetConditions(mockkms.Conditions{Quotas: true, Rates: map[string]float64{quota: 3, "DescribeKey": 0.5, "ListKeys": 0}})
		calls := []func() error{
			func() error {
				_, err := s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})
				return err
			},
			func() error {
				_, err := s.GenerateMac(t.Context(), &kms.GenerateMacInput{KeyId: &hmac, Message: []byte("x"), MacAlgorithm: "HMAC_SHA_256"})
				return err
			},
			func() error {
				_, err := s.GenerateRandom(t.Context(), &kms.GenerateRandomInput{NumberOfBytes: ptr[int32](1)})
				return err
			},
		}
		for _, call := range calls {
			must(0, call())
		}
		for _, call := range calls {
			refused(t, call(), "ThrottlingException", exceeded)
		}
		s.describe(key)
		time.Sleep(2*time.Second - time.Millisecond)
		_, err := s.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
		refused(t, err, "ThrottlingException", exceeded)
		time.Sleep(2 * time.Second)
		s.describe(key)
		for range 1000 { // 0 is any number
			must(s.ListKeys(t.Context(), nil))
		}
		if !slices.Contains(mockkms.SharedQuotas(), quota) {
			t.Errorf("%q is not among %v", quota, mockkms.SharedQuotas())
		}
	})
}

func TestEveryOperationHasAQuota(t *testing.T) {
	for _, o := range mockkms.OperationNames() {
		if !mockkms.HasQuota(o) {
			t.Errorf("%s has none", o)
		}
	}
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t, mockkms.WithLatency(40*time.Millisecond))
		start := time.Now()
		s.external(types.KeySpecSymmetricDefault)
		if got := time.Since(start); got != 40*time.Millisecond {
			t.Errorf("a call took %v", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 39*time.Millisecond)
		defer cancel()
		if _, err := s.CreateKey(ctx, externalKey); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v", err)
		}
		if got := must(s.ListKeys(t.Context(), nil)).Keys; len(got) != 1 { // who does not wait has not called
			t.Errorf("got %d keys", len(got))
		}
	})
}

// What was done shows after the lag, in whole.
func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		old := s.key(types.OriginTypeAwsKms, types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt)
		must(s.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/old"), TargetKeyId: &old}))
		s.mock.SetConditions(mockkms.Conditions{Lag: 2 * time.Second})

		key := s.external(types.KeySpecSymmetricDefault)
		about := &kms.DisableKeyInput{KeyId: &old}
		must(s.DisableKey(t.Context(), about))
		must(s.DeleteAlias(t.Context(), &kms.DeleteAliasInput{AliasName: ptr("alias/old")}))
		must(s.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/new"), TargetKeyId: &old}))
		time.Sleep(2*time.Second - time.Millisecond)
		_, err := s.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
		refused(t, err, "NotFoundException", "Key '"+key+"' does not exist")
		_, err = s.GetParametersForImport(t.Context(), &kms.GetParametersForImportInput{KeyId: &key, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048"})
		refused(t, err, "NotFoundException", "Key '"+key+"' does not exist")
		_, err = s.TagResource(t.Context(), &kms.TagResourceInput{KeyId: &key, Tags: []types.Tag{{TagKey: ptr("a"), TagValue: ptr("b")}}})
		refused(t, err, "NotFoundException", "Key '"+key+"' does not exist")
		if got := s.describe("alias/old").KeyState; got != types.KeyStateEnabled {
			t.Errorf("the old key is %s already", got)
		}
		names := func() (names []string) {
			for _, a := range must(s.ListAliases(t.Context(), nil)).Aliases {
				names = append(names, *a.AliasName)
			}
			return names
		}
		if got := names(); !slices.Equal(got, []string{"alias/old"}) {
			t.Errorf("got aliases %v", got)
		}
		if got := must(s.ListKeys(t.Context(), nil)).Keys; len(got) != 1 {
			t.Errorf("got %d keys", len(got))
		}

		time.Sleep(time.Millisecond)
		if got := s.describe(key).KeyState; got != types.KeyStatePendingImport {
			t.Errorf("the new key is %s", got)
		}
		if got := s.describe("alias/new").KeyState; got != types.KeyStateDisabled {
			t.Errorf("the old key is %s", got)
		}
		if got := names(); !slices.Equal(got, []string{"alias/new"}) {
			t.Errorf("got aliases %v", got)
		}
	})
}

// Of several changes within the lag each shows in its time.
func TestLagOfSeveralChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t, mockkms.WithLag(3*time.Second))
		key := s.external(types.KeySpecSymmetricDefault)
		time.Sleep(3 * time.Second)
		var got []string
		for i := range 6 {
			if i < 3 {
				must(s.UpdateKeyDescription(t.Context(), &kms.UpdateKeyDescriptionInput{KeyId: &key, Description: ptr(string(rune('a' + i)))}))
			}
			time.Sleep(time.Second)
			got = append(got, *s.describe(key).Description)
		}
		if want := []string{"", "", "a", "b", "c", "c"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
