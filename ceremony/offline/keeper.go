// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"fmt"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// A keeper has the material, and wraps it: this machine's memory, or a token.
type keeper interface {
	// try wraps as will be wrapped, for a key that is made for that and never leaves, and opens it. What KMS cannot be asked before
	// it is too late, this shows.
	try(p *token.Parameters) error
	wrap(p *token.Parameters) (*token.Wrapped, error)
	// mac is what HMAC material makes of a message.
	mac(message []byte) ([]byte, error)
}

// keeper is who has the material now.
func (m *Machine) keeper() keeper {
	if m.plan.KeptInToken() {
		return tokenKeeper{m}
	}
	return memoryKeeper{m}
}

type memoryKeeper struct{ *Machine }

func (k memoryKeeper) try(p *token.Parameters) error { return k.rehearse(p) }

func (k memoryKeeper) wrap(p *token.Parameters) (*token.Wrapped, error) {
	return token.Wrap(p, k.memory.material)
}

func (k memoryKeeper) mac(message []byte) ([]byte, error) { return k.memory.material.MAC(message) }

// tokenKeeper compares the key with the record once more each time: what is in a
// token, others may have changed.
type tokenKeeper struct{ *Machine }

func (k tokenKeeper) id() string { return k.kept().ID }

func (k tokenKeeper) spec() material.Spec { return k.plan.Material.Spec }

func (k tokenKeeper) try(p *token.Parameters) error {
	if err := k.findKey(k.id()); err != nil {
		return err
	}
	return k.token.Able(k.spec(), p.Algorithm)
}

func (k tokenKeeper) wrap(p *token.Parameters) (*token.Wrapped, error) {
	encrypted, err := k.token.Wrap(k.id(), p)
	if err != nil {
		return nil, err
	}
	wrapped, err := token.Attach(p, encrypted)
	if err != nil {
		return nil, fmt.Errorf("the token wrapped the key, but not as KMS takes it: %w", err)
	}
	return wrapped, nil
}

func (k tokenKeeper) mac(message []byte) ([]byte, error) {
	return k.token.MAC(k.id(), k.spec(), message)
}
