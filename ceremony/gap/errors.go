// SPDX-License-Identifier: Apache-2.0

package gap

import (
	"fmt"
	"strings"
)

// A FileError is a file that does not follow its format. It says where and why,
// and never shows the contents.
type FileError struct {
	Kind   string // that was expected
	Field  string // "" for the file as a whole
	Reason string
}

func (e *FileError) Error() string {
	if e.Field == "" {
		return e.Kind + ": " + e.Reason
	}
	return e.Kind + ": " + e.Field + ": " + e.Reason
}

// A RehearsalError is a file of a rehearsal where a real one belongs, or the
// other way round.
type RehearsalError struct {
	Rehearsal bool // the file is of a rehearsal
}

func (e *RehearsalError) Error() string {
	if e.Rehearsal {
		return "it comes of a rehearsal, and can never be used for a real key"
	}
	return "it comes of a real ceremony, and this is a rehearsal"
}

// An OtherPlanError is a file of another ceremony, or by another plan.
type OtherPlanError struct {
	Ceremony string // that the file is of
}

func (e *OtherPlanError) Error() string {
	return fmt.Sprintf("it is of the ceremony %q by another plan than this", e.Ceremony)
}

// An AlteredError is a file that is not the one that was meant.
type AlteredError struct{ Name string }

func (e *AlteredError) Error() string { return e.Name + " is not the file that was recorded" }

// A MismatchError is a value that is not the one of the plan, or of another file.
type MismatchError struct {
	Target string // ID, "" where it is about no target
	Field  string
	Got    string
	Want   string
}

func (e *MismatchError) Error() string {
	text := fmt.Sprintf("%s is %q, want %q", e.Field, e.Got, e.Want)
	if e.Target == "" {
		return text
	}
	return e.Target + ": " + text
}

// A MediumError is a medium that does not hold just what its manifest says.
type MediumError struct {
	Extra, Missing, Altered []string // names of files, in their order
}

func (e *MediumError) Error() string {
	var parts []string
	for _, part := range []struct {
		what  string
		names []string
	}{{"extra", e.Extra}, {"missing", e.Missing}, {"altered", e.Altered}} {
		if len(part.names) > 0 {
			parts = append(parts, part.what+": "+strings.Join(part.names, ", "))
		}
	}
	return "the medium is not what its manifest says: " + strings.Join(parts, "; ")
}

// A HeardError is a digest that was said and is not that of the file.
type HeardError struct {
	Position int // from 1: the first byte, and so the first word, that differs
}

func (e *HeardError) Error() string {
	return fmt.Sprintf("what was said is not the digest of the file: word %d differs", e.Position)
}
