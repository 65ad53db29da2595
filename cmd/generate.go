// SPDX-License-Identifier: Apache-2.0

package cmd

import (
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
}

func newGenerateCmd(a *app) *cobra.Command {
	var o generateOptions
	c := &cobra.Command{
		Use:   "generate --spec <spec> --out <file>",
		Short: "Generate new key material on this machine",
		Long: `Generate new key material with the operating system's random numbers and write
it to a new file that only you can read: raw bytes for SYMMETRIC_DEFAULT and
HMAC keys, unencrypted PKCS #8 DER for key pairs. Nothing is sent anywhere.

AWS never gives imported material back: this file, or a copy of it, is what
brings the key back. The fingerprint that is printed is safe to show.`,
		Example: `  keymat generate --spec SYMMETRIC_DEFAULT --out app.key
  keymat generate --spec RSA_3072 --out signing.der --public-out signing.pem`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.generate(o) },
	}
	specFlag(c, &o.spec, "`spec` of the KMS key, as KMS spells it, such as SYMMETRIC_DEFAULT, HMAC_256 or RSA_2048")
	c.Flags().StringVar(&o.out, "out", "", "new `file` for the material; - for standard output")
	c.Flags().StringVar(&o.publicOut, "public-out", "", "also write the public key of a key pair to this `file`, as PEM")
	forceFlag(c, &o.force)
	require(c, "spec", "out")
	return c
}

func (a *app) generate(o generateOptions) error {
	if err := a.checkGenerate(o); err != nil {
		return err
	}
	m, err := a.generateMaterial(o.spec)
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
		return m.Secret().Expose(func(b []byte) error { _, err := a.env.Stdout.Write(b); return err })
	}
	if err := a.writeMaterial(o.out, m, files.Overwrite(o.force)); err != nil {
		return err
	}
	a.say("wrote %d bytes of new %s material to %s", m.Secret().Len(), o.spec, o.out)
	a.say("keep a copy: AWS never gives imported material back")
	return a.print(generated{Spec: o.spec, File: o.out, PublicFile: o.publicOut, Bytes: m.Secret().Len(), Fingerprint: m.Fingerprint().String()})
}

// checkGenerate finds what would stop the command before there is a secret.
func (a *app) checkGenerate(o generateOptions) error {
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
	if a.globals.json {
		return usagef("--out - and --json both want standard output")
	}
	if term.IsTerminal(a.env.Stdout) {
		return usagef("key material is not shown on a terminal: name a file, or pipe it somewhere")
	}
	return nil
}

func publicPEM(m *material.Material) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: m.PublicKeyDER()})
}

type generated struct {
	Spec        material.Spec `json:"key_spec"`
	File        string        `json:"file"`
	PublicFile  string        `json:"public_file,omitempty"`
	Bytes       int           `json:"bytes"`
	Fingerprint string        `json:"fingerprint"`
}

func (g generated) text(w io.Writer) { fmt.Fprintln(w, g.Fingerprint) }
