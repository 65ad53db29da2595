// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// remember plays, in short, the earlier ceremony whose material a plan brings back:
// an escrow on a medium, its shares with their custodians, and keys that have had
// the material, where the plan says so, and lost it. It returns what the plan for
// practice has to expect.
func (s *stage) remember(ctx context.Context, own *plan.Plan, arns map[string]string) (*plan.Expected, error) {
	m, err := material.Generate(own.Material.Spec)
	if err != nil {
		return nil, err
	}
	defer m.Destroy()
	expected := &plan.Expected{Fingerprint: m.Fingerprint().String()}
	if expected.Escrow, err = s.dealt(own, m); err != nil {
		return nil, err
	}
	had := *own
	had.Targets = slices.Clone(own.Targets)
	for i, t := range had.Targets {
		had.Targets[i].Key = cmp.Or(arns[t.ID], t.Key)
	}
	known := map[string]bool{"": true}
	for _, t := range own.Targets {
		known[t.ID] = t.Import == plan.ImportExisting && known[t.ReplicaOf]
	}
	had.Targets = slices.DeleteFunc(had.Targets, func(t plan.Target) bool { return !known[t.ID] })
	if expected.MaterialID, err = s.world.haveHad(ctx, &had, m); err != nil {
		return nil, fmt.Errorf("importing into the mock before the rehearsal: %w", err)
	}
	return expected, nil
}

// dealt seals material as the plan would, and gives the shares to those who open it.
func (s *stage) dealt(own *plan.Plan, m *material.Material) (id escrow.ID, err error) {
	opens := own.Shares
	if own.Expected != nil {
		opens = own.Opening(own.Expected.Escrow.String())
	}
	for _, h := range opens.Holders { // of some shares nobody may be left
		opens.Count = max(opens.Count, h.Share)
	}
	f, shares, err := escrow.SealQuorum(m, s.world.now(), escrow.Plan{
		Profile: own.Escrow.Profile, Scheme: own.Escrow.Scheme, Threshold: opens.Threshold, Count: opens.Count,
	})
	if err != nil {
		return id, err
	}
	for _, h := range opens.Holders {
		text := shares[h.Share-1].Text()
		keep := func(words []byte) error {
			return s.cast.keep(h.Custodian, shareFile(f.ID.String(), h.Share), slices.Clone(words))
		}
		if err := closing(text.Expose(keep), func() error { text.Destroy(); return nil }); err != nil {
			return id, err
		}
	}
	var plain bytes.Buffer
	if err := f.Encode(&plain); err != nil {
		return id, err
	}
	stamped, err := gap.Stamp(escrow.Kind, plain.Bytes(), true)
	if err != nil {
		return id, err
	}
	folder, err := s.keptAt(earlierMedium)
	if err != nil {
		return id, err
	}
	return f.ID, files.WritePublic(evidence.Folder(folder).Path(evidence.EscrowFile(f.ID.String())), stamped, files.KeepExisting)
}

// haveHad brings material into the keys of a plan, and deletes it there: then they
// know it. id is KMS's name for it in the first.
func (w *world) haveHad(ctx context.Context, p *plan.Plan, m *material.Material) (id string, err error) {
	for _, t := range p.Targets {
		if err := w.bring(ctx, p, t, m); err != nil {
			return "", err
		}
	}
	for _, t := range p.Targets {
		k, err := w.key(ctx, p, t)
		if err != nil {
			return "", err
		}
		im, err := w.importer(ctx, t.Region)
		if err != nil {
			return "", err
		}
		deleted, err := im.DeleteMaterial(ctx, k, "")
		if err != nil {
			return "", err
		}
		id = cmp.Or(id, deleted.MaterialID)
	}
	return id, nil
}

func (w *world) bring(ctx context.Context, p *plan.Plan, t plan.Target, m *material.Material) error {
	k, err := w.key(ctx, p, t)
	if err != nil {
		return err
	}
	im, err := w.importer(ctx, t.Region)
	if err != nil {
		return err
	}
	params, err := im.Fetch(ctx, k, t.Wrapping)
	if err != nil {
		return err
	}
	wrapped, err := token.Wrap(params, m)
	if err != nil {
		return err
	}
	r := importer.ImportRequest{Wrapped: wrapped, Expiry: importer.Never(), Before: &k}
	if k.Replica && m.Spec().Kind() == material.Symmetric {
		r.Type = types.ImportTypeExistingKeyMaterial
	}
	_, err = im.Import(ctx, r)
	return err
}
