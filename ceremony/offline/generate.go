// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

// generate makes the material, in memory alone, and keeps a record of where its
// randomness came from.
func (m *Machine) generate(ctx context.Context, r room.Room, t phase.Task) error {
	if m.plan.KeptInToken() {
		return m.generateInToken(ctx, r, t)
	}
	spec := m.plan.Material.Spec
	will := transcript.Generated{KeySpec: spec, Source: m.plan.Material.Source, Fingerprint: "not made yet"}
	t.People = append(slices.Clone(t.People), m.plan.Material.Components...)
	actors, err := m.crewOf(ctx, r, t, will)
	if err != nil {
		return err
	}
	random := entropy.Record{Tool: "keymat " + m.tool.Version, Spec: spec}
	var made *material.Material
	switch {
	case m.plan.Material.Source == plan.FromComponents:
		made, err = m.combine(ctx, r, &random, actors)
	case m.plan.Material.Source != plan.FromDRBG:
		return &SourceError{m.plan.Material.Source}
	case m.plan.Material.Dice == plan.NoDice:
		made, err = draw(&random)
	default:
		made, err = m.mix(ctx, r, &random, actors)
	}
	if err != nil {
		return err
	}
	if err := m.took(ctx, r, made, random, will, actors); err != nil {
		made.Destroy()
		return err
	}
	r.Tell("there is %s material in memory; its fingerprint is %s", spec, made.Fingerprint())
	return nil
}

// took checks the new material and records it.
func (m *Machine) took(ctx context.Context, r room.Room, made *material.Material, random entropy.Record, e transcript.Generated, actors []string) error {
	if err := check(made); err != nil {
		return err
	}
	e.Fingerprint = made.Fingerprint().String()
	random.At, random.Fingerprint = m.time().Truncate(time.Second), e.Fingerprint
	var encoded bytes.Buffer
	if err := random.Encode(&encoded); err != nil {
		return err
	}
	file, err := m.keep(m.free(evidence.RandomnessName, encoded.Bytes()), encoded.Bytes())
	if err != nil {
		return err
	}
	if err := m.note(ctx, r, actors, "where the randomness of the material came from", file); err != nil {
		return err
	}
	if err := m.add(ctx, r, e, actors); err != nil {
		return err
	}
	m.memory.material = made
	return nil
}

// check reads the material again, as whoever gets it will: a key pair is checked
// against itself.
func check(made *material.Material) error {
	return made.Secret().Expose(func(b []byte) error {
		again, err := material.New(made.Spec(), bytes.Clone(b))
		if err != nil {
			return fmt.Errorf("checking the new material: %w", err)
		}
		defer again.Destroy()
		if again.Fingerprint() != made.Fingerprint() {
			return &DiffersError{"the new material, read again,"}
		}
		return nil
	})
}

// draw takes material from the generator alone.
func draw(random *entropy.Record) (*material.Material, error) {
	if err := sample(random); err != nil {
		return nil, err
	}
	random.Method = entropy.Generator
	return material.Generate(random.Spec)
}

// sample looks at output of the generator that is not used.
func sample(random *entropy.Record) error {
	rng := entropy.ObserveRNG()
	counted, err := entropy.TakeSample()
	random.RNG, random.Sample = &rng, &counted
	return err
}

// mix has people throw dice, and commits to what they threw before anything is
// drawn.
func (m *Machine) mix(ctx context.Context, r room.Room, random *entropy.Record, actors []string) (*material.Material, error) {
	if err := entropy.CheckMix(random.Spec, entropy.Extract); err != nil {
		return nil, err
	}
	required := m.plan.Material.Dice == plan.RequiredDice
	inputs, err := r.Throws(ctx, required)
	if err != nil {
		return nil, err
	}
	if len(inputs) == 0 && !required {
		return draw(random)
	}
	defer func() {
		for _, in := range inputs {
			in.Destroy()
		}
	}()
	mix, err := entropy.Commit(inputs...)
	if err != nil {
		return nil, err
	}
	defer mix.Destroy()
	if err := sample(random); err != nil {
		return nil, err
	}
	random.Method, random.Inputs, random.Commitment = entropy.Extract, entropy.Describe(inputs), mix.Commitment()
	for _, in := range random.Inputs {
		r.Tell("%s: %d throws, of %d bits if they are fair", in.Kind, in.Count, in.BitsIfFair)
		for _, hint := range in.Hints {
			r.Tell("%s: %s", in.Kind, hint)
		}
	}
	committed := "committed to what was thrown, before anything is drawn: sha256:" + mix.Commitment()
	r.Tell("%s", committed)
	if err := m.note(ctx, r, actors, committed); err != nil {
		return nil, err
	}
	return mix.Generate(random.Spec, entropy.Extract)
}

// combine has each of several people bring a component.
func (m *Machine) combine(ctx context.Context, r room.Room, random *entropy.Record, actors []string) (*material.Material, error) {
	random.Method = entropy.Components
	var components []entropy.Component
	defer func() {
		for _, c := range components {
			c.Destroy()
		}
	}()
	for i, id := range m.plan.Material.Components {
		if !slices.Contains(actors, id) {
			return nil, &AbsentError{id}
		}
		who, _ := m.plan.Person(id)
		c, entered, err := r.Component(ctx, who, random.Spec)
		if err != nil {
			return nil, err
		}
		components = append(components, c)
		random.Components = append(random.Components, entropy.ComponentRecord{Check: c.Check, Entered: entered})
		r.Tell("component %d of %d, of %s, has the check value %s", i+1, len(m.plan.Material.Components), id, c.Check)
	}
	return entropy.Combine(components...)
}

// free is the first of the numbered names that is not taken, or is by the same
// content.
func (m *Machine) free(name func(n int) string, content []byte) string {
	for n := 1; ; n++ {
		there, err := m.folder.Read(name(n), int64(len(content)))
		if !m.folder.Has(name(n)) || err == nil && bytes.Equal(there, content) {
			return name(n)
		}
	}
}
