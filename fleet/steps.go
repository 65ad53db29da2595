// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// importMaterial brings material into a copy. KMS takes nothing but what the
// copy had, or anything where it never had any; so this may be repeated, and
// looking first only saves calls.
func (t *taking) importMaterial(ctx context.Context, i *importer.Importer) (outcome, error) {
	k, known := t.seen()
	if !known || t.look {
		var err error
		if k, err = t.describe(ctx, i, t.arn); err != nil {
			return outcome{}, err
		}
	}
	wrapping := &wrapping{taking: t}
	if t.look {
		done, there, err := t.there(ctx, i, k, wrapping)
		if there || err != nil {
			return done, err
		}
	}
	request := importer.ImportRequest{Expiry: t.step.Expiry, MaterialID: t.step.MaterialID, Before: t.site.fresh.take(t.arn)}
	receipt, err := i.Transfer(ctx, k, wrapping.wrap, t.step.Wrapping, request)
	if err != nil {
		return outcome{}, err
	}
	done := outcome{key: receipt.KeyARN, material: receipt.MaterialID, expiry: receipt.Expiry}
	if receipt.Pending || receipt.State != types.KeyStateEnabled {
		return done, nil
	}
	k.State, k.MaterialID = receipt.State, receipt.MaterialID
	return done, wrapping.confirm(ctx, i, k)
}

// seen is the key as the plan saw it, and as it was seen again when the run began.
func (t *taking) seen() (importer.Key, bool) {
	for _, s := range t.change.Seen {
		if s.KeyARN == t.arn {
			return keyOf(t.step, s), true
		}
	}
	return importer.Key{}, false
}

// keyOf is what the plan knows of the key of a step.
func keyOf(step Step, s Seen) importer.Key {
	return importer.Key{
		ARN: s.KeyARN, Spec: step.Spec, Origin: types.OriginTypeExternal,
		State: s.State, MaterialID: s.MaterialID, Expiry: s.Expiry,
	}
}

// there tells whether an earlier try has brought the material in.
func (t *taking) there(ctx context.Context, i *importer.Importer, k importer.Key, w *wrapping) (outcome, bool, error) {
	done := outcome{key: k.ARN, material: k.MaterialID, expiry: k.Expiry, unchanged: true}
	if k.Spec.Kind() != material.Symmetric {
		if k.State != types.KeyStateEnabled || !t.step.Expiry.MetBy(k.Expiry, i.Time()) {
			return outcome{}, false, nil
		}
		if err := w.recognise(ctx); err != nil {
			return outcome{}, false, err
		}
		return done, true, w.confirm(ctx, i, k)
	}
	if k.MaterialID == "" {
		return outcome{}, false, nil
	}
	all, err := i.Materials(ctx, k)
	if err != nil {
		return outcome{}, false, err
	}
	want := t.step.MaterialID
	if want == "" {
		want = k.MaterialID
	}
	for _, m := range all {
		if m.ID == want {
			done.material, done.expiry = m.ID, m.Expiry
			return done, !m.Missing(i.Time()) && t.step.Expiry.MetBy(m.Expiry, i.Time()), nil
		}
	}
	return outcome{}, false, nil
}

func (t *taking) rotate(ctx context.Context, i *importer.Importer) (outcome, error) {
	k, err := t.describe(ctx, i, t.arn)
	if err != nil {
		return outcome{}, err
	}
	if t.look && t.step.MaterialID != "" && k.MaterialID == t.step.MaterialID {
		return outcome{key: k.ARN, material: k.MaterialID, expiry: k.Expiry, unchanged: true}, nil
	}
	wrapping := &wrapping{taking: t}
	done, err := i.Rotate(ctx, k, importer.RotateRequest{Wrap: wrapping.wrap, Pair: t.step.Wrapping, Expiry: t.step.Expiry})
	if err != nil {
		return outcome{}, err
	}
	for _, c := range done.Copies {
		if c.Opening.Verdict == importer.Mismatch {
			return outcome{}, fmt.Errorf("after the rotation, %s: %s", c.Receipt.KeyARN, c.Opening.Reason)
		}
	}
	return outcome{key: k.ARN, material: done.To, expiry: t.step.Expiry, unchanged: done.Unchanged}, nil
}

func (t *taking) replicate(ctx context.Context) (outcome, error) {
	primary := t.keys[t.site.place.Region]
	if len(t.change.Seen) > 0 {
		primary = t.change.Seen[0].KeyARN
	}
	i, err := t.site.importer(importer.RegionOf(primary))
	if err != nil {
		return outcome{}, err
	}
	k, err := t.describe(ctx, i, primary)
	if err != nil {
		return outcome{}, err
	}
	replica, err := i.Replicate(ctx, k, t.step.Region)
	if err != nil {
		return outcome{}, err
	}
	return outcome{key: replica.Key.ARN}, nil
}

func (t *taking) deleteMaterial(ctx context.Context, i *importer.Importer) (outcome, error) {
	k, err := t.describe(ctx, i, t.arn)
	if err != nil {
		return outcome{}, err
	}
	if t.look && k.State == types.KeyStatePendingImport && (t.step.MaterialID == "" || t.step.MaterialID == k.MaterialID) {
		return outcome{key: k.ARN, material: k.MaterialID, unchanged: true}, nil
	}
	deleted, err := i.DeleteMaterial(ctx, k, t.step.MaterialID)
	return outcome{key: k.ARN, material: deleted.MaterialID}, err
}

// wrapping has the material of a step in memory while it wraps it, and keeps a
// witness of it.
type wrapping struct {
	*taking
	witness importer.Witness
}

// wrap is an [importer.Wrapper].
func (w *wrapping) wrap(ctx context.Context, p *token.Parameters) (wrapped *token.Wrapped, err error) {
	err = w.with(ctx, func(m *material.Material) (err error) {
		wrapped, err = token.Wrap(p, m)
		return err
	})
	return wrapped, err
}

// recognise makes the witness without wrapping anything.
func (w *wrapping) recognise(ctx context.Context) error {
	return w.with(ctx, func(*material.Material) error { return nil })
}

// with opens the escrow, calls f, and destroys the material. So many escrows
// are open at once as there are cores to work on them.
func (w *wrapping) with(ctx context.Context, f func(*material.Material) error) error {
	select {
	case w.cores <- struct{}{}:
		defer func() { <-w.cores }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if w.options.Open == nil {
		return errors.New("nothing opens escrows")
	}
	m, err := w.options.Open(ctx, w.step.Escrow, w.step.Spec)
	if err != nil {
		return fmt.Errorf("opening the escrow %s: %w", w.step.Escrow.Path, err)
	}
	defer m.Destroy()
	if w.witness, err = importer.WitnessOf(m); err != nil {
		return err
	}
	return f(m)
}

// confirm holds what is in KMS against the witness. That KMS may not be asked
// proves nothing, and spoils nothing.
func (w *wrapping) confirm(ctx context.Context, i *importer.Importer, k importer.Key) error {
	proof, err := i.ConfirmBy(ctx, k, w.witness)
	if err == nil && proof.Verdict == importer.Mismatch {
		return &MismatchError{KeyARN: k.ARN}
	}
	return err
}
