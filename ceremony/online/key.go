// SPDX-License-Identifier: Apache-2.0

package online

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// checkKey holds what KMS says of a key against the plan. The error is a
// [*gap.MismatchError], of the first that differs.
func checkKey(p *plan.Plan, t plan.Target, k importer.Key) error {
	prefix := strings.Join([]string{"arn", t.Partition, "kms", t.Region, t.Account, "key/"}, ":")
	switch {
	case strings.HasPrefix(t.Key, "arn:") && k.ARN != t.Key:
		return &gap.MismatchError{Target: t.ID, Field: "key_arn", Got: k.ARN, Want: t.Key}
	case !strings.HasPrefix(k.ARN, prefix):
		return &gap.MismatchError{Target: t.ID, Field: "key_arn", Got: k.ARN, Want: prefix + "…"}
	}
	for _, v := range []struct{ field, got, want string }{
		{"origin", string(k.Origin), string(types.OriginTypeExternal)},
		{"key_spec", string(k.Spec), string(p.Material.Spec)},
		{"key_usage", string(k.Usage), string(p.Material.Usage)},
		{"replica", strconv.FormatBool(k.Replica), strconv.FormatBool(t.ReplicaOf != "")},
	} {
		if v.got != v.want {
			return &gap.MismatchError{Target: t.ID, Field: v.field, Got: v.got, Want: v.want}
		}
	}
	return nil
}

// checkReady is checkKey for a key that material is about to come into: in the
// state in which KMS takes it as what the plan says it is. New material goes into
// a key that never had any; into an enabled one only if it is symmetric, where it
// waits for a rotation. KMS also takes existing material for a disabled key, but
// then enables it (recorded), which no plan has said.
func checkReady(p *plan.Plan, t plan.Target, k importer.Key) error {
	if err := checkKey(p, t, k); err != nil {
		return err
	}
	symmetric := p.Material.Spec.Kind() == material.Symmetric
	if k.State != types.KeyStatePendingImport && (k.State != types.KeyStateEnabled || t.Import == plan.ImportNew && !symmetric) {
		return &gap.MismatchError{Target: t.ID, Field: "key_state", Got: string(k.State), Want: string(types.KeyStatePendingImport)}
	}
	if known := p.Expected; known != nil && known.MaterialID != "" && known.MaterialID == k.MaterialID && t.Import == plan.ImportNew {
		return &gap.MismatchError{Target: t.ID, Field: "current_material_id", Got: k.MaterialID, Want: "another: the plan imports new material"}
	}
	if symmetric && t.Import == plan.ImportNew && k.State == types.KeyStatePendingImport && k.MaterialID != "" {
		return &gap.MismatchError{Target: t.ID, Field: "current_material_id", Got: k.MaterialID, Want: "none: the key waits for material that it had"}
	}
	return nil
}
