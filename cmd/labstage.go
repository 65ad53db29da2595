// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/lab"
)

// playOn plays a lesson on the KMS that was asked for, or on one of its own.
// Whoever pays for it was asked before.
func (a *app) playOn(ctx context.Context, t *target, lesson lab.Lesson, dir string, guide lab.Guide) (lab.Transcript, error) {
	if t.billed {
		if err := a.consentToLesson(ctx, t, lesson); err != nil {
			return lab.Transcript{}, err
		}
	}
	run, err := a.beginRun(t, "lab")
	if err != nil {
		return lab.Transcript{}, err
	}
	if t.lasting {
		run.bench.Clock = nil // every key there would age
	}
	stage := lab.Stage{Bench: *run.bench, Tools: lab.FindTools(), Dir: dir}
	if a.atTerminal() {
		stage.Busy = a.busy
	}
	transcript, err := lab.Play(ctx, lesson, stage, guide)
	return transcript, errors.Join(err, run.end(context.WithoutCancel(ctx)))
}

// consentToLesson says what a lesson makes in an account, and asks.
func (a *app) consentToLesson(ctx context.Context, t *target, lesson lab.Lesson) error {
	return a.confirm(ctx, fmt.Sprintf(`Lesson %s makes %s in %s, tagged %s, and schedules
their deletion at the end. AWS bills a key USD %.0f a month, by the hour, until its
deletion is scheduled, and requests as usual.
Play it at %s`, lesson.Name, count(lesson.Keys, "key"), t.region, experiment.Tag, keyPrice, t.name))
}
