// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
)

type monitorOptions struct {
	format string
	before string
	apply  applyOptions
}

// The formats of monitor.
const (
	formatCloudFormation = "cloudformation"
	formatTerraform      = "terraform"
)

func newMonitorCmd(a *app) *cobra.Command {
	var o monitorOptions
	c := &cobra.Command{
		Use:   "monitor <key>…",
		Short: "Print or apply an alarm that warns before material expires",
		Long: `Print, for each key, a CloudWatch alarm on the time left until its material
expires and an EventBridge rule for the moment when it does, both telling an SNS
topic, as a CloudFormation template or as Terraform. Nothing in it is secret, and
nothing is applied.

With --apply they are put into effect, by a CloudFormation stack for each key,
which is called keymat-monitor- and the key ID: it is created, or brought to what
is asked now. Deleting the stack takes them away.

The topic has to let cloudwatch.amazonaws.com and events.amazonaws.com publish.
All keys have to be in one Region; each copy of a multi-Region key has its own
material and expiry, and so its own alarm.`,
		Example: `  keymat monitor alias/app > alarms.json
  keymat monitor alias/app alias/db --format terraform --before 30d > alarms.tf
  keymat monitor alias/app --apply --topic arn:aws:sns:eu-central-1:111122223333:oncall`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("key is missing")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.monitor(cmd.Context(), args, o) },
	}
	c.Flags().StringVar(&o.format, "format", formatCloudFormation, "`what` to print: cloudformation (JSON) or terraform")
	c.Flags().StringVar(&o.before, "before", "14d", "how `long` before the expiry the alarm goes off")
	o.apply.register(c)
	complete(c, "format", []string{formatCloudFormation, formatTerraform})
	return c
}

func (a *app) monitor(ctx context.Context, refs []string, o monitorOptions) error {
	before, ok := importer.ParseSpan(o.before)
	if !ok || before < time.Minute || before > importer.MaxLifetime {
		return usagef("--before takes a length of time up to 365 days, such as 14d or 12h, not %q", o.before)
	}
	render := map[string]func([]watched, time.Duration) (string, error){
		formatCloudFormation: cloudFormation,
		formatTerraform:      terraform,
	}[o.format]
	if render == nil {
		return usagef("--format takes cloudformation or terraform, not %q", o.format)
	}
	if err := o.apply.check(o.format); err != nil {
		return err
	}
	keys, err := a.watch(ctx, refs)
	if err != nil {
		return err
	}
	if o.apply.apply {
		return a.applyMonitoring(ctx, keys, before, o.apply)
	}
	template, err := render(keys, before)
	if err != nil {
		return err
	}
	return a.print(monitoring{Format: o.format, Region: keys[0].Region(), Template: template})
}

// watched is a key beside the name that the user called it by.
type watched struct {
	importer.Key
	name string
}

// watch finds the keys, which all have to be in one Region: alarms and rules
// see nothing of others.
func (a *app) watch(ctx context.Context, refs []string) ([]watched, error) {
	var keys []watched
	for _, ref := range refs {
		im, err := a.importer(ctx, ref)
		if err != nil {
			return nil, err
		}
		key, err := im.Describe(ctx, ref)
		if err != nil {
			return nil, err
		}
		if key.Origin != types.OriginTypeExternal {
			return nil, &importer.OriginError{KeyARN: key.ARN, Origin: key.Origin}
		}
		if len(keys) > 0 && key.Region() != keys[0].Region() {
			return nil, usagef("%s is in %s and %s in %s: print the alarms of each Region by themselves", refs[0], keys[0].Region(), ref, key.Region())
		}
		if key.Expiry.Never() {
			a.say("the material of %s never expires: the alarm has no data until it gets an expiry", ref)
		}
		keys = append(keys, watched{Key: key, name: ref})
	}
	return keys, nil
}

// describe says in one line what an alarm is about.
func (w watched) describe() string {
	if strings.HasPrefix(w.name, "alias/") {
		return w.name
	}
	return w.ID
}

type monitoring struct {
	Format   string `json:"format"`
	Region   string `json:"region"`
	Template string `json:"template"`
}

func (m monitoring) text(w io.Writer) { fmt.Fprint(w, m.Template) }
