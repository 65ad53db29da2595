// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/material/entropy"
)

// explainEntropy covers dice, components and the generator.
func explainEntropy(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*entropy.KeyPairError](err); ok {
		return hint("generate it with the generator alone, keymat generate --spec %s, or in an HSM", e.Spec), true
	}
	if _, ok := errors.AsType[*entropy.XORSizeError](err); ok {
		return hint("leave out --mix-by: extract makes material of every length"), true
	}
	if _, ok := errors.AsType[*entropy.DuplicateComponentError](err); ok {
		return hint("the two cancel each other out: each custodian brings a component of their own"), true
	}
	if _, ok := errors.AsType[*entropy.WeakResultError](err); ok {
		return hint("one component was made from the others: find out by whom, and begin again with new ones"), true
	}
	if _, ok := errors.AsType[*uncheckedError](err); ok {
		return hint("put the check value behind it, as keymat generate component prints it; or have it typed, with --components"), true
	}
	if _, ok := errors.AsType[*entropy.ComponentError](err); ok {
		return hint("keymat generate component --out FILE writes what is expected"), true
	}
	if _, ok := errors.AsType[*entropy.CheckValueError](err); ok {
		return hint("compare both with what the custodian noted: a digit is wrong"), true
	}
	if _, ok := errors.AsType[*entropy.StuckError](err); ok {
		return hint("make no key on this machine: a working generator does so once in about a million samples"), true
	}
	return cli.Advice{}, false
}
