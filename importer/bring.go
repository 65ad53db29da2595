// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// Bring imports m into k, fetching and wrapping on the way, and confirms by
// use what can be confirmed without touching the key again. r.Wrapped is made
// here and has to be nil.
func (i *Importer) Bring(ctx context.Context, k Key, m *material.Material, pair wrap.Pair, r ImportRequest) (Receipt, Proof, error) {
	receipt, err := i.Transfer(ctx, k, WrapperOf(m), pair, r)
	if err != nil {
		return Receipt{}, Proof{}, err
	}
	if receipt.Pending || receipt.State != types.KeyStateEnabled {
		return receipt, Proof{KeyARN: k.ARN, Verdict: Unproven, Method: ReportedID, MaterialID: receipt.MaterialID}, nil
	}
	k.State, k.MaterialID = receipt.State, receipt.MaterialID
	proof, err := i.Confirm(ctx, k, m, ConfirmOptions{})
	return receipt, proof, err
}

// Deleted says what DeleteMaterial did. State is the key's afterwards.
type Deleted struct {
	KeyARN     string
	MaterialID string // symmetric keys that ever had material; KMS names it also when it was gone already
	State      types.KeyState
}

// DeleteMaterial deletes imported material at once: the current one, or the
// one named by materialID. There is no waiting period and no undo; only the
// same material can come back.
func (i *Importer) DeleteMaterial(ctx context.Context, k Key, materialID string) (Deleted, error) {
	if k.Origin != types.OriginTypeExternal {
		return Deleted{}, &OriginError{KeyARN: k.ARN, Origin: k.Origin}
	}
	in := &kms.DeleteImportedKeyMaterialInput{KeyId: aws.String(k.ARN)}
	if materialID != "" {
		in.KeyMaterialId = aws.String(materialID)
	}
	out, err := i.KMS.DeleteImportedKeyMaterial(ctx, in)
	if err != nil {
		return Deleted{}, &CallError{Operation: "DeleteImportedKeyMaterial", Key: k.ARN, Err: err}
	}
	deleted := Deleted{KeyARN: k.ARN, MaterialID: aws.ToString(out.KeyMaterialId)}
	after, err := i.Describe(ctx, k.ARN)
	deleted.State = after.State
	return deleted, err
}
