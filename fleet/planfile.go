// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// PlanKind is the "kind" of a plan in a file.
const PlanKind = "keymat/fleet-plan"

const planVersion = 1

// A plan in a file is JSON: a header and, in its last member, the changes, one
// line each. These are its forms; a plan is never held twice.

type planHeader struct {
	Kind     string      `json:"kind"`
	Version  int         `json:"version"`
	ID       string      `json:"id"`
	Made     time.Time   `json:"made"`
	Manifest sourceForm  `json:"manifest"`
	Shard    string      `json:"shard,omitempty"`
	Places   []placeForm `json:"places"`
}

type sourceForm struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

type placeForm struct {
	Name    string `json:"name"`
	Profile string `json:"profile,omitempty"`
	Role    string `json:"role,omitempty"`
	Region  string `json:"region"`
	Account string `json:"account,omitempty"`
}

type changeForm struct {
	Name   string     `json:"name"`
	Place  string     `json:"place"`
	Action Action     `json:"action"`
	Why    string     `json:"why"`
	Seen   []seenForm `json:"seen,omitempty"`
	Steps  []stepForm `json:"steps,omitempty"`
}

type seenForm struct {
	KeyARN     string         `json:"key_arn"`
	State      types.KeyState `json:"key_state"`
	MaterialID string         `json:"key_material_id,omitempty"`
	Expires    string         `json:"expires,omitempty"` // RFC 3339, or "never"
}

type stepForm struct {
	Do         Do            `json:"do"`
	Region     string        `json:"region"`
	KeyARN     string        `json:"key_arn,omitempty"`
	Create     *createForm   `json:"create,omitempty"`
	Spec       material.Spec `json:"key_spec,omitempty"`
	Escrow     *escrowForm   `json:"escrow,omitempty"`
	Wrapping   *pairForm     `json:"wrapping,omitempty"`
	Expires    string        `json:"expires,omitempty"`
	MaterialID string        `json:"key_material_id,omitempty"`
}

type createForm struct {
	Spec        material.Spec      `json:"key_spec"`
	Usage       types.KeyUsageType `json:"key_usage,omitempty"`
	Alias       string             `json:"alias,omitempty"`
	MultiRegion bool               `json:"multi_region,omitempty"`
	Description string             `json:"description,omitempty"`
	Tags        map[string]string  `json:"tags,omitempty"`
	Policy      string             `json:"policy,omitempty"`
}

type escrowForm struct {
	Path   string `json:"path"`
	SHA256 string `json:"ciphertext_sha256"`
}

type pairForm struct {
	Algorithm wrap.Algorithm `json:"algorithm"`
	KeySpec   wrap.KeySpec   `json:"wrapping_key"`
}

// MarshalJSON gives the form that a change has in the file of a plan.
func (c Change) MarshalJSON() ([]byte, error) { return compact(formOf(c)) }

// compact encodes without the escapes that are meant for HTML.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func formOf(c Change) changeForm {
	f := changeForm{Name: c.Name, Place: c.Place, Action: c.Action, Why: c.Why}
	for _, s := range c.Seen {
		f.Seen = append(f.Seen, seenForm{s.KeyARN, s.State, s.MaterialID, expiryText(s.Expiry)})
	}
	for _, s := range c.Steps {
		f.Steps = append(f.Steps, stepFormOf(s))
	}
	return f
}

func stepFormOf(s Step) stepForm {
	f := stepForm{Do: s.Do, Region: s.Region, KeyARN: s.KeyARN, Spec: s.Spec, Expires: expiryText(s.Expiry), MaterialID: s.MaterialID}
	if s.Do == DoCreate {
		r := s.Create
		f.Create = &createForm{r.Spec, r.Usage, r.Alias, r.MultiRegion, r.Description, r.Tags, r.Policy}
	}
	if s.Escrow != (Escrow{}) {
		f.Escrow = &escrowForm{s.Escrow.Path, s.Escrow.SHA256}
	}
	if s.Wrapping != (wrap.Pair{}) {
		f.Wrapping = &pairForm{s.Wrapping.Algorithm, s.Wrapping.KeySpec}
	}
	return f
}

func expiryText(e importer.Expiry) string {
	if e.IsZero() {
		return ""
	}
	return e.String()
}

func parseExpiry(s string) (importer.Expiry, error) {
	if s == "" {
		return importer.Expiry{}, nil
	}
	if s == "never" {
		return importer.Never(), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	return importer.At(at), err
}

// change turns the form back. It fails where a value is none that a plan has.
func (f changeForm) change() (Change, error) {
	c := Change{Name: f.Name, Place: f.Place, Action: f.Action, Why: f.Why}
	if _, known := rank[f.Action]; !known && f.Action != Cannot {
		return c, fmt.Errorf("action: none of a plan's")
	}
	if (f.Action == Nothing || f.Action == Cannot) != (len(f.Steps) == 0) {
		return c, fmt.Errorf("steps: %d, for the action %s", len(f.Steps), f.Action)
	}
	for _, s := range f.Seen {
		e, err := parseExpiry(s.Expires)
		if err != nil {
			return c, fmt.Errorf("seen: expires: not a time")
		}
		c.Seen = append(c.Seen, Seen{s.KeyARN, s.State, s.MaterialID, e})
	}
	for _, s := range f.Steps {
		step, err := s.step()
		if err != nil {
			return c, fmt.Errorf("steps: %w", err)
		}
		c.Steps = append(c.Steps, step)
	}
	return c, nil
}

func (f stepForm) step() (Step, error) {
	e, err := parseExpiry(f.Expires)
	if err != nil {
		return Step{}, fmt.Errorf("expires: not a time")
	}
	s := Step{Do: f.Do, Region: f.Region, KeyARN: f.KeyARN, Spec: f.Spec, Expiry: e, MaterialID: f.MaterialID}
	if r := f.Create; r != nil {
		s.Create = importer.CreateRequest{
			Spec: r.Spec, Usage: r.Usage, Alias: r.Alias, MultiRegion: r.MultiRegion, Description: r.Description, Tags: r.Tags, Policy: r.Policy,
		}
	}
	if f.Escrow != nil {
		s.Escrow = Escrow{f.Escrow.Path, f.Escrow.SHA256}
	}
	if f.Wrapping != nil {
		s.Wrapping = wrap.Pair{Algorithm: f.Wrapping.Algorithm, KeySpec: f.Wrapping.KeySpec}
	}
	return s, f.check()
}

// check demands what each kind of step needs, and nothing else.
func (f stepForm) check() error {
	imports := f.Do == DoImport || f.Do == DoRotate
	switch {
	case f.Do != DoCreate && f.Do != DoReplicate && f.Do != DoDelete && !imports:
		return fmt.Errorf("do: none of a plan's")
	case f.Region == "":
		return fmt.Errorf("region: missing")
	case (f.Do == DoCreate) != (f.Create != nil):
		return fmt.Errorf("create: belongs to a step that creates")
	case imports != (f.Escrow != nil && f.Wrapping != nil && f.Spec != "" && f.Expires != ""):
		return fmt.Errorf("key_spec, escrow, wrapping and expires: belong to a step that imports")
	case f.Do == DoDelete && f.KeyARN == "":
		return fmt.Errorf("key_arn: missing")
	}
	return nil
}
