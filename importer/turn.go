// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// rotationPatience is for a rotation to end. KMS was seen to take from 48 to
// 460 seconds (recorded).
var rotationPatience = patience{bound: 20 * time.Minute, pause: 5 * time.Second}

// turn makes the pending material the current one: asks KMS to rotate, unless
// it does already, and waits until it has. done.To is the material.
func (i *Importer) turn(ctx context.Context, k Key, done *Rotated) error {
	t := turning{Importer: i, key: k, to: done.To}
	i.pollFor(ctx, "KMS to finish the rotation", rotationPatience, func() bool { return t.step(ctx) })
	done.Resumed = done.Resumed || t.found
	switch {
	case t.err != nil:
		return t.err
	case ctx.Err() != nil:
		return ctx.Err()
	case !t.over:
		return &SlowRotationError{KeyARN: k.ARN, Waited: rotationPatience.bound}
	}
	return i.noteTurn(ctx, k, done)
}

// noteTurn reads when the rotation ended: KMS dates it by its end (recorded).
func (i *Importer) noteTurn(ctx context.Context, k Key, done *Rotated) error {
	all, err := i.Materials(ctx, k)
	if err != nil {
		return err
	}
	m, _ := withID(all, done.To)
	done.At, done.Used = m.Rotated, OnDemandRotations(all)
	return nil
}

// turning is a rotation that is being waited for.
type turning struct {
	*Importer
	key Key
	to  string

	found bool      // it was running when we came
	asked bool      // KMS has accepted our request
	lost  bool      // our request may have been accepted
	idle  time.Time // since when KMS shows no rotation running
	over  bool
	err   error
}

// step looks how far the rotation is, and does the next thing. It is true when
// nothing is left to be done or waited for.
func (t *turning) step(ctx context.Context) bool {
	k, err := t.Describe(ctx, t.key.ARN)
	if err != nil {
		return t.fails(err)
	}
	if t.over = k.MaterialID == t.to; t.over {
		return true
	}
	started, err := t.rotationStarted(ctx, t.key)
	if err != nil {
		return t.fails(err)
	}
	if !started.IsZero() {
		t.runs(started)
		return false
	}
	if t.idle.IsZero() {
		t.idle = time.Now()
	}
	if t.asked || t.lost && time.Since(t.idle) < lookFor {
		return t.vanished()
	}
	return t.ask(ctx)
}

// lookFor is how long we look for the effect of a call that got no answer.
const lookFor = 5 * time.Second

func (t *turning) runs(started time.Time) {
	if !t.asked && !t.found {
		t.found = !t.lost
		t.report(Rotating{KeyARN: t.key.ARN, MaterialID: t.to, Since: started})
	}
	t.asked, t.idle = true, time.Time{}
}

// vanished: what we asked for is not running, and not done. For a moment that
// is how KMS is; for longer, somebody deleted the pending material meanwhile.
func (t *turning) vanished() bool {
	if time.Since(t.idle) < visibleBound {
		return false
	}
	t.err = fmt.Errorf("KMS neither rotates %s to %s nor has it done so; its material may have been deleted meanwhile", t.key.ARN, t.to)
	return true
}

// ask asks KMS to rotate. A refusal because of the key's state is believed only
// when it lasts: KMS may not yet see that all replicas have the material.
func (t *turning) ask(ctx context.Context) bool {
	_, err := t.KMS.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: aws.String(t.key.ARN)}, retryOnlyThrottling)
	failed := &CallError{Operation: "RotateKeyOnDemand", Key: t.key.ARN, Err: err}
	_, wrongState := errors.AsType[*types.KMSInvalidStateException](err)
	_, limit := errors.AsType[*types.LimitExceededException](err)
	switch {
	case err == nil:
		t.asked, t.idle = true, time.Time{}
		t.report(Rotating{KeyARN: t.key.ARN, MaterialID: t.to})
	case MayHaveHappened(err):
		t.report(LostAnswer{Operation: "RotateKeyOnDemand", Err: err})
		t.lost, t.idle = true, time.Now()
	case limit:
		return t.fails(&RotationLimitError{KeyARN: t.key.ARN, Used: MaxOnDemandRotations})
	case !wrongState || time.Since(t.idle) >= t.seenEverywhere():
		return t.fails(failed)
	}
	return false
}

// seenEverywhere is how long KMS may take to see what was imported: longer
// where that was in another Region.
func (t *turning) seenEverywhere() time.Duration {
	if len(t.key.Copies) > 1 {
		return 2 * time.Minute
	}
	return visibleBound
}

func (t *turning) fails(err error) bool {
	t.err = err
	return true
}

// SlowRotationError says that KMS has not finished a rotation within our
// patience. It goes on by itself.
type SlowRotationError struct {
	KeyARN string
	Waited time.Duration
}

func (e *SlowRotationError) Error() string {
	return fmt.Sprintf("KMS has not finished the rotation of %s within %s", e.KeyARN, e.Waited)
}
