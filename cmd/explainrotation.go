// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/cli"
)

// explainRotation covers what stops a rotation.
func explainRotation(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*importer.NotRotatableError](err); ok {
		return hint("make a new key and move its alias: keymat rotate %s --swap-alias alias/NAME --out FILE --never-expires", e.KeyARN), true
	}
	if e, ok := errors.AsType[*importer.RotationLimitError](err); ok {
		return hint("make a new key and move its alias: keymat rotate %s --swap-alias alias/NAME --out FILE --never-expires", e.KeyARN), true
	}
	if e, ok := errors.AsType[*importer.PendingError](err); ok {
		return cli.Advice{Exit: cli.ExitFailed, Hints: []string{
			"finish that rotation with the file that holds its material: keymat rotate " + e.KeyARN + " --material FILE",
			"or forget it: keymat delete-material " + e.KeyARN + " --material-id " + e.MaterialID,
		}}, true
	}
	if e, ok := errors.AsType[*importer.RetiredError](err); ok {
		return hint("KMS rotates to new material only: keymat rotate %s --out FILE", e.KeyARN), true
	}
	if _, ok := errors.AsType[*importer.CopiesError](err); ok {
		return hint("make a new multi-Region key with keymat bring --replica, and move the alias of each Region: aws kms update-alias"), true
	}
	if e, ok := errors.AsType[*importer.AliasElsewhereError](err); ok {
		return hint("name an alias of the key; keymat status %s lists them", e.Want), true
	}
	if e, ok := errors.AsType[*importer.SingleRegionError](err); ok {
		return hint("a key is made multi-Region when it is created, and never later; make one: keymat bring --replica REGION instead of --key %s", e.KeyARN), true
	}
	if e, ok := errors.AsType[*importer.ReplicaError](err); ok {
		return hint("name the primary: %s", e.PrimaryARN), true
	}
	return cli.Advice{}, false
}

// partlyRotated is the advice for a rotation that began: what stopped it, and
// how to go on.
func partlyRotated(err error) (cli.Advice, bool) {
	e, ok := errors.AsType[*importer.UnfinishedRotationError](err)
	if !ok {
		return cli.Advice{}, false
	}
	var why cli.Advice
	if e.Err != nil {
		why = explain(e.Err)
	}
	again := "the new material waits in the key; run it again with its file to go on: keymat rotate " + e.KeyARN + " --material FILE"
	return cli.Advice{Hints: append(why.Hints, again), Exit: cli.ExitPartly}, true
}

// interrupted is the advice for a run that was interrupted: how to go on, if
// something had begun.
func interrupted(err error) cli.Advice {
	if e, ok := errors.AsType[*importer.UnfinishedRotationError](err); ok {
		partly, _ := partlyRotated(&importer.UnfinishedRotationError{KeyARN: e.KeyARN})
		return cli.Advice{Hints: partly.Hints, Exit: cli.ExitInterrupted}
	}
	return cli.Advice{Exit: cli.ExitInterrupted}
}
