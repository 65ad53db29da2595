// SPDX-License-Identifier: Apache-2.0

package entropy

import (
	"fmt"

	"github.com/keymat/keymat/material"
)

// A ThrowError says that a text has something in it that no throw shows. What it is, is not repeated.
type ThrowError struct {
	Kind     Kind
	Position int // in bytes, from 1
}

func (e *ThrowError) Error() string {
	return fmt.Sprintf("character %d is no throw of %s: expected %s", e.Position, e.Kind, map[Kind]string{Dice: "1 to 6", Coins: "h or t"}[e.Kind])
}

// An InputSizeError says that an input is empty, or larger than [MaxInput].
type InputSizeError struct {
	Kind  Kind
	Count int
}

func (e *InputSizeError) Error() string {
	if e.Count == 0 {
		return fmt.Sprintf("nothing to mix in: no %s", map[Kind]string{Dice: "throw of dice", Coins: "throw of coins", File: "byte in the file"}[e.Kind])
	}
	return fmt.Sprintf("found %d bytes of %s to mix in, expected at most %d", e.Count, e.Kind, MaxInput)
}

// A NoInputError says that there is nothing to commit to.
type NoInputError struct{}

func (*NoInputError) Error() string { return "nothing to mix in" }

// A KeyPairError says that nothing can be mixed into the material of a spec, or that it cannot be made of components.
type KeyPairError struct {
	Spec material.Spec
}

func (e *KeyPairError) Error() string {
	if e.Spec.Kind() == material.RSA {
		// Since Go 1.26 rsa.GenerateKey ignores the reader that it is given.
		return fmt.Sprintf("nothing can be mixed into %s material: its primes are searched with the generator of the cryptographic module, which takes no other", e.Spec)
	}
	return fmt.Sprintf("nothing can be mixed into %s material: its private key would not be generated inside the cryptographic module any more", e.Spec)
}

// An XORSizeError says that [XOR] does not make material of a length.
type XORSizeError struct {
	Spec material.Spec
}

func (e *XORSizeError) Error() string {
	return fmt.Sprintf("the method xor makes %d bytes, expected %d for %s", xorSize, e.Spec.GenerateLength(), e.Spec)
}

// A ComponentError says why a text is no component. What was read is not repeated.
type ComponentError struct {
	Spec   material.Spec
	Reason string
}

func (e *ComponentError) Error() string {
	return fmt.Sprintf("not a component for %s: %s", e.Spec, e.Reason)
}

// A CheckValueError says that a component and its check value do not belong together: one of them was mistyped.
type CheckValueError struct{}

func (*CheckValueError) Error() string {
	return "the component and its check value do not belong together"
}

// A FewComponentsError says that there are fewer than [MinComponents].
type FewComponentsError struct {
	Have int
}

func (e *FewComponentsError) Error() string {
	return fmt.Sprintf("found %d components, expected at least %d", e.Have, MinComponents)
}

// A DuplicateComponentError says that a component came twice. The two cancel each other out.
type DuplicateComponentError struct {
	First, Second int // from 1
}

func (e *DuplicateComponentError) Error() string {
	return fmt.Sprintf("components %d and %d are the same", e.First, e.Second)
}

// A WeakResultError says that components combine to bytes that are all equal: at least one of them was made from the others.
type WeakResultError struct{}

func (*WeakResultError) Error() string { return "the components combine to bytes that are all equal" }

// A StuckError says that a sample of the generator's output is not what a working generator gives, but once in about a million
// samples. Nothing made with that generator is to be used.
type StuckError struct {
	Sample Sample
}

func (e *StuckError) Error() string {
	return fmt.Sprintf("a sample of %d bytes from the generator repeats itself: one byte came %d times in a row (%d are too many) and %d times in %d (%d are too many)",
		e.Sample.Bytes, e.Sample.LongestRun, e.Sample.RunCutoff, e.Sample.MostInWindow, e.Sample.Window, e.Sample.WindowCutoff)
}

// A RecordError is a record that does not follow its format. It says where and why.
type RecordError struct {
	Field  string // "" for the file as a whole
	Reason string
}

func (e *RecordError) Error() string {
	if e.Field == "" {
		return RecordKind + ": " + e.Reason
	}
	return RecordKind + ": " + e.Field + ": " + e.Reason
}
