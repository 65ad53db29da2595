// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"
	"strings"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/internal/ledger"
	"github.com/keymat/keymat/lab"
)

// explainRun covers runs of experiments, and what they leave.
func explainRun(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*costError](err); ok {
		return hint("allow it with --max-cost %.2f, or test fewer rules: keymat verify --list", e.cost), true
	}
	if e, ok := errors.AsType[*elsewhereError](err); ok {
		return hint("take %s out of the environment (AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL) and run it again", e.endpoint), true
	}
	if e, ok := errors.AsType[*ledger.DamagedError](err); ok {
		return hint("look into the file for keys that are left, and remove it: %s", e.Path), true
	}
	if _, ok := errors.AsType[*experiment.NoKeyError](err); ok {
		return hint("look at the account of these credentials: aws sts get-caller-identity; if the key was deleted by somebody else, remove the file that tells of it from keymat's state folder, runs"), true
	}
	if _, ok := errors.AsType[*lab.StepError](err); ok {
		if e, ok := errors.AsType[*experiment.SurpriseError](err); ok {
			return explainSurprise(e.Observation), true
		}
	}
	if errors.Is(err, errUnfinished) {
		return hint("try again in a few minutes: keymat verify --clean-up"), true
	}
	if _, ok := errors.AsType[*untestedError](err); ok {
		return hint("run it again, with those rules: the fault may pass"), true
	}
	return cli.Advice{}, false
}

// explainSurprise says what it means that a lesson met another answer than the
// one it tells of.
func explainSurprise(o experiment.Observation) cli.Advice {
	if strings.HasPrefix(o.Observed, "AlreadyExistsException") {
		return hint("something of this name is there already; look who made it, and play the lesson again")
	}
	return hint("this KMS answers otherwise than the one that the lesson was written for; keymat verify tests the rules one by one")
}
