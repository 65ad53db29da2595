// SPDX-License-Identifier: Apache-2.0

package register

import "fmt"

// A LineError says which line of a register cannot be true.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// An UnknownKeyError says that a register has no key of an ID.
type UnknownKeyError struct{ Key string }

func (e *UnknownKeyError) Error() string { return "the register has no key " + e.Key }

// A TakenError says that a register has another key of an ID.
type TakenError struct{ Key string }

func (e *TakenError) Error() string { return "the register has another key " + e.Key }

// A TransitionError says that a key cannot go from one state to another.
type TransitionError struct {
	Key      string
	From, To State
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("%s is %s, and no key goes from there to %s", e.Key, e.From, e.To)
}

// A KeptError says that a key is not destroyed as long as an escrow brings it
// back.
type KeptError struct{ Key, Escrow string }

func (e *KeptError) Error() string {
	return fmt.Sprintf("%s is not destroyed: the escrow %s brings it back", e.Key, e.Escrow)
}

// An ApprovalError says that fewer than two people stand for a line.
type ApprovalError struct{ Event string }

func (e *ApprovalError) Error() string {
	return "the line " + e.Event + " takes two people who stand for it"
}

// A MismatchError is a value of a line that is not the one of the key.
type MismatchError struct {
	Key, Field, Got, Want string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s: %s is %q, not %q", e.Key, e.Field, e.Got, e.Want)
}

// A RepeatedError says that a register has what a line tells.
type RepeatedError struct{ Key, What string }

func (e *RepeatedError) Error() string { return e.Key + ": the register has " + e.What }

// An UnfinishedError says that a ceremony has nothing for a register yet, or
// never will have.
type UnfinishedError struct {
	Ceremony string
	Why      string
}

func (e *UnfinishedError) Error() string { return e.Ceremony + ": " + e.Why }

// A RehearsalError says that the evidence is of a rehearsal.
type RehearsalError struct{ Ceremony string }

func (e *RehearsalError) Error() string { return e.Ceremony + " was a rehearsal: its key is none" }
