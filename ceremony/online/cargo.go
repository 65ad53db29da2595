// SPDX-License-Identifier: Apache-2.0

package online

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// A cargo is what was wrapped for one target, and the package that says so.
type cargo struct {
	name    string // of the package's file
	content []byte // its bytes
	pack    *gap.Package
	entry   gap.Wrapped
	wrapped *token.Wrapped
}

// cargoOf finds what the record says was wrapped for a target: the package by its
// digest, and the bytes by the package. Errors: [*evidence.FileError],
// [*gap.MismatchError], fs.ErrNotExist where the folder lacks the package, or
// those of [gap.Package.Material].
func cargoOf(p *plan.Plan, folder evidence.Folder, t phase.Target) (c cargo, err error) {
	numbers, err := folder.Packages()
	if err != nil {
		return c, err
	}
	for _, n := range numbers {
		c.name = evidence.PackageFile(n)
		if c.pack, c.content, err = folder.Package(n); err != nil {
			return c, err
		}
		if sha256.Sum256(c.content) == t.Package {
			return c, c.open(p, folder, t.ID)
		}
	}
	return c, fmt.Errorf("there is no package with the SHA-256 %s, which was wrapped for %s: %w", t.Package, t.ID, fs.ErrNotExist)
}

func (c *cargo) open(p *plan.Plan, folder evidence.Folder, target string) error {
	i := slices.IndexFunc(c.pack.Wrapped, func(w gap.Wrapped) bool { return w.Target == target })
	if i < 0 {
		return &gap.MismatchError{Target: target, Field: "target", Want: target}
	}
	c.entry = c.pack.Wrapped[i]
	content, err := folder.Read(c.entry.File.Name, gap.MaxArtefact)
	if err != nil {
		return err
	}
	if c.wrapped, err = c.pack.Material(p, target, content); err != nil {
		return &evidence.FileError{Name: folder.Path(c.entry.File.Name), Err: err}
	}
	return nil
}

// checkMaterial demands that what was wrapped is the material that was sealed.
func (c *cargo) checkMaterial(fingerprint string) error {
	if c.pack.Fingerprint != fingerprint {
		return &gap.MismatchError{Target: c.entry.Target, Field: "fingerprint", Got: c.pack.Fingerprint, Want: fingerprint}
	}
	return nil
}

// submitted is the line that comes before the bytes are sent to a key.
func (c *cargo) submitted(k importer.Key) transcript.Submitted {
	return transcript.Submitted{
		Target: c.entry.Target, Package: sha256.Sum256(c.content), Wrapped: transcript.Digest(c.wrapped.EncryptedKeyMaterialSHA256()),
		KeyState: string(k.State), MaterialID: k.MaterialID,
	}
}

// request is what KMS is told: what the package says, as far as KMS takes it for
// a key of the spec (recorded: only for symmetric encryption keys, and new
// material and descriptions only for a primary).
func (c *cargo) request(k importer.Key) importer.ImportRequest {
	r := importer.ImportRequest{Wrapped: c.wrapped, Expiry: c.expiry(), Before: &k}
	if c.wrapped.KeySpec.Kind() != material.Symmetric {
		return r
	}
	switch {
	case c.entry.Import == plan.ImportExisting:
		r.Type, r.MaterialID = types.ImportTypeExistingKeyMaterial, c.entry.MaterialID
	case c.stages(k.MaterialID):
		r.Type = types.ImportTypeNewKeyMaterial
	} // the first of a key is new, and needs no word (recorded)
	if !k.Replica {
		r.Description = c.entry.Description
	}
	return r
}

// expiry is when KMS has to forget the material.
func (c *cargo) expiry() importer.Expiry {
	if c.entry.ValidTo.IsZero() {
		return importer.Never()
	}
	return importer.At(c.entry.ValidTo)
}

// stages reports whether the material will wait for a rotation, in a key that
// goes on with what it has.
func (c *cargo) stages(before string) bool {
	return c.wrapped.KeySpec.Kind() == material.Symmetric && c.entry.Import == plan.ImportNew && before != ""
}

// deadline is when a submission has to be done, by the plan.
func (c *cargo) deadline(p *plan.Plan) time.Time {
	return c.wrapped.ValidTo.Add(-p.Limits.ImportMargin)
}
