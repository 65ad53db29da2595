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
	Before      *Key // as it was looked at a moment ago, if it was; nil looks
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
	after, pending := i.settle(ctx, r, before, sent.materialID)
	receipt := Receipt{
		KeyARN:     before.ARN,
		KeySpec:    before.Spec,
		MaterialID: sent.materialID,
		Expiry:     r.Expiry,
		State:      after.State,
		Enabled:    before.State == types.KeyStateDisabled && after.State == types.KeyStateEnabled,
		Pending:    pending,
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
	if r.Before != nil && r.Before.ARN == r.Wrapped.KeyARN {
		return *r.Before, r.checkKey(*r.Before)
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

// aside reports that the import concerns a material other than the current
// one: DescribeKey, which tells of the current one, need not show it.
func (r ImportRequest) aside(before Key) bool {
	return r.MaterialID != "" && before.MaterialID != "" && r.MaterialID != before.MaterialID
}

// settle waits until KMS shows what ImportKeyMaterial has accepted, or the
// bound is over, and gives the key as it showed it last, and whether the
// material waits for a rotation.
func (i *Importer) settle(ctx context.Context, r ImportRequest, before Key, id string) (now Key, pending bool) {
	now = before
	if r.stages(before) {
		return now, true
	}
	i.poll(ctx, "KMS to show the imported material", func() bool {
		if k, err := i.Describe(ctx, before.ARN); err == nil {
			now = k
		}
		if !r.aside(before) && now.State == types.KeyStateEnabled && now.Expiry.Equal(r.Expiry) {
			return true
		}
		m, shown := i.listed(ctx, r, now, id)
		pending = m.Pending()
		return shown
	})
	return now, pending
}

// listed looks for the imported material in the list of all of them, where
// DescribeKey does not tell: it shows the earliest expiry of several, and the
// key waits in PendingImport while any other is missing.
func (i *Importer) listed(ctx context.Context, r ImportRequest, now Key, id string) (KeyMaterial, bool) {
	if id == "" || now.MaterialID == "" {
		return KeyMaterial{}, false
	}
	all, err := i.Materials(ctx, now)
	if err != nil {
		return KeyMaterial{}, false
	}
	m, found := withID(all, id)
	otherMissing := slices.ContainsFunc(all, func(o KeyMaterial) bool { return o.ID != id && !o.Pending() && o.Missing(i.now()) })
	shown := found && m.Imported && m.Expiry.Equal(r.Expiry) && (now.State != types.KeyStatePendingImport || otherMissing)
	return m, shown
}

// OptionError says that an option of an import cannot be used with the key.
type OptionError struct{ Option, Reason string }

func (e *OptionError) Error() string { return e.Option + " " + e.Reason }
