// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"errors"
	"slices"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// Choose returns the best method of the token for material of the spec under an algorithm, as tried on the bench. If there
// is none, the error is an [*UnableError], which knows what else was seen to work.
func (b *Bench) Choose(spec material.Spec, a wrap.Algorithm) (Method, error) {
	method, tried, err := b.Find(spec, a)
	if err != nil || method != (Method{}) {
		return method, err
	}
	able, err := b.able(spec, a)
	if err != nil {
		return Method{}, err
	}
	return Method{}, &UnableError{Spec: spec, Algorithm: a, Tried: tried, Able: able}
}

// Find tries the methods of an algorithm one after the other, until one works, and returns that, or the zero Method. Only a
// token that is gone is an error; tried says what did not work.
func (b *Bench) Find(spec material.Spec, a wrap.Algorithm) (found Method, tried []*TrialError, err error) {
	for _, m := range Methods() {
		if m.Algorithm != a || !b.token.Listed(m) {
			continue
		}
		err := b.Try(m, spec)
		if err == nil {
			return m, tried, nil
		}
		if Gone(err) {
			return Method{}, nil, err
		}
		if trial, ok := errors.AsType[*TrialError](err); ok {
			tried = append(tried, trial)
		}
	}
	return Method{}, tried, nil
}

// ChooseForCopy returns the best method of the token for a copy of material of the spec under a key of the user's own, as
// tried on the bench: hybrid, which takes any length, and such that zeros after a PKCS #8 do no harm, since who opens the
// copy can leave them out. If there is none, the error is an [*UnableError] for the last algorithm.
func (b *Bench) ChooseForCopy(spec material.Spec) (Method, error) {
	unable := &UnableError{Spec: spec}
	for _, unable.Algorithm = range []wrap.Algorithm{wrap.RSAAESSHA256, wrap.RSAAESSHA1} {
		method, tried, err := b.Find(spec, unable.Algorithm)
		if err != nil || method != (Method{}) {
			return method, err
		}
		for _, trial := range tried {
			if _, padded := errors.AsType[*PaddingError](trial); padded {
				return trial.Method, nil
			}
		}
		unable.Tried = tried
	}
	return Method{}, unable
}

// able returns the other algorithms that KMS accepts for the spec and the token was seen to do.
func (b *Bench) able(spec material.Spec, but wrap.Algorithm) (able []wrap.Algorithm, err error) {
	for _, a := range Algorithms(spec) {
		if a == but {
			continue
		}
		method, _, err := b.Find(spec, a)
		if err != nil {
			return nil, err
		}
		if method != (Method{}) {
			able = append(able, a)
		}
	}
	return able, nil
}

// Algorithms returns those that KMS accepts for material of the spec, strongest first.
func Algorithms(spec material.Spec) (all []wrap.Algorithm) {
	for _, p := range wrap.Allowed(spec) {
		if !slices.Contains(all, p.Algorithm) {
			all = append(all, p.Algorithm)
		}
	}
	return all
}
