// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
)

// A Practice is what takes the place of the real thing in a plan.
type Practice struct {
	Keys     map[string]ssh.PublicKey // of simulated people, by ID
	Targets  map[string]string        // ARNs of keys in the mock, by ID of the target; a target without one keeps its alias
	Session  plan.Session             // "" for that of the plan
	Expected *plan.Expected           // of the earlier ceremony, for material that comes from an escrow
}

// Plan makes the practice plan from a real one: the same text but for those
// values that must not be real, and one that says so. What it says differently,
// [plan.Diff] tells. Errors: [*PlaceError], [*plan.FormatError], [*UnfitError],
// [*TokenError].
func (p Practice) Plan(own *plan.Plan) (practice *plan.Plan, err error) {
	if own.Material.Source == plan.FromPKCS11 {
		return nil, &TokenError{}
	}
	d, err := parse(own.Message())
	if err != nil {
		return nil, err
	}
	if findings := own.Lint(); own.Material.Source == plan.FromEscrow && own.Expected == nil {
		return nil, &UnfitError{findings}
	}
	if !own.Rehearsal {
		err = d.replace("true", "$.rehearsal")
	}
	if p.Session != "" && p.Session != own.Session && err == nil {
		err = d.replace(string(p.Session), "$.session")
	}
	if err == nil {
		err = p.replaceParts(d, own)
	}
	if err != nil {
		return nil, err
	}
	practice, err = plan.Read(bytes.NewReader(d.bytes()))
	if err != nil {
		return nil, fmt.Errorf("reading the practice plan: %w", err)
	}
	if findings := practice.Lint(); plan.HasErrors(findings) {
		return nil, &UnfitError{findings}
	}
	return practice, nil
}

// replaceParts replaces what the lists of a plan have of the real world.
func (p Practice) replaceParts(d *document, own *plan.Plan) (err error) {
	for i, t := range own.Targets {
		if arn, ok := p.Targets[t.ID]; ok && err == nil {
			err = d.replace(arn, "$.targets[%d].key", i)
		}
	}
	for i, who := range own.People {
		if key, ok := p.Keys[who.ID]; ok && err == nil {
			err = d.setKey(i, who, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))))
		}
	}
	if p.Expected == nil || err != nil {
		return err
	}
	err = d.replace(p.Expected.Escrow.String(), "$.expected.escrow")
	if err == nil {
		err = d.replace(p.Expected.Fingerprint, "$.expected.fingerprint")
	}
	if err == nil && own.Expected.MaterialID != "" && p.Expected.MaterialID != "" { // where no key has had it, nothing compares it
		err = d.replace(p.Expected.MaterialID, "$.expected.material_id")
	}
	return err
}

func (d *document) setKey(i int, who plan.Person, line string) error {
	if who.Key == nil {
		return d.add("key", line, "$.people[%d]", i)
	}
	return d.replace(line, "$.people[%d].key", i)
}

// A TokenError says that the material of a plan is made in a token, which simulated
// people do not have.
type TokenError struct{}

func (*TokenError) Error() string {
	return "the material is made in a token, and no simulated person has one"
}

// An UnfitError says that a plan has faults that no rehearsal gets around.
type UnfitError struct{ Findings []plan.Finding }

func (e *UnfitError) Error() string {
	var paths []string
	for _, f := range e.Findings {
		if f.Severity == plan.Error {
			paths = append(paths, f.Path)
		}
	}
	return "no ceremony can be held by this plan, nor rehearsed: " + strings.Join(slices.Compact(paths), ", ")
}
