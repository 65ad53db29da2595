// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// wrapping is what is to be wrapped, and for whom.
type wrapping struct {
	token     tokenFlags
	label     string
	trusted   bool
	spec      material.Spec // that the key has to fit; empty for whichever it is
	publicKey []byte        // DER SubjectPublicKeyInfo
	algorithm wrap.Algorithm
}

// wrappingSession is a token with somebody's wrapping key in it, and its user logged in.
type wrappingSession struct {
	app   *app
	token *hsm.Token
	key   *hsm.Key
	under *hsm.WrappingKey
}

// startWrapping opens the token, logs in who is needed, and brings the wrapping key in.
func (a *app) startWrapping(ctx context.Context, o wrapping) (*wrappingSession, error) {
	if o.token.soPINFile != "" && !o.trusted {
		return nil, usagef("--so-pin-file is for --trusted")
	}
	if o.token.bothFromStdin() {
		return nil, &cli.UsageError{Err: errBothStdin}
	}
	public, err := wrap.ParsePublicKey(o.publicKey)
	if err != nil {
		return nil, err
	}
	t, err := a.open(o.token)
	if err != nil {
		return nil, err
	}
	s := &wrappingSession{app: a, token: t}
	if o.trusted {
		a.Say("the wrapping key to trust: sha256:%x", sha256.Sum256(o.publicKey))
		if err := a.login(ctx, t, hsm.SecurityOfficer, o.token.soPINFile); err != nil {
			return nil, err
		}
		if s.under, err = t.Trust(public, o.algorithm); err != nil {
			return nil, err
		}
		if err := t.Logout(); err != nil {
			return nil, err
		}
	}
	if err := a.login(ctx, t, hsm.OrdinaryUser, o.token.pinFile); err != nil {
		return nil, err
	}
	if s.key, err = t.Key(o.label); err != nil {
		return nil, err
	}
	if err := checkKey(s.key, o); err != nil {
		return nil, err
	}
	if s.under == nil {
		s.under, err = t.Bring(public)
	}
	return s, err
}

// checkKey finds what would make the token refuse, or KMS.
func checkKey(k *hsm.Key, o wrapping) error {
	switch {
	case k.Spec == "" || o.spec != "" && !k.Fits(o.spec):
		return &hsm.SpecError{Label: k.Label, What: k.What, Want: o.spec}
	case !k.Attributes.Extractable:
		return &hsm.UnextractableError{Label: k.Label}
	case k.Attributes.WrapWithTrusted && !o.trusted:
		return &hsm.UntrustedError{Label: k.Label}
	}
	return nil
}

// choose tries the token on a bench.
func (s *wrappingSession) choose(choose func(*hsm.Bench) (hsm.Method, error)) (hsm.Method, error) {
	defer s.app.Busy("trying the token with a throwaway key")()
	return choose(s.token.NewBench())
}

// wrap wraps the key and takes the wrapping key out of the token again.
func (s *wrappingSession) wrap(m hsm.Method) ([]byte, error) {
	encrypted, err := s.token.Wrap(s.under, m, s.key)
	return encrypted, errors.Join(err, s.under.Discard())
}
