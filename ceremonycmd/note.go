// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

// maxNotedFile is the largest file whose digest is noted, in bytes.
const maxNotedFile = 256 << 20

func newTranscriptNoteCmd(a *app) *cobra.Command {
	var c circumstances
	var text string
	var about []string
	cmd := &cobra.Command{
		Use:   "note <folder>... --by <person> --text <text>",
		Short: "Record what was done, with the digests of files",
		Long: `Record what was done or seen, in words, and the size and digest of files that it
is about: an escrow, wrapped material, the serial number of a bag. Text that
looks like a share or a key is refused.`,
		Example: `  keymat ceremony transcript note /media/a /media/b --by operator-1 --by witness --text 'the escrow, read back from the CD' --file /media/a/payments.escrow`,
		Args:    foldersArg,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.add(args, c, func(*plan.Plan) (transcript.Event, error) { return noted(text, about) })
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&text, "text", "", "what there is to `say`")
	cmd.Flags().StringArrayVar(&about, "file", nil, "`file` that it is about; repeatable")
	cmd.MarkFlagRequired("text")
	return cmd
}

func noted(text string, about []string) (transcript.Event, error) {
	n := transcript.Noted{Text: text, Files: []transcript.File{}}
	for _, name := range about {
		content, err := files.ReadLimited(name, nil, maxNotedFile)
		if err != nil {
			return nil, err
		}
		n.Files = append(n.Files, transcript.File{Name: filepath.Base(name), Size: int64(len(content)), SHA256: sha256.Sum256(content)})
		clear(content)
	}
	return n, nil
}

func newTranscriptConfirmCmd(a *app) *cobra.Command {
	var c circumstances
	var gate, text string
	cmd := &cobra.Command{
		Use:   "confirm <folder>... --gate <gate> --by <person>... --text <text>",
		Short: "Record that a gate was passed",
		Long: `Record that all those whom the plan names for a gate let the ceremony pass it,
and what they compared or saw. Each of them is named with --by; nobody is taken
for granted.`,
		Example: `  keymat ceremony transcript confirm /media/a /media/b --gate identity --by operator-1 --by witness --text 'fingerprint read aloud and compared'`,
		Args:    foldersArg,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.add(args, c, func(p *plan.Plan) (transcript.Event, error) {
				return a.confirmed(p, plan.Gate(gate), c.by, text)
			})
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&gate, "gate", "", "`gate` that was passed: open, identity, sealed, bundle, close or import")
	cmd.Flags().StringVar(&text, "text", "", "what they `saw`")
	cmd.MarkFlagRequired("gate")
	cmd.MarkFlagRequired("text")
	cli.Complete(cmd, "gate", plan.Gates()[1:])
	return cmd
}

// confirmed demands everybody whom the plan names.
func (a *app) confirmed(p *plan.Plan, gate plan.Gate, by []string, text string) (transcript.Event, error) {
	if !slices.Contains(plan.Gates()[1:], gate) {
		return nil, cli.Usagef("--gate takes one of %s, not %q; the plan is approved with %s ceremony plan sign", cli.List(plan.Gates()[1:]), gate, a.Name)
	}
	if !slices.Contains(p.Purpose.Gates(), gate) {
		return nil, &cli.NoError{Reason: fmt.Sprintf("no ceremony to %s comes to the gate %s", p.Purpose, gate)}
	}
	var missing []string
	for _, id := range p.Gates[gate] {
		if !slices.Contains(by, id) {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return nil, &gateError{gate, missing}
	}
	return transcript.Confirmed{Gate: gate, Text: text}, nil
}

// A gateError says that not everybody has confirmed.
type gateError struct {
	gate    plan.Gate
	missing []string
}

func (e *gateError) Error() string {
	return "the gate " + string(e.gate) + " is not passed without " + cli.List(e.missing)
}

func newTranscriptExceptionCmd(a *app) *cobra.Command {
	var c circumstances
	var e transcript.Exception
	cmd := &cobra.Command{
		Use:   "exception <folder>... --by <person> --expected <text> --happened <text> --decided <text>",
		Short: "Record a departure from the plan or the script",
		Long: `Record what should have happened, what did, and what was decided about it. Never
put a share, or part of one, into words here.`,
		Example: `  keymat ceremony transcript exception /media/a /media/b --by lead --expected 'custodian-3 confirms the share' --happened 'custodian-3 is ill' --decided 'postponed to Thursday'`,
		Args:    foldersArg,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.add(args, c, func(*plan.Plan) (transcript.Event, error) { return e, nil })
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&e.Expected, "expected", "", "what should have `happened`")
	cmd.Flags().StringVar(&e.Happened, "happened", "", "what `did`")
	cmd.Flags().StringVar(&e.Decided, "decided", "", "what was `decided`")
	for _, flag := range []string{"expected", "happened", "decided"} {
		cmd.MarkFlagRequired(flag)
	}
	return cmd
}
