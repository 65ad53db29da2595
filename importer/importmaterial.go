// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// ImportRequest asks for one import of a wrapped package. Type, MaterialID and
// Description are for symmetric encryption keys only (recorded: KMS refuses
// them for every other spec).
type ImportRequest struct {
	Wrapped     *token.Wrapped
	Expiry      Expiry
	Type        types.ImportType // empty: KMS decides (NEW for the first import, else EXISTING)
	MaterialID  string           // the KeyMaterialId this has to be; empty for any
	Description string
}

// Receipt says what an import did. Times are UTC.
type Receipt struct {
	KeyARN     string
	KeySpec    material.Spec
	MaterialID string // 64 hex digits; symmetric keys only
	Expiry     Expiry
	State      types.KeyState // as KMS showed it last, see Import
	Enabled    bool           // the key was disabled before, and the import enabled it
	Pending    bool           // new material waiting for an on-demand rotation
	LostAnswer bool           // the answer was lost; the effect was found by looking
	At         time.Time
}

// Import sends the wrapped package and waits, within a bound, until KMS shows
// the effect. The checks come first: *ExpiryError, *token.ExpiredError and
// *OptionError before any call, *OriginError and *StateError before any that
// changes something. When an answer is lost it looks
// whether the import happened before it sends the same bytes again.
//
// A key that lacks another of its materials stays in PendingImport after a
// successful import: look at Receipt.State.
func (i *Importer) Import(ctx context.Context, r ImportRequest) (Receipt, error) {
	before, err := i.Check(ctx, r)
	if err != nil {
		return Receipt{}, err
	}
	sent, err := i.send(ctx, r, before)
	if err != nil {
		return Receipt{}, err
	}
	after := i.settle(ctx, r, before)
	receipt := Receipt{
		KeyARN:     before.ARN,
		KeySpec:    before.Spec,
		MaterialID: sent.materialID,
		Expiry:     r.Expiry,
		State:      after.State,
		Enabled:    before.State == types.KeyStateDisabled && after.State == types.KeyStateEnabled,
		Pending:    r.stages(before),
		LostAnswer: sent.lostAnswer,
		At:         i.now().UTC().Truncate(time.Second),
	}
	i.report(Imported{Receipt: receipt})
	return receipt, nil
}

// Check makes the checks of Import and gives the key as it is before it. It
// changes nothing.
func (i *Importer) Check(ctx context.Context, r ImportRequest) (Key, error) {
	if err := r.check(i.now()); err != nil {
		return Key{}, err
	}
	k, err := i.Describe(ctx, r.Wrapped.KeyARN)
	if err != nil {
		return Key{}, err
	}
	return k, r.checkKey(k)
}

func (r ImportRequest) check(now time.Time) error {
	if err := r.Wrapped.CheckAt(now); err != nil {
		return err
	}
	if err := r.Expiry.Check(now); err != nil {
		return err
	}
	return r.CheckFor(r.Wrapped.KeySpec)
}

// CheckFor tells whether KMS takes the request's options for a key of this
// spec. It fails with *OptionError.
func (r ImportRequest) CheckFor(s material.Spec) error {
	if r.Type == types.ImportTypeNewKeyMaterial && r.MaterialID != "" {
		return &OptionError{Option: "KeyMaterialId", Reason: "cannot be given for new key material: KMS assigns it"}
	}
	if s.Kind() == material.Symmetric {
		return nil
	}
	var option string
	switch {
	case r.Type != "":
		option = "ImportType"
	case r.MaterialID != "":
		option = "KeyMaterialId"
	case r.Description != "":
		option = "KeyMaterialDescription"
	default:
		return nil
	}
	return &OptionError{Option: option, Reason: fmt.Sprintf("is for symmetric encryption keys; a %s key holds one material for life", s)}
}

func (r ImportRequest) checkKey(k Key) error {
	if err := k.checkImportable(); err != nil {
		return err
	}
	if k.Spec != r.Wrapped.KeySpec {
		return &AnswerError{Operation: "DescribeKey", Field: "KeySpec", Got: string(k.Spec), Want: string(r.Wrapped.KeySpec) + ", which the material was wrapped for"}
	}
	if !k.Replica {
		return nil
	}
	if r.Type == types.ImportTypeNewKeyMaterial {
		return &OptionError{Option: "ImportType NEW_KEY_MATERIAL", Reason: "cannot be used on a multi-Region replica: new material enters through the primary"}
	}
	if r.Description != "" {
		return &OptionError{Option: "KeyMaterialDescription", Reason: "can only be given on the primary of a multi-Region key"}
	}
	return nil
}

// stages reports that the import adds material beside what the key has: it
// waits for a rotation and changes nothing that DescribeKey shows.
func (r ImportRequest) stages(before Key) bool {
	return r.Type == types.ImportTypeNewKeyMaterial && before.MaterialID != ""
}

// settle waits until DescribeKey shows what ImportKeyMaterial has accepted, or
// the bound is over, and gives what it showed last.
func (i *Importer) settle(ctx context.Context, r ImportRequest, before Key) Key {
	now := before
	if r.stages(before) {
		return now
	}
	i.poll(ctx, "KMS to show the imported material", func() bool {
		if k, err := i.Describe(ctx, before.ARN); err == nil {
			now = k
		}
		return now.State == types.KeyStateEnabled && now.Expiry.Equal(r.Expiry) || i.lacksMaterial(ctx, now)
	})
	return now
}

// lacksMaterial reports that the key waits for another of its materials, so
// that no import of this one enables it.
func (i *Importer) lacksMaterial(ctx context.Context, k Key) bool {
	if k.State != types.KeyStatePendingImport || k.MaterialID == "" {
		return false
	}
	entries, err := i.materials(ctx, k)
	missing := func(e types.RotationsListEntry) bool { return e.ImportState == types.ImportStatePendingImport }
	return err == nil && len(entries) > 1 && slices.ContainsFunc(entries, missing)
}

// OptionError says that an option of an import cannot be used with the key.
type OptionError struct{ Option, Reason string }

func (e *OptionError) Error() string { return e.Option + " " + e.Reason }
