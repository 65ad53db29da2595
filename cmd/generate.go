// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/material"
)

type generateOptions struct {
	spec      material.Spec
	out       string
	publicOut string
	force     bool
	from      randomness
}

func newGenerateCmd(a *app) *cobra.Command {
	var o generateOptions
	c := &cobra.Command{
		Use:   "generate --spec <spec> --out <file> [--dice | --coins | --mix <file> | --components <n>]",
		Short: "Generate new key material on this machine",
		Long: `Generate new key material with the operating system's random numbers and write
it to a new file that only you can read: raw bytes for SYMMETRIC_DEFAULT and
HMAC keys, unencrypted PKCS #8 DER for key pairs. Nothing is sent anywhere.

AWS never gives imported material back: this file, or a copy of it, is what
brings the key back. The fingerprint that is printed is safe to show.

Whoever does not want to rely on the generator of this machine alone mixes in
throws of --dice or --coins, or a file of random bytes from elsewhere with --mix:
the material is then at least as unpredictable as without. What is brought is
committed to, by a hash that is printed, before the generator is asked. With
--components the material is the xor of components that custodians type, or
bring as files (--component). Both work for SYMMETRIC_DEFAULT and HMAC keys: the
private key of a key pair is generated inside the cryptographic module, and
nothing can be mixed into it.

--randomness-out keeps a record of all that, and of what may be claimed of it. No
throw, component or key is in it.`,
		Example: `  keymat generate --spec SYMMETRIC_DEFAULT --out app.key
  keymat generate --spec RSA_3072 --out signing.der --public-out signing.pem
  keymat generate --spec SYMMETRIC_DEFAULT --out app.key --dice --randomness-out app.randomness
  keymat generate --spec HMAC_256 --out mac.key --components 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.generate(cmd.Context(), o) },
	}
	specFlag(c, &o.spec, "`spec` of the KMS key, as KMS spells it, such as SYMMETRIC_DEFAULT, HMAC_256 or RSA_2048")
	c.Flags().StringVar(&o.out, "out", "", "new `file` for the material; - for standard output")
	c.Flags().StringVar(&o.publicOut, "public-out", "", "also write the public key of a key pair to this `file`, as PEM")
	o.from.register(c)
	forceFlag(c, &o.force)
	require(c, "spec", "out")
	c.AddCommand(newGenerateComponentCmd(a))
	return c
}

func (a *app) generate(ctx context.Context, o generateOptions) error {
	o.from.overwriteRecord = o.force
	if err := a.checkGenerate(o); err != nil {
		return err
	}
	m, record, err := a.newMaterial(ctx, o.spec, o.from)
	if err != nil {
		return err
	}
	if o.publicOut != "" {
		if err := files.WritePublic(o.publicOut, publicPEM(m), files.Overwrite(o.force)); err != nil {
			return err
		}
	}
	if o.out == files.Stdin {
		a.say("fingerprint %s", m.Fingerprint())
		if err := a.keepRandomness(o.from, record); err != nil {
			return err
		}
		return m.Secret().Expose(func(b []byte) error { _, err := a.Stdout.Write(b); return err })
	}
	if err := a.writeMaterial(o.out, m, files.Overwrite(o.force)); err != nil {
		return err
	}
	a.say("wrote %d bytes of new %s material to %s", m.Secret().Len(), o.spec, o.out)
	a.say("keep a copy: AWS never gives imported material back")
	if err := a.keepRandomness(o.from, record); err != nil {
		return err
	}
	return a.print(generated{
		Spec: o.spec, File: o.out, PublicFile: o.publicOut, RandomnessFile: o.from.out,
		Bytes: m.Secret().Len(), Fingerprint: m.Fingerprint().String(),
	})
}

// checkGenerate finds what would stop the command before there is a secret.
func (a *app) checkGenerate(o generateOptions) error {
	if err := o.from.check(o.spec, o.out, o.publicOut); err != nil {
		return err
	}
	if o.publicOut != "" {
		if !o.spec.KeyPair() {
			return usagef("--public-out: %s material has no public key", o.spec)
		}
		if err := files.Check(o.publicOut, files.Overwrite(o.force)); err != nil {
			return err
		}
	}
	if o.out != files.Stdin {
		return files.Check(o.out, files.Overwrite(o.force))
	}
	if a.JSON {
		return usagef("--out - and --json both want standard output")
	}
	if term.IsTerminal(a.Stdout) {
		return usagef("key material is not shown on a terminal: name a file, or pipe it somewhere")
	}
	return nil
}

func publicPEM(m *material.Material) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: m.PublicKeyDER()})
}

type generated struct {
	Spec           material.Spec `json:"key_spec"`
	File           string        `json:"file"`
	PublicFile     string        `json:"public_file,omitempty"`
	RandomnessFile string        `json:"randomness_file,omitempty"`
	Bytes          int           `json:"bytes"`
	Fingerprint    string        `json:"fingerprint"`
}

func (g generated) text(w io.Writer) { fmt.Fprintln(w, g.Fingerprint) }
