// SPDX-License-Identifier: Apache-2.0

package online

import (
	"fmt"
	"strings"
	"time"

	"github.com/keymat/keymat/ceremony/transcript"
)

// A PlanError says that no ceremony is held by a plan.
type PlanError struct {
	Name   string // path of the plan
	Faulty bool   // it has errors; otherwise it was not approved by all who have to
}

func (e *PlanError) Error() string {
	if e.Faulty {
		return e.Name + ": the plan has errors"
	}
	return e.Name + ": the plan is not approved by all who have to"
}

// A SignatureError says that a file is not signed, or not by whom it has to be.
type SignatureError struct {
	Name    string // of the file
	People  []string
	Problem string // such as "has not signed"
}

func (e *SignatureError) Error() string {
	return fmt.Sprintf("%s: %s %s", e.Name, strings.Join(e.People, ", "), e.Problem)
}

// A NotEmptyError says that there is something on a medium that has to be empty.
type NotEmptyError struct {
	Medium string
	Files  []string // names
}

func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("the medium at %s is not empty: it holds %s", e.Medium, strings.Join(e.Files, ", "))
}

// A NotReadyError says that a medium brings nothing to import: it is from before
// something was wrapped, or from before the last import.
type NotReadyError struct{ Progress string } // by the medium, as phase.State.Progress has it

func (e *NotReadyError) Error() string {
	return "the medium brings nothing new to import: by what is on it, the ceremony is at " + e.Progress
}

// A RefusedError says that KMS did not take what was submitted, and what may
// follow. It was recorded.
type RefusedError struct {
	Target string
	Remedy transcript.Remedy
	Err    error // what KMS answered; for transcript.WrapAgain also *LateError
}

func (e *RefusedError) Error() string {
	return e.Target + " did not get the material: " + e.Err.Error()
}
func (e *RefusedError) Unwrap() error { return e.Err }

// A LateError says that an import token has ended, or is about to, by the plan's
// margin.
type LateError struct {
	Target  string
	ValidTo time.Time     // of the import token, UTC
	Margin  time.Duration // of the plan
}

func (e *LateError) Error() string {
	return fmt.Sprintf("the import token for %s ends at %s, and the plan wants the import %s before", e.Target, e.ValidTo.Format(time.RFC3339), e.Margin)
}

// A DifferentError says that KMS holds something else than what was made offline,
// or holds it in another way than the plan says.
type DifferentError struct {
	Target    string
	What      string // such as "public key"
	Got, Want string
}

func (e *DifferentError) Error() string {
	return fmt.Sprintf("%s: the %s in KMS is %s, want %s", e.Target, e.What, e.Got, e.Want)
}
