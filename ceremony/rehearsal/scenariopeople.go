// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"errors"
	"strings"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/spoken"
)

// absentCustodian keeps somebody away until nothing goes on without them: one whose
// share can wait in a bag, if there is one.
func absentCustodian(s *stage) *disturbance {
	const came = "nothing went on before the custodian came"
	absent := s.plan.Shares.Holders[0]
	for _, h := range s.plan.Shares.Holders {
		if h.Mode != plan.OnForm {
			absent = h
			break
		}
	}
	d := &disturbance{absent: []string{absent.Custodian}, decisions: []string{"bag"}}
	d.owe(came)
	d.failed = func(t phase.Task, err error) bool {
		if _, few := errors.AsType[*escrow.MissingSharesError](err); few { // where everybody has to open the old escrow
			d.absent = nil
			return true
		}
		if _, ok := errors.AsType[*offline.AbsentError](err); !ok {
			return false
		}
		d.met(came)
		d.absent = nil
		return true
	}
	d.after = func(t phase.Task) error {
		if t.Step == phase.Recover && d.owes(came) {
			d.absent = []string{absent.Custodian}
		}
		return nil
	}
	if absent.Mode != plan.OnForm {
		d.check = func(s *stage, _ *phase.State) []string {
			for _, e := range s.entries(s.latest()) {
				if issued, ok := e.Event.(transcript.Issued); ok && issued.Share == absent.Share && issued.Bag != "" {
					return nil
				}
			}
			return []string{"the share of " + absent.Custodian + " did not go into a bag"}
		}
	}
	return d
}

// misreadShare has the last custodian mistype a word, and then read another's card
// twice: theirs has got lost.
func misreadShare(s *stage) *disturbance {
	const issued = "the share was issued anew"
	first, last := s.plan.Shares.Holders[0], s.plan.Shares.Holders[len(s.plan.Shares.Holders)-1]
	d := &disturbance{}
	d.owe(issued)
	attempt := 0
	d.read = func(h plan.Holder, id string, text []byte) []byte {
		if h.Share != last.Share || s.plan.Expected != nil && id == s.plan.Expected.Escrow.String() {
			return text
		}
		attempt++
		switch attempt {
		case 1:
			return []byte(strings.Replace(string(text), string(text[:3]), "zzz", 1))
		case 2, 3:
			other, err := s.keptShare(first, id)
			if err != nil {
				return text
			}
			return other
		}
		return text
	}
	d.after = func(phase.Task) error {
		count := 0
		for _, e := range s.entries(transcript.OfflineMachine) {
			if again, ok := e.Event.(transcript.Issued); ok && again.Share == last.Share {
				count++
			}
		}
		if count > 1 {
			d.met(issued)
		}
		return nil
	}
	return d
}

// wrongDigest has a word misheard, twice where the bundle comes in: then the lead
// has another fetched.
func wrongDigest(*stage) *disturbance {
	const offlineShut, importShut, another = "the offline machine did not believe what was heard", "nor did the one that imports", "another bundle was fetched"
	d := &disturbance{}
	d.owe(offlineShut)
	d.owe(importShut)
	d.owe(another)
	refusals := 0
	d.heard = func(at transcript.Machine, words string) string {
		if at == transcript.OfflineMachine && refusals < 2 {
			refusals++
			if refusals == 2 {
				d.decisions = []string{"refuse"}
			}
			return misheard(words)
		}
		if at == transcript.ImportMachine && d.owes(importShut) {
			return misheard(words)
		}
		return words
	}
	d.failed = func(t phase.Task, err error) bool {
		if _, ok := errors.AsType[*gap.HeardError](err); !ok {
			return false
		}
		if t.Gate == plan.GateImport {
			d.met(importShut)
		} else {
			d.met(offlineShut)
		}
		return true
	}
	d.after = func(t phase.Task) error {
		if t.Step == phase.Fetch && refusals == 2 {
			d.met(another)
		}
		return nil
	}
	return d
}

// misheard has another word at its end.
func misheard(words string) string {
	raw, err := spoken.Parse(words, 32)
	if err != nil {
		return words
	}
	raw[31] ^= 1
	return strings.Join(spoken.Words(raw), " ")
}
