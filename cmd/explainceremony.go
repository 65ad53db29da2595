// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"

	"github.com/keymat/keymat/ceremony/plan"
)

// explainCeremony covers plans, signatures and records.
func explainCeremony(err error) (advice, bool) {
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
	return advice{}, false
}
