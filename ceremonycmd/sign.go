// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/sshsig"
)

type planSignOptions struct {
	file  string
	as    signingAs
	force bool
}

func newPlanSignCmd(a *app) *cobra.Command {
	var o planSignOptions
	c := &cobra.Command{
		Use:   "sign <plan> --as <person>",
		Short: "Approve a plan with an ssh signature",
		Long: `Sign the bytes of a plan with the ssh key that it names for a person, and write
the signature beside it, as <plan>.<person>.sig. The key is in the ssh-agent,
which also holds hardware keys, or in a file.

The signature is what ssh-keygen -Y sign -n keymat-plan@v1 makes, and that may
as well be used instead. A plan with errors is not signed.`,
		Example: `  keymat ceremony plan sign plan.yaml --as lead
  keymat ceremony plan sign plan.yaml --as witness --key ~/.ssh/id_ed25519`,
		Args: cli.OneArg("plan"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return a.planSign(cmd.Context(), o)
		},
	}
	o.as.register(c)
	c.Flags().BoolVarP(&o.force, "force", "f", false, "replace a signature, such as one of an earlier draft")
	return c
}

func (a *app) planSign(ctx context.Context, o planSignOptions) error {
	p, err := a.readPlan(o.file)
	if err != nil {
		return err
	}
	if plan.HasErrors(p.Lint()) {
		return cli.InFile(o.file, errPlanFaulty)
	}
	who, err := o.as.of(p)
	if err != nil {
		return err
	}
	name := evidence.SignatureFile(o.file, o.as.person)
	if err := files.Check(name, files.Overwrite(o.force)); err != nil {
		return err
	}
	digest := cli.Speak(p.Digest())
	for _, line := range digest.Lines() {
		a.Say("%s", line)
	}
	if err := a.Confirm(ctx, fmt.Sprintf("Approve %q, the plan with the SHA-256 %s, as %s?", p.Title, digest.SHA256, o.as.person)); err != nil {
		return err
	}
	signature, err := a.sign(ctx, who, o.as.keyFile, plan.Namespace, p.Message())
	if err != nil {
		return err
	}
	if err := files.WritePublic(name, signature, files.Overwrite(o.force)); err != nil {
		return err
	}
	if !slices.Contains(p.Gates[plan.GatePlan], o.as.person) {
		a.Warn("the plan does not ask for the approval of %s", o.as.person)
	}
	return a.print(signed{Person: o.as.person, Signature: name, Digest: digest})
}

// sign signs a message as somebody of the plan, with the key in a file or, for "",
// in the ssh-agent, and checks the signature as whoever reads it will.
func (a *app) sign(ctx context.Context, who plan.Person, keyFile, namespace string, message []byte) ([]byte, error) {
	signer, err := a.signer(ctx, keyFile, who.Key)
	if err != nil {
		return nil, err
	}
	signature, err := sshsig.Sign(message, namespace, signer)
	if err != nil {
		return nil, err
	}
	return signature, sshsig.Verify(message, signature, namespace, who.Key)
}

// signed is a signature that was written.
type signed struct {
	Person    string           `json:"person"`
	Signature string           `json:"signature_file"`
	Digest    cli.SpokenDigest `json:"digest"`
}

func (s signed) text(w io.Writer) {
	fmt.Fprintf(w, "signed by %s: %s\n", s.Person, s.Signature)
	s.Digest.Text(w)
}
