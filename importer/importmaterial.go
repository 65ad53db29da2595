// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
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
		At:         time.Now().UTC().Truncate(time.Second),
	}
	i.report(Imported{Receipt: receipt})
	return receipt, nil
}

// Check makes the checks of Import and gives the key as it is before it. It
// changes nothing.
func (i *Importer) Check(ctx context.Context, r ImportRequest) (Key, error) {
	if err := r.check(time.Now()); err != nil {
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

type sent struct {
	materialID string
	lostAnswer bool
}

// send makes the call. An import whose answer was lost is looked for first and
// sent again only if it has not happened: the token is then still unused.
func (i *Importer) send(ctx context.Context, r ImportRequest, before Key) (sent, error) {
	known, err := i.materialIDs(ctx, r, before)
	if err != nil {
		return sent{}, err
	}
	const attempts = 3
	for attempt := 1; ; attempt++ {
		out, err := i.KMS.ImportKeyMaterial(ctx, r.input(before), retryOnlyThrottling)
		if err == nil {
			return sent{materialID: aws.ToString(out.KeyMaterialId)}, nil
		}
		failed := &CallError{Operation: "ImportKeyMaterial", Key: before.ARN, Err: err}
		if !mayHaveHappened(err) {
			return sent{}, failed
		}
		i.report(LostAnswer{Operation: "ImportKeyMaterial", Err: err})
		id, happened, err := i.look(ctx, r, before, known)
		switch {
		case err != nil:
			return sent{}, &UncertainError{KeyARN: before.ARN, Err: failed}
		case happened:
			return sent{materialID: id, lostAnswer: true}, nil
		case attempt == attempts:
			return sent{}, failed
		}
	}
}

func (r ImportRequest) input(k Key) *kms.ImportKeyMaterialInput {
	in := &kms.ImportKeyMaterialInput{
		KeyId:                aws.String(k.ARN),
		ImportToken:          r.Wrapped.ImportToken,
		EncryptedKeyMaterial: r.Wrapped.EncryptedKeyMaterial,
		ImportType:           r.Type,
	}
	in.ExpirationModel, in.ValidTo = r.Expiry.model()
	if r.MaterialID != "" {
		in.KeyMaterialId = aws.String(r.MaterialID)
	}
	if r.Description != "" {
		in.KeyMaterialDescription = aws.String(r.Description)
	}
	return in
}

// look finds out whether an import without an answer happened. It gives KMS
// a few seconds, because it is eventually consistent. Where the effect cannot
// be told from what was there before, it says no: sending the same material
// with the same expiry once more changes nothing.
func (i *Importer) look(ctx context.Context, r ImportRequest, before Key, known []string) (id string, happened bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	i.poll(ctx, "the effect of an import whose answer was lost", func() bool {
		if r.stages(before) {
			id, happened, err = i.findNew(ctx, r, before, known)
		} else {
			id, happened, err = i.findEffect(ctx, r, before)
		}
		return happened || err != nil
	})
	return id, happened, err
}

func (i *Importer) findEffect(ctx context.Context, r ImportRequest, before Key) (string, bool, error) {
	now, err := i.Describe(ctx, before.ARN)
	if err != nil {
		return "", false, err
	}
	changed := now.State != before.State || !now.Expiry.Equal(before.Expiry)
	return now.MaterialID, changed && now.State == types.KeyStateEnabled && now.Expiry.Equal(r.Expiry), nil
}

func (i *Importer) findNew(ctx context.Context, r ImportRequest, before Key, known []string) (string, bool, error) {
	ids, err := i.materialIDs(ctx, r, before)
	for _, id := range ids {
		if !slices.Contains(known, id) {
			return id, true, err
		}
	}
	return "", false, err
}

// materialIDs lists the materials of the key where an import adds one.
func (i *Importer) materialIDs(ctx context.Context, r ImportRequest, k Key) ([]string, error) {
	if !r.stages(k) {
		return nil, nil
	}
	entries, err := i.materials(ctx, k)
	var ids []string
	for _, e := range entries {
		ids = append(ids, aws.ToString(e.KeyMaterialId))
	}
	return ids, err
}

// materials lists all materials of a symmetric key, oldest first.
func (i *Importer) materials(ctx context.Context, k Key) ([]types.RotationsListEntry, error) {
	var entries []types.RotationsListEntry
	pages := kms.NewListKeyRotationsPaginator(i.KMS, &kms.ListKeyRotationsInput{
		KeyId:              aws.String(k.ARN),
		IncludeKeyMaterial: types.IncludeKeyMaterialAllKeyMaterial,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, &CallError{Operation: "ListKeyRotations", Key: k.ARN, Err: err}
		}
		entries = append(entries, page.Rotations...)
	}
	return entries, nil
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

// UncertainError says that an import got no answer and that looking for its
// effect failed too: it may have happened. Running it again is safe.
type UncertainError struct {
	KeyARN string
	Err    error
}

func (e *UncertainError) Error() string {
	return fmt.Sprintf("the import into %s got no answer and may have happened: %v", e.KeyARN, e.Err)
}

func (e *UncertainError) Unwrap() error { return e.Err }
