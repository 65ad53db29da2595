// SPDX-License-Identifier: Apache-2.0

package register

import "slices"

// A State is that of a key in its life (NIST SP 800-57 part 1 revision 5,
// section 7).
type State string

// The states.
const (
	PreActivation State = "pre-activation" // made, and not used yet
	Active        State = "active"         // protects, and processes what it protected
	Suspended     State = "suspended"      // not used for the time being
	Deactivated   State = "deactivated"    // only processes what it protected
	Compromised   State = "compromised"    // known, or believed, to somebody who must not
	Destroyed     State = "destroyed"      // gone; what is known of it stays
)

// States returns all states, in the order of a life.
func States() []State {
	return []State{PreActivation, Active, Suspended, Deactivated, Compromised, Destroyed}
}

// After returns the states that a key may go to (SP 800-57 part 1 revision 5,
// section 7, figure 3).
func (s State) After() []State {
	switch s {
	case PreActivation:
		return []State{Active, Compromised, Destroyed}
	case Active:
		return []State{Suspended, Deactivated, Compromised, Destroyed}
	case Suspended:
		return []State{Active, Deactivated, Compromised, Destroyed}
	case Deactivated:
		return []State{Compromised, Destroyed}
	case Compromised:
		return []State{Destroyed}
	}
	return nil
}

// may reports whether a key may go from one state to another.
func (s State) may(to State) bool { return slices.Contains(s.After(), to) }

// protects reports whether the key may still be used to protect, now or later.
func (s State) protects() bool { return s.may(Deactivated) || s == PreActivation }
