// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// RotateRequest asks for a rotation to new material.
type RotateRequest struct {
	Material    *material.Material
	Wrap        Wrapper // in place of Material, for one that is not to be in memory all the while
	Pair        wrap.Pair
	Expiry      Expiry // of the new material, in every Region
	Description string // of the new material
}

func (r RotateRequest) wrapper() Wrapper {
	if r.Wrap != nil {
		return r.Wrap
	}
	return WrapperOf(r.Material)
}

// Rotated is the outcome of Rotate. Times are UTC.
type Rotated struct {
	KeyARN    string // of the primary
	From, To  string // KeyMaterialIds; equal when Unchanged
	At        time.Time
	Unchanged bool          // the material was the current one before
	Resumed   bool          // somebody had begun, and this run went on from there
	Used      int           // on-demand rotations, of MaxOnDemandRotations
	Copies    []RotatedCopy // the primary first
}

// RotatedCopy is one copy of the key after a rotation.
type RotatedCopy struct {
	Receipt Receipt // of the new material; At is zero where it was there already
	Opening Opening
}

// Rotate imports new material beside the current one, at the primary as new
// and then in every replica, rotates the key on demand, waits until KMS has
// done so, and tries whether ciphertexts of before and after open.
//
// It can be run again whenever it ended early: it looks first, and goes on from
// where any tool left off. The material given has to be the one that waits
// (*PendingError), so that nothing is rotated to material nobody has a copy of.
// Besides the errors of [Importer.CheckRotation] it fails with *RetiredError,
// and with *UnfinishedRotationError once the new material is in the key.
func (i *Importer) Rotate(ctx context.Context, k Key, r RotateRequest) (Rotated, error) {
	if err := r.Expiry.Check(i.now()); err != nil {
		return Rotated{}, err
	}
	state, err := i.CheckRotation(ctx, k)
	if err != nil {
		return Rotated{}, err
	}
	k.MaterialID = state.current(k.MaterialID) // a rotation may have ended since k was read
	copies, err := i.rotatableCopies(ctx, k)
	if err != nil {
		return Rotated{}, err
	}
	before, err := i.seal(ctx, k)
	if err != nil {
		return Rotated{}, err
	}
	staged, err := i.stage(ctx, k, state, r)
	if err != nil {
		return Rotated{}, err
	}
	done := Rotated{KeyARN: k.ARN, From: k.MaterialID, To: staged.MaterialID, Used: state.Used}
	_, waited := state.Pending()
	done.Unchanged = done.From == done.To
	done.Resumed = waited
	if err := finishRotation(ctx, copies, staged, before, r, &done); err != nil {
		return done, &UnfinishedRotationError{KeyARN: k.ARN, MaterialID: done.To, Err: err}
	}
	return done, nil
}

// rotatableCopies are all copies of the key. Each has to take an import: with
// one that does not, the rotation would stop half-way.
func (i *Importer) rotatableCopies(ctx context.Context, k Key) ([]Copy, error) {
	copies := i.CopiesOf(ctx, k)
	for _, c := range copies {
		if c.Err != nil {
			return nil, c.Err
		}
		if err := c.Key.checkImportable(); err != nil {
			return nil, err
		}
	}
	return copies, nil
}

// stage brings the new material into the primary, or finds that it is there.
// KMS tells which it is: it takes as new only what the key never had, and as
// existing only what has the expected KeyMaterialId.
func (i *Importer) stage(ctx context.Context, k Key, state Rotation, r RotateRequest) (Receipt, error) {
	if pending, waits := state.Pending(); waits {
		return i.stageAgain(ctx, k, pending.ID, r, &PendingError{KeyARN: k.ARN, MaterialID: pending.ID})
	}
	receipt, err := i.Transfer(ctx, k, r.wrapper(), r.Pair, ImportRequest{
		Expiry: r.Expiry, Type: types.ImportTypeNewKeyMaterial, Description: r.Description,
	})
	if _, known := errors.AsType[*types.IncorrectKeyMaterialException](err); known {
		return i.stageAgain(ctx, k, k.MaterialID, r, &RetiredError{KeyARN: k.ARN})
	}
	return receipt, err
}

// stageAgain imports the material as the one the key knows by id. otherwise is
// the error when it is another.
func (i *Importer) stageAgain(ctx context.Context, k Key, id string, r RotateRequest, otherwise error) (Receipt, error) {
	receipt, err := i.Transfer(ctx, k, r.wrapper(), r.Pair, ImportRequest{
		Expiry: r.Expiry, Type: types.ImportTypeExistingKeyMaterial, MaterialID: id,
	})
	if _, other := errors.AsType[*types.IncorrectKeyMaterialException](err); other {
		return Receipt{}, otherwise
	}
	return receipt, err
}

// finishRotation does what is left once the primary has the material.
func finishRotation(ctx context.Context, copies []Copy, staged Receipt, before probe, r RotateRequest, done *Rotated) error {
	done.Copies = []RotatedCopy{{Receipt: staged}}
	for _, c := range copies[1:] {
		receipt, err := c.spread(ctx, staged.MaterialID, r)
		if err != nil {
			return err
		}
		done.Copies = append(done.Copies, RotatedCopy{Receipt: receipt})
	}
	if !done.Unchanged {
		if err := copies[0].turn(ctx, copies[0].Key, done); err != nil {
			return err
		}
	}
	return openEverywhere(ctx, copies, before, done)
}

// spread brings the material into a replica, unless it is there and expires as
// asked.
func (c Copy) spread(ctx context.Context, id string, r RotateRequest) (Receipt, error) {
	var m KeyMaterial
	var found bool
	var err error
	c.poll(ctx, "the replica in "+c.Key.Region()+" to know the new material", func() bool {
		var all []KeyMaterial
		all, err = c.Materials(ctx, c.Key)
		m, found = withID(all, id)
		return found || err != nil
	})
	if err != nil {
		return Receipt{}, err
	}
	if found && !m.Missing(c.now()) && r.Expiry.MetBy(m.Expiry, c.now()) {
		return Receipt{KeyARN: c.Key.ARN, KeySpec: c.Key.Spec, MaterialID: id, Expiry: m.Expiry, State: c.Key.State, Pending: m.Pending()}, nil
	}
	return c.Transfer(ctx, c.Key, r.wrapper(), r.Pair, ImportRequest{
		Expiry: r.Expiry, Type: types.ImportTypeExistingKeyMaterial, MaterialID: id,
	})
}
