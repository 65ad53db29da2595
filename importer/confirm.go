// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"errors"
	"fmt"

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
	w, err := WitnessOf(m)
	if err != nil {
		return Proof{}, err
	}
	var proof Proof
	if k.Spec.Kind() == material.Symmetric && o.Reimport {
		proof, err = i.proveByReimport(ctx, k, m, o.Pair)
	} else {
		proof, err = i.ConfirmBy(ctx, k, w)
	}
	if err != nil {
		return Proof{}, err
	}
	proof.KeyARN = k.ARN
	i.report(Confirmed{Proof: proof})
	return proof, nil
}

func (i *Importer) proveByReimport(ctx context.Context, k Key, m *material.Material, pair wrap.Pair) (Proof, error) {
	expiry, err := i.currentExpiry(ctx, k)
	if err != nil {
		return Proof{}, err
	}
	receipt, err := i.Transfer(ctx, k, WrapperOf(m), pair, ImportRequest{Expiry: expiry, MaterialID: k.MaterialID})
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
