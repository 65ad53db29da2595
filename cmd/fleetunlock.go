// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"

	"filippo.io/age"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

// A fleetUnlocker opens many escrows with what is given, or asked for, once.
type fleetUnlocker struct {
	app    *app
	unlock unlocking

	asking     sync.Mutex // held while an identity may ask
	mu         sync.Mutex
	identities []age.Identity
	shares     []escrow.Share
	key        material.Secret
	passphrase material.Secret
}

func (a *app) newFleetUnlocker(u unlocking) *fleetUnlocker {
	f := &fleetUnlocker{app: a, unlock: u}
	a.AtEnd(func() error {
		f.key.Destroy()
		f.passphrase.Destroy()
		return nil
	})
	return f
}

// try opens the first escrow that a plan needs, so that a wrong identity is
// found before anything is done.
func (u *fleetUnlocker) try(ctx context.Context, p *fleet.Plan) error {
	for _, c := range p.Changes {
		for _, s := range c.Steps {
			if s.Escrow.Path == "" {
				continue
			}
			m, err := u.open(ctx, s.Escrow, s.Spec)
			if err == nil {
				m.Destroy()
			}
			return err
		}
	}
	return nil
}

// open is a [fleet.Open].
func (u *fleetUnlocker) open(ctx context.Context, e fleet.Escrow, spec material.Spec) (*material.Material, error) {
	f, err := readPlanned(e)
	if err != nil {
		return nil, err
	}
	m, err := u.openFile(ctx, e.Path, f)
	if err != nil {
		return nil, inFile(e.Path, err)
	}
	if m.Spec() != spec {
		m.Destroy()
		return nil, inFile(e.Path, &material.MismatchError{Want: spec, Found: fmt.Sprintf("escrow of %s material", f.KeySpec)})
	}
	return m, nil
}

// readPlanned reads an escrow, which has to be the one that was planned with.
func readPlanned(e fleet.Escrow) (*escrow.File, error) {
	limit := int64(escrow.MaxFile)
	if info, err := os.Stat(e.Path); err == nil && info.Mode().IsRegular() {
		limit = min(limit, info.Size()) // the buffer is as large as the limit, for each of thousands
	}
	data, err := files.ReadLimited(e.Path, nil, limit)
	if err != nil {
		return nil, err
	}
	f, err := escrow.Read(bytes.NewReader(data))
	if err != nil {
		return nil, inFile(e.Path, err)
	}
	if got := f.CiphertextSHA256().String(); e.SHA256 != "" && got != e.SHA256 {
		return nil, &otherEscrowError{name: e.Path}
	}
	return f, nil
}

// otherEscrowError says that an escrow was replaced since the plan was made.
type otherEscrowError struct{ name string }

func (e *otherEscrowError) Error() string {
	return e.name + " is another escrow than when the plan was made"
}

func (u *fleetUnlocker) openFile(ctx context.Context, name string, f *escrow.File) (*material.Material, error) {
	switch {
	case f.Profile == escrow.Recipients:
		return u.openRecipients(ctx, f)
	case f.Profile == escrow.Passphrase:
		passphrase, err := u.secret(&u.passphrase, func() (material.Secret, error) {
			typed, err := u.app.passphrase(ctx, name+", and of all others")
			return material.NewSecret(typed), err
		})
		if err != nil {
			return nil, err
		}
		return f.OpenPassphrase(passphrase)
	case u.unlock.keyFile != "":
		key, err := u.secret(&u.key, func() (material.Secret, error) { return u.app.readKey(u.unlock.keyFile) })
		if err != nil {
			return nil, err
		}
		return f.OpenKey(key)
	case f.Profile == escrow.FIPSKey:
		return nil, &noKeyError{}
	}
	return u.openShared(ctx, f)
}

// secret is one that is read or asked for once.
func (u *fleetUnlocker) secret(s *material.Secret, get func() (material.Secret, error)) (material.Secret, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s.Len() > 0 {
		return *s, nil
	}
	var err error
	*s, err = get()
	return *s, err
}

// openRecipients opens with identities. Those of plugins, and ssh keys with a
// passphrase, may ask, and take one file at a time.
func (u *fleetUnlocker) openRecipients(ctx context.Context, f *escrow.File) (*material.Material, error) {
	if len(u.unlock.identities) == 0 {
		return nil, &noIdentityError{recipients: f.Recipients}
	}
	identities, err := u.identitiesOnce(ctx)
	if err != nil {
		return nil, err
	}
	if !quiet(identities) {
		u.asking.Lock()
		defer u.asking.Unlock()
	}
	return f.Open(identities...)
}

func (u *fleetUnlocker) identitiesOnce(ctx context.Context) ([]age.Identity, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.identities == nil {
		var err error
		if u.identities, err = u.app.identities(ctx, u.unlock.identities); err != nil {
			return nil, err
		}
	}
	return u.identities, nil
}

// quiet reports that no identity asks anybody for anything.
func quiet(identities []age.Identity) bool {
	for _, identity := range identities {
		switch identity.(type) {
		case *age.X25519Identity, *age.HybridIdentity:
		default:
			return false
		}
	}
	return true
}

// openShared combines those of the shares that belong to an escrow.
func (u *fleetUnlocker) openShared(ctx context.Context, f *escrow.File) (*material.Material, error) {
	shares, err := u.sharesOnce(ctx)
	if err != nil {
		return nil, err
	}
	var mine []escrow.Share
	for _, s := range shares {
		if f.CheckShare(s) == nil {
			mine = append(mine, s)
		}
	}
	key, err := f.Combine(mine)
	if err != nil {
		return nil, err
	}
	defer key.Destroy()
	return f.OpenKey(key)
}

func (u *fleetUnlocker) sharesOnce(ctx context.Context) ([]escrow.Share, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.shares == nil {
		var err error
		if u.shares, err = u.app.readShares(ctx, nil, u.unlock); err != nil {
			return nil, err
		}
	}
	return u.shares, nil
}
