// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// Refusals without any message, as KMS sends them (recorded).
func badToken() experiment.Answer {
	return experiment.Refused("InvalidImportTokenException").Silent()
}

func badCiphertext() experiment.Answer {
	return experiment.Refused("InvalidCiphertextException").Silent()
}

func invalid(text string) experiment.Answer {
	return experiment.Refused("ValidationException").Saying(text)
}

// pendingImport is the refusal of a key without material (recorded).
func pendingImport(k experiment.Key) experiment.Answer {
	return experiment.Refused("KMSInvalidStateException").Saying(k.ARN + " is pending import.")
}

// otherKey is the refusal of a ciphertext by a key that did not make it (recorded).
func otherKey() experiment.Answer {
	return experiment.Refused("IncorrectKeyException").Saying("The key ID in the request does not identify a CMK that can perform this operation.")
}

// unexpected is the refusal of other material than the one with the ID (recorded).
func unexpected(materialID string) experiment.Answer {
	return experiment.Refused("IncorrectKeyMaterialException").
		Saying("Imported key material does not have the expected identifier (" + materialID + ").")
}

// symmetric makes a symmetric key that holds material, and tells the ID that
// KMS gave it.
func symmetric(t *experiment.Trial, m *material.Material) (k experiment.Key, id string) {
	k = t.NewKey(material.SymmetricDefault, nil)
	return k, aws.ToString(t.Bring(k, m).KeyMaterialId)
}

// wrapped fetches parameters and wraps material as quickly as can be.
func wrapped(t *experiment.Trial, k experiment.Key, m *material.Material) *token.Wrapped {
	return t.Wrap(t.Fetch(k, experiment.Quick(k.Spec)), m)
}

// refetched is what was wrapped before, sent with another token.
func refetched(w *token.Wrapped, p *token.Parameters) *token.Wrapped {
	mixed := *w
	mixed.ImportToken = p.ImportToken
	return &mixed
}

// fetchRefused asks for parameters that KMS does not give.
func fetchRefused(t *experiment.Trial, what string, want experiment.Answer, k experiment.Key, pair wrap.Pair) {
	experiment.Do(t, what, want, t.In(k.Region).GetParametersForImport, &kms.GetParametersForImportInput{
		KeyId:             aws.String(k.ARN),
		WrappingAlgorithm: types.AlgorithmSpec(pair.Algorithm),
		WrappingKeySpec:   types.WrappingKeySpec(pair.KeySpec),
	})
}

// remove deletes a material of the key, the current one for "", and tells
// which it was.
func remove(t *experiment.Trial, what string, k experiment.Key, materialID string) string {
	in := &kms.DeleteImportedKeyMaterialInput{KeyId: aws.String(k.ARN)}
	if materialID != "" {
		in.KeyMaterialId = aws.String(materialID)
	}
	return aws.ToString(experiment.Do(t, what, experiment.Success, t.In(k.Region).DeleteImportedKeyMaterial, in).KeyMaterialId)
}

// encryptRefused tries to encrypt.
func encryptRefused(t *experiment.Trial, want experiment.Answer, k experiment.Key) {
	experiment.Do(t, "encrypt under "+k.Label, want, t.In(k.Region).Encrypt,
		&kms.EncryptInput{KeyId: aws.String(k.ARN), Plaintext: []byte("plaintext")})
}

// decrypt decrypts without naming a key, and tells the key and the material
// that did it.
func decrypt(t *experiment.Trial, what string, region string, ciphertext []byte) *kms.DecryptOutput {
	return experiment.Do(t, what, experiment.Success, t.In(region).Decrypt, &kms.DecryptInput{CiphertextBlob: ciphertext})
}

// materials lists all materials of a symmetric key, oldest first.
func materials(t *experiment.Trial, k experiment.Key) []types.RotationsListEntry {
	return experiment.Do(t, "list the materials of "+k.Label, experiment.Success, t.In(k.Region).ListKeyRotations, &kms.ListKeyRotationsInput{
		KeyId: aws.String(k.ARN), IncludeKeyMaterial: types.IncludeKeyMaterialAllKeyMaterial,
	}).Rotations
}

// parts says what part each material plays, oldest first, such as "CURRENT
// IMPORTED, PENDING_ROTATION IMPORTED".
func parts(list []types.RotationsListEntry) string {
	var s string
	for i, e := range list {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%s %s", e.KeyMaterialState, e.ImportState)
	}
	return s
}

// awaitState looks until the key has the state.
func awaitState(t *experiment.Trial, k experiment.Key, want types.KeyState) {
	client := t.In(k.Region)
	t.Await("the state of "+k.Label, string(want), func() (string, error) {
		out, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: aws.String(k.ARN)})
		if err != nil {
			return "", fmt.Errorf("looking at %s: %w", k.Label, err)
		}
		return string(out.KeyMetadata.KeyState), nil
	})
}

// descriptions are those of the materials, oldest first.
func descriptions(list []types.RotationsListEntry) string {
	var all []string
	for _, e := range list {
		all = append(all, orNone(e.KeyMaterialDescription))
	}
	return strings.Join(all, ", ")
}

// orNone is a text that may be missing.
func orNone(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}

func length(n int) string { return strconv.Itoa(n) }

func boolean(b bool) string { return strconv.FormatBool(b) }
