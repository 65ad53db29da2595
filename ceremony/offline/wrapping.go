// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// wrap wraps the material for those of the targets whose import tokens came in one
// bundle: a package is of one bundle.
func (m *Machine) wrap(ctx context.Context, r room.Room, t phase.Task) error {
	b := m.bundleFor(t.Targets[0])
	targets := slices.DeleteFunc(slices.Clone(t.Targets), func(id string) bool { return m.bundleFor(id).File != b.File })
	t.Targets = targets
	will := transcript.Wrapped{Bundle: b.File.SHA256, Escrow: m.kept().ID, Targets: targets}
	actors, err := m.crewOf(ctx, r, t, will)
	if err != nil {
		return err
	}
	_, parameters, err := m.accepted(b)
	if err != nil {
		return err
	}
	for _, id := range targets {
		if err := m.checkToken(parameters[id].ValidTo); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	n, err := m.folder.NewPackage()
	if err != nil {
		return err
	}
	pack, err := m.packageOf(b)
	if err != nil {
		return err
	}
	for _, id := range targets {
		w, err := m.wrapFor(n, id, parameters[id], b)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		pack.Wrapped = append(pack.Wrapped, w)
	}
	if will.Package, err = m.keepPackage(ctx, r, n, pack); err != nil {
		return err
	}
	if err := m.add(ctx, r, will, actors); err != nil {
		return err
	}
	r.Tell("%s was wrapped for %s, and has to be on its way by %s", will.Package.Name, strings.Join(targets, ", "), m.departure(earliest(parameters)).Format(time.RFC3339))
	return m.tellPackage(r, will.Package)
}

// packageOf is a package with nothing in it yet.
func (m *Machine) packageOf(b transcript.Bundled) (*gap.Package, error) {
	pack := &gap.Package{
		Origin: gap.OriginOf(m.plan), Bundle: token.Digest(b.File.SHA256), Transcript: token.Digest(m.record.Last()), Fingerprint: m.state.Fingerprint(),
	}
	kept := m.kept().ID
	if err := pack.Escrow.UnmarshalText([]byte(kept)); err != nil {
		return nil, err
	}
	seal, err := m.folder.Read(evidence.SealFile(kept), gap.MaxArtefact)
	switch {
	case err == nil:
		pack.Seal = token.Digest(fileOf("", seal).SHA256)
	case !errors.Is(err, fs.ErrNotExist): // an escrow of before may have none
		return nil, err
	}
	return pack, nil
}

// wrapFor wraps the material for one target, after the same was tried with a key
// whose other half is here.
func (m *Machine) wrapFor(n int, id string, params *token.Parameters, b transcript.Bundled) (w gap.Wrapped, err error) {
	keeper := m.keeper()
	if err := keeper.try(params); err != nil {
		return w, err
	}
	wrapped, err := keeper.wrap(params)
	if err != nil {
		return w, err
	}
	var plain bytes.Buffer
	if err := wrapped.Encode(&plain); err != nil {
		return w, err
	}
	content, err := gap.Stamp(token.KindWrapped, plain.Bytes(), m.plan.Rehearsal)
	if err != nil {
		return w, err
	}
	name := evidence.WrappedFile(n, id)
	if _, err := m.keep(name, content); err != nil {
		return w, err
	}
	i := slices.IndexFunc(m.plan.Targets, func(t plan.Target) bool { return t.ID == id })
	target := m.plan.Targets[i]
	w = gap.Wrapped{Target: id, File: gap.FileOf(name, content), Import: target.Import, ValidTo: target.ValidTo, Description: target.Description}
	if m.plan.Expected != nil {
		w.MaterialID = m.plan.Expected.MaterialID
	}
	if m.plan.Material.Spec.Kind() == material.HMAC {
		w.KnownAnswers, err = knownAnswers(keeper, m.plan.ID, id, b.File.SHA256)
	}
	return w, err
}

// answers is how many known answers an import is held against: KMS has to accept
// one, and to refuse another that was altered.
const answers = 2

// knownAnswers are what HMAC material makes of messages that nobody has a MAC of
// yet.
func knownAnswers(made keeper, ceremony, target string, bundle transcript.Digest) (all []gap.KnownAnswer, err error) {
	for i := range answers {
		message := fmt.Sprintf("keymat-verify/v1 %s %s %s %d", ceremony, target, bundle, i+1)
		mac, err := made.mac([]byte(message))
		if err != nil {
			return nil, err
		}
		all = append(all, gap.KnownAnswer{Message: message, MAC: mac})
	}
	return all, nil
}

// keepPackage has a package signed, writes it, and reads it as whoever submits it
// will.
func (m *Machine) keepPackage(ctx context.Context, r room.Room, n int, pack *gap.Package) (transcript.File, error) {
	content, err := pack.Encode()
	if err != nil {
		return transcript.File{}, err
	}
	signatures, err := m.signatures(ctx, r, gap.NamespacePackage, gap.Signers(m.plan, gap.NamespacePackage), content)
	if err != nil {
		return transcript.File{}, err
	}
	file, err := m.keepSigned(evidence.PackageFile(n), content, signatures)
	if err != nil {
		return file, err
	}
	again, _, err := m.folder.Package(n)
	if err != nil {
		return file, err
	}
	for _, w := range again.Wrapped {
		content, err := m.folder.Read(w.File.Name, token.MaxFile)
		if err != nil {
			return file, err
		}
		if _, err := again.Material(m.plan, w.Target, content); err != nil {
			return file, err
		}
	}
	return file, nil
}

// tellPackage says the digest of a package, to be heard again where it is submitted.
func (m *Machine) tellPackage(r room.Room, file transcript.File) error {
	content, err := m.read(file)
	if err != nil {
		return err
	}
	r.Tell("the digest of %s, to be compared where it is submitted:", file.Name)
	say(r, content)
	return nil
}

// tellPackages says the digests of all that may be submitted, as people leave.
func (m *Machine) tellPackages(r room.Room) error {
	for _, e := range m.entries {
		w, ok := e.Event.(transcript.Wrapped)
		if ok && slices.ContainsFunc(m.state.Targets(), func(t phase.Target) bool { return t.Package == w.Package.SHA256 }) {
			if err := m.tellPackage(r, w.Package); err != nil {
				return err
			}
		}
	}
	return nil
}
