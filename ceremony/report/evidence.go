// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"slices"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// Evidence is what a report is made from: what the folder shows, with a plan, and
// its files by name.
type Evidence struct {
	*evidence.Findings
	Files []File
}

// A line is one of a record.
type line struct {
	transcript.Entry
	record int // from 1
	ref    ref
}

// A ref leads to a line.
type ref struct {
	ID   string // in the page
	Text string // such as "7", or "2.7" for that of the second record of several
}

func (e *Evidence) ref(record, number int) ref {
	if len(e.Records) < 2 {
		return ref{fmt.Sprintf("line-%d", number), fmt.Sprint(number)}
	}
	return ref{fmt.Sprintf("line-%d-%d", record, number), fmt.Sprintf("%d.%d", record, number)}
}

// lines are those that could be read, of all records.
func (e *Evidence) lines() (all []line) {
	for i, r := range e.Records {
		for _, entry := range r.Transcript.Entries {
			all = append(all, line{entry, i + 1, e.ref(i+1, entry.Seq+1)})
		}
	}
	return all
}

// linesWith are the lines whose entries are so.
func (e *Evidence) linesWith(so func(transcript.Entry) bool) (refs []ref) {
	for _, l := range e.lines() {
		if so(l.Entry) {
			refs = append(refs, l.ref)
		}
	}
	return refs
}

// on are the lines of one type of event.
func on[T transcript.Event](e *Evidence) []ref {
	return e.linesWith(func(entry transcript.Entry) bool { return is[T](entry.Event) })
}

// passed are the lines in which one of the gates was passed by everybody whom
// the plan names for it, who are at least two.
func (e *Evidence) passed(gates ...plan.Gate) []ref {
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
// this very one, and those that say it was another. What a bundle or a package
// names counts for the line that names that.
func (e *Evidence) mentions(f File) (same, other []ref) {
	for _, named := range e.named() {
		switch {
		case named.Name != f.Name:
		case f.Read && named.Size == f.Size && named.SHA256 == f.SHA256:
			same = append(same, named.ref)
		default:
			other = append(other, named.ref)
		}
	}
	return same, other
}

type named struct {
	transcript.File
	ref ref
}

// named are the files that lines name.
func (e *Evidence) named() (all []named) {
	for _, l := range e.lines() {
		for _, f := range transcript.Tell(l.Event).Files {
			all = append(all, named{f, l.ref})
		}
	}
	for _, a := range e.Artefacts {
		n := named{a.File, e.ref(a.Record, a.Line)}
		if !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// bound are the lines that name files, of the folder, whose content is so.
func (e *Evidence) bound(so func(content any) bool) (refs []ref) {
	for _, f := range e.Files {
		if so(f.Content) {
			same, _ := e.mentions(f)
			refs = append(refs, same...)
		}
	}
	return e.inOrder(refs)
}

// inOrder sorts references as the lines come, and has each once.
func (e *Evidence) inOrder(refs []ref) (all []ref) {
	for _, l := range e.lines() {
		if slices.Contains(refs, l.ref) {
			all = append(all, l.ref)
		}
	}
	return all
}

// given reports whether an escrow was given up.
func (e *Evidence) given(id string) bool {
	if e.State == nil {
		return false
	}
	return slices.ContainsFunc(e.State.Escrows(), func(s phase.Escrow) bool { return s.ID == id && s.Condition == phase.Dead })
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
