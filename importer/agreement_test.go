// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// TestToolkitAndMockAgree asks our table and the mock, which shares no code
// with it, about every wrapping of every material.
func TestToolkitAndMockAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for _, spec := range material.Specs() {
			k := b.create(t, spec)
			for _, algorithm := range wrap.Algorithms() {
				for _, size := range wrap.KeySpecs() {
					pair := wrap.Pair{Algorithm: algorithm, KeySpec: size}
					_, err := b.client.GetParametersForImport(t.Context(), &kms.GetParametersForImportInput{
						KeyId:             aws.String(k.ARN),
						WrappingAlgorithm: types.AlgorithmSpec(algorithm),
						WrappingKeySpec:   types.WrappingKeySpec(size),
					})
					if ours := wrap.Check(spec, pair); (ours == nil) != (err == nil) {
						t.Errorf("%s with %s: toolkit %v, mock %v", spec, pair, ours, err)
					}
				}
			}
		}
	})
}

// TestToolkitAndMockAgreeOnLengths imports raw material of every length around
// the limits.
func TestToolkitAndMockAgreeOnLengths(t *testing.T) {
	for _, spec := range material.Specs() {
		least, most := spec.Lengths()
		if most == 0 {
			continue
		}
		for _, n := range []int{least - 1, least, least + 1, most - 1, most, most + 1} {
			t.Run(fmt.Sprintf("%s/%d", spec, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, ours := material.New(spec, make([]byte, n))
					if m != nil {
						m.Destroy()
					}
					if theirs := importRaw(t, spec, make([]byte, n)); (ours == nil) != (theirs == nil) {
						t.Errorf("toolkit %v, mock %v", ours, theirs)
					}
				})
			})
		}
	}
}

// importRaw imports bytes that the toolkit might refuse to take. It gives what
// the mock says, which has to be an error of the API if any.
func importRaw(t *testing.T, spec material.Spec, plaintext []byte) error {
	t.Helper()
	b := newBench(t)
	k := b.create(t, spec)
	pair := wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}
	p, err := b.Fetch(t.Context(), k, pair)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := wrap.ParsePublicKey(p.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := wrap.Wrap(pub, pair.Algorithm, material.NewSecret(plaintext))
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.client.ImportKeyMaterial(t.Context(), &kms.ImportKeyMaterialInput{
		KeyId:                aws.String(k.ARN),
		ImportToken:          p.ImportToken,
		EncryptedKeyMaterial: encrypted,
		ExpirationModel:      types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	})
	if api := smithy.APIError(nil); err != nil && !errors.As(err, &api) {
		t.Fatal(err)
	}
	return err
}
