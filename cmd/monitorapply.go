// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/internal/stack"
)

// applyOptions are those of monitor --apply.
type applyOptions struct {
	apply  bool
	topic  string
	dryRun bool
}

func (o *applyOptions) register(c *cobra.Command) {
	c.Flags().BoolVar(&o.apply, "apply", false, "put the alarms into effect, as a CloudFormation stack for each key")
	c.Flags().StringVar(&o.topic, "topic", "", "with --apply: `ARN` of the SNS topic that is told")
	dryRunFlag(c, &o.dryRun)
}

// check finds what would stop --apply before anybody is asked.
func (o applyOptions) check(format string) error {
	switch {
	case !o.apply && o.topic != "":
		return usagef("--topic goes with --apply; in what is printed the topic is a parameter")
	case !o.apply && o.dryRun:
		return usagef("--dry-run goes with --apply; without it nothing is applied anyway")
	case !o.apply:
		return nil
	case format != formatCloudFormation:
		return usagef("--apply uses CloudFormation; Terraform applies what it is told to by itself")
	case o.topic == "":
		return usagef("say which SNS topic is told: --topic ARN")
	}
	if topic, err := arn.Parse(o.topic); err != nil || topic.Service != "sns" {
		return usagef("--topic takes the ARN of an SNS topic, not %q", o.topic)
	}
	return nil
}

// checkTopic demands that the topic is where the keys are, for alarms tell no
// others.
func (o applyOptions) checkTopic(keys []watched) error {
	topic, err := arn.Parse(o.topic)
	if err != nil {
		return err
	}
	if region := keys[0].Region(); topic.Region != region {
		return usagef("the topic is in %s, and the alarms will be in %s: they can tell topics of their own Region only", topic.Region, region)
	}
	return nil
}

// stackOf is the stack with the alarm and the rule of one key. Its name says
// which, so that a stack belongs to one key for ever.
func stackOf(key watched, before time.Duration, topic string) (stack.Stack, error) {
	template, err := cloudFormation([]watched{key}, before)
	return stack.Stack{Name: "keymat-monitor-" + key.ID, Template: template, Parameters: map[string]string{topicParameter: topic}}, err
}

// applyMonitoring puts the alarms of each key into effect. A key that fails does
// not keep the others from theirs.
func (a *app) applyMonitoring(ctx context.Context, keys []watched, before time.Duration, o applyOptions) error {
	if err := a.refuseMock(ctx); err != nil {
		return err
	}
	if err := o.checkTopic(keys); err != nil {
		return err
	}
	region := keys[0].Region()
	client, err := awsclient.NewCloudFormation(ctx, awsclient.Options{Region: region, Profile: a.globals.profile, Debug: a.debug()})
	if err != nil {
		return err
	}
	applier := applier{app: a, api: stack.Of(client), before: before, applyOptions: o}
	if !o.dryRun {
		question := fmt.Sprintf("Create or update a CloudFormation stack in %s for each of %s, with an alarm and a rule that tell %s", region, listOf(keys), o.topic)
		if err := a.confirm(ctx, question); err != nil {
			return err
		}
	}
	result := applied{DryRun: o.dryRun, Region: region}
	var failed error
	for _, key := range keys {
		done, err := applier.apply(ctx, key)
		if err != nil {
			done.Error = describeError(err)
			failed = firstOf(failed, err)
		} else {
			result.done++
		}
		result.Stacks = append(result.Stacks, done)
	}
	if err := a.print(result); err != nil {
		return err
	}
	if failed != nil && result.done > 0 {
		return &partlyError{err: failed}
	}
	return failed
}

func listOf(keys []watched) string {
	var names []string
	for _, key := range keys {
		names = append(names, key.name)
	}
	return list(names)
}

// refuseMock keeps alarms for the keys of a mock out of AWS.
func (a *app) refuseMock(ctx context.Context) error {
	mocked := a.usesEmbedded()
	if endpoint := cmp.Or(a.globals.endpointURL, a.endpointSetting()); !mocked && endpoint != "" {
		mock, err := a.findMock(ctx, endpoint)
		if err != nil {
			return err
		}
		mocked = mock != nil
	}
	if mocked {
		return usagef("--apply is for keys in AWS: a mock has no CloudFormation, and AWS does not see its keys")
	}
	return nil
}

// applier puts the alarms of one key after another into effect.
type applier struct {
	*app
	api    stack.API
	before time.Duration
	applyOptions
}

func (a applier) apply(ctx context.Context, key watched) (appliedStack, error) {
	s, err := stackOf(key, a.before, a.topic)
	done := appliedStack{KeyARN: key.ARN, Stack: s.Name}
	if err != nil {
		return done, err
	}
	if a.dryRun {
		exists, err := a.api.Exists(ctx, s.Name)
		done.Action, done.Template = stack.Created, s.Template
		if exists {
			done.Action = stack.Updated
		}
		if err == nil {
			a.say("the stack %s would be %s", s.Name, done.Action)
		}
		return done, err
	}
	defer a.busy("waiting for the stack " + s.Name)()
	outcome, err := a.api.Apply(ctx, s)
	done.Action, done.ID = outcome.Action, outcome.ID
	return done, err
}

// applied is the result of monitor --apply.
type applied struct {
	DryRun bool           `json:"dry_run,omitempty"`
	Region string         `json:"region"`
	Stacks []appliedStack `json:"stacks"`

	done int
}

type appliedStack struct {
	KeyARN   string       `json:"key_arn"`
	Stack    string       `json:"stack"`
	ID       string       `json:"stack_id,omitempty"`
	Action   stack.Action `json:"action,omitempty"` // in a dry run what would be done
	Template string       `json:"template,omitempty"`
	Error    string       `json:"error,omitempty"`
}

func (r applied) text(w io.Writer) {
	action := "action"
	if r.DryRun {
		action = "would be"
	}
	for n, s := range r.Stacks {
		if n > 0 {
			fmt.Fprintln(w)
		}
		fields(w, "key", s.KeyARN, "stack", s.Stack, action, string(s.Action), "error", s.Error)
	}
}
