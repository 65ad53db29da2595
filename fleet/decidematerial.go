// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// sources are the escrows of a key's materials, the oldest first. That of a
// rotation counts once the rotation is done.
func (d *decision) sources(materials []importer.KeyMaterial) []string {
	all := append(slices.Clone(d.key.Older), d.key.Escrow)
	if d.rotated(materials) {
		all = append(all, d.key.Rotate.Escrow)
	}
	return all
}

// decideImported is for a key that exists and shall have its material.
func (d *decision) decideImported() error {
	primary := d.found.Copies[0]
	for _, c := range d.found.Copies {
		skip, err := d.checkCopy(c)
		if err != nil {
			return err
		}
		if skip {
			continue
		}
		if err := d.restore(c, d.sources(primary.Materials)); err != nil {
			return err
		}
	}
	if err := d.replicate(primary); err != nil {
		return err
	}
	if err := d.rotateIfDue(primary.Key, primary.Materials); err != nil {
		return err
	}
	if len(d.Steps) > 0 {
		return nil
	}
	if e := primary.Key.Expiry; e.Never() || e.IsZero() {
		d.because("imported, never expires")
	} else {
		d.because("imported, expires %s: %s left", e, leftInWords(e.Time().Sub(d.Now)))
	}
	return nil
}

// checkCopy tells whether a copy takes material now. A replica that is going
// away, and that nobody asks for, is left alone.
func (d *decision) checkCopy(c FoundCopy) (skip bool, err error) {
	region := importer.RegionOf(c.Key.ARN)
	if c.Err != nil {
		return false, refuse("its copy in %s cannot be looked at: %s", region, d.Explain(c.Err))
	}
	switch c.Key.State {
	case types.KeyStateEnabled, types.KeyStatePendingImport:
		return false, nil
	case types.KeyStateDisabled:
		return false, nil
	case types.KeyStatePendingDeletion, types.KeyStatePendingReplicaDeletion:
		if c.Key.Replica && !slices.Contains(d.key.Replicas, region) {
			d.notes = append(d.notes, region+": the replica is scheduled for deletion, and left alone")
			return true, nil
		}
		return false, refuse("%s is scheduled for deletion: cancel that first, if it shall live", c.Key.ARN)
	}
	return false, refuse("%s is in state %s: try again later", c.Key.ARN, c.Key.State)
}

// restore brings back what is missing in a copy, and renews what expires.
func (d *decision) restore(c FoundCopy, sources []string) error {
	before := len(d.Steps)
	var err error
	if len(c.Materials) > 0 {
		err = d.restoreEach(c, sources)
	} else {
		err = d.restoreOnly(c, sources[len(sources)-1])
	}
	if err == nil && len(d.Steps) == before && c.Key.State == types.KeyStatePendingImport {
		return refuse("%s is in state %s although all its material is there: try again later", c.Key.ARN, c.Key.State)
	}
	if len(d.Steps) > before && c.Key.State == types.KeyStateDisabled {
		d.notes = append(d.notes, d.where(c.Key)+"the key is disabled, and an import enables it")
	}
	return err
}

// restoreOnly is for a copy of which the current material is known, or which
// has but one in its life.
func (d *decision) restoreOnly(c FoundCopy, path string) error {
	switch {
	case c.Key.State == types.KeyStatePendingImport && c.Key.MaterialID == "":
		d.because("%shas no material%s", d.where(c.Key), unknownPast(c.Key))
		return d.bring(path, Import, c.Key, c.Key.Region(), "")
	case c.Key.State == types.KeyStatePendingImport:
		d.because("%sits material is missing", d.where(c.Key))
		return d.bring(path, Reimport, c.Key, c.Key.Region(), c.Key.MaterialID)
	case !met(d.key.Expires, c.Key.Expiry, d.Now):
		d.because("%s%s", d.where(c.Key), whyNotMet(d.key.Expires, c.Key.Expiry, d.Now))
		return d.bring(path, Renew, c.Key, c.Key.Region(), c.Key.MaterialID)
	}
	return nil
}

// unknownPast says what KMS does not tell of keys other than symmetric ones.
func unknownPast(k importer.Key) string {
	if k.Spec.Kind() == material.Symmetric {
		return " yet"
	}
	return " (whether it ever had any, KMS does not tell)"
}

// restoreEach goes through all materials of a symmetric key. The manifest's
// escrows belong to the latest of them, in the same order.
func (d *decision) restoreEach(c FoundCopy, sources []string) error {
	settled := slices.DeleteFunc(slices.Clone(c.Materials), importer.KeyMaterial.Pending)
	for i, m := range settled {
		missing := m.Missing(d.Now)
		if !missing && met(d.key.Expires, m.Expiry, d.Now) {
			continue
		}
		words := "its material is missing"
		action := Reimport
		if !missing {
			words, action = whyNotMet(d.key.Expires, m.Expiry, d.Now), Renew
		}
		if len(settled) > 1 {
			words = "material " + named(m.ID) + "(" + ordinal(i+1, len(settled)) + ") " + map[bool]string{true: "is missing", false: words}[missing]
		}
		from := len(sources) - len(settled) + i
		if from < 0 {
			return refuse("%s%s, and the manifest names no escrow for it: list those of earlier materials under older, the oldest first", d.where(c.Key), words)
		}
		d.because("%s%s", d.where(c.Key), words)
		if err := d.bring(sources[from], action, c.Key, c.Key.Region(), m.ID); err != nil {
			return err
		}
	}
	return nil
}

// replicate makes the replicas that are asked for and do not exist, each with
// all materials of the key.
func (d *decision) replicate(primary FoundCopy) error {
	sources := d.sources(primary.Materials)
	for _, region := range missingReplicas(d.key, primary.Key) {
		d.because("there is no replica in %s", region)
		d.take(Create, Step{Do: DoReplicate, Region: region})
		settled := slices.DeleteFunc(slices.Clone(primary.Materials), importer.KeyMaterial.Pending)
		if len(settled) == 0 {
			settled = []importer.KeyMaterial{{ID: primary.Key.MaterialID}}
		}
		for i, m := range settled {
			from := len(sources) - len(settled) + i
			if from < 0 {
				return refuse("the replica in %s needs all %d materials of the key, and the manifest names the escrows of %d: list those of earlier materials under older, the oldest first", region, len(settled), len(sources))
			}
			if err := d.bring(sources[from], Create, importer.Key{Spec: primary.Key.Spec}, region, m.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// bring adds the step that imports material from an escrow.
func (d *decision) bring(path string, a Action, k importer.Key, region, id string) error {
	step, err := d.importStep(path, k)
	if err != nil {
		return err
	}
	step.Do, step.Region, step.MaterialID = DoImport, region, id
	d.take(a, step)
	return nil
}

// importStep fills in what all steps with material have in common.
func (d *decision) importStep(path string, k importer.Key) (Step, error) {
	header, err := d.header(path)
	if err != nil {
		return Step{}, err
	}
	if header.Spec != k.Spec {
		return Step{}, refuse("the escrow %s holds %s material, and the key is a %s key", path, header.Spec, k.Spec)
	}
	expiry, err := expiryOf(d.key.Expires, d.Now)
	if err != nil {
		return Step{}, refusal(err.Error())
	}
	pair, err := d.pair(k.Spec)
	return Step{
		KeyARN: k.ARN, Spec: k.Spec, Wrapping: pair, Expiry: expiry,
		Escrow: Escrow{Path: header.Path, SHA256: header.SHA256},
	}, err
}
