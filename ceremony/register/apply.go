// SPDX-License-Identifier: Apache-2.0

package register

import "github.com/keymat/keymat/escrow"

// apply takes in a line that was checked.
func (r *Register) apply(line HistoryLine) {
	switch e := line.Event.(type) {
	case Opened:
		r.Organisation = e.Organisation
	case Added:
		r.add(e, line)
	case Scheduled:
		k := r.key(e.Key)
		k.Scheduled = e
		k.History = append(k.History, line)
	case Moved:
		k := r.key(e.Key)
		k.State, k.Since = e.To, e.On
		k.History = append(k.History, line)
	case Drilled:
		k := r.key(e.Key)
		// What another key was compared with is no exercise passed.
		if e.Verdict != escrow.DrillMismatch && (k.Drill == nil || e.At.After(k.Drill.At)) {
			k.Drill = &e
		}
		k.History = append(k.History, line)
	}
}

// add begins a key, or brings it up to date: KMS keys that a ceremony does not
// mention still hold the material.
func (r *Register) add(e Added, line HistoryLine) {
	k := r.key(e.Key)
	if k == nil {
		r.keys = append(r.keys, &Key{Added: e, Since: line.Time, Ready: line.Time, History: []HistoryLine{line}})
		return
	}
	held := e.Held
	for _, h := range k.Held {
		if !holds(held, h.ARN) {
			held = append(held, h)
		}
	}
	if k.State != e.State {
		k.Since = line.Time
	}
	if k.Escrow.ID != e.Escrow.ID {
		k.Ready, k.Drill = line.Time, nil // nobody has drilled the new one
	}
	title := k.Title
	k.Added = e
	k.Held, k.Title = held, title
	k.History = append(k.History, line)
}

func holds(held []Held, arn string) bool {
	for _, h := range held {
		if h.ARN == arn {
			return true
		}
	}
	return false
}
