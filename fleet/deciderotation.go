// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// rotated tells whether the rotation that is asked for is done: any that
// completed on its day or later.
func (d *decision) rotated(materials []importer.KeyMaterial) bool {
	return d.key.Rotate != nil && slices.ContainsFunc(materials, func(m importer.KeyMaterial) bool {
		return !m.Rotated.IsZero() && !m.Rotated.Before(d.key.Rotate.On)
	})
}

// rotateIfDue adds the rotation, after whatever the key needs before.
func (d *decision) rotateIfDue(k importer.Key, materials []importer.KeyMaterial) error {
	r := d.key.Rotate
	switch {
	case r == nil || d.rotated(materials):
		return nil
	case r.On.After(d.Now):
		d.notes = append(d.notes, fmt.Sprintf("to be rotated on %s, in %s", r.On.Format(time.DateOnly), inWords(r.On.Sub(d.Now))))
		return nil
	case k.Spec.Kind() != material.Symmetric:
		return refuse("a rotation is asked for, and a %s key holds one material for life", k.Spec)
	case k.State == types.KeyStateDisabled && len(d.Steps) == 0:
		return refuse("a rotation is due, and the key is disabled: KMS rotates only keys that are enabled")
	}
	if used := importer.OnDemandRotations(materials); used >= importer.MaxOnDemandRotations {
		return refuse("a rotation is due, and the key was rotated on demand %d times: KMS allows no more in a key's life", used)
	}
	if err := d.checkNewMaterial(); err != nil {
		return err
	}
	step, err := d.importStep(r.Escrow, k)
	if err != nil {
		return err
	}
	step.Do, step.Region = DoRotate, d.Region
	if pending := slices.IndexFunc(materials, importer.KeyMaterial.Pending); pending >= 0 {
		step.MaterialID = materials[pending].ID
		d.notes = append(d.notes, "material "+named(step.MaterialID)+"waits in the key for the rotation")
	}
	d.because("not rotated since %s, the day it is due", r.On.Format(time.DateOnly))
	d.take(Rotate, step)
	return nil
}

// checkNewMaterial refuses to rotate to what the key has: KMS would, too, in
// the middle of the change.
func (d *decision) checkNewMaterial() error {
	next, err := d.header(d.key.Rotate.Escrow)
	if err != nil {
		return err
	}
	for _, path := range append(slices.Clone(d.key.Older), d.key.Escrow) {
		if had, err := d.header(path); err == nil && had.Fingerprint == next.Fingerprint {
			return refuse("the escrow %s holds the same material as %s: a rotation takes other material", d.key.Rotate.Escrow, path)
		}
	}
	return nil
}

// ordinal is such as "2nd of 5".
func ordinal(n, of int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s of %d", n, suffix, of)
}
