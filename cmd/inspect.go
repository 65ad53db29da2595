// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/inventory"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

func newInspectCmd(a *app) *cobra.Command {
	var escrows escrowFinder
	c := &cobra.Command{
		Use:   "inspect <file>",
		Short: "Say what a file is",
		Long: `Say what a file is: key material in any form, a public key, import parameters, a
wrapped package, an escrow or a share of one, a record of randomness, the
console's download, a KMS ciphertext; what a ceremony made, or its rehearsal.
Secrets are never shown; nothing is asked for and nothing is changed. - reads
standard input.

Of a KMS ciphertext it tells which key material opens it and, with --escrow, which
escrow in a file or folder holds that, as far as records of drills and receipts
say.`,
		Example: `  keymat inspect params.json
  keymat inspect app.key --json
  keymat inspect old.ciphertext --escrow /mnt/escrow`,
		Args: oneArg("file"),
		RunE: func(_ *cobra.Command, args []string) error { return a.inspect(args[0], escrows) },
	}
	escrows.register(c)
	return c
}

// maxInspect is in bytes, and larger than any file that we know the inside of.
const maxInspect = max(token.MaxFile, material.MaxInput, escrow.MaxFile)

func (a *app) inspect(name string, escrows escrowFinder) error {
	data, err := files.ReadLimited(name, a.Stdin, maxInspect)
	if err != nil {
		return err
	}
	defer clear(data)
	for _, recognise := range []func([]byte) (inspection, error){inspectOurs, inspectShare, inspectZip, inspectCiphertext, inspectMaterial} {
		found, err := recognise(data)
		if err != nil {
			return inFile(name, err)
		}
		if found.What != "" {
			found.File = name
			if err := a.findHolders(&found, escrows); err != nil {
				return err
			}
			return a.print(found)
		}
	}
	return fmt.Errorf("%s: %d bytes of a kind that keymat does not know", name, len(data))
}

// inspection is what a file turned out to be. Recognisers leave What empty for
// files that are not theirs.
type inspection struct {
	File    string   `json:"file"`
	What    string   `json:"what"`
	Details []detail `json:"details,omitempty"`

	materialID string // KeyMaterialId, of a ciphertext
}

type detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (i *inspection) add(name, value string) {
	if value != "" {
		i.Details = append(i.Details, detail{name, value})
	}
}

func (i inspection) text(w io.Writer) {
	pairs := []string{"file", i.File, "what", i.What}
	for _, d := range i.Details {
		pairs = append(pairs, d.Name, d.Value)
	}
	fields(w, pairs...)
}

func describeParameters(p *token.Parameters) inspection {
	i := inspection{What: "import parameters: a wrapping key and its import token"}
	i.add("key", p.KeyARN)
	i.add("key spec", string(p.KeySpec))
	i.add("wrapping", wrap.Pair{Algorithm: p.Algorithm, KeySpec: p.WrappingKeySpec}.String())
	i.add("valid to", deadline(p.ValidTo, time.Now()))
	i.add("import token", fmt.Sprintf("%d bytes", len(p.ImportToken)))
	return i
}

func describeWrapped(w *token.Wrapped) inspection {
	i := inspection{What: "wrapped package: key material encrypted for one key, with its import token"}
	i.add("key", w.KeyARN)
	i.add("key spec", string(w.KeySpec))
	i.add("wrapping", wrap.Pair{Algorithm: w.Algorithm, KeySpec: w.WrappingKeySpec}.String())
	i.add("valid to", deadline(w.ValidTo, time.Now()))
	i.add("ciphertext", fmt.Sprintf("%d bytes, sha256:%s", len(w.EncryptedKeyMaterial), w.EncryptedKeyMaterialSHA256()))
	return i
}

func inspectZip(data []byte) (inspection, error) {
	if !bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return inspection{}, nil
	}
	z, err := token.ReadZip(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return inspection{}, err
	}
	i := inspection{What: "import parameters as the AWS console downloads them"}
	i.add("key", cmp.Or(z.KeyARN, z.KeyID))
	i.add("wrapping", wrap.Pair{Algorithm: z.Algorithm, KeySpec: z.WrappingKeySpec}.String())
	if !z.ValidTo.IsZero() {
		i.add("valid to", deadline(z.ValidTo, time.Now()))
	}
	i.add("import token", fmt.Sprintf("%d bytes", len(z.ImportToken)))
	return i, nil
}

// A KMS ciphertext under a symmetric key, as observed (not documented) in 2026:
// version 01 02, kind 02 or 03, 00 78, then the key material ID.
const ciphertextHeader = 58 // bytes before the sealed part

func inspectCiphertext(data []byte) (inspection, error) {
	blob := data
	if decoded, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(data))); err == nil {
		blob = decoded
	}
	if len(blob) <= ciphertextHeader || !bytes.HasPrefix(blob, []byte{1, 2}) || !slices.Contains([]byte{2, 3}, blob[2]) || blob[3] != 0 || blob[4] != 0x78 {
		return inspection{}, nil
	}
	i := inspection{What: "KMS ciphertext under a symmetric key (layout observed, not documented)"}
	i.materialID = hex.EncodeToString(blob[5:37])
	i.add("key material", i.materialID)
	i.add("length", fmt.Sprintf("%d bytes", len(blob)))
	return i, nil
}

// findHolders says where the material is that a ciphertext needs.
func (a *app) findHolders(i *inspection, f escrowFinder) error {
	if i.materialID == "" && len(f.places) > 0 {
		return usagef("--escrow finds the escrow that a KMS ciphertext needs, and %s is something else: %s", i.File, i.What)
	}
	if i.materialID == "" {
		return nil
	}
	if err := f.look(a); err != nil {
		return err
	}
	if known := f.of(inventory.Item{}, i.materialID); known != nil {
		i.addHolders(known, f)
	}
	return nil
}

func (i *inspection) addHolders(known *knownEscrows, f escrowFinder) {
	if len(known.Escrows) == 0 {
		i.add("escrow", "none known in "+f.where())
		return
	}
	var keys []string
	for _, e := range known.Escrows {
		i.add("escrow", e.words())
		keys = append(keys, e.KeyARN)
	}
	slices.Sort(keys)
	i.add("of key", list(slices.Compact(keys)))
	i.add("drill", known.Last.words())
}

func inspectMaterial(data []byte) (inspection, error) {
	if len(data) > material.MaxInput {
		return inspection{}, nil
	}
	d, err := material.Identify(data)
	if err != nil {
		return inspection{}, err
	}
	i := inspection{What: d.What}
	i.add("encoding", string(d.Encoding))
	i.add("key spec", string(d.Spec))
	i.add("fits", list(d.Candidates))
	if d.Encrypted {
		i.add("encrypted", "yes, a passphrase opens it")
	}
	if d.Fingerprint != nil {
		i.add("fingerprint", d.Fingerprint.String())
	}
	if _, public := errors.AsType[*material.PublicKeyError](d.Problem); d.Problem != nil && !public {
		i.add("problem", d.Problem.Error())
	}
	return i, nil
}
