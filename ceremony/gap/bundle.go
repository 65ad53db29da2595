// SPDX-License-Identifier: Apache-2.0

package gap

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// A Bundle is what was fetched from KMS for targets of a plan.
type Bundle struct {
	Origin
	Fetched []Fetched
}

// Fetched is what was fetched for one target.
type Fetched struct {
	Target    string    `json:"target"`     // ID
	At        time.Time `json:"fetched_at"` // UTC
	Caller    string    `json:"caller"`     // ARN, as GetCallerIdentity has it
	RequestID string    `json:"request_id"` // of GetParametersForImport
	Key       Key       `json:"key"`
	File      File      `json:"params"`
}

// A Key is what DescribeKey said, in KMS's spelling.
type Key struct {
	State       string `json:"key_state"`
	Spec        string `json:"key_spec"`
	Usage       string `json:"key_usage"`
	Origin      string `json:"origin"`
	MultiRegion bool   `json:"multi_region"`
	MaterialID  string `json:"current_material_id"` // "" where there is none
}

type bundleFile struct {
	head
	Fetched []Fetched `json:"fetched"`
}

// Encode writes the bundle. An error is a [*FileError].
func (b *Bundle) Encode() ([]byte, error) {
	if err := b.validate(); err != nil {
		return nil, err
	}
	return encode(KindBundle, bundleFile{newHead(KindBundle, b.Origin), b.Fetched})
}

// ReadBundle reads what Encode wrote, and nothing else. An error is a
// [*FileError].
func ReadBundle(data []byte) (*Bundle, error) {
	var f bundleFile
	if err := decode(KindBundle, data, &f, &f.head); err != nil {
		return nil, err
	}
	b := &Bundle{f.Origin, f.Fetched}
	if err := b.validate(); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Bundle) validate() error {
	var targets, files []string
	for _, f := range b.Fetched {
		targets, files = append(targets, f.Target), append(files, f.File.Name)
		if f.At.IsZero() || f.At.Location() != time.UTC {
			return &FileError{KindBundle, "fetched.fetched_at", "not a time in UTC"}
		}
	}
	if len(targets) == 0 {
		return &FileError{KindBundle, "fetched", "missing"}
	}
	if err := names(KindBundle, "fetched.target", targets); err != nil {
		return err
	}
	return names(KindBundle, "fetched.params.name", files)
}

// Targets are the IDs of those that the bundle is for.
func (b *Bundle) Targets() (ids []string) {
	for _, f := range b.Fetched {
		ids = append(ids, f.Target)
	}
	return ids
}

// Parameters reads the import parameters of a target from their file, and holds
// them against the bundle and the plan. Errors: those of [Origin.CheckPlan],
// [*AlteredError], [*MismatchError], or those of [token.ReadParameters].
func (b *Bundle) Parameters(p *plan.Plan, target string, content []byte) (*token.Parameters, error) {
	if err := b.CheckPlan(p); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(b.Fetched, func(f Fetched) bool { return f.Target == target })
	if i < 0 {
		return nil, &MismatchError{target, "target", "", target}
	}
	f := b.Fetched[i]
	if err := f.File.check(content); err != nil {
		return nil, err
	}
	plain, err := Unstamp(token.KindParameters, content, b.Rehearsal)
	if err != nil {
		return nil, err
	}
	params, err := token.ReadParameters(bytes.NewReader(plain))
	if err != nil {
		return nil, err
	}
	if err := checkTarget(p, target, params.KeyARN, params.KeySpec, wrap.Pair{Algorithm: params.Algorithm, KeySpec: params.WrappingKeySpec}); err != nil {
		return nil, err
	}
	if err := f.Key.check(p, target); err != nil {
		return nil, err
	}
	return params, nil
}

// check demands a key that is there for such material. An enabled one gets it in
// a rotation.
func (k Key) check(p *plan.Plan, target string) error {
	if k.State != "PendingImport" && k.State != "Enabled" {
		return &MismatchError{target, "key_state", k.State, "PendingImport"}
	}
	for _, v := range []struct{ field, got, want string }{
		{"origin", k.Origin, "EXTERNAL"},
		{"key_spec", k.Spec, string(p.Material.Spec)},
		{"key_usage", k.Usage, string(p.Material.Usage)},
	} {
		if v.got != v.want {
			return &MismatchError{target, v.field, v.got, v.want}
		}
	}
	return nil
}

// checkTarget holds a KMS key and how it is wrapped for against the plan, which
// may name the key by an alias: then account and Region have to do.
func checkTarget(p *plan.Plan, target, arn string, spec material.Spec, pair wrap.Pair) error {
	i := slices.IndexFunc(p.Targets, func(t plan.Target) bool { return t.ID == target })
	if i < 0 {
		return &MismatchError{target, "target", target, "one of the plan"}
	}
	t := p.Targets[i]
	prefix := strings.Join([]string{"arn", t.Partition, "kms", t.Region, t.Account, "key/"}, ":")
	switch {
	case strings.HasPrefix(t.Key, "arn:") && arn != t.Key:
		return &MismatchError{target, "key_arn", arn, t.Key}
	case !strings.HasPrefix(arn, prefix):
		return &MismatchError{target, "key_arn", arn, prefix + "…"}
	case spec != p.Material.Spec:
		return &MismatchError{target, "key_spec", string(spec), string(p.Material.Spec)}
	case pair != t.Wrapping:
		return &MismatchError{target, "wrapping", pair.Algorithm.String() + " " + pair.KeySpec.String(), t.Wrapping.Algorithm.String() + " " + t.Wrapping.KeySpec.String()}
	}
	return nil
}
