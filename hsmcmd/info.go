// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

type infoOptions struct {
	token tokenFlags
	try   bool
}

func newInfoCmd(a *app) *cobra.Command {
	var o infoOptions
	c := &cobra.Command{
		Use:   "info --module <file>",
		Short: "Say what a token is, and what it can do for an import",
		Long: `Say who made a token, which mechanisms it lists that matter here, and with which
of KMS's wrapping algorithms it may be able to wrap each kind of key by itself.

A list says little: tokens leave out which hashes they have, and mean different
things by one name. With --try the token shows it, with throwaway keys that are
gone when the command ends; that takes the user's PIN and a while.`,
		Example: `  keymat-hsm info --module /usr/lib/softhsm/libsofthsm2.so
  keymat-hsm info --module /usr/lib/softhsm/libsofthsm2.so --token ceremony --try`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.info(cmd.Context(), o) },
	}
	o.token.register(c)
	c.Flags().BoolVar(&o.try, "try", false, "wrap throwaway keys to see what works")
	return c
}

func (a *app) info(ctx context.Context, o infoOptions) error {
	t, err := a.open(o.token)
	if err != nil {
		return err
	}
	result := info{Token: resultOf(t.Info), Mechanisms: t.Features(), Tried: o.try}
	if !o.try {
		result.Wraps = listedWrapping(t)
		return a.print(result)
	}
	if err := a.login(ctx, t, hsm.OrdinaryUser, o.token.pinFile); err != nil {
		return err
	}
	if result.Wraps, err = a.tryWrapping(t); err != nil {
		return err
	}
	return a.print(result)
}

// listedWrapping is what the lists of the token promise.
func listedWrapping(t *hsm.Token) (all []canWrap) {
	for _, spec := range material.Specs() {
		can := canWrap{Spec: spec, Makes: t.Makes(spec)}
		for _, a := range hsm.Algorithms(spec) {
			for _, m := range hsm.Methods() {
				if m.Algorithm == a && t.Listed(m) {
					can.add(m)
				}
			}
		}
		all = append(all, can)
	}
	return all
}

// tryWrapping is what the token shows. RSA keys of all sizes go the same way.
func (a *app) tryWrapping(t *hsm.Token) (all []canWrap, err error) {
	bench := t.NewBench()
	rsa := canWrap{}
	for _, spec := range material.Specs() {
		can := canWrap{Spec: spec, Makes: t.Makes(spec)}
		switch {
		case spec.Kind() == material.RSA && rsa.Spec != "":
			can.Algorithms, can.Methods, can.Failed = rsa.Algorithms, rsa.Methods, rsa.Failed
		case can.Makes:
			if err := a.tryOne(bench, &can); err != nil {
				return nil, err
			}
		}
		if spec.Kind() == material.RSA {
			rsa = can
		}
		all = append(all, can)
	}
	return all, nil
}

func (a *app) tryOne(bench *hsm.Bench, can *canWrap) error {
	defer a.Busy(fmt.Sprintf("trying the token with throwaway %s material", can.Spec))()
	for _, algorithm := range hsm.Algorithms(can.Spec) {
		m, tried, err := bench.Find(can.Spec, algorithm)
		if err != nil {
			return err
		}
		if m != (hsm.Method{}) {
			can.add(m)
			continue
		}
		for _, trial := range tried {
			can.Failed = append(can.Failed, failed{Method: trial.Method.String(), Error: trial.Err.Error()})
		}
	}
	return nil
}

// canWrap says which of KMS's algorithms for a kind of material the token can do, strongest first.
type canWrap struct {
	Spec       material.Spec    `json:"key_spec"`
	Makes      bool             `json:"makes"`
	Algorithms []wrap.Algorithm `json:"wrapping_algorithms"`
	Methods    []string         `json:"methods"` // of each algorithm, the best
	Failed     []failed         `json:"failed,omitempty"`
}

type failed struct {
	Method string `json:"method"`
	Error  string `json:"error"`
}

// add notes the first method of an algorithm.
func (c *canWrap) add(m hsm.Method) {
	if n := len(c.Algorithms); n > 0 && c.Algorithms[n-1] == m.Algorithm {
		return
	}
	c.Algorithms = append(c.Algorithms, m.Algorithm)
	c.Methods = append(c.Methods, m.String())
}

type info struct {
	Token      tokenResult   `json:"token"`
	Mechanisms []hsm.Feature `json:"mechanisms"`
	Tried      bool          `json:"tried"` // the rest was observed, and not only listed
	Wraps      []canWrap     `json:"wraps"`
}

func (i info) text(w io.Writer) {
	what := ""
	if i.Token.SoftHSM {
		what = "SoftHSM, a program that keeps its keys in files"
	}
	cli.Fields(w, "token", i.Token.Label, "maker", i.Token.Maker, "model", i.Token.Model, "what", what,
		"firmware", i.Token.Firmware, "hardware", i.Token.Hardware, "serial", i.Token.Serial,
		"lists", i.mechanisms(true), "lacks", i.mechanisms(false))
	heading := "as far as its lists say; --try shows what works"
	if i.Tried {
		heading = "tried with throwaway keys"
	}
	fmt.Fprintf(w, "\nWhat keymat fetch --algorithm can be given for a key of the token (%s):\n", heading)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range i.Wraps {
		fmt.Fprintf(tw, "  %s\t%s\n", c.Spec, c.words())
	}
	tw.Flush()
	i.why(w)
}

// mechanisms names those that matter and are listed, or are not.
func (i info) mechanisms(listed bool) string {
	var names []string
	for _, m := range i.Mechanisms {
		if m.Listed == listed {
			names = append(names, m.Name)
		}
	}
	return strings.Join(names, " ")
}

func (c canWrap) words() string {
	switch {
	case !c.Makes:
		return "none: not made by this token"
	case len(c.Algorithms) == 0:
		return "none: made, but not wrapped for KMS"
	}
	return strings.ReplaceAll(cli.List(c.Algorithms), ", ", " or ")
}

// why says what the token listed and then did not do, once for each reason.
func (i info) why(w io.Writer) {
	seen := map[failed]bool{}
	for _, c := range i.Wraps {
		for _, f := range c.Failed {
			if len(seen) == 0 {
				fmt.Fprintln(w, "\nNot as KMS needs it:")
			}
			if !seen[f] {
				fmt.Fprintf(w, "  %s: %s\n", f.Method, f.Error)
			}
			seen[f] = true
		}
	}
}
