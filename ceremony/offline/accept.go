// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// arrival is a bundle on a medium, with all that comes with it.
type arrival struct {
	name       string
	number     int
	content    []byte
	bundle     *gap.Bundle
	parameters map[string]*token.Parameters // by target
	files      map[string][]byte            // by name: signatures, and import parameters
}

// accept takes in what was fetched, if it is signed and what the plan says. Whether
// it is what the fetching machine had, the gate after it shows.
func (m *Machine) accept(ctx context.Context, r room.Room, t phase.Task) error {
	options := []string{"it has come", "end the session"}
	if len(m.Agenda().Here) > 1 { // the replicas of a new key come once its primary has the material
		options = append(options, "go on without "+strings.Join(t.Targets, ", "))
	}
	chosen, err := r.Decide(ctx, "Has the medium with what was fetched come, or does the session end before?", options)
	if err != nil {
		return err
	}
	if m.leaving, m.without = chosen == 1, chosen == 2; chosen > 0 {
		return nil
	}
	medium, manifest, err := m.arrived(ctx, r)
	if err != nil {
		return err
	}
	if manifest.Direction != gap.In {
		return &gap.MismatchError{Field: "direction", Got: string(manifest.Direction), Want: string(gap.In)}
	}
	a, err := m.newBundle(medium)
	if err != nil {
		return err
	}
	if err := m.readParameters(medium, a); err != nil {
		return &evidence.FileError{Name: medium.Path(a.name), Err: err}
	}
	if err := m.checkKeys(a); err != nil {
		return err
	}
	validTo := earliest(a.parameters)
	if err := m.checkToken(validTo); err != nil {
		return err
	}
	e := transcript.Bundled{File: fileOf(a.name, a.content), Targets: a.bundle.Targets(), ValidTo: validTo.Format(time.RFC3339)}
	actors, err := m.crewOf(ctx, r, t, e)
	if err != nil {
		return err
	}
	for name, content := range a.files {
		if _, err := m.keep(name, content); err != nil {
			return err
		}
	}
	if _, err := m.keep(a.name, a.content); err != nil {
		return err
	}
	if err := m.add(ctx, r, e, actors); err != nil {
		return err
	}
	m.refused = slices.DeleteFunc(m.refused, func(id string) bool { return slices.Contains(e.Targets, id) })
	if len(m.refused) == 0 {
		m.refused = nil
	}
	r.Tell("%s has come, for %v; its import tokens are valid until %s: what is wrapped has to be on its way by %s",
		a.name, a.bundle.Targets(), e.ValidTo, m.departure(validTo).Format(time.RFC3339))
	return nil
}

// newBundle finds the one bundle on a medium that was not accepted before, and
// checks who signed it.
func (m *Machine) newBundle(medium evidence.Folder) (*arrival, error) {
	numbers, err := medium.Bundles()
	if err != nil {
		return nil, err
	}
	var found []*arrival
	for _, n := range numbers {
		bundle, content, err := medium.Bundle(n)
		if err != nil {
			return nil, err
		}
		file := fileOf(evidence.BundleFile(n), content)
		if slices.ContainsFunc(m.bundles(), func(b transcript.Bundled) bool { return b.File.SHA256 == file.SHA256 }) {
			continue
		}
		found = append(found, &arrival{name: file.Name, number: n, content: content, bundle: bundle, files: map[string][]byte{}})
	}
	if len(found) != 1 {
		return nil, &BundlesError{len(found)}
	}
	a := found[0]
	signatures, err := medium.Signatures(a.name)
	if err != nil {
		return nil, err
	}
	if approvals := gap.CheckSigners(m.plan, gap.NamespaceBundle, a.content, signatures); !plan.Approved(approvals) {
		return nil, &SignatureError{a.name, approvals}
	}
	for _, s := range signatures {
		a.files[evidence.SignatureFile(a.name, s.Signer)] = s.Armoured
	}
	return a, nil
}

// readParameters reads what was fetched for each target.
func (m *Machine) readParameters(medium evidence.Folder, a *arrival) error {
	a.parameters = map[string]*token.Parameters{}
	if err := a.bundle.CheckPlan(m.plan); err != nil {
		return err
	}
	for _, f := range a.bundle.Fetched {
		if f.File.Name != evidence.ParametersFile(a.number, f.Target) {
			return &gap.MismatchError{Target: f.Target, Field: "params.name", Got: f.File.Name, Want: evidence.ParametersFile(a.number, f.Target)}
		}
		content, err := medium.Read(f.File.Name, token.MaxFile)
		if err != nil {
			return err
		}
		if a.parameters[f.Target], err = a.bundle.Parameters(m.plan, f.Target, content); err != nil {
			return err
		}
		a.files[f.File.Name] = content
	}
	return nil
}

// exponent is that of all wrapping keys of KMS ("recorded").
const exponent = 65537

// checkKeys looks at the wrapping keys: each is new, of the size that the plan says,
// and has KMS's exponent.
func (m *Machine) checkKeys(a *arrival) error {
	seen, err := m.seenKeys()
	if err != nil {
		return err
	}
	for _, target := range a.bundle.Targets() {
		params := a.parameters[target]
		public, err := wrap.ParsePublicKey(params.PublicKey)
		if err != nil {
			return err
		}
		if public.E != exponent || public.N.BitLen() != params.WrappingKeySpec.Bits() {
			return &WrappingKeyError{target, fmt.Sprintf("an RSA key of %d bits with the exponent %d", public.N.BitLen(), public.E)}
		}
		digest := sha256.Sum256(params.PublicKey)
		if other, ok := seen[digest]; ok {
			return &WrappingKeyError{target, "the one that was fetched for " + other + " before; KMS makes a new one each time"}
		}
		seen[digest] = target
	}
	return nil
}

// seenKeys are the targets by the wrapping keys that were fetched for them before.
func (m *Machine) seenKeys() (map[[sha256.Size]byte]string, error) {
	seen := map[[sha256.Size]byte]string{}
	for _, b := range m.bundles() {
		_, parameters, err := m.accepted(b)
		if err != nil {
			return nil, err
		}
		for target, p := range parameters {
			seen[sha256.Sum256(p.PublicKey)] = target
		}
	}
	return seen, nil
}

// accepted reads a bundle that was accepted.
func (m *Machine) accepted(b transcript.Bundled) (*gap.Bundle, map[string]*token.Parameters, error) {
	content, err := m.read(b.File)
	if err != nil {
		return nil, nil, err
	}
	bundle, err := gap.ReadBundle(content)
	if err != nil {
		return nil, nil, err
	}
	parameters := map[string]*token.Parameters{}
	for _, f := range bundle.Fetched {
		content, err := m.folder.Read(f.File.Name, token.MaxFile)
		if err != nil {
			return nil, nil, err
		}
		if parameters[f.Target], err = bundle.Parameters(m.plan, f.Target, content); err != nil {
			return nil, nil, err
		}
	}
	return bundle, parameters, nil
}

// earliest is the first deadline.
func earliest(parameters map[string]*token.Parameters) (first time.Time) {
	for _, p := range parameters {
		if first.IsZero() || p.ValidTo.Before(first) {
			first = p.ValidTo
		}
	}
	return first.UTC()
}
