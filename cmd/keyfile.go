// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// keyFile names a file of key material. Its encoding is recognised, unless the
// file reads in two ways and the user has to say which is meant.
type keyFile struct {
	name     string
	encoding string
	unlock   unlocking // for an escrow
}

func (k *keyFile) register(c *cobra.Command, usage string) {
	c.Flags().StringVar(&k.name, "material", "", usage)
	c.Flags().StringVar(&k.encoding, "material-encoding", "", "`how` to read a file that can be read in two ways: raw, hex or base64")
	complete(c, "material-encoding", []string{"raw", "hex", "base64"})
	k.unlock.register(c)
}

// ownMaterial is the usual meaning of --material.
const ownMaterial = "`file` with the key material, in any common form, or an escrow of it; - for standard input"

var encodings = map[string]material.Encoding{"": "", "raw": material.Raw, "hex": material.Hex, "base64": material.Base64}

// readMaterial reads key material of the given spec from a file in any form
// that material.Parse knows, asking for a passphrase where the file has one, or
// from an escrow, asking for what opens it.
func (a *app) readMaterial(ctx context.Context, k keyFile, spec material.Spec) (*material.Material, error) {
	as, known := encodings[k.encoding]
	if !known {
		return nil, usagef("--material-encoding takes raw, hex or base64, not %q", k.encoding)
	}
	data, err := files.ReadLimited(k.name, a.Stdin, max(material.MaxInput, escrow.MaxFile))
	if err != nil {
		return nil, err
	}
	defer clear(data)
	if isEscrow(data) {
		return a.escrowedMaterial(ctx, k, data, spec)
	}
	if k.unlock.given() {
		return nil, usagef("--identity, --share and --open-key open an escrow, which %s is not", k.name)
	}
	m, found, err := material.Parse(data, material.Options{
		Spec: spec,
		As:   as,
		Passphrase: func(what string) ([]byte, error) {
			return a.passphrase(ctx, fmt.Sprintf("%s (%s)", k.name, what))
		},
	})
	if err != nil {
		return nil, inFile(k.name, err)
	}
	a.destroyLater(m)
	a.say("read %s material from %s (%s, fingerprint %s)", m.Spec(), k.name, found, m.Fingerprint())
	if found == material.RawText {
		a.warn("%s is all printable text: it was taken as raw bytes, but looks like no random key", k.name)
	}
	if m.Secret().Constant() {
		a.warn("%s is one byte, repeated: that is no key, for anybody can guess it", k.name)
	}
	return m, nil
}

// isEscrow tells an escrow from material: no form of that is JSON with such a
// kind.
func isEscrow(data []byte) bool {
	var head struct {
		Kind string `json:"kind"`
	}
	return json.Unmarshal(data, &head) == nil && head.Kind == escrow.Kind
}

// escrowedMaterial opens an escrow, so that its material need not be a file.
func (a *app) escrowedMaterial(ctx context.Context, k keyFile, data []byte, spec material.Spec) (*material.Material, error) {
	f, err := escrow.Read(bytes.NewReader(data))
	if err != nil {
		return nil, inFile(k.name, err)
	}
	if spec != "" && f.KeySpec != spec { // before anybody types 99 words
		return nil, inFile(k.name, &material.MismatchError{Want: spec, Found: fmt.Sprintf("escrow of %s material", f.KeySpec)})
	}
	m, err := a.openEscrow(ctx, k.name, f, k.unlock)
	if err == nil {
		a.say("opened the escrow %s: %s material with the fingerprint %s", k.name, m.Spec(), m.Fingerprint())
	}
	return m, err
}

// generateMaterial makes new material, which for RSA takes a while.
func (a *app) generateMaterial(s material.Spec) (*material.Material, error) {
	if s.Kind() == material.RSA {
		defer a.busy(fmt.Sprintf("generating %s material", s))()
	}
	m, err := material.Generate(s)
	if err == nil {
		a.destroyLater(m)
	}
	return m, err
}

// destroyLater destroys material when the run ends.
func (a *app) destroyLater(m *material.Material) {
	a.AtEnd(func() error { m.Destroy(); return nil })
}

// writeMaterial keeps material in a file, which is read back before it appears:
// from here on others rely on this copy.
func (a *app) writeMaterial(name string, m *material.Material, o files.Overwrite) error {
	return m.Secret().Expose(func(plaintext []byte) error { return files.WriteSecret(name, plaintext, o) })
}

// readParameters reads a params.json.
func (a *app) readParameters(name string) (*token.Parameters, error) {
	return readFile(a, name, token.ReadParameters)
}

// readWrapped reads a wrapped.json.
func (a *app) readWrapped(name string) (*token.Wrapped, error) {
	return readFile(a, name, token.ReadWrapped)
}

// readFile reads a small file of ours; name "-" is standard input.
func readFile[T any](a *app, name string, read func(io.Reader) (T, error)) (T, error) {
	return cli.ReadFile(name, a.Stdin, token.MaxFile, read)
}
