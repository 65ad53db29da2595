// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// TestWrappingKeysComeBack when the key they were for is to be deleted, and
// not before; also to another KMS that shares the stock.
func TestWrappingKeysComeBack(t *testing.T) {
	stock := mockkms.NewWrappingKeys()
	one, other := newClient(mockkms.New(mockkms.WithWrappingKeys(stock))), newClient(mockkms.New(mockkms.WithWrappingKeys(stock)))
	newKey := func(c *kms.Client) *string {
		out, err := c.CreateKey(t.Context(), &kms.CreateKeyInput{Origin: types.OriginTypeExternal})
		if err != nil {
			t.Fatal(err)
		}
		return out.KeyMetadata.KeyId
	}
	fetch := func(c *kms.Client, key *string) []byte {
		out, err := c.GetParametersForImport(t.Context(), &kms.GetParametersForImportInput{
			KeyId: key, WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: types.WrappingKeySpecRsa2048,
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.PublicKey
	}
	a, b := newKey(one), newKey(one)
	first, second, third := fetch(one, a), fetch(one, a), fetch(one, b)
	if bytes.Equal(first, second) || bytes.Equal(first, third) || bytes.Equal(second, third) {
		t.Error("keys in use were given the same wrapping key")
	}
	if _, err := one.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: a}); err != nil {
		t.Fatal(err)
	}
	c := newKey(other)
	for i, want := range [][]byte{first, second} {
		if !bytes.Equal(fetch(other, c), want) {
			t.Errorf("fetch %d got a new wrapping key, not one that is free again", i+1)
		}
	}
	if next := fetch(other, c); bytes.Equal(next, third) {
		t.Error("a wrapping key in use was given away")
	}
}
