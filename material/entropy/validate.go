// SPDX-License-Identifier: Apache-2.0

package entropy

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/keymat/keymat/internal/lazyregexp"
	"github.com/keymat/keymat/material"
)

var (
	digest     = lazyregexp.New(`^[0-9a-f]{64}$`)
	checkValue = lazyregexp.New(`^hmac:[0-9a-f]{10}$`)
)

// Validate checks each value by itself, and that the record has what its method has. An error is a [*RecordError].
func (r Record) Validate() error {
	if r.At.IsZero() || r.At.Location() != time.UTC || r.At.Nanosecond() != 0 {
		return wrong("at", "not a time in UTC, to the second")
	}
	if r.Tool == "" {
		return wrong("tool", "missing")
	}
	if !fingerprintOf(r.Spec).MatchString(r.Fingerprint) {
		return wrong("fingerprint", "none that %s material has", r.Spec)
	}
	switch r.Method {
	case Generator:
		if len(r.Inputs) > 0 || r.Commitment != "" || len(r.Components) > 0 {
			return wrong("method", "%s takes neither inputs nor components", r.Method)
		}
		return r.validateRNG()
	case Extract, XOR:
		if len(r.Components) > 0 {
			return wrong("components", "the method %s takes none", r.Method)
		}
		if err := r.validateRNG(); err != nil {
			return err
		}
		return r.validateInputs()
	case Components:
		if r.RNG != nil || r.Sample != nil || len(r.Inputs) > 0 || r.Commitment != "" {
			return wrong("method", "%s has neither generator nor inputs", r.Method)
		}
		return r.validateComponents()
	}
	return wrong("method", "none of %v", []Method{Generator, Extract, XOR, Components})
}

func wrong(field, format string, args ...any) error {
	return &RecordError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// fingerprintOf is what the fingerprint of material of a spec looks like.
func fingerprintOf(spec material.Spec) *regexp.Regexp {
	switch spec.Kind() {
	case material.Symmetric:
		return regexp.MustCompile(`^cmac:[0-9a-f]{10}$`)
	case material.HMAC:
		return regexp.MustCompile(`^hmac:[0-9a-f]{10}$`)
	case material.RSA, material.ECC:
		return regexp.MustCompile(`^spki-sha256:[0-9a-f]{64}$`)
	}
	return regexp.MustCompile(`$^`) // nothing
}

func (r Record) validateRNG() error {
	if r.RNG == nil || !r.RNG.valid() {
		return wrong("generator", "missing, or its parts contradict each other")
	}
	if r.Sample == nil || !r.Sample.standard() || !r.Sample.Passed() {
		return wrong("sample", "missing, or not one that a generator in use gave")
	}
	return nil
}

func (r Record) validateInputs() error {
	if err := CheckMix(r.Spec, r.Method); err != nil {
		return wrong("method", "%v", err)
	}
	if len(r.Inputs) == 0 {
		return wrong("inputs", "missing")
	}
	for _, in := range r.Inputs {
		if !slices.Contains([]Kind{Dice, Coins, File}, in.Kind) || in.Count < 1 || in.Count > MaxInput || in.BitsIfFair != bitsIfFair(in.Kind, in.Count) {
			return wrong("inputs", "no kind and count of an input")
		}
		for _, hint := range in.Hints {
			if !slices.Contains([]Hint{Uneven, FewRepeats, ManyRepeats}, hint) {
				return wrong("inputs", "an unknown hint")
			}
		}
	}
	if !digest().MatchString(r.Commitment) {
		return wrong("commitment", "not 64 lower-case hexadecimal digits")
	}
	return nil
}

func (r Record) validateComponents() error {
	if err := CheckComponents(r.Spec); err != nil {
		return wrong("method", "%v", err)
	}
	if len(r.Components) < MinComponents {
		return wrong("components", "fewer than %d", MinComponents)
	}
	for _, c := range r.Components {
		if !checkValue().MatchString(c.Check) || !slices.Contains([]Entered{TypedWithCheck, TypedTwice, FromFile}, c.Entered) {
			return wrong("components", "no check value, or no way to enter one")
		}
	}
	return nil
}
