// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/cli"
)

type confirmOptions struct {
	material keyFile
	reimport bool
	wrapping wrapping
}

func newConfirmCmd(a *app) *cobra.Command {
	var o confirmOptions
	c := &cobra.Command{
		Use:   "confirm <key> --material <file>",
		Short: "Prove that KMS holds exactly this material",
		Long: `Compare key material in a file with what a KMS key holds, and say what the
comparison proves:

  key pairs   the public keys are equal (GetPublicKey)
  HMAC keys   KMS makes the same MAC of a fresh nonce (GenerateMac)
  symmetric   nothing KMS answers proves the bytes. With --reimport the same
              material is imported once more, expiry unchanged, which KMS takes
              only for the same bytes; without, the key material ID is shown
              and the result says "not proven"

Exit code 3 means that KMS holds other material.`,
		Example: `  keymat confirm alias/app --material app.key --reimport`,
		Args:    oneArg("key"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.confirmKey(cmd.Context(), args[0], o) },
	}
	o.material.register(c, ownMaterial)
	c.Flags().BoolVar(&o.reimport, "reimport", false, "prove a symmetric key's material by importing it again")
	o.wrapping.register(c)
	require(c, "material")
	return c
}

func (a *app) confirmKey(ctx context.Context, ref string, o confirmOptions) error {
	on, err := a.pairUp(ctx, ref, o.material, o.wrapping)
	if err != nil {
		return err
	}
	p, err := on.Confirm(ctx, on.key, on.material, importer.ConfirmOptions{Reimport: o.reimport, Pair: on.wrapping})
	if err != nil {
		return err
	}
	if err := a.print(confirmation{KeyARN: on.key.ARN, MaterialID: p.MaterialID, proof: proofOf(p)}); err != nil {
		return err
	}
	return noIfMismatch(p)
}

var errNo = &cli.NoError{Reason: "KMS holds other material than this"}

func noIfMismatch(p importer.Proof) error {
	if p.Verdict == importer.Mismatch {
		return errNo
	}
	return nil
}

// proof is how a confirmation appears in results.
type proof struct {
	Proven  bool   `json:"proven"`
	Verdict string `json:"verdict"`
	Method  string `json:"method"`

	words string
}

func proofOf(p importer.Proof) *proof {
	return &proof{
		Proven:  p.Verdict == importer.Proven,
		Verdict: string(p.Verdict),
		Method:  string(p.Method),
		words:   describeProof(p),
	}
}

type confirmation struct {
	KeyARN     string `json:"key_arn"`
	MaterialID string `json:"key_material_id,omitempty"`
	*proof
}

func (c confirmation) text(w io.Writer) {
	fields(w, "key", c.KeyARN, "material", c.MaterialID, "proof", c.words)
}
