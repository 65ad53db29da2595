// SPDX-License-Identifier: Apache-2.0

package gap

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/lazyregexp"
	"github.com/keymat/keymat/token"
)

// Kinds of the files. Those of a rehearsal have "rehearsal-" before the last
// word.
const (
	KindBundle   = "keymat/bundle"
	KindPackage  = "keymat/package"
	KindSeal     = "keymat/seal"
	KindManifest = "keymat/gap"
)

const version = 1

// MaxArtefact is the largest file of this package in bytes.
const MaxArtefact = 256 << 10

// An Origin is what each file says of the ceremony that it comes from.
type Origin struct {
	Rehearsal  bool         `json:"rehearsal"`
	Ceremony   string       `json:"ceremony"`
	PlanSHA256 token.Digest `json:"plan_sha256"`
}

// OriginOf is that of files of a ceremony by this plan.
func OriginOf(p *plan.Plan) Origin { return Origin{p.Rehearsal, p.ID, p.Digest()} }

// CheckPlan demands that a file is of the ceremony by this plan. Errors:
// [*RehearsalError], [*OtherPlanError].
func (o Origin) CheckPlan(p *plan.Plan) error {
	switch {
	case o.Rehearsal != p.Rehearsal:
		return &RehearsalError{Rehearsal: o.Rehearsal}
	case o != OriginOf(p):
		return &OtherPlanError{Ceremony: o.Ceremony}
	}
	return nil
}

// CheckReal refuses what comes of a rehearsal with a [*RehearsalError]: whoever
// is about to talk to AWS asks.
func (o Origin) CheckReal() error {
	if o.Rehearsal {
		return &RehearsalError{Rehearsal: true}
	}
	return nil
}

// head begins each file.
type head struct {
	Kind    string `json:"kind"`
	Version int    `json:"version"`
	Origin
}

func newHead(kind string, o Origin) head { return head{kindOf(kind, o.Rehearsal), version, o} }

const rehearsalMark = "rehearsal-"

// kindOf is how a kind is spelt in a rehearsal, or else.
func kindOf(kind string, rehearsal bool) string {
	if !rehearsal {
		return kind
	}
	return strings.Replace(kind, "/", "/"+rehearsalMark, 1)
}

func encode(kind string, v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", kind, err)
	}
	return b.Bytes(), nil
}

// decode reads into v, whose head is h. Written again it must be the same bytes:
// so nothing is unknown, missing, given twice or spelt in another way.
func decode(kind string, data []byte, v any, h *head) error {
	if len(data) > MaxArtefact {
		return &FileError{Kind: kind, Reason: fmt.Sprintf("larger than %d bytes", MaxArtefact)}
	}
	var first struct {
		Kind    string `json:"kind"`
		Version int    `json:"version"`
	}
	switch err := json.Unmarshal(data, &first); {
	case err != nil:
		return &FileError{Kind: kind, Reason: "not JSON"}
	case first.Kind != kind && first.Kind != kindOf(kind, true):
		return &FileError{Kind: kind, Field: "kind", Reason: "something else"}
	case first.Version != version:
		return &FileError{Kind: kind, Field: "version", Reason: fmt.Sprintf("want %d", version)}
	}
	if err := json.Unmarshal(data, v); err != nil {
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return &FileError{Kind: kind, Field: e.Field, Reason: "not of the right type"}
		}
		return &FileError{Kind: kind, Reason: err.Error()}
	}
	if h.Kind != kindOf(kind, h.Rehearsal) {
		return &FileError{Kind: kind, Field: "rehearsal", Reason: "not what its kind says"}
	}
	again, err := encode(kind, v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, data) {
		return &FileError{Kind: kind, Reason: "a field is unknown, missing, given twice, out of order or spelt in another way than version 1 has it"}
	}
	return nil
}

// A File is a file on the same medium.
type File struct {
	Name   string       `json:"name"`
	Size   int64        `json:"size"` // bytes
	SHA256 token.Digest `json:"sha256"`
}

// FileOf is what a file of this content is.
func FileOf(name string, content []byte) File {
	return File{name, int64(len(content)), sha256.Sum256(content)}
}

// check holds a content against the file. The error is a [*AlteredError].
func (f File) check(content []byte) error {
	if FileOf(f.Name, content) != f {
		return &AlteredError{Name: f.Name}
	}
	return nil
}

var plainName = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$`)

// names demands plain and different names.
func names(kind, field string, all []string) error {
	for i, name := range all {
		if !plainName().MatchString(name) || name == ManifestFile {
			return &FileError{Kind: kind, Field: field, Reason: "not a plain name"}
		}
		if slices.ContainsFunc(all[:i], func(other string) bool { return strings.EqualFold(other, name) }) {
			return &FileError{Kind: kind, Field: field, Reason: "given twice"}
		}
	}
	return nil
}
