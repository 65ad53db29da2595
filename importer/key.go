// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
)

// Key is what KMS says of one key. Times are UTC.
type Key struct {
	ID          string
	ARN         string
	Spec        material.Spec
	Usage       types.KeyUsageType
	State       types.KeyState
	Origin      types.OriginType
	MultiRegion bool
	Replica     bool
	Copies      []string // ARNs of all copies of a multi-Region key, the primary first
	Description string
	Created     time.Time
	Expiry      Expiry // of the current material; zero when KMS shows none
	MaterialID  string // CurrentKeyMaterialId: 64 hex digits; symmetric keys only, stays after deletion
}

// Describe asks KMS about the key named by ref: key ID, key ARN, alias name or
// alias ARN. It fails with *CallError, or *material.UnsupportedSpecError where
// the key is of a kind whose material cannot be imported.
func (i *Importer) Describe(ctx context.Context, ref string) (Key, error) {
	out, err := i.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(ref)})
	if err != nil {
		return Key{}, &CallError{Operation: "DescribeKey", Key: ref, Err: err}
	}
	return keyOf("DescribeKey", out.KeyMetadata)
}

func keyOf(operation string, m *types.KeyMetadata) (Key, error) {
	if m == nil || aws.ToString(m.Arn) == "" {
		return Key{}, &AnswerError{Operation: operation, Field: "KeyMetadata", Got: "nothing", Want: "the key's ARN"}
	}
	spec, err := material.ParseSpec(string(m.KeySpec))
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", aws.ToString(m.Arn), err)
	}
	k := Key{
		ID:          aws.ToString(m.KeyId),
		ARN:         aws.ToString(m.Arn),
		Spec:        spec,
		Usage:       m.KeyUsage,
		State:       m.KeyState,
		Origin:      m.Origin,
		MultiRegion: aws.ToBool(m.MultiRegion),
		Description: aws.ToString(m.Description),
		Created:     aws.ToTime(m.CreationDate).UTC(),
		Expiry:      expiryOf(m.ExpirationModel, m.ValidTo),
		MaterialID:  aws.ToString(m.CurrentKeyMaterialId),
	}
	if c := m.MultiRegionConfiguration; c != nil {
		k.Replica = c.MultiRegionKeyType == types.MultiRegionKeyTypeReplica
		k.Copies = copiesOf(c)
	}
	return k, nil
}

// checkImportable tells whether KMS lets material be imported into the key in
// its present state. It fails with *OriginError or *StateError.
func (k Key) checkImportable() error {
	if k.Origin != types.OriginTypeExternal {
		return &OriginError{KeyARN: k.ARN, Origin: k.Origin}
	}
	switch k.State {
	case types.KeyStateEnabled, types.KeyStateDisabled, types.KeyStatePendingImport, types.KeyStateUpdating:
		return nil
	}
	return &StateError{KeyARN: k.ARN, State: k.State}
}

// OriginError says that a key takes no imported material: its origin is not EXTERNAL.
type OriginError struct {
	KeyARN string
	Origin types.OriginType
}

func (e *OriginError) Error() string {
	return fmt.Sprintf("%s has origin %s: only a key created with origin EXTERNAL takes imported material", e.KeyARN, e.Origin)
}

// StateError says that a key cannot do what was asked in its present state.
type StateError struct {
	KeyARN string
	State  types.KeyState
}

func (e *StateError) Error() string {
	return fmt.Sprintf("%s is in state %s", e.KeyARN, e.State)
}
