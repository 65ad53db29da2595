// SPDX-License-Identifier: Apache-2.0

package gap

import (
	"bytes"
	"slices"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// A Package is what was wrapped from one bundle, and what KMS is to be told about
// it: all that an import takes.
type Package struct {
	Origin
	Bundle      token.Digest // of the bundle
	Seal        token.Digest // of the seal record; zero for an escrow of an earlier ceremony that left none
	Transcript  token.Digest // of the last line of the record before it was wrapped
	Escrow      escrow.ID    // that the material is recoverable from
	Fingerprint string       // of the material
	Wrapped     []Wrapped
}

// Wrapped is what was wrapped for one target.
type Wrapped struct {
	Target       string          `json:"target"` // ID
	File         File            `json:"wrapped"`
	Import       plan.ImportType `json:"import"`
	ValidTo      time.Time       `json:"valid_to,omitzero"` // when KMS forgets the material, UTC; zero for never
	Description  string          `json:"description"`
	MaterialID   string          `json:"material_id"`             // that KMS has to give it, "" for any
	KnownAnswers []KnownAnswer   `json:"known_answers,omitempty"` // of HMAC material
}

// A KnownAnswer is what the material makes of a message: KMS has to agree.
type KnownAnswer struct {
	Message string `json:"message"`
	MAC     []byte `json:"mac"`
}

type packageFile struct {
	head
	Bundle      token.Digest `json:"bundle_sha256"`
	Seal        token.Digest `json:"seal_sha256"`
	Transcript  token.Digest `json:"transcript_sha256"`
	Escrow      escrow.ID    `json:"escrow"`
	Fingerprint string       `json:"fingerprint"`
	Wrapped     []Wrapped    `json:"wrapped_for"`
}

// Encode writes the package. An error is a [*FileError].
func (k *Package) Encode() ([]byte, error) {
	if err := k.validate(); err != nil {
		return nil, err
	}
	return encode(KindPackage, packageFile{newHead(KindPackage, k.Origin), k.Bundle, k.Seal, k.Transcript, k.Escrow, k.Fingerprint, k.Wrapped})
}

// ReadPackage reads what Encode wrote, and nothing else. An error is a
// [*FileError].
func ReadPackage(data []byte) (*Package, error) {
	var f packageFile
	if err := decode(KindPackage, data, &f, &f.head); err != nil {
		return nil, err
	}
	k := &Package{f.Origin, f.Bundle, f.Seal, f.Transcript, f.Escrow, f.Fingerprint, f.Wrapped}
	if err := k.validate(); err != nil {
		return nil, err
	}
	return k, nil
}

func (k *Package) validate() error {
	var targets, files []string
	for _, w := range k.Wrapped {
		targets, files = append(targets, w.Target), append(files, w.File.Name)
		switch {
		case w.Import != plan.ImportNew && w.Import != plan.ImportExisting:
			return &FileError{KindPackage, "wrapped_for.import", "neither new nor existing"}
		case !w.ValidTo.IsZero() && w.ValidTo.Location() != time.UTC:
			return &FileError{KindPackage, "wrapped_for.valid_to", "not a time in UTC"}
		}
	}
	switch {
	case len(targets) == 0:
		return &FileError{KindPackage, "wrapped_for", "missing"}
	case k.Bundle == token.Digest{}, k.Transcript == token.Digest{}:
		return &FileError{KindPackage, "", "a digest is missing"}
	case k.Escrow == escrow.ID{}:
		return &FileError{KindPackage, "escrow", "missing"}
	case k.Fingerprint == "":
		return &FileError{KindPackage, "fingerprint", "missing"}
	}
	if err := names(KindPackage, "wrapped_for.target", targets); err != nil {
		return err
	}
	return names(KindPackage, "wrapped_for.wrapped.name", files)
}

// Material reads what was wrapped for a target from its file, and holds it
// against the package and the plan: those are the bytes to submit. Errors: those
// of [Origin.CheckPlan], [*AlteredError], [*MismatchError], or those of
// [token.ReadWrapped].
func (k *Package) Material(p *plan.Plan, target string, content []byte) (*token.Wrapped, error) {
	if err := k.CheckPlan(p); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(k.Wrapped, func(w Wrapped) bool { return w.Target == target })
	if i < 0 {
		return nil, &MismatchError{target, "target", "", target}
	}
	w := k.Wrapped[i]
	if err := w.File.check(content); err != nil {
		return nil, err
	}
	plain, err := Unstamp(token.KindWrapped, content, k.Rehearsal)
	if err != nil {
		return nil, err
	}
	wrapped, err := token.ReadWrapped(bytes.NewReader(plain))
	if err != nil {
		return nil, err
	}
	if err := checkTarget(p, target, wrapped.KeyARN, wrapped.KeySpec, wrap.Pair{Algorithm: wrapped.Algorithm, KeySpec: wrapped.WrappingKeySpec}); err != nil {
		return nil, err
	}
	if err := w.check(p); err != nil {
		return nil, err
	}
	return wrapped, nil
}

// check holds what KMS will be told against the plan.
func (w Wrapped) check(p *plan.Plan) error {
	for _, t := range p.Targets {
		if t.ID != w.Target {
			continue
		}
		switch {
		case w.Import != t.Import:
			return &MismatchError{w.Target, "import", string(w.Import), string(t.Import)}
		case !w.ValidTo.Equal(t.ValidTo):
			return &MismatchError{w.Target, "valid_to", w.ValidTo.Format(time.RFC3339), t.ValidTo.Format(time.RFC3339)}
		case w.Description != t.Description:
			return &MismatchError{w.Target, "description", w.Description, t.Description}
		case p.Expected != nil && p.Expected.MaterialID != w.MaterialID:
			return &MismatchError{w.Target, "material_id", w.MaterialID, p.Expected.MaterialID}
		}
	}
	return nil
}
