// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
)

// A Run is a lesson while it is played: what its steps work with.
type Run struct {
	*experiment.Trial

	stage Stage
	ctx   context.Context
	lines []Line // of the step being done
}

// A Line is something that a step shows. It holds no secret.
type Line struct {
	Kind  Kind   `json:"kind"`
	Name  string `json:"name"` // what was done or looked at
	Value string `json:"value"`
}

// Kind says what a line is about.
type Kind string

// The kinds of lines.
const (
	Call Kind = "call" // an answer of KMS, success or a refusal
	Fact Kind = "fact" // something seen: a length, a fingerprint, a state
	Same Kind = "same" // a comparison that came out as foretold
	Note Kind = "note" // something left out, and why; Name is ""
)

// show adds a fact.
func (r *Run) show(name, format string, args ...any) {
	r.add(Line{Fact, name, fmt.Sprintf(format, args...)})
}

// leaveOut says what is not done here, and why.
func (r *Run) leaveOut(format string, args ...any) {
	r.add(Line{Note, "", fmt.Sprintf(format, args...)})
}

func (r *Run) add(l Line) {
	if r.Err() == nil {
		r.lines = append(r.lines, l)
	}
}

// observe turns a step of the trial into a line.
func (r *Run) observe(_ *experiment.Trial, o experiment.Observation) {
	kind := Call
	if o.Operation == "" {
		kind = Same
	}
	r.lines = append(r.lines, Line{kind, o.What, o.Observed})
}

// Await is that of the trial, and tells that it waits when it has to.
func (r *Run) Await(what, want string, look func() (string, error)) {
	looks, done := 0, func() {}
	r.Trial.Await(what, want, func() (string, error) {
		if looks++; looks == 2 && r.stage.Busy != nil {
			done = r.stage.Busy("waiting for " + what + " to be " + want)
		}
		return look()
	})
	done()
}

// reaches waits until the key is in a state: KMS takes a moment to tell.
func (r *Run) reaches(k experiment.Key, want types.KeyState) {
	client := r.KMS
	if k.Region != r.stage.Bench.Region {
		client = r.In(k.Region)
	}
	r.Await("the state of "+k.Label, string(want), func() (string, error) {
		out, err := client.DescribeKey(r.ctx, &kms.DescribeKeyInput{KeyId: aws.String(k.ARN)})
		if err != nil {
			return "", fmt.Errorf("looking at %s: %w", k.Label, err)
		}
		return string(out.KeyMetadata.KeyState), nil
	})
}

// delete deletes the material of a key.
func (r *Run) delete(k experiment.Key) {
	experiment.Do(r.Trial, "delete the material of "+k.Label, experiment.Success, r.KMS.DeleteImportedKeyMaterial,
		&kms.DeleteImportedKeyMaterialInput{KeyId: aws.String(k.ARN)})
}

// ask makes a call whose answer needs no further look.
func ask[In, Out any](r *Run, what string, want experiment.Answer, call func(context.Context, *In, ...func(*kms.Options)) (*Out, error), in *In) *Out {
	return experiment.Do(r.Trial, what, want, call, in)
}
