// SPDX-License-Identifier: Apache-2.0

package report

import (
	"slices"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// Evidence is what a report is made from.
type Evidence struct {
	Plan       *plan.Plan
	Transcript *transcript.Transcript // of what could be read
	Approvals  []plan.Approval        // of the plan
	Signers    []Signer               // of the record
	Files      []File                 // of the folder, by name
	Problems   []string               // what the verification of plan, record and signatures found
}

// A Signer is somebody whose signature the record asks for, or who signed
// without being asked.
type Signer struct {
	Person  string // ID
	Problem string // "" if the signature is good
}

// lineOf is the number of an entry's line, from 1.
func lineOf(e transcript.Entry) int { return e.Seq + 1 }

// linesWith are the lines whose entries are so.
func (e *Evidence) linesWith(so func(transcript.Entry) bool) (lines []int) {
	for _, entry := range e.Transcript.Entries {
		if so(entry) {
			lines = append(lines, lineOf(entry))
		}
	}
	return lines
}

// passed are the lines in which one of the gates was passed by everybody whom
// the plan names for it, who are at least two.
func (e *Evidence) passed(gates ...plan.Gate) []int {
	return e.linesWith(func(entry transcript.Entry) bool {
		c, ok := entry.Event.(transcript.Confirmed)
		return ok && slices.Contains(gates, c.Gate) && len(e.Plan.Gates[c.Gate]) > 1 && len(e.absent(entry, c.Gate)) == 0
	})
}

// absent are those whom the plan names for a gate and the entry does not.
func (e *Evidence) absent(entry transcript.Entry, gate plan.Gate) (ids []string) {
	for _, id := range e.Plan.Gates[gate] {
		if !slices.Contains(entry.Actors, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// mentions are the lines that name a file of this name: those that say it was
// this very one, and those that say it was another.
func (e *Evidence) mentions(f File) (same, other []int) {
	for _, entry := range e.Transcript.Entries {
		for _, named := range tell(entry.Event).files {
			switch {
			case named.Name != f.Name:
			case f.Read && named.Size == f.Size && named.SHA256 == f.SHA256:
				same = append(same, lineOf(entry))
			default:
				other = append(other, lineOf(entry))
			}
		}
	}
	return same, other
}

// bound are the lines that name files, of the folder, whose content is so.
func (e *Evidence) bound(so func(content any) bool) (lines []int) {
	for _, f := range e.Files {
		if so(f.Content) {
			same, _ := e.mentions(f)
			lines = append(lines, same...)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// called is a person's ID with their name, as far as the plan knows it.
func (e *Evidence) called(id string) string {
	if who, ok := e.Plan.Person(id); ok {
		return who.Name + " (" + id + ")"
	}
	return id
}

func (e *Evidence) calledAll(ids []string) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = e.called(id)
	}
	return all
}
