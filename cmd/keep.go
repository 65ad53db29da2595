// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

// keeping is where a command gets material from that it is going to import, and
// which copy brings that back later.
type keeping struct {
	material keyFile
	out      string // for a copy as it is
	escrow   sealing
	noEscrow bool
}

func (k *keeping) register(c *cobra.Command) {
	k.material.register(c, ownMaterial)
	c.Flags().StringVar(&k.out, "out", "", "generate the material and keep it, as it is, in this new `file`")
	k.escrow.registerBeside(c)
	c.Flags().BoolVar(&k.noEscrow, "no-escrow", false, "generate the material and keep no copy at all")
	c.MarkFlagsMutuallyExclusive("material", "out", "no-escrow")
	c.MarkFlagsMutuallyExclusive("escrow-out", "out", "no-escrow")
}

// check finds what would stop the command before there is a secret. It also
// settles what --identity opens: the escrow that is read, or else the one that
// is made.
func (k *keeping) check() error {
	if k.material.name == "" && k.out == "" && k.escrow.out == "" && !k.noEscrow {
		return usagef("say where the material is, or is to be kept: --material FILE, or to generate it --escrow-out FILE, --out FILE or --no-escrow")
	}
	if k.generates() {
		if len(k.material.unlock.shares) > 0 || k.material.unlock.keyFile != "" {
			return usagef("--share and --open-key open an escrow named with --material")
		}
		k.escrow.identities = k.material.unlock.identities
	}
	if len(k.escrow.identities) > 0 && !k.escrow.to.given() {
		return usagef("--identity opens an escrow named with --material, or tries the one for --escrow-to")
	}
	if k.escrow.out == "" {
		if k.escrow.ways() > 0 {
			return usagef("say where the escrow goes: --escrow-out FILE")
		}
		if err := k.escrow.quorum.check(); err != nil || k.out == "" {
			return err
		}
		return files.Check(k.out, files.KeepExisting)
	}
	return k.escrow.check()
}

// generates reports whether the material will be new.
func (k *keeping) generates() bool { return k.material.name == "" }

// kept is material of which there is a copy, or that needs none.
type kept struct {
	*material.Material
	in     string        // file that was made to bring it back; "" for none
	escrow *sealedEscrow // if one was made
}

// keptMaterial reads or generates the material. When it returns, a copy has been
// read back from its medium, and opened if it is an escrow; unless the user wants
// none.
func (a *app) keptMaterial(ctx context.Context, k keeping, spec material.Spec) (kept, error) {
	if k.noEscrow {
		if err := a.confirm(ctx, "Import material of which no copy is kept anywhere"); err != nil {
			return kept{}, err
		}
	}
	m, err := a.materialToKeep(ctx, k, spec)
	if err != nil {
		return kept{}, err
	}
	switch {
	case k.escrow.out != "":
		sealed, err := a.seal(ctx, m, k.escrow)
		if err != nil {
			return kept{}, &uncopiedError{err}
		}
		return kept{m, k.escrow.out, sealed}, nil
	case k.out != "":
		if err := a.writeMaterial(k.out, m, files.KeepExisting); err != nil {
			return kept{}, &uncopiedError{err}
		}
		a.say("generated %s material (fingerprint %s) and kept it in %s", spec, m.Fingerprint(), k.out)
		return kept{m, k.out, nil}, nil
	case k.noEscrow:
		a.warn("no copy of this material is kept: once deleted or expired it can never come back")
	case k.material.name == files.Stdin:
		a.warn("keymat knows of no copy of this material: keep what it came from, or seal it with --escrow-out")
	}
	return kept{Material: m}, nil
}

// uncopiedError says that it ended before anything happened in KMS.
type uncopiedError struct{ err error }

func (e *uncopiedError) Error() string {
	return "a copy of the material could not be kept, so nothing was created or imported: " + e.err.Error()
}

func (e *uncopiedError) Unwrap() error { return e.err }

func (a *app) materialToKeep(ctx context.Context, k keeping, spec material.Spec) (*material.Material, error) {
	if k.generates() {
		return a.generateMaterial(spec)
	}
	return a.readMaterial(ctx, k.material, spec)
}

// tellKeeping says in advance what keptMaterial will do.
func (a *app) tellKeeping(k keeping, spec material.Spec) {
	switch {
	case k.material.name != "":
		a.say("would read %s material from %s", spec, k.material.name)
	case k.out != "":
		a.say("would generate %s material and keep it in %s", spec, k.out)
	case k.noEscrow:
		a.say("would generate %s material and keep no copy", spec)
	default:
		a.say("would generate %s material", spec)
	}
	if k.escrow.out != "" {
		a.say("would seal it into the escrow %s, read that back and open it", k.escrow.out)
	}
}

// goOn says of an error that came after the material was kept from what the
// command can go on: with --material, and what it needs besides.
func (k kept) goOn(err error, besides string) error {
	if err == nil || k.in == "" {
		return err
	}
	return &keptError{file: k.in, besides: besides, err: err}
}

// keptError is an error in a command that generated material and kept it.
type keptError struct {
	file    string
	besides string // flags, with a space behind
	err     error
}

func (e *keptError) Error() string { return e.err.Error() }
func (e *keptError) Unwrap() error { return e.err }

// hint names the file, for nothing is lost.
func (e *keptError) hint() string {
	return fmt.Sprintf("nothing is lost, for %s holds the material: go on with %s--material %s", e.file, e.besides, e.file)
}
