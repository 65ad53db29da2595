// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

type copyOptions struct {
	token   tokenFlags
	label   string
	toKey   string
	out     string
	trusted bool
	force   bool
}

func newCopyCmd(a *app) *cobra.Command {
	var o copyOptions
	c := &cobra.Command{
		Use:   "copy --module <file> --label <name> --to-key <escrow.pem> --out <file>",
		Short: "Wrap a copy of a key for an RSA key of your own",
		Long: `Wrap a copy of a key of the token, in the token, under an RSA public key of your
own: what brings the key back when the token is gone. AWS never gives imported
material back.

The file is RSAES-OAEP of a one-time AES-256 key, as long as the RSA modulus, and
then the key under AES key wrap with padding (RFC 5649). That is what
CKM_RSA_AES_KEY_WRAP makes, so another token can unwrap it, and so can openssl.
The private key decides who can read the copy: keep it in another token, or in
an escrow (keymat escrow seal).`,
		Example: `  keymat-hsm copy --module /usr/lib/softhsm/libsofthsm2.so --label app --to-key escrow.pem --out app.copy`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.copy(cmd.Context(), o) },
	}
	o.token.register(c)
	labelFlag(c, &o.label)
	c.Flags().StringVar(&o.toKey, "to-key", "", "`file` with an RSA public key as PEM or DER, of 2048, 3072 or 4096 bits")
	c.Flags().StringVar(&o.out, "out", "", "new `file` for the copy")
	o.token.registerTrusted(c, &o.trusted)
	forceFlag(c, &o.force)
	cli.Require(c, "to-key", "out")
	return c
}

func (a *app) copy(ctx context.Context, o copyOptions) error {
	if err := files.Check(o.out, files.Overwrite(o.force)); err != nil {
		return err
	}
	publicKey, err := cli.ReadFile(o.toKey, a.Stdin, token.MaxPublicKey, readPublicKey)
	if err != nil {
		return err
	}
	s, err := a.startWrapping(ctx, wrapping{token: o.token, label: o.label, trusted: o.trusted, publicKey: publicKey, algorithm: wrap.RSAAESSHA256})
	if err != nil {
		return err
	}
	method, err := s.choose(func(b *hsm.Bench) (hsm.Method, error) { return b.ChooseForCopy(s.key.Spec) })
	if err != nil {
		return err
	}
	encrypted, err := s.wrap(method)
	if err != nil {
		return err
	}
	if err := files.WritePublic(o.out, encrypted, files.Overwrite(o.force)); err != nil {
		return err
	}
	a.Say("wrapped a copy of %q in the token, with %s", o.label, method)
	a.Say("try now whether it opens: a copy that was never opened is a hope")
	sum, keySum := sha256.Sum256(encrypted), sha256.Sum256(publicKey)
	return a.print(copied{
		Token: resultOf(s.token.Info), keyResult: keyResultOf(s.key), Algorithm: method.Algorithm, Method: method.String(),
		PublicKeySHA256: hex.EncodeToString(keySum[:]), SHA256: hex.EncodeToString(sum[:]), Trusted: o.trusted, File: o.out,
	})
}

// readPublicKey reads SubjectPublicKeyInfo, as PEM or DER.
func readPublicKey(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if block, rest := pem.Decode(data); block != nil {
		if block.Type != "PUBLIC KEY" || len(rest) > 0 {
			return nil, fmt.Errorf("found PEM of a %s, expected one PUBLIC KEY", block.Type)
		}
		data = block.Bytes
	}
	_, err = wrap.ParsePublicKey(data)
	return data, err
}

type copied struct {
	Token tokenResult `json:"token"`
	keyResult
	Algorithm       wrap.Algorithm `json:"wrapping_algorithm"`
	Method          string         `json:"method"`
	PublicKeySHA256 string         `json:"public_key_sha256"`
	SHA256          string         `json:"copy_sha256"`
	Trusted         bool           `json:"trusted"`
	File            string         `json:"file"`
}

func (c copied) text(w io.Writer) {
	cli.Fields(w, "token", c.Token.words(), "label", c.Label, "key", c.What, "fingerprint", c.Fingerprint,
		"for key", "sha256:"+c.PublicKeySHA256, "wrapped by", c.Method, "copy", "sha256:"+c.SHA256, "file", c.File)
}
