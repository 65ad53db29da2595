// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/entry"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

type componentOptions struct {
	spec  material.Spec
	show  bool
	out   string
	force bool
}

func newGenerateComponentCmd(a *app) *cobra.Command {
	var o componentOptions
	c := &cobra.Command{
		Use:   "component --spec <spec> (--show | --out <file>)",
		Short: "Generate one custodian's component of new material",
		Long: `Generate a component: random bytes as long as the material of the key, for one
custodian alone. keymat generate --components combines the components of all
custodians by xor; each of them by itself says nothing about the material, and
every one is needed.

--show shows the component on a screen of its own, to be copied by hand, and has
it typed back from the copy. --out writes it to a file that only you can read.
The check value that is printed is safe to show; note it beside the component.`,
		Example: `  keymat generate component --spec SYMMETRIC_DEFAULT --show
  keymat generate component --spec HMAC_512 --out /dev/shm/component`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.generateComponent(cmd.Context(), o) },
	}
	specFlag(c, &o.spec, "`spec` of the KMS key, as KMS spells it: SYMMETRIC_DEFAULT, or HMAC_224 to HMAC_512")
	c.Flags().BoolVar(&o.show, "show", false, "show the component on the terminal, to be copied by hand")
	c.Flags().StringVar(&o.out, "out", "", "new `file` for the component")
	forceFlag(c, &o.force)
	require(c, "spec")
	c.MarkFlagsMutuallyExclusive("show", "out")
	c.MarkFlagsOneRequired("show", "out")
	return c
}

func (a *app) generateComponent(ctx context.Context, o componentOptions) error {
	if o.out != "" {
		if err := files.Check(o.out, files.Overwrite(o.force)); err != nil {
			return err
		}
	}
	component, err := entropy.NewComponent(o.spec)
	if err != nil {
		return err
	}
	defer component.Destroy()
	if o.show {
		err = a.showComponent(ctx, component)
	} else {
		err = a.writeComponent(component, o)
	}
	if err != nil {
		return err
	}
	return a.print(generatedComponent{Spec: o.spec, File: o.out, Bytes: o.spec.GenerateLength(), CheckValue: component.Check})
}

func (a *app) writeComponent(c entropy.Component, o componentOptions) error {
	text := c.Text()
	defer text.Destroy()
	err := text.Expose(func(text []byte) error { return files.WriteSecret(o.out, text, files.Overwrite(o.force)) })
	if err == nil {
		a.say("wrote a component for %s to %s: keep it to yourself", c.Spec, o.out)
	}
	return err
}

// showComponent shows the component until its copy on paper is right.
func (a *app) showComponent(ctx context.Context, c entropy.Component) error {
	if err := a.confirm(ctx, "A component comes next. Can nobody but its custodian see the screen"); err != nil {
		return err
	}
	text := c.Text()
	defer text.Destroy()
	for {
		title := fmt.Sprintf("A component for %s. Copy it by hand, with the check value in its last line.", c.Spec)
		if err := text.Expose(func(text []byte) error { return a.prompter().Show(ctx, title, text) }); err != nil {
			return entry.BrokenOff(err)
		}
		err := a.desk().Again(ctx, c, "Type it from the copy (not shown)")
		if err == nil {
			a.say("the copy is right")
			return nil
		}
		if !entry.IsSlip(err) {
			return entry.BrokenOff(err)
		}
		a.warn("the copy is not right: %v", err)
	}
}

type generatedComponent struct {
	Spec       material.Spec `json:"key_spec"`
	File       string        `json:"file,omitempty"`
	Bytes      int           `json:"bytes"`
	CheckValue string        `json:"check_value"`
}

func (g generatedComponent) text(w io.Writer) { fmt.Fprintln(w, g.CheckValue) }
