// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
)

// renewOptions are those of renew.
type renewOptions struct {
	reimportOptions
	within string
}

func newRenewCmd(a *app) *cobra.Command {
	var o renewOptions
	c := &cobra.Command{
		Use:   "renew <key> --material <file> (--expires <when> | --never-expires)",
		Short: "Extend the expiry of material that is there",
		Long: `Let material that is in KMS last longer, by importing the same bytes once more.
The key works all the while. A key whose material is gone is refused: that is
what keymat reimport is for. So is an end before the present one; reimport sets
any.

It acts whenever the new end is later than the present one: a date by a second, a
duration by more than a minute. With --if-expiring-within it does nothing before
that time has come, so that it can run every day.`,
		Example: `  keymat renew alias/app --material app.key --expires 365d
  keymat renew alias/app --material app.key --expires 90d --if-expiring-within 30d
  keymat renew alias/app --material app.key --never-expires --all-regions`,
		Args: oneArg("key"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.renew(cmd.Context(), args[0], o) },
	}
	o.register(c)
	c.Flags().StringVar(&o.within, "if-expiring-within", "", "do nothing unless the material expires within this `time`, such as 30d")
	return c
}

func (a *app) renew(ctx context.Context, ref string, o renewOptions) error {
	var within time.Duration
	if o.within != "" {
		var ok bool
		if within, ok = importer.ParseSpan(o.within); !ok || within <= 0 {
			return usagef("--if-expiring-within takes a length of time, such as 30d or 12h, not %q", o.within)
		}
	}
	on, again, err := a.prepareAgain(ctx, ref, o.reimportOptions)
	request := importer.RenewRequest{ImportRequest: again, Within: within}
	switch {
	case err != nil:
		return err
	case o.dryRun:
		return a.reimportDryRun(ctx, on, o.reimportOptions, request.Expiry)
	case o.allRegions:
		return a.printEverywhere(on.RenewEverywhere(ctx, on.key, on.material, on.wrapping, request))
	}
	done, err := on.Renew(ctx, on.key, on.material, on.wrapping, request)
	if err != nil {
		return err
	}
	if done.Unchanged {
		a.sayNotRenewed(done, request)
	}
	return a.printAgain(on.key, done)
}

// sayNotRenewed says why there was nothing to do.
func (a *app) sayNotRenewed(done importer.Reimported, r importer.RenewRequest) {
	switch {
	case done.Expiry.Never():
		a.say("the material never expires: nothing to do")
	case r.Within > 0 && done.Expiry.Time().Sub(a.now()) > r.Within:
		a.say("the material has %s left, and is not to be renewed yet: nothing to do", left(done.Expiry.Time(), a.now()))
	default:
		a.say("the material expires at %s, as asked: nothing to do", done.Expiry)
	}
}
