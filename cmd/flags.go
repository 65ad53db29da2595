// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// specFlag registers --spec and completes it.
func specFlag(c *cobra.Command, spec *material.Spec, usage string) {
	c.Flags().TextVar(spec, "spec", *spec, usage)
	complete(c, "spec", material.Specs())
}

// usageFlag registers --usage, which only key pairs leave open.
func usageFlag(c *cobra.Command, usage *string) {
	c.Flags().StringVar(usage, "usage", "", "key `usage`: SIGN_VERIFY (default), ENCRYPT_DECRYPT or KEY_AGREEMENT for a key pair; others have one")
	complete(c, "usage", []string{"ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"})
}

func keyUsage(s string) (types.KeyUsageType, error) {
	usage := types.KeyUsageType(s)
	for _, known := range usage.Values() {
		if s == "" || usage == known {
			return usage, nil
		}
	}
	return "", usagef("key usage %q is none of %s", s, list(usage.Values()))
}

// wrapping is the choice of wrapping algorithm and key; what is left open
// becomes the strongest that KMS takes for the material.
type wrapping struct {
	algorithm wrap.Algorithm
	key       wrap.KeySpec
}

func (w *wrapping) register(c *cobra.Command) {
	c.Flags().TextVar(&w.algorithm, "algorithm", w.algorithm, "wrapping `algorithm` (default: the strongest KMS takes for the material)")
	c.Flags().TextVar(&w.key, "wrapping-key", w.key, "wrapping key `spec`: RSA_2048, RSA_3072 or RSA_4096 (default: the strongest)")
	complete(c, "algorithm", wrap.Algorithms())
	complete(c, "wrapping-key", wrap.KeySpecs())
}

func (w wrapping) choose(s material.Spec) (wrap.Pair, error) {
	return wrap.Choose(s, w.algorithm, w.key)
}

// chooseToUse chooses for wrapping in this very process.
func (w wrapping) chooseToUse(s material.Spec) (wrap.Pair, error) {
	pair, err := w.choose(s)
	if err == nil {
		err = pair.Algorithm.Usable()
	}
	return pair, err
}

// lifetime is the decision every import needs: when the material expires.
type lifetime struct {
	expires string
	never   bool
}

func (l *lifetime) register(c *cobra.Command) {
	c.Flags().StringVar(&l.expires, "expires", "", "expire after a `time` (90d, 12h) or at a date (2027-01-31), at most 365 days ahead")
	c.Flags().BoolVar(&l.never, "never-expires", false, "keep the material until it is deleted")
	c.MarkFlagsMutuallyExclusive("expires", "never-expires")
}

func (a *app) expiry(l lifetime) (importer.Expiry, error) {
	if l.never {
		return importer.Never(), nil
	}
	if l.expires == "" {
		return importer.Expiry{}, usagef("say when the material expires: --expires 90d, or --never-expires")
	}
	now := a.now()
	e, err := importer.ParseExpiry(l.expires, now)
	if err == nil {
		err = e.Check(now)
	}
	if err != nil {
		return importer.Expiry{}, &cli.UsageError{Err: fmt.Errorf("--expires: %w", err)}
	}
	return e, nil
}

// output are the flags of a command that writes a file.
func forceFlag(c *cobra.Command, force *bool) {
	c.Flags().BoolVar(force, "force", false, "overwrite output files that exist")
}

func dryRunFlag(c *cobra.Command, dryRun *bool) {
	c.Flags().BoolVar(dryRun, "dry-run", false, "check everything that can be checked, say what would be done, and do nothing")
}

// require marks flags without which the command cannot run.
func require(c *cobra.Command, flags ...string) { cli.Require(c, flags...) }

// complete offers fixed words for a flag.
func complete[T ~string](c *cobra.Command, flag string, words []T) { cli.Complete(c, flag, words) }
