// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"errors"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
)

// Explain finds the advice for what goes wrong with plans, signatures and records, in the program of this name.
func Explain(program string, err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*plan.FormatError](err); ok {
		return cli.Hint("%s ceremony plan lint lists all that is wrong with a plan", program), true
	}
	if _, ok := errors.AsType[*plan.SketchError](err); ok {
		return cli.Hint("%s ceremony plan init --help says what can be given", program), true
	}
	if _, ok := errors.AsType[*otherKeyError](err); ok {
		return cli.Hint("sign with the key in the plan, or have the plan changed and signed anew by all"), true
	}
	if _, ok := errors.AsType[*noAgentError](err); ok {
		return cli.Hint("add the key with ssh-add, or name its file: --key FILE; or use ssh-keygen -Y sign"), true
	}
	if e, ok := errors.AsType[*evidence.NoPlanError](err); ok {
		return noCeremony(program, e), true
	}
	if advice, ok := explainRegister(program, err); ok {
		return advice, true
	}
	if advice, ok := explainPrint(err); ok {
		return advice, true
	}
	if advice, ok := explainRun(program, err); ok {
		return advice, true
	}
	return explainRecord(program, err)
}

// noCeremony covers a folder that is not that of a ceremony.
func noCeremony(program string, e *evidence.NoPlanError) cli.Advice {
	if e.Missing {
		return cli.Hint("look whether the medium is in, and where the system shows it")
	}
	return cli.Advice{Hints: []string{
		"name the folder that has the plan and its signatures in it, or put in the medium that does",
		"the plan of a new ceremony is begun with " + program + " ceremony plan init",
	}, Exit: cli.ExitFailed}
}

// explainRecord covers the records of ceremonies.
func explainRecord(program string, err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*record.MissingError](err); ok {
		return cli.Hint("%s ceremony run begins a record by itself; one that is kept by hand begins with %[1]s ceremony transcript begin", program), true
	}
	if _, ok := errors.AsType[*record.BusyError](err); ok {
		return cli.Hint("wait for the other keymat to end, and run it again"), true
	}
	if errors.Is(err, transcript.ErrClosed) {
		return cli.Hint("what comes after the end is part of another record"), true
	}
	if _, ok := errors.AsType[*transcript.SecretError](err); ok {
		return cli.Hint("say which share or key it is about by its number; if it was read aloud, that is an exception to record"), true
	}
	if _, ok := errors.AsType[*transcript.DivergedError](err); ok {
		return cli.Hint("keep both, find out which was changed, and go on with a copy of the other; that is an exception to record"), true
	}
	if _, ok := errors.AsType[*transcript.MediumError](err); ok {
		return cli.Hint("run it again: what is on one medium is copied to the others; name another folder in place of a broken one"), true
	}
	if _, ok := errors.AsType[*gateError](err); ok {
		return cli.Hint("each of them has to be there and to agree; if the plan asks for too much, it is changed and signed anew"), true
	}
	return cli.Advice{}, false
}
