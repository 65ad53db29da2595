// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
)

// explainCeremony covers plans, signatures and records.
func explainCeremony(err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*plan.FormatError](err); ok {
		return hint("keymat ceremony plan lint lists all that is wrong with a plan"), true
	}
	if _, ok := errors.AsType[*plan.SketchError](err); ok {
		return hint("keymat ceremony plan init --help says what can be given"), true
	}
	if _, ok := errors.AsType[*otherKeyError](err); ok {
		return hint("sign with the key in the plan, or have the plan changed and signed anew by all"), true
	}
	if _, ok := errors.AsType[*noAgentError](err); ok {
		return hint("add the key with ssh-add, or name its file: --key FILE; or use ssh-keygen -Y sign"), true
	}
	return explainRecord(err)
}

// explainRecord covers the records of ceremonies.
func explainRecord(err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*record.BusyError](err); ok {
		return hint("wait for the other keymat to end, and run it again"), true
	}
	if errors.Is(err, transcript.ErrClosed) {
		return hint("what comes after the end is part of another record"), true
	}
	if _, ok := errors.AsType[*transcript.SecretError](err); ok {
		return hint("say which share or key it is about by its number; if it was read aloud, that is an exception to record"), true
	}
	if _, ok := errors.AsType[*transcript.DivergedError](err); ok {
		return hint("keep both, find out which was changed, and go on with a copy of the other; that is an exception to record"), true
	}
	if _, ok := errors.AsType[*transcript.MediumError](err); ok {
		return hint("run it again: what is on one medium is copied to the others; name another folder in place of a broken one"), true
	}
	if _, ok := errors.AsType[*gateError](err); ok {
		return hint("each of them has to be there and to agree; if the plan asks for too much, it is changed and signed anew"), true
	}
	return cli.Advice{}, false
}
