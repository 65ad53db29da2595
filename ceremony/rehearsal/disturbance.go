// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// A disturbance is what goes otherwise than planned. What is nil does not.
type disturbance struct {
	absent    []string // IDs of people who are not there
	decisions []string // that the lead makes where there is a choice, the first that fits

	before   func(t phase.Task) error                                         // something happens before a task
	after    func(t phase.Task) error                                         // or once it is done
	power    func(at transcript.Machine, t phase.Task, question string) error // the power is cut while people are asked
	heard    func(at transcript.Machine, words string) string                 // what is understood of what is read aloud
	read     func(h plan.Holder, escrow string, text []byte) []byte           // what a custodian reads on what they keep
	bag      func(serial string) string                                       // what is read on a bag
	medium   func(t phase.Task, folder string) error                          // what is put in
	remount  func(t phase.Task, folder string) error                          // what is put in again
	fetching func(online.Service) online.Service                              // what the fetchers talk to
	failed   func(t phase.Task, err error) (expected bool)                    // whether a task was to fail
	check    func(s *stage, state *phase.State) (bad []string)                // what is otherwise than it should be, in the end
	incident bool                                                             // it should end as an incident

	owed []string // what should happen on the way and has not, in words
}

// owe says what should happen.
func (d *disturbance) owe(what string) { d.owed = append(d.owed, what) }

// met says that it did.
func (d *disturbance) met(what string) {
	for i, owed := range d.owed {
		if owed == what {
			d.owed = append(d.owed[:i:i], d.owed[i+1:]...)
			return
		}
	}
}

// owes reports whether something that should happen has not so far.
func (d *disturbance) owes(what string) bool {
	for _, owed := range d.owed {
		if owed == what {
			return true
		}
	}
	return false
}
