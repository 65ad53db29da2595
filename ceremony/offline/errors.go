// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/keymat/keymat/ceremony/plan"
)

// errOpen says that a record has to be closed first.
var errOpen = errors.New("the record is not closed")

// A FaultyPlanError says that no ceremony can be held by a plan.
type FaultyPlanError struct {
	Findings []plan.Finding // warnings too
}

func (e *FaultyPlanError) Error() string {
	for _, f := range e.Findings {
		if f.Severity == plan.Error {
			return fmt.Sprintf("the plan has errors: %s: %s", f.Path, f.Found)
		}
	}
	return "the plan has errors"
}

// A SignatureError says that a file is not signed by all who have to.
type SignatureError struct {
	Name      string
	Approvals []plan.Approval // of all who have to sign, or did
}

func (e *SignatureError) Error() string {
	var problems []string
	for _, a := range e.Approvals {
		if a.Problem != "" {
			problems = append(problems, a.Person+" "+a.Problem)
		}
	}
	return e.Name + ": " + strings.Join(problems, ", ")
}

// An AbsentError says that somebody is not there, whom the step takes.
type AbsentError struct{ Person string }

func (e *AbsentError) Error() string { return e.Person + " is not there" }

// A PostponedError says that people leave something for later.
type PostponedError struct{ What string }

func (e *PostponedError) Error() string { return e.What + " is left for later" }

// A SourceError says that this machine cannot take material from a source.
type SourceError struct{ Source plan.Source }

func (e *SourceError) Error() string {
	return fmt.Sprintf("this machine cannot take material from the source %s", e.Source)
}

// A DiffersError says that something which has to be the material, or the same as
// before, is not.
type DiffersError struct{ What string }

func (e *DiffersError) Error() string { return e.What + " is not what it has to be" }

// An OtherShareError says that a share is of the set, but another one.
type OtherShareError struct{ Got, Want int }

func (e *OtherShareError) Error() string {
	return fmt.Sprintf("it is share %d, not %d", e.Got, e.Want)
}

// A MisreadError says that a share was read wrong, even after it was issued anew.
type MisreadError struct {
	Share int
	Err   error // what was the matter the last time
}

func (e *MisreadError) Error() string {
	return fmt.Sprintf("share %d was read wrong again: %v", e.Share, e.Err)
}
func (e *MisreadError) Unwrap() error { return e.Err }

// A SameMediumError says that a medium for a copy holds one already.
type SameMediumError struct{ Copy string }

func (e *SameMediumError) Error() string {
	return "the medium for " + e.Copy + " holds another copy of the escrow already"
}

// An OldMediumError says that a medium for a copy holds the escrow whose place the new
// one takes: both would be destroyed with it.
type OldMediumError struct{ Copy, Escrow string }

func (e *OldMediumError) Error() string {
	return "the medium for " + e.Copy + " holds the old escrow " + e.Escrow
}

// A BundlesError says that a medium has no new bundle, or more than one.
type BundlesError struct{ New int }

func (e *BundlesError) Error() string {
	return fmt.Sprintf("the medium has %d bundles that were not accepted before, want 1", e.New)
}

// A WrappingKeyError says that a wrapping key is none that KMS gives out.
type WrappingKeyError struct {
	Target string
	Found  string
}

func (e *WrappingKeyError) Error() string {
	return fmt.Sprintf("the wrapping key for %s is %s", e.Target, e.Found)
}

// A MissingError says that a medium lacks a file.
type MissingError struct{ Name, Folder string }

func (e *MissingError) Error() string { return "there is no " + e.Name + " in " + e.Folder }
