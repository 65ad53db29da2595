// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"
	"errors"
	"fmt"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// A Token is the PKCS #11 token of a plan that has one: what is asked of it here,
// and no more. Keys go by their CKA_ID, in hexadecimal. What goes wrong in it is an
// error of its own.
type Token interface {
	// Login finds the token of a label, and logs its user in. The caller clears the PIN.
	Login(label string, pin []byte) (transcript.Token, error)
	// Logout is no error where nobody is logged in.
	Logout() error
	// Able tries with throwaway keys whether the token wraps material of a spec with an algorithm as KMS opens it, makes its
	// fingerprint, and, for HMAC keys, computes MACs.
	Able(spec material.Spec, a wrap.Algorithm) error
	// Generate makes material in the token, under a label that no key has: sensitive from the beginning, and extractable, which
	// is read back. One that is not so is destroyed again.
	Generate(spec material.Spec, label string) (KeyInToken, error)
	// Labelled are the keys of a label.
	Labelled(label string) ([]KeyInToken, error)
	// Find is the key of an ID; false if there is none.
	Find(id string) (key KeyInToken, found bool, err error)
	// Wrap wraps the key in the token for KMS; the result is EncryptedKeyMaterial.
	Wrap(id string, p *token.Parameters) ([]byte, error)
	// MAC computes what KMS's GenerateMac makes of a message with a key of an HMAC spec.
	MAC(id string, spec material.Spec, message []byte) ([]byte, error)
	// Destroy destroys the key for good. It is no error where there is none.
	Destroy(id string) error
}

// A KeyInToken is a key as its token tells of it.
type KeyInToken struct {
	ID          string   // CKA_ID, in hexadecimal
	Label       string   // CKA_LABEL
	Attributes  []string // that are true, such as "CKA_SENSITIVE"
	Fits        func(material.Spec) bool
	Fingerprint string // as package material makes it of the same material
}

// UseToken gives the machine the token that a plan may name. Without one it holds no
// ceremony by such a plan.
func (m *Machine) UseToken(t Token) { m.token = t }

// A NoKeyError says that the token does not have the key of the ceremony.
type NoKeyError struct{ ID string }

func (e *NoKeyError) Error() string { return "the token does not have the key " + e.ID }

// An OrphanError says that the token has a key of the ceremony's label, which no
// line tells of, or which is void.
type OrphanError struct{ Label string }

func (e *OrphanError) Error() string {
	return fmt.Sprintf("the token has a key %q already", e.Label)
}

// maxPIN is how many bytes a PIN may have, with all its parts.
const maxPIN = 256

// login has those who know the PIN type it, each their part. Nothing is kept of it.
func (m *Machine) login(ctx context.Context, r room.Room) (transcript.Token, error) {
	if m.token == nil {
		return transcript.Token{}, &SourceError{m.plan.Material.Source}
	}
	pin := make([]byte, 0, maxPIN) // never grows, which would leave copies
	defer func() { clear(pin[:cap(pin)]) }()
	for _, id := range m.plan.Token.PIN {
		who, _ := m.plan.Person(id)
		part, err := r.PIN(ctx, who, m.plan.Token.Label)
		if err != nil {
			return transcript.Token{}, err
		}
		if len(pin)+len(part) > maxPIN {
			clear(part)
			return transcript.Token{}, &DiffersError{"the PIN, longer than any,"}
		}
		pin = append(pin, part...)
		clear(part)
	}
	said, err := m.token.Login(m.plan.Token.Label, pin)
	if err == nil && said.SoftHSM {
		r.Tell("this token is SoftHSM, a program: its keys lie in files, and are as safe as those")
	}
	return said, err
}

// logout leaves the token, after something else went wrong.
func (m *Machine) logout(cause error) error { return errors.Join(cause, m.token.Logout()) }

// unlock has people log in to the token, and finds the key that the records tell of.
func (m *Machine) unlock(ctx context.Context, r room.Room, t phase.Task) error {
	e := transcript.Unlocked{Key: t.Escrow, Fingerprint: m.state.Fingerprint()}
	actors, err := m.crewOf(ctx, r, t, e)
	if err != nil {
		return err
	}
	if e.Token, err = m.login(ctx, r); err != nil {
		return err
	}
	if err := m.findKey(e.Key); err != nil {
		return m.logout(err)
	}
	if err := m.add(ctx, r, e, actors); err != nil {
		return m.logout(err)
	}
	if born := m.born(e.Key); born.Serial != "" && born.Serial != e.Token.Serial {
		r.Tell("this is another token than the one in which the key was made: its serial number is %s, and not %s", e.Token.Serial, born.Serial)
	}
	r.Tell("the token %s has the key; the fingerprint of the material is %s", e.Token, e.Fingerprint)
	return nil
}

// findKey demands that the token has the key, and that it is the same.
func (m *Machine) findKey(id string) error {
	key, found, err := m.token.Find(id)
	switch {
	case err != nil:
		return err
	case !found:
		return &NoKeyError{id}
	case key.Fingerprint != m.state.Fingerprint() || !key.Fits(m.plan.Material.Spec):
		return &DiffersError{"the key in the token"}
	}
	return nil
}

// born is the token in which a key was made, if the records tell.
func (m *Machine) born(id string) transcript.Token {
	for _, e := range m.entries {
		if made, ok := e.Event.(transcript.Generated); ok && made.Token.ID == id {
			return made.Token.Token
		}
	}
	return transcript.Token{}
}

// lock leaves the token.
func (m *Machine) lock(ctx context.Context, r room.Room, t phase.Task) error {
	actors, err := m.crewOf(ctx, r, t, transcript.Locked{})
	if err != nil {
		return err
	}
	if err := m.token.Logout(); err != nil {
		r.Tell("leaving the token: %v; take it out", err)
	}
	if err := m.add(ctx, r, transcript.Locked{}, actors); err != nil {
		return err
	}
	r.Tell("nobody is logged in to the token any more; take it out, and bring it to its place")
	return nil
}
