// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"os"
	"os/user"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

type escrowDrillOptions struct {
	escrow     string
	unlock     unlocking
	key        string
	offline    bool
	reimport   bool
	materialID string
	wrapping   wrapping
	out        string
}

func newEscrowDrillCmd(a *app) *cobra.Command {
	var o escrowDrillOptions
	c := &cobra.Command{
		Use:   "drill <escrow> (--key <key> [--reimport] | --offline) [--out <file>]",
		Short: "Prove that an escrow brings the live key back, without taking anything out of it",
		Long: `Open an escrow in memory and compare what it holds with the KMS key, as keymat
confirm does: key pairs by their public keys, HMAC keys by the MAC of a fresh
nonce. For a symmetric key nothing KMS answers depends on the bytes, and the
verdict is "not proven" until --reimport lets the same material be imported once
more, expiry unchanged: KMS takes it only if it is the same. --offline opens and
checks the escrow, and asks no KMS.

--out keeps the result as a dated record: which escrow, by its digests; which
key; how they were compared, with what verdict, by whom and with which keymat.
It holds no secret. Exit code 3 means that KMS holds other material.`,
		Example: `  keymat escrow drill app.escrow --key alias/app --identity key.txt --reimport --out app-2027-01.drill
  keymat escrow drill app.escrow --offline --share 1.txt --share 4.txt`,
		Args: oneArg("escrow"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.escrow = args[0]
			return a.escrowDrill(cmd.Context(), o)
		},
	}
	o.unlock.register(c)
	c.Flags().StringVar(&o.key, "key", "", "KMS `key` that the escrow shall bring back")
	c.Flags().BoolVar(&o.offline, "offline", false, "open and check the escrow, and ask no KMS")
	c.Flags().BoolVar(&o.reimport, "reimport", false, "prove a symmetric key's material by importing it again")
	c.Flags().StringVar(&o.materialID, "material-id", "", "the KeyMaterialId (`ID`) to re-import as, if not the current one")
	o.wrapping.register(c)
	c.Flags().StringVar(&o.out, "out", "", "keep the record in this new `file`")
	c.MarkFlagsMutuallyExclusive("key", "offline")
	c.MarkFlagsMutuallyExclusive("reimport", "offline")
	return c
}

func (a *app) escrowDrill(ctx context.Context, o escrowDrillOptions) error {
	if o.key == "" && !o.offline {
		return usagef("say which key the escrow shall bring back: --key KEY, or --offline to open it only")
	}
	if o.materialID != "" && !o.reimport {
		return usagef("--material-id names the material for --reimport")
	}
	if o.out != "" {
		if err := files.Check(o.out, files.KeepExisting); err != nil {
			return err
		}
	}
	f, err := a.readEscrow(o.escrow)
	if err != nil {
		return err
	}
	compare := a.compareNothing
	if !o.offline {
		if compare, err = a.compareWithKey(ctx, o, f); err != nil {
			return err
		}
	}
	m, err := a.openEscrow(ctx, o.escrow, f, o.unlock)
	if err != nil {
		return err
	}
	a.say("opened %s: %s material with the fingerprint %s, as its header says", o.escrow, m.Spec(), m.Fingerprint())
	record := escrow.Drill{By: whoRuns(), Tool: "keymat " + cli.ThisVersion().Version}
	if record.Escrow, err = f.Drilled(); err != nil {
		return err
	}
	if err := compare(ctx, m, &record); err != nil {
		return err
	}
	if err := a.keepRecord(o.out, record); err != nil {
		return err
	}
	if record.Verdict == escrow.DrillMismatch {
		return errNo
	}
	return nil
}

// A comparison completes the record of a drill.
type comparison func(context.Context, *material.Material, *escrow.Drill) error

func (a *app) compareNothing(_ context.Context, _ *material.Material, record *escrow.Drill) error {
	record.At = time.Now().UTC().Truncate(time.Second)
	record.Method, record.Verdict = "opened and checked", escrow.DrillOpened
	return nil
}

// compareWithKey finds out all that would stop the comparison before anybody
// types 99 words.
func (a *app) compareWithKey(ctx context.Context, o escrowDrillOptions, f *escrow.File) (comparison, error) {
	im, err := a.importer(ctx, o.key)
	if err != nil {
		return nil, err
	}
	key, err := im.Describe(ctx, o.key)
	if err != nil {
		return nil, err
	}
	if key.Spec != f.KeySpec {
		return nil, inFile(o.escrow, &material.MismatchError{Want: key.Spec, Found: "escrow of " + string(f.KeySpec) + " material"})
	}
	if key.State == types.KeyStatePendingImport {
		return nil, &importer.StateError{KeyARN: key.ARN, State: key.State}
	}
	var pair wrap.Pair
	if o.reimport {
		if pair, err = o.wrapping.chooseToUse(key.Spec); err != nil {
			return nil, err
		}
	}
	key.MaterialID = cmp.Or(o.materialID, key.MaterialID)
	return func(ctx context.Context, m *material.Material, record *escrow.Drill) error {
		proof, err := im.Confirm(ctx, key, m, importer.ConfirmOptions{Reimport: o.reimport, Pair: pair})
		if err != nil {
			return err
		}
		record.At = a.now().UTC().Truncate(time.Second)
		record.KeyARN, record.MaterialID = key.ARN, proof.MaterialID
		record.Method, record.Verdict = string(proof.Method), drillVerdicts[proof.Verdict]
		if proof.Verdict == importer.Unproven {
			a.say("whether %s holds these bytes is not proven: nothing KMS answers depends on them; --reimport proves it", key.ARN)
		}
		return nil
	}, nil
}

var drillVerdicts = map[importer.Verdict]escrow.DrillVerdict{
	importer.Proven:   escrow.DrillProven,
	importer.Mismatch: escrow.DrillMismatch,
	importer.Unproven: escrow.DrillUnproven,
}

// whoRuns names who runs keymat as the machine knows them, for a record.
func whoRuns() string {
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}

// keepRecord writes and prints the record.
func (a *app) keepRecord(out string, record escrow.Drill) error {
	var b bytes.Buffer
	if err := record.Encode(&b); err != nil {
		return err
	}
	if out != "" {
		if err := files.WritePublic(out, b.Bytes(), files.KeepExisting); err != nil {
			return err
		}
		a.say("kept the record in %s", out)
	}
	return a.print(drilled{record})
}

type drilled struct{ escrow.Drill }

func (d drilled) text(w io.Writer) {
	fields(w, "escrow", d.Escrow.ID.String(), "fingerprint", d.Escrow.Fingerprint, "key", d.KeyARN, "material", d.MaterialID,
		"method", d.Method, "verdict", string(d.Verdict), "at", d.At.Format(time.RFC3339))
}
