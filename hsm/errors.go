// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// A LoadError is a file that cannot be loaded as a PKCS #11 library.
type LoadError struct{ File string }

func (e *LoadError) Error() string { return e.File + " cannot be loaded as a PKCS #11 library" }

// A CallError is what a PKCS #11 library answered instead of CKR_OK.
type CallError struct {
	Function string // such as "C_WrapKey"
	Code     uint   // CKR_…
	Name     string // of the code, or empty for one the standard does not have
}

func (e *CallError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("%s: error 0x%X", e.Function, e.Code)
	}
	return e.Function + ": " + e.Name
}

// answered reports whether err is one of these answers of a library.
func answered(err error, codes ...uint) bool {
	call, ok := errors.AsType[*CallError](err)
	if !ok {
		return false
	}
	for _, code := range codes {
		if call.Code == code {
			return true
		}
	}
	return false
}

// Gone reports whether err says that the token is not there any more.
func Gone(err error) bool {
	return answered(err, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_TOKEN_NOT_RECOGNIZED,
		pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SLOT_ID_INVALID)
}

// A NoTokenError says that the token asked for is not there, or that none was named and there is not just one.
type NoTokenError struct {
	Label  string   // as asked for; empty if any would do
	Labels []string // of the tokens that are there
}

func (e *NoTokenError) Error() string {
	switch {
	case len(e.Labels) == 0:
		return "there is no initialized token"
	case e.Label == "":
		return fmt.Sprintf("there are %d tokens: %s", len(e.Labels), quoted(e.Labels))
	}
	return fmt.Sprintf("there is not exactly one token %q; found %s", e.Label, quoted(e.Labels))
}

func quoted(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(all, ", ")
}

// A PINError is a PIN that a token did not take.
type PINError struct {
	User   User
	Locked bool // no PIN is taken any more
	Err    error
}

func (e *PINError) Error() string {
	if e.Locked {
		return fmt.Sprintf("the PIN of the %s is locked", e.User)
	}
	return fmt.Sprintf("the token does not take this PIN of the %s", e.User)
}

func (e *PINError) Unwrap() error { return e.Err }

// A LabelTakenError says that a token has an object of the label already.
type LabelTakenError struct{ Label string }

func (e *LabelTakenError) Error() string {
	return fmt.Sprintf("the token has a key %q already", e.Label)
}

// A NoKeyError says that a token has no key of the label, or more than one.
type NoKeyError struct {
	Label string
	Count int // keys of that label
}

func (e *NoKeyError) Error() string {
	if e.Count > 1 {
		return fmt.Sprintf("the token has %d keys %q, expected one", e.Count, e.Label)
	}
	return fmt.Sprintf("the token has no key %q", e.Label)
}

// An AttributeError says that a new key did not get the attributes it was asked for. The key is destroyed again.
type AttributeError struct {
	Name string // such as "CKA_SENSITIVE"
	Want bool
}

func (e *AttributeError) Error() string {
	return fmt.Sprintf("the token made a key whose %s is %t, expected %t", e.Name, !e.Want, e.Want)
}

// A SpecError is a key in a token that cannot be material of a key spec.
type SpecError struct {
	Label string
	What  string        // what the key is, such as "AES-128 key"
	Want  material.Spec // empty for any that KMS imports
}

func (e *SpecError) Error() string {
	want := string(e.Want) + " material"
	if e.Want == "" {
		want = "material that KMS imports"
	}
	return fmt.Sprintf("%q is an %s, expected %s", e.Label, e.What, want)
}

// An UnextractableError is a key that its token never gives out, not even wrapped.
type UnextractableError struct{ Label string }

func (e *UnextractableError) Error() string {
	return fmt.Sprintf("%q is not extractable: its token never wraps it", e.Label)
}

// An UntrustedError is a key that may only be wrapped under keys that the security officer trusts (CKA_WRAP_WITH_TRUSTED),
// and a wrapping key that is none.
type UntrustedError struct{ Label string }

func (e *UntrustedError) Error() string {
	return fmt.Sprintf("%q may only be wrapped under a key that the security officer trusts", e.Label)
}

// An UnableError says that a token cannot wrap a kind of material with an algorithm.
type UnableError struct {
	Spec      material.Spec
	Algorithm wrap.Algorithm
	Tried     []*TrialError    // what the token has mechanisms for, but did not do right
	Able      []wrap.Algorithm // what it was seen to do for such material, and KMS accepts, strongest first
}

func (e *UnableError) Error() string {
	why := "it has not the mechanisms"
	if len(e.Tried) > 0 {
		reasons := make([]string, len(e.Tried))
		for i, trial := range e.Tried {
			reasons[i] = trial.Error()
		}
		why = strings.Join(reasons, "; ")
	}
	return fmt.Sprintf("the token cannot wrap %s material with %s: %s", e.Spec, e.Algorithm, why)
}

// A TrialError is a way of wrapping that a token did not do right with a throwaway key.
type TrialError struct {
	Method Method
	Err    error
}

func (e *TrialError) Error() string {
	return fmt.Sprintf("with a throwaway key, %s: %v", e.Method, e.Err)
}

func (e *TrialError) Unwrap() error { return e.Err }

// A PaddingError says that a token puts zeros after the PKCS #8 of a key before it wraps it, to fill blocks of 8 bytes. That
// was observed of SoftHSM 2.6. Whether KMS takes such material is neither documented nor recorded; there is more in it
// than the PKCS #8 that KMS asks for.
type PaddingError struct {
	Zeros int // bytes
}

func (*PaddingError) Error() string {
	return "the token fills the PKCS #8 up with zero bytes, which KMS is not known to take"
}
