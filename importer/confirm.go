// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// Verdict is what a confirmation showed.
type Verdict string

// The verdicts.
const (
	Proven   Verdict = "proven"     // KMS holds exactly this material
	Mismatch Verdict = "mismatch"   // KMS holds other material
	Unproven Verdict = "not proven" // KMS names material, but nothing was compared
)

// Method says how a confirmation compared.
type Method string

// The methods, by what they need: GetPublicKey, GenerateMac, an import, nothing.
const (
	PublicKeys Method = "public keys compared"
	MACs       Method = "MAC of a fresh nonce compared"
	Reimport   Method = "same material re-imported"
	ReportedID Method = "key material ID reported"
)

// Proof is the outcome of a confirmation. MaterialID is KMS's own name for the
// material, on symmetric keys.
type Proof struct {
	KeyARN     string
	Verdict    Verdict
	Method     Method
	MaterialID string
}

// ConfirmOptions decides how far Confirm may go with a symmetric key, whose
// material nothing but a re-import can prove.
type ConfirmOptions struct {
	Reimport bool      // import the same material again, keeping the expiry as it is
	Pair     wrap.Pair // wrapping for the re-import
}

// nonceLength is in bytes; long enough that no MAC of it exists yet.
const nonceLength = 32

// Confirm finds out whether KMS holds exactly this material. Key pairs are
// compared by public key (GetPublicKey), HMAC keys by the MAC of a fresh nonce
// (GenerateMac). A symmetric key gives no such answer: with o.Reimport the same
// material is imported again, which KMS accepts for the same bytes only;
// without, the proof is Unproven. A mismatch is a Proof, not an error.
func (i *Importer) Confirm(ctx context.Context, k Key, m *material.Material, o ConfirmOptions) (Proof, error) {
	if m.Spec() != k.Spec {
		return Proof{}, &material.MismatchError{Want: k.Spec, Found: string(m.Spec())}
	}
	if k.State == types.KeyStatePendingImport {
		return Proof{}, &StateError{KeyARN: k.ARN, State: k.State}
	}
	var proof Proof
	var err error
	switch {
	case k.Spec.KeyPair():
		proof, err = i.comparePublicKeys(ctx, k, m)
	case k.Spec.Kind() == material.HMAC:
		proof, err = i.compareMACs(ctx, k, m)
	case o.Reimport:
		proof, err = i.proveByReimport(ctx, k, m, o.Pair)
	default:
		proof = Proof{Verdict: Unproven, Method: ReportedID, MaterialID: k.MaterialID}
	}
	if err != nil {
		return Proof{}, err
	}
	proof.KeyARN = k.ARN
	i.report(Confirmed{Proof: proof})
	return proof, nil
}

func (i *Importer) comparePublicKeys(ctx context.Context, k Key, m *material.Material) (Proof, error) {
	out, err := i.KMS.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(k.ARN)})
	if err != nil {
		return Proof{}, &CallError{Operation: "GetPublicKey", Key: k.ARN, Err: err}
	}
	return Proof{Method: PublicKeys, Verdict: verdict(bytes.Equal(out.PublicKey, m.PublicKeyDER()))}, nil
}

func (i *Importer) compareMACs(ctx context.Context, k Key, m *material.Material) (Proof, error) {
	nonce := make([]byte, nonceLength)
	rand.Read(nonce)
	want, err := m.MAC(nonce)
	if err != nil {
		return Proof{}, err
	}
	out, err := i.KMS.GenerateMac(ctx, &kms.GenerateMacInput{
		KeyId:        aws.String(k.ARN),
		Message:      nonce,
		MacAlgorithm: macAlgorithm(k.Spec),
	})
	if err != nil {
		return Proof{}, &CallError{Operation: "GenerateMac", Key: k.ARN, Err: err}
	}
	return Proof{Method: MACs, Verdict: verdict(hmac.Equal(out.Mac, want))}, nil
}

// macAlgorithm: each HMAC spec has one algorithm, HMAC_256 has HMAC_SHA_256
// (KMS API, MacAlgorithmSpec).
func macAlgorithm(s material.Spec) types.MacAlgorithmSpec {
	return types.MacAlgorithmSpec("HMAC_SHA_" + string(s[len("HMAC_"):]))
}

func (i *Importer) proveByReimport(ctx context.Context, k Key, m *material.Material, pair wrap.Pair) (Proof, error) {
	expiry, err := i.currentExpiry(ctx, k)
	if err != nil {
		return Proof{}, err
	}
	receipt, err := i.transfer(ctx, k, m, pair, ImportRequest{Expiry: expiry, MaterialID: k.MaterialID})
	if _, other := errors.AsType[*types.IncorrectKeyMaterialException](err); other {
		return Proof{Method: Reimport, Verdict: Mismatch, MaterialID: k.MaterialID}, nil
	}
	if err != nil {
		return Proof{}, err
	}
	return Proof{Method: Reimport, Verdict: Proven, MaterialID: receipt.MaterialID}, nil
}

// currentExpiry is the expiry of the current material itself: with several
// materials DescribeKey may show that of another one.
func (i *Importer) currentExpiry(ctx context.Context, k Key) (Expiry, error) {
	all, err := i.Materials(ctx, k)
	if err != nil {
		return Expiry{}, err
	}
	m, found := withID(all, k.MaterialID)
	if !found {
		return Expiry{}, &AnswerError{Operation: "ListKeyRotations", Field: "Rotations", Got: fmt.Sprintf("with %d materials", len(all)), Want: "one with ID " + k.MaterialID}
	}
	return m.Expiry, nil
}

func verdict(equal bool) Verdict {
	if equal {
		return Proven
	}
	return Mismatch
}
