// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

// randomness is where new material comes from: the generator of this machine,
// the same with more mixed in, or components that custodians bring.
type randomness struct {
	dice, coins     bool // typed
	diceFrom        string
	coinsFrom       string
	mix             []string // files
	by              string   // how it is mixed
	components      int      // how many there are; 0: as many as there are files
	componentFiles  []string
	out             string // for the record
	overwriteRecord bool
}

func (r *randomness) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&r.dice, "dice", false, "mix in throws of dice, which are asked for and not shown")
	f.BoolVar(&r.coins, "coins", false, "mix in throws of coins, which are asked for and not shown")
	f.StringVar(&r.diceFrom, "dice-from", "", "mix in the throws of dice in this `file`: digits from 1 to 6; - for standard input")
	f.StringVar(&r.coinsFrom, "coins-from", "", "mix in the throws of coins in this `file`: h and t; - for standard input")
	f.StringArrayVar(&r.mix, "mix", nil, "mix in the bytes of this `file`, such as random bytes of an HSM; - for standard input; may be repeated")
	f.StringVar(&r.by, "mix-by", string(entropy.Extract), "`how` to mix: extract (HMAC), or xor for 32 bytes")
	f.IntVar(&r.components, "components", 0, "make the material of this `number` of components, and ask their custodians for those without a file")
	f.StringArrayVar(&r.componentFiles, "component", nil, "`file` with a component, as keymat generate component writes it; - for standard input; may be repeated")
	f.StringVar(&r.out, "randomness-out", "", "keep a record of where the randomness came from in this new `file`")
	complete(c, "mix-by", []entropy.Method{entropy.Extract, entropy.XOR})
	c.MarkFlagsMutuallyExclusive("dice", "dice-from")
	c.MarkFlagsMutuallyExclusive("coins", "coins-from")
}

// given reports whether anything but the plain generator was asked for.
func (r randomness) given() bool { return r.mixes() || r.combines() || r.out != "" }

func (r randomness) mixes() bool {
	return r.dice || r.coins || r.diceFrom != "" || r.coinsFrom != "" || len(r.mix) > 0
}

func (r randomness) combines() bool { return r.components != 0 || len(r.componentFiles) > 0 }

// count is how many components there are.
func (r randomness) count() int { return max(r.components, len(r.componentFiles)) }

func (r randomness) method() entropy.Method {
	switch {
	case r.combines():
		return entropy.Components
	case r.mixes():
		return entropy.Method(r.by)
	}
	return entropy.Generator
}

// check finds what would stop the command before anybody throws dice. The record
// must not take the place of what else is written.
func (r randomness) check(spec material.Spec, written ...string) error {
	if !slices.Contains([]string{string(entropy.Extract), string(entropy.XOR)}, r.by) {
		return usagef("--mix-by takes extract or xor, not %q", r.by)
	}
	if r.mixes() && r.combines() {
		return usagef("components are all of the material: nothing is mixed into them")
	}
	inputs := slices.Concat(r.mix, r.componentFiles, []string{r.diceFrom, r.coinsFrom})
	if first := slices.Index(inputs, files.Stdin); first >= 0 && slices.Contains(inputs[first+1:], files.Stdin) {
		return usagef("standard input can be read only once")
	}
	switch {
	case r.mixes():
		if err := entropy.CheckMix(spec, r.method()); err != nil {
			return err
		}
	case r.combines():
		if err := r.checkComponents(spec); err != nil {
			return err
		}
	}
	if r.out == "" {
		return nil
	}
	for _, name := range written {
		if filepath.Clean(name) == filepath.Clean(r.out) {
			return usagef("--randomness-out: %s is written already", r.out)
		}
	}
	return files.Check(r.out, files.Overwrite(r.overwriteRecord))
}

func (r randomness) checkComponents(spec material.Spec) error {
	if r.components != 0 && r.components < len(r.componentFiles) {
		return usagef("--components: %d, but there are %d files", r.components, len(r.componentFiles))
	}
	if r.count() < entropy.MinComponents {
		return usagef("material is made of at least %d components: say how many with --components", entropy.MinComponents)
	}
	return entropy.CheckComponents(spec)
}

// newMaterial makes new material in the way that was asked for. The record of
// that is nil unless it is to be kept.
func (a *app) newMaterial(ctx context.Context, spec material.Spec, r randomness) (*material.Material, *entropy.Record, error) {
	record := &entropy.Record{Tool: "keymat " + cli.ThisVersion().Version, Spec: spec, Method: r.method()}
	if r.out != "" && !r.combines() {
		if err := a.sampleGenerator(record); err != nil {
			return nil, nil, err
		}
	}
	m, err := a.makeMaterial(ctx, spec, r, record)
	if err != nil || r.out == "" {
		return m, nil, err
	}
	record.At, record.Fingerprint = time.Now().UTC().Truncate(time.Second), m.Fingerprint().String()
	return m, record, nil
}

func (a *app) makeMaterial(ctx context.Context, spec material.Spec, r randomness, record *entropy.Record) (*material.Material, error) {
	var m *material.Material
	var err error
	switch {
	case r.combines():
		m, err = a.combineComponents(ctx, spec, r, record)
	case r.mixes():
		m, err = a.mixMaterial(ctx, spec, r, record)
	default:
		return a.generateMaterial(spec)
	}
	if err == nil {
		a.destroyLater(m)
	}
	return m, err
}

// sampleGenerator looks at output of the generator that is not used.
func (a *app) sampleGenerator(record *entropy.Record) error {
	sample, err := entropy.TakeSample()
	if err != nil {
		return err
	}
	rng := entropy.ObserveRNG()
	record.RNG, record.Sample = &rng, &sample
	return nil
}

// mixMaterial commits to what people bring before it draws.
func (a *app) mixMaterial(ctx context.Context, spec material.Spec, r randomness, record *entropy.Record) (*material.Material, error) {
	inputs, err := a.gatherInputs(ctx, r)
	if err != nil {
		return nil, err
	}
	mix, err := entropy.Commit(inputs...)
	if err != nil {
		return nil, err
	}
	defer mix.Destroy()
	record.Inputs, record.Commitment = entropy.Describe(inputs), mix.Commitment()
	a.tellInputs(record.Inputs)
	a.say("committed to it, before anything is drawn: sha256:%s", mix.Commitment())
	return mix.Generate(spec, r.method())
}

// keepRandomness writes the record, if there is to be one.
func (a *app) keepRandomness(r randomness, record *entropy.Record) error {
	if record == nil {
		return nil
	}
	var b bytes.Buffer
	if err := record.Encode(&b); err != nil {
		return err
	}
	if err := files.WritePublic(r.out, b.Bytes(), files.Overwrite(r.overwriteRecord)); err != nil {
		return err
	}
	a.say("kept the record of its randomness in %s", r.out)
	return nil
}
