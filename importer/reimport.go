// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// Reimported is the outcome of Reimport. Unchanged says that the material was
// there with the expiry asked for, and that no call was made that changes
// anything; Receipt is then empty.
type Reimported struct {
	Unchanged bool
	Expiry    Expiry // of the material, as it is now
	Receipt   Receipt
	Proof     Proof
}

// Reimport brings back material that was deleted or has expired, or changes
// its expiry. It can be run any number of times: see [Expiry.MetBy]. A key that
// never had material is refused where KMS tells (*NeverImportedError). When the
// key holds other material, Proof says so and nothing was changed.
//
// For a symmetric key the KeyMaterialId that is expected is always sent. Unless
// r names it, these are in turn the materials that are missing, or the current
// one where none is; KMS takes the one that the bytes make.
func (i *Importer) Reimport(ctx context.Context, k Key, m *material.Material, pair wrap.Pair, r ImportRequest) (Reimported, error) {
	return i.reimport(ctx, k, m, pair, r, func(present Expiry) (bool, error) { return r.Expiry.MetBy(present, i.now()), nil })
}

// A judgement says whether the expiry of material that is there is as good as
// what was asked, so that there is nothing to do.
type judgement func(present Expiry) (good bool, err error)

func (i *Importer) reimport(ctx context.Context, k Key, m *material.Material, pair wrap.Pair, r ImportRequest, judge judgement) (Reimported, error) {
	if err := k.checkImportable(); err != nil {
		return Reimported{}, err
	}
	if k.Spec.Kind() == material.Symmetric {
		return i.reimportExpected(ctx, k, m, pair, r, judge)
	}
	if k.State != types.KeyStatePendingImport {
		proof, err := i.confirmAsIs(ctx, k, m)
		if err != nil || proof.Verdict == Mismatch {
			return Reimported{Expiry: k.Expiry, Proof: proof}, err
		}
		if good, err := judge(k.Expiry); good || err != nil {
			return Reimported{Unchanged: good, Expiry: k.Expiry, Proof: proof}, err
		}
	}
	receipt, proof, err := i.Bring(ctx, k, m, pair, r)
	return Reimported{Expiry: receipt.Expiry, Receipt: receipt, Proof: proof}, err
}

// ReimportedCopy is the outcome of bringing material back into one copy of a
// multi-Region key.
type ReimportedCopy struct {
	Copy       Copy
	Reimported Reimported
	Err        error
}

// ReimportEverywhere brings material back into every copy of a multi-Region
// key, the primary first. One that fails does not keep the others from theirs.
func (i *Importer) ReimportEverywhere(ctx context.Context, k Key, m *material.Material, pair wrap.Pair, r ImportRequest) []ReimportedCopy {
	return i.everywhere(ctx, k, func(c Copy) (Reimported, error) { return c.Reimport(ctx, c.Key, m, pair, r) })
}

func (i *Importer) everywhere(ctx context.Context, k Key, again func(Copy) (Reimported, error)) (all []ReimportedCopy) {
	for _, c := range i.CopiesOf(ctx, k) {
		done := ReimportedCopy{Copy: c, Err: c.Err}
		if c.Err == nil {
			done.Reimported, done.Err = again(c)
		}
		all = append(all, done)
	}
	return all
}

// confirmAsIs confirms without touching the key. A disabled key makes no MACs,
// but it is disabled, not PendingImport: so it has material.
func (i *Importer) confirmAsIs(ctx context.Context, k Key, m *material.Material) (Proof, error) {
	if k.State == types.KeyStateDisabled && !k.Spec.KeyPair() {
		return Proof{KeyARN: k.ARN, Verdict: Unproven, Method: ReportedID}, nil
	}
	return i.Confirm(ctx, k, m, ConfirmOptions{})
}

// reimportExpected brings back one of the materials of a symmetric key.
func (i *Importer) reimportExpected(ctx context.Context, k Key, m *material.Material, pair wrap.Pair, r ImportRequest, judge judgement) (Reimported, error) {
	if m.Spec() != k.Spec {
		return Reimported{}, &material.MismatchError{Want: k.Spec, Found: string(m.Spec())}
	}
	if k.MaterialID == "" {
		return Reimported{}, &NeverImportedError{KeyARN: k.ARN}
	}
	expected, err := i.expected(ctx, k, r.MaterialID)
	if err != nil {
		return Reimported{}, err
	}
	var refused error // by KMS, of the first one expected
	for _, e := range expected {
		if !e.Missing(i.now()) {
			proof := Proof{KeyARN: k.ARN, Verdict: Unproven, Method: ReportedID, MaterialID: e.ID}
			if good, err := judge(e.Expiry); good || err != nil {
				return Reimported{Unchanged: good, Expiry: e.Expiry, Proof: proof}, err
			}
		}
		r.MaterialID = e.ID
		receipt, proof, err := i.Bring(ctx, k, m, pair, r)
		if _, other := errors.AsType[*types.IncorrectKeyMaterialException](err); !other {
			return Reimported{Expiry: receipt.Expiry, Receipt: receipt, Proof: proof}, err
		}
		if refused == nil {
			refused = err
		}
	}
	return Reimported{}, refused
}

// expected are the materials that bytes may be meant for: the one named, or
// those that are missing, the newest first, or the current one. A pending one
// comes last: the key works without it.
func (i *Importer) expected(ctx context.Context, k Key, id string) ([]KeyMaterial, error) {
	all, err := i.Materials(ctx, k)
	if err != nil {
		return nil, err
	}
	if id != "" {
		m, found := withID(all, id)
		if !found {
			m = KeyMaterial{ID: id} // let KMS say so
		}
		return []KeyMaterial{m}, nil
	}
	var expected, pending []KeyMaterial
	for _, m := range slices.Backward(all) {
		switch {
		case !m.Missing(i.now()):
		case m.Pending():
			pending = append(pending, m)
		default:
			expected = append(expected, m)
		}
	}
	if len(expected) == 0 {
		current, found := withID(all, k.MaterialID)
		if !found {
			current = KeyMaterial{ID: k.MaterialID}
		}
		expected = append(expected, current)
	}
	return append(expected, pending...), nil
}

// NeverImportedError says that there is nothing to bring back.
type NeverImportedError struct{ KeyARN string }

func (e *NeverImportedError) Error() string {
	return e.KeyARN + " never had key material, so there is nothing to bring back"
}
